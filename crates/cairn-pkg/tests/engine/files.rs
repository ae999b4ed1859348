// SPDX-License-Identifier: MIT OR Apache-2.0
//! Configuration files, conflicts, shared files, links: the decisions about single files.

use cairn_pkg::failpoint::FailPoints;
use cairn_pkg::rpmdb::{Access, RpmDb};
use cairn_pkg::transaction::{Action, Overrides, Ownership, TransactionOptions, run};
use cairn_pkg::undo;
use cairn_rpm::build::FileSpec;
use cairn_rpm::header::{FileFlags, MAGIC, Value, Values, write_region};
use cairn_rpm::package::Package;
use cairn_rpm::tag;
use expect_test::expect;

use crate::support::{
    Bench, TIME, check_clean, config, file, noreplace, options, removal, snapshot, spec,
};

/// Installs `old`, lets the administrator write `on_disk`, upgrades to `new` and returns the files under /etc.
fn upgrade_config(old: FileSpec, on_disk: Option<&str>, new: FileSpec) -> String {
    let bench = Bench::new();
    bench.install(&[spec("a", "1-1", &[old])]).unwrap();
    if let Some(content) = on_disk {
        bench.write("etc/c", content);
    }
    bench.upgrade(&[spec("a", "2-1", &[new])]).unwrap();
    check_clean(&bench.root);
    etc(&bench)
}

fn etc(bench: &Bench) -> String {
    let names = bench.root.read_dir("etc").unwrap();
    let line = |name: &String| {
        format!("{name}={}", bench.root.read_to_string(format!("etc/{name}")).unwrap())
    };
    names.iter().map(line).collect::<Vec<_>>().join(" ")
}

#[test]
fn configuration_files() {
    type Make = fn(&str, &str) -> FileSpec;
    let table: [(Make, &str, Option<&str>, &str, &str); 10] = [
        (config, "old", None, "new", "c=new"),
        (config, "old", Some("mine"), "new", "c=new c.rpmsave=mine"),
        (config, "old", Some("mine"), "old", "c=mine"),
        (config, "old", Some("new"), "new", "c=new"),
        (noreplace, "old", None, "new", "c=new"),
        (noreplace, "old", Some("mine"), "new", "c=mine c.rpmnew=new"),
        (noreplace, "old", Some("mine"), "old", "c=mine"),
        (noreplace, "old", Some("new"), "new", "c=new"),
        (file, "old", Some("mine"), "new", "c=new"),
        (file, "old", Some("mine"), "old", "c=old"),
    ];
    for (make, old, on_disk, new, expected) in table {
        let found = upgrade_config(make("/etc/c", old), on_disk, make("/etc/c", new));
        assert_eq!(found, expected, "old {old}, on disk {on_disk:?}, new {new}");
    }
}

#[test]
fn unowned_configuration_files() {
    for (make, expected) in [
        (config as fn(&str, &str) -> FileSpec, "c=new c.rpmorig=mine"),
        (noreplace, "c=mine c.rpmnew=new"),
        (file, "c=new"),
    ] {
        let bench = Bench::new();
        bench.root.mkdir_all("etc", 0o755).unwrap();
        bench.write("etc/c", "mine");
        bench.install(&[spec("a", "1-1", &[make("/etc/c", "new")])]).unwrap();
        assert_eq!(etc(&bench), expected);
    }
}

#[test]
fn removed_configuration_files() {
    let bench = Bench::new();
    bench
        .install(&[spec("a", "1-1", &[config("/etc/changed", "old"), config("/etc/same", "old")])])
        .unwrap();
    bench.write("etc/changed", "mine");
    bench.run(vec![removal("a-1-1.noarch")]).unwrap();
    assert_eq!(etc(&bench), "changed.rpmsave=mine");
}

#[test]
fn conflicts_are_named() {
    let bench = Bench::new();
    let error = bench
        .install(&[spec("a", "1-1", &[file("/x", "1")]), spec("b", "1-1", &[file("/x", "2")])])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "file conflicts: file /x conflicts between attempted installs of a-1-1.noarch and b-1-1.noarch"
    );
    bench.install(&[spec("a", "1-1", &[file("/x", "1")])]).unwrap();
    let before = snapshot(&bench.root);
    let error = bench.install(&[spec("b", "1-1", &[file("/x", "2")])]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "file conflicts: file /x from install of b-1-1.noarch conflicts with file from package a-1-1.noarch"
    );
    assert_eq!(snapshot(&bench.root), before);
}

