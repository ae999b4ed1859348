// SPDX-License-Identifier: MIT OR Apache-2.0
//! `Root`: nothing leads out of it, writes are whole, names are sorted.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use cairn_host::{FileKind, HostError, Root};

fn scratch() -> (tempfile::TempDir, Root) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("root")).unwrap();
    fs::write(dir.path().join("secret"), "outside").unwrap();
    let root = Root::open(dir.path().join("root")).unwrap();
    (dir, root)
}

#[test]
fn links_and_dots_stay_inside() {
    let (dir, root) = scratch();
    symlink("/secret", dir.path().join("root/absolute")).unwrap();
    symlink("../secret", dir.path().join("root/upwards")).unwrap();
    symlink("../../..", dir.path().join("root/out")).unwrap();
    symlink("/proc/self/root", dir.path().join("root/magic")).unwrap();
    for path in ["absolute", "upwards", "../secret", "/../secret", "out/secret", "magic/secret"] {
        let error = root.read(path).unwrap_err();
        assert!(error.is_not_found(), "{path}: {error}");
    }
    root.write_atomic("secret", b"inside", 0o644).unwrap();
    for path in ["absolute", "upwards", "../secret", "/../secret", "out/secret", "/out/../secret"] {
        assert_eq!(root.read_to_string(path).unwrap(), "inside", "{path}");
    }
    assert_eq!(fs::read_to_string(dir.path().join("secret")).unwrap(), "outside");
    assert!(matches!(root.remove_file("out/.."), Err(HostError::BadPath { .. })));
}

#[test]
fn writing_through_a_link_to_a_directory_stays_inside() {
    let (dir, root) = scratch();
    root.symlink("/usr/lib", "lib").unwrap();
    root.mkdir_all("usr/lib", 0o755).unwrap();
    root.mkdir_all("lib/systemd/system", 0o755).unwrap();
    root.write("lib/systemd/system/a.service", b"[Unit]\n", 0o600).unwrap();
    let path = dir.path().join("root/usr/lib/systemd/system/a.service");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o600);
    root.write("file", b"", 0o644).unwrap();
    let error = root.mkdir_all("file/below", 0o755).unwrap_err();
    assert!(error.to_string().starts_with("cannot create directory `/"), "{error}");
}

#[test]
fn write_atomic_replaces_a_link_and_leaves_nothing_behind() {
    let (dir, root) = scratch();
    root.symlink("../secret", "config").unwrap();
    root.write_atomic("config", b"new", 0o640).unwrap();
    let stat = root.symlink_metadata("config").unwrap().unwrap();
    assert_eq!((stat.kind, stat.mode, stat.size), (FileKind::Regular, 0o640, 3));
    assert_eq!(root.read_dir("").unwrap(), ["config"]);
    assert_eq!(fs::read_to_string(dir.path().join("secret")).unwrap(), "outside");
    // A failing rename (target is a directory) leaves no temporary file.
    root.mkdir("dir", 0o755).unwrap();
    assert!(root.write_atomic("dir", b"x", 0o644).is_err());
    assert_eq!(root.read_dir("").unwrap(), ["config", "dir"]);
}

#[test]
fn metadata_and_attributes() {
    let (dir, root) = scratch();
    drop(root.create_new("a", 0o4755).unwrap());
    assert_eq!(
        root.symlink_metadata("a").unwrap().unwrap().mode,
        0o4755,
        "the umask does not apply"
    );
    assert!(root.create_new("a", 0o644).is_err());
    root.mkdir("sticky", 0o1777).unwrap();
    assert_eq!(root.metadata("sticky").unwrap().unwrap().mode, 0o1777);
    root.symlink("a", "link").unwrap();
    root.set_mtime("link", 1_000_000_000).unwrap();
    assert_eq!(root.symlink_metadata("link").unwrap().unwrap().mtime, 1_000_000_000);
    assert_ne!(root.metadata("link").unwrap().unwrap().mtime, 1_000_000_000);
    root.set_mode("link", 0o600).unwrap();
    assert_eq!(
        root.metadata("link").unwrap().unwrap().mode,
        0o4755,
        "a link's mode does not reach its target"
    );
    root.hard_link("a", "b").unwrap();
    assert_eq!(fs::metadata(dir.path().join("root/b")).unwrap().nlink(), 2);
    assert_eq!(root.symlink_metadata("no/where").unwrap(), None);
    assert_eq!(root.symlink_metadata("a/below").unwrap(), None);
    assert!(root.symlink_metadata("").unwrap().unwrap().is_dir());
    assert_eq!(root.read_link("link").unwrap().to_str(), Some("a"));
    assert_eq!(root.get_xattr("a", "user.none").unwrap(), None);
    root.mknod("fifo", FileKind::Fifo, 0o600, 0).unwrap();
    assert_eq!(root.symlink_metadata("fifo").unwrap().unwrap().kind, FileKind::Fifo);
    let (bytes, inodes) = root.free_space("").unwrap();
    assert!(bytes > 0 && inodes > 0);
}

#[test]
fn remove_all_keeps_what_links_point_to() {
    let (dir, root) = scratch();
    root.mkdir_all("tree/deep/er", 0o755).unwrap();
    root.symlink("/etc", "tree/deep/etc").unwrap();
    root.symlink("../..", "tree/up").unwrap();
    root.write("keep", b"", 0o644).unwrap();
    root.set_mode("tree/deep", 0o000).unwrap();
    root.remove_all("tree").unwrap();
    root.remove_all("tree").unwrap();
    assert_eq!(root.read_dir("/").unwrap(), ["keep"]);
    assert!(dir.path().join("secret").exists());
    root.remove_all("").unwrap();
    assert_eq!(root.read_dir("/").unwrap(), Vec::<String>::new());
}

#[test]
fn rename_variants_and_locks() {
    let (_dir, root) = scratch();
    root.write("a", b"a", 0o644).unwrap();
    root.write("b", b"b", 0o644).unwrap();
    assert!(root.rename_no_replace("a", "b").is_err());
    root.exchange("a", "b").unwrap();
    assert_eq!(root.read("a").unwrap(), b"b");
    root.rename("a", "b").unwrap();
    assert_eq!(root.read("b").unwrap(), b"b");
    let lock = root.try_lock_file("lock").unwrap();
    assert!(lock.is_some());
    assert!(root.try_lock_file("lock").unwrap().is_none());
    drop(lock);
    assert!(root.try_lock_file("lock").unwrap().is_some());
}

#[test]
fn walk_is_sorted_and_does_not_follow() {
    let (_dir, root) = scratch();
    for dir in ["b/x", "a"] {
        root.mkdir_all(dir, 0o755).unwrap();
    }
    root.symlink("/b", "a/link").unwrap();
    let mut seen = Vec::new();
    root.walk("/", &mut |path, stat| {
        seen.push(format!("{} {:?}", path.display(), stat.kind));
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, ["a Directory", "a/link Symlink", "b Directory", "b/x Directory"]);
}

#[test]
fn names_that_are_not_utf8_are_refused_with_the_name() {
    use std::os::unix::ffi::OsStrExt as _;
    let (dir, root) = scratch();
    fs::write(dir.path().join("root").join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "").unwrap();
    let error = root.read_dir("").unwrap_err().to_string();
    assert!(error.ends_with(r"is not valid UTF-8: caf\xe9"), "{error}");
    root.remove_all("").unwrap();
}
