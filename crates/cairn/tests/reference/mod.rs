// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debian's own installation of a set of packages, made by mmdebstrap from locked files: offline and without privileges.
//!
//! In a user namespace with one id nothing can be given to another user, so owners, devices and capabilities are kept by fakeroot,
//! whose library is preloaded outside and inside of the new tree; chroot(2) itself works there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use cairn::apt::packages::split_dependencies;
use cairn::context::Context;
use cairn::deb::Deb;
use cairn::lock::{LockedFile, Use};
use cairn::ops::upstream::Upstream;
use cairn_host::{Invocation, Tool};

use crate::tree::Tree;

/// What runs in the tools tree; `@PACKAGES@` is a comma-separated list.
const SCRIPT: &str = r#"
library=/usr/lib/x86_64-linux-gnu/libfakeroot
started=$(faked-sysv) || exit 9
trap 'kill ${started##*:}' EXIT
export FAKEROOTKEY=${started%%:*} FAKEROOTDONTTRYCHOWN=1 TMPDIR=/work
export LD_PRELOAD=$library/libfakeroot-sysv.so
mmdebstrap --mode=root --variant=custom --include=@PACKAGES@ --format=tar \
  --skip=check/empty,chroot/mount,chroot/test-mount \
  --dpkgopt=force-unsafe-io --dpkgopt=force-depends \
  --aptopt='APT::Sandbox::User "root"' \
  --setup-hook="mkdir -p \"\$1$library\" && cp $library/libfakeroot-sysv.so \"\$1$library/\"" \
  --customize-hook="rm -r \"\$1$library\"" \
  @HOOKS@ trixie /work/tree.tar 'deb [trusted=yes] copy:/work/repo ./'
"#;

/// Makes a server of the tree, as an administrator would: file systems as Debian's installer lists them, an address by DHCP, an
/// initramfs with the modules of the machine that it will start on left open, no identity. The SSH host keys that the installation
/// made stay: Debian makes none at boot, unless cloud-init finds a source of data.
const BOOT_HOOKS: &str = r#"--customize-hook='chroot "$1" update-initramfs -c -k all' \
  --customize-hook='printf "LABEL=debian-root / ext4 errors=remount-ro 0 1\nLABEL=DEBIAN-ESP /boot/efi vfat umask=0077 0 1\n" > "$1/etc/fstab"; mkdir -p "$1/boot/efi"' \
  --customize-hook='printf "[Match]\nType=ether\n[Network]\nDHCP=yes\n" > "$1/etc/systemd/network/80-wired.network"; chroot "$1" systemctl enable systemd-networkd' \
  --customize-hook=': > "$1/etc/machine-id"; echo debian > "$1/etc/hostname"'"#;

/// Debian's tree, and what its dependencies would have brought in addition.
pub struct Reference {
    pub tree: Tree,
    /// Paths by the packages that own them.
    pub owners: BTreeMap<String, BTreeSet<String>>,
    /// Packages that a package of the set wants and that are not in the set.
    pub left_out: BTreeSet<String>,
}

/// What Debian's system is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Its files are compared with ours.
    Compare,
    /// It is booted, so it has an initramfs.
    Boot,
}

/// Installs `names` and what their maintainer scripts need; returns the tree.
pub fn install(
    ctx: &Context,
    upstream: &Upstream,
    names: &BTreeSet<String>,
    work: &Path,
) -> Reference {
    let left_out = make_tar(ctx, upstream, names, Purpose::Compare, work);
    let tree = Tree::read_tar(&work.join("tree.tar"));
    let owners = owners(&tree);
    Reference { tree, owners, left_out }
}

/// Names of the upstream packages in the default image.
pub fn names(ctx: &Context) -> BTreeSet<String> {
    let path = ctx.project.join("out/cairn-linux-0.1-x86_64.raw.manifest.json");
    let text = std::fs::read_to_string(&path).expect("run `cargo cairn build disk` first");
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let purls = manifest["packages"].as_array().unwrap().iter();
    let names = purls.filter_map(|package| {
        let rest = package["origin"]["purl"].as_str()?.strip_prefix("pkg:deb/debian/")?;
        Some(rest.split('@').next()?.to_owned())
    });
    names.collect()
}