#[test]
fn identical_files_are_shared() {
    let bench = Bench::new();
    bench
        .install(&[spec("a", "1-1", &[file("/x", "1")]), spec("b", "1-1", &[file("/x", "1")])])
        .unwrap();
    bench.install(&[spec("c", "1-1", &[file("/x", "1")])]).unwrap();
    bench.run(vec![removal("a-1-1.noarch")]).unwrap();
    bench.run(vec![removal("b-1-1.noarch")]).unwrap();
    assert!(bench.root.exists("x").unwrap());
    bench.run(vec![removal("c-1-1.noarch")]).unwrap();
    assert!(!bench.root.exists("x").unwrap());
}

#[test]
fn a_path_through_a_link_of_its_own_package_is_refused() {
    let bench = Bench::new();
    // The header alone does not show it: `/alias` is a link on disk.
    bench.root.mkdir_all("usr", 0o755).unwrap();
    bench.root.symlink("usr", "alias").unwrap();
    let evil = spec(
        "evil",
        "1-1",
        &[FileSpec::symlink("/alias/x", "/etc"), file("/usr/x/passwd", "root::0:0")],
    );
    let error = bench.install(&[evil]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "evil-1-1.noarch: `/usr/x/passwd`: path passes through symlink `/usr/x`"
    );
    assert_eq!(snapshot(&bench.root), "alias -> usr\nusr/ 755\n");
}

#[test]
fn a_link_on_disk_cannot_lead_out_of_the_root() {
    let bench = Bench::new();
    let outside = bench.dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    bench.root.mkdir_all("usr", 0o755).unwrap();
    bench.root.symlink(&outside, "usr/x").unwrap();
    bench.root.symlink("../../../../..", "usr/y").unwrap();
    bench.install(&[spec("a", "1-1", &[file("/usr/x/f", "1"), file("/usr/y/g", "2")])]).unwrap();
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
    assert_eq!(bench.root.read_to_string("g").unwrap(), "2");
}

#[test]
fn changed_kinds_are_refused() {
    let bench = Bench::new();
    bench.root.mkdir_all("usr/thing", 0o755).unwrap();
    let error = bench.install(&[spec("a", "1-1", &[file("/usr/thing", "1")])]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a-1-1.noarch: `/usr/thing` is a directory on disk, the package has a file"
    );
    bench.write("usr/file", "");
    let error =
        bench.install(&[spec("a", "1-1", &[FileSpec::directory("/usr/file")])]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a-1-1.noarch: `/usr/file` is a file on disk, the package has a directory"
    );
}

