// SPDX-License-Identifier: MIT OR Apache-2.0
//! How fast our package programs are against dnf 5 (Debian sid), dnf 4, rpm and createrepo_c (trixie): `cargo xtask bench packages`.
//!
//! A measurement, not a test of anything; `docs/benchmarks.md` describes it. All programs run in the same way (`chroot` into a tree,
//! files on a tmpfs), in turns, and the medians are compared. Needs root, because packages are installed with their owners.

#[path = "../peers/mod.rs"]
mod peers;
mod rows;
mod stage;
mod table;
mod universe;

use stage::Stage;

#[test]
fn packages() {
    assert!(is_root(), "run as root: the peers install packages with their owners");
    let stage = Stage::open();
    let rows = rows::all();
    let results = stage.measure(&rows);
    println!("{}", table::render(&stage, &rows, &results));
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