/// Makes `tree.tar` in the directory `work`; returns what dependencies would have brought in addition.
pub fn make_tar(
    ctx: &Context,
    upstream: &Upstream,
    names: &BTreeSet<String>,
    purpose: Purpose,
    work: &Path,
) -> BTreeSet<String> {
    let is_wanted = |file: &&LockedFile| {
        (file.uses.contains(&Use::Os) && names.contains(&file.name))
            || file.uses.contains(&Use::Reference)
            || (purpose == Purpose::Boot && file.uses.contains(&Use::Benchmark))
    };
    let files: Vec<&LockedFile> = upstream.lock.files.iter().filter(is_wanted).collect();
    let left_out = write_repository(ctx, &files, &work.join("repo"));
    let (benchmark, hooks) = match purpose {
        Purpose::Compare => (&[][..], ""),
        Purpose::Boot => (&upstream.distro.tools.benchmark.packages[..], BOOT_HOOKS),
    };
    let needed = upstream.distro.tools.reference.packages.iter().chain(benchmark);
    let tools = ["fakeroot", "mmdebstrap"];
    let packages: BTreeSet<&str> = needed
        .map(String::as_str)
        .filter(|name| !tools.contains(name))
        .chain(names.iter().map(String::as_str))
        .collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    std::fs::write(
        work.join("run.sh"),
        SCRIPT.replace("@PACKAGES@", &packages.join(",")).replace("@HOOKS@", hooks),
    )
    .unwrap();
    let sandbox = cairn::tools::open_reference(ctx, &upstream.lock)
        .unwrap()
        .bind(work, "/work")
        .source_date(upstream.lock.source_date.into());
    let output = sandbox.run_unchecked(&Invocation::new(Tool::Sh).arg("/work/run.sh")).unwrap();
    assert!(output.success(), "mmdebstrap: {}", output.stderr_text());
    left_out
}

/// Writes a flat repository of the files. Its index names only dependencies that the repository can satisfy, so that apt installs
/// this set and no other; returns what was left out.
fn write_repository(ctx: &Context, files: &[&LockedFile], directory: &Path) -> BTreeSet<String> {
    std::fs::create_dir_all(directory).unwrap();
    let read = |file: &LockedFile| {
        let path = cairn::fetch::cached_path(&ctx.cache, &file.sha256);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::hard_link(&path, directory.join(format!("{}.deb", file.name))).unwrap();
        let mut deb = Deb::parse(&file.path, &bytes).unwrap();
        deb.entries.clear();
        deb
    };
    let (first, second) = files.split_at(files.len() / 2);
    let debs: Vec<Deb> = std::thread::scope(|scope| {
        let half = scope.spawn(|| first.iter().map(|file| read(file)).collect::<Vec<_>>());
        let rest: Vec<Deb> = second.iter().map(|file| read(file)).collect();
        half.join().unwrap().into_iter().chain(rest).collect()
    });
    let mut known: BTreeSet<&str> = debs.iter().map(Deb::name).collect();
    for deb in &debs {
        known.extend(split_dependencies(deb.field("provides")).flatten().map(|one| one.name));
    }
    let mut left_out = BTreeSet::new();
    let mut index = String::new();
    for (file, deb) in files.iter().zip(&debs) {
        for field in ["Package", "Version", "Architecture", "Essential", "Multi-Arch", "Provides"] {
            let value = deb.field(&field.to_lowercase());
            if !value.is_empty() {
                let _ = writeln!(index, "{field}: {value}");
            }
        }
        for field in ["Depends", "Pre-Depends"] {
            let value = deb.field(&field.to_lowercase());
            let groups: Vec<&str> =
                value.split(',').map(str::trim).filter(|group| !group.is_empty()).collect();
            let (kept, dropped): (Vec<&str>, Vec<&str>) = groups.into_iter().partition(|group| {
                split_dependencies(group).flatten().any(|one| known.contains(one.name))
            });
            left_out.extend(dropped.iter().filter_map(|group| {
                Some(split_dependencies(group).next()?.first()?.name.to_owned())
            }));
            if !kept.is_empty() {
                let _ = writeln!(index, "{field}: {}", kept.join(", "));
            }
        }
        let _ = writeln!(
            index,
            "Filename: {}.deb\nSize: {}\nSHA256: {}\nDescription: x\n",
            file.name, file.size, file.sha256
        );
    }
    std::fs::write(directory.join("Packages"), index).unwrap();
    left_out
}

/// Reads dpkg's file lists.
fn owners(tree: &Tree) -> BTreeMap<String, BTreeSet<String>> {
    let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (package, list) in &tree.dpkg_lists {
        for line in list.lines() {
            let merged = ["/bin", "/sbin", "/lib", "/lib64"]
                .iter()
                .any(|top| line.strip_prefix(top).is_some_and(|rest| rest.starts_with('/')));
            let path = if merged { format!("/usr{line}") } else { line.to_owned() };
            owners.entry(path).or_default().insert(package.clone());
        }
    }
    owners
}