#[test]
fn directories_go_only_when_empty_and_unowned() {
    let bench = Bench::new();
    let own = FileSpec::directory("/srv/own");
    let shared = FileSpec::directory("/srv/shared");
    let used = FileSpec::directory("/srv/used");
    bench
        .install(&[spec("a", "1-1", &[own, shared.clone(), used]), spec("b", "1-1", &[shared])])
        .unwrap();
    bench.write("srv/used/by-admin", "x");
    bench.run(vec![removal("a-1-1.noarch")]).unwrap();
    expect![[r#"
        srv/ 755
        srv/shared/ 755
        srv/used/ 755
        srv/used/by-admin 644 "x"
        usr/ 755
        [1] b-1-1.noarch
    "#]]
    .assert_eq(&snapshot(&bench.root));
}

#[test]
fn ghosts_are_not_created_but_removed() {
    let bench = Bench::new();
    let ghost = FileSpec::new("/var/log/a.log", cairn_rpm::build::FileKind::Ghost);
    bench.install(&[spec("a", "1-1", &[FileSpec::directory("/var/log"), ghost])]).unwrap();
    assert!(!bench.root.exists("var/log/a.log").unwrap());
    bench.write("var/log/a.log", "line");
    bench.run(vec![removal("a-1-1.noarch")]).unwrap();
    assert!(!bench.root.exists("var/log").unwrap());
}

/// Installs `old`, upgrades to `new`, and takes it back and forth; returns the tree after the upgrade.
fn there_and_back(old: &[FileSpec], change: impl Fn(&Bench), new: &[FileSpec]) -> String {
    let bench = Bench::new();
    bench.install(&[spec("a", "1-1", old)]).unwrap();
    change(&bench);
    let before = snapshot(&bench.root);
    let id = bench.upgrade(&[spec("a", "2-1", new)]).unwrap().id;
    check_clean(&bench.root);
    let after = snapshot(&bench.root);
    let take_back = |id| undo::undo(&bench.root, id, TIME, &FailPoints::none(), &mut |_| ());
    take_back(id).unwrap();
    assert_eq!(snapshot(&bench.root), before);
    take_back(*undo::list(&bench.root).unwrap().last().unwrap()).unwrap();
    assert_eq!(snapshot(&bench.root), after);
    check_clean(&bench.root);
    after
}

#[test]
fn files_make_way_for_directories() {
    let directory = [
        FileSpec::directory("/opt/a"),
        FileSpec::directory("/opt/a/b"),
        file("/opt/a/b/c", "c"),
        file("/opt/a/d", "d"),
    ];
    for old in [
        file("/opt/a", "a"),
        FileSpec::symlink("/opt/a", "nothing"),
        config("/opt/a", "as packaged"),
    ] {
        let after = there_and_back(&[old], |_| (), &directory);
        expect![[r#"
            opt/ 755
            opt/a/ 755
            opt/a/b/ 755
            opt/a/b/c 644 "c"
            opt/a/d 644 "d"
            usr/ 755
            [2] a-2-1.noarch
        "#]]
        .assert_eq(&after);
    }
    let edit = |bench: &Bench| bench.write("opt/a", "mine");
    let after = there_and_back(&[config("/opt/a", "old")], edit, &directory[..1]);
    assert!(after.contains("opt/a/ 755\nopt/a.rpmsave 644 \"mine\"\n"), "{after}");
}

#[test]
fn files_of_nobody_stay_where_a_directory_comes() {
    let bench = Bench::new();
    bench.root.mkdir_all("opt", 0o755).unwrap();
    bench.write("opt/a", "mine");
    let error = bench.install(&[spec("a", "1-1", &[FileSpec::directory("/opt/a")])]).unwrap_err();
    let expected = "a-1-1.noarch: `/opt/a` is a file on disk, the package has a directory";
    assert_eq!(error.to_string(), expected);
    assert_eq!(bench.root.read_to_string("opt/a").unwrap(), "mine");
}

#[test]
fn directories_that_cannot_become_something_else() {
    let directory = || vec![FileSpec::directory("/opt/a"), file("/opt/a/f", "f")];
    let link = || vec![FileSpec::symlink("/opt/a", "b"), FileSpec::directory("/opt/b")];
    let conflict = "file conflicts: file /opt/a from install of a-2-1.noarch conflicts with file from package a-1-1.noarch";
    for (old, new) in
        [(directory(), link()), (link(), directory()), (directory(), vec![file("/opt/a", "f")])]
    {
        let bench = Bench::new();
        bench.install(&[spec("a", "1-1", &old)]).unwrap();
        let before = snapshot(&bench.root);
        let error = bench.upgrade(&[spec("a", "2-1", &new)]).unwrap_err();
        assert_eq!(error.to_string(), conflict);
        assert_eq!(snapshot(&bench.root), before);
        // What the administrator has done already is no conflict.
        bench.root.remove_all("opt/a").unwrap();
        bench.upgrade(&[spec("a", "2-1", &new)]).unwrap();
        check_clean(&bench.root);
    }
}

#[test]
fn configuration_that_is_a_link() {
    let link = |target| FileSpec::symlink("/etc/c", target).with_flags(FileFlags::CONFIG);
    let bench = Bench::new();
    let relink = |target: &str| {
        bench.root.remove_file("etc/c").unwrap();
        bench.root.symlink(target, "etc/c").unwrap();
    };
    bench.install(&[spec("a", "1-1", &[link("old")])]).unwrap();
    relink("mine");
    bench.upgrade(&[spec("a", "2-1", &[config("/etc/c", "new")])]).unwrap();
    assert_eq!(bench.root.read_link("etc/c.rpmsave").unwrap().to_str(), Some("mine"));
    bench.upgrade(&[spec("a", "3-1", &[link("old")])]).unwrap();
    relink("other");
    bench.run(vec![removal("a-3-1.noarch")]).unwrap();
    assert_eq!(bench.root.read_link("etc/c.rpmsave").unwrap().to_str(), Some("other"));
    assert!(!bench.root.exists("etc/c").unwrap());
}

#[test]
fn ghost_configuration_stays() {
    let ghost = config("/etc/c", "x").with_flags(FileFlags::CONFIG | FileFlags::GHOST);
    let bench = Bench::new();
    bench.install(&[spec("a", "1-1", &[ghost])]).unwrap();
    bench.root.mkdir_all("etc", 0o755).unwrap();
    bench.write("etc/c", "mine");
    bench.run(vec![removal("a-1-1.noarch")]).unwrap();
    assert_eq!(bench.root.read_to_string("etc/c").unwrap(), "mine");
}

/// The states of the files of an installed package.
fn states(bench: &Bench, name: &str) -> Vec<u8> {
    let db = RpmDb::open(&bench.root, Access::ReadOnly).unwrap();
    let package = db.by_name(name).unwrap().remove(0);
    package.header.files().iter().map(|file| file.state.unwrap()).collect()
}

#[test]
fn overwritten_files_are_known() {
    let bench = Bench::new();
    let files = |content| [file("/usr/share/own", "own"), file("/usr/share/shared", content)];
    bench.install(&[spec("a", "1-1", &files("a"))]).unwrap();
    let other = spec("b", "1-1", &files("b")[1..]);
    bench.install(&[other.clone()]).unwrap_err();
    let force = TransactionOptions {
        overrides: Overrides { replace_files: true, ..Overrides::default() },
        ..options()
    };
    let items = vec![bench.item(Action::Install, &other)];
    let id = run(&bench.root, items, &force, &mut |_| ()).unwrap().id;
    assert_eq!((states(&bench, "a"), states(&bench, "b")), (vec![0, 1], vec![0]));
    let outcome = undo::undo(&bench.root, id, TIME, &FailPoints::none(), &mut |_| ()).unwrap();
    assert_eq!((outcome.added.len(), outcome.removed.len()), (0, 1));
    assert_eq!(states(&bench, "a"), [0, 0]);
    assert_eq!(bench.root.read_to_string("usr/share/shared").unwrap(), "a");

    // Neither the file nor the package goes with the one whose file was overwritten.
    let items = vec![bench.item(Action::Install, &other)];
    run(&bench.root, items, &force, &mut |_| ()).unwrap();
    bench.run(vec![removal("a-1-1.noarch")]).unwrap();
    assert_eq!(bench.root.read_to_string("usr/share/shared").unwrap(), "b");
    check_clean(&bench.root);
}

#[test]
fn left_out_files_do_not_conflict() {
    let bench = Bench::new();
    bench.install(&[spec("a", "1-1", &[file("/usr/share/shared", "a")])]).unwrap();
    let overrides =
        Overrides { exclude_paths: vec!["/usr/share".to_owned()], ..Overrides::default() };
    let without = TransactionOptions { overrides, ..options() };
    let other = spec("b", "1-1", &[file("/usr/share/shared", "b")]);
    let items = vec![bench.item(Action::Install, &other)];
    run(&bench.root, items, &without, &mut |_| ()).unwrap();
    assert_eq!((states(&bench, "a"), states(&bench, "b")), (vec![0], vec![2]));
}

/// Adds what `rpmsign --signfiles` adds to a package file.
fn sign_files(rpm: &[u8], signatures: &[&str]) -> Vec<u8> {
    let package = Package::parse(&mut &rpm[..]).unwrap();
    let old = &package.signature_header;
    let present = old.tags().filter_map(|tag| Some((tag, old.value(tag)?)));
    let mut values: Values = present.collect();
    let signatures = signatures.iter().map(|text| (*text).to_owned()).collect();
    values.insert(tag::signature::FILESIGNATURES, Value::StringArray(signatures));
    values.insert(tag::signature::FILESIGNATURELENGTH, Value::number(3));
    let mut bytes = [&rpm[..96], &MAGIC, &write_region(tag::HEADERSIGNATURES, &values)].concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(&rpm[usize::try_from(package.header_start).unwrap()..]);
    bytes
}

#[test]
fn ima_signatures() {
    let bench = Bench::new();
    let files = [
        config("/etc/plain", "c"),
        config("/etc/run", "r").with_mode(0o755),
        file("/usr/bin/a", "a"),
        file("/usr/bin/unsigned", "u"),
    ];
    let item = bench.item(Action::Install, &spec("a", "1-1", &files));
    let path = item.rpm.clone().unwrap();
    let signed =
        sign_files(&std::fs::read(&path).unwrap(), &["030201", "030202", "030203", "000000"]);
    std::fs::write(&path, signed).unwrap();
    let options = TransactionOptions { ownership: Ownership::Apply, ..options() };
    run(&bench.root, vec![item], &options, &mut |_| ()).unwrap();
    let attribute = |path: &str| bench.root.get_xattr(path, "security.ima").unwrap();
    let found = ["etc/plain", "etc/run", "usr/bin/a", "usr/bin/unsigned"].map(attribute);
    assert_eq!(found, [None, Some(vec![3, 2, 2]), Some(vec![3, 2, 3]), None]);
    let db = RpmDb::open(&bench.root, Access::ReadOnly).unwrap();
    let kept = db.packages().unwrap().remove(0).header;
    assert_eq!(kept.strings(tag::FILESIGNATURES), ["030201", "030202", "030203", "000000"]);
    check_clean(&bench.root);
}
