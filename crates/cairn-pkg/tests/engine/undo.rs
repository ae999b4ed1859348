// SPDX-License-Identifier: MIT OR Apache-2.0
//! Taking transactions back.

use cairn_host::Root;
use cairn_pkg::failpoint::FailPoints;
use cairn_pkg::undo;
use cairn_rpm::build::FileSpec;

use crate::support::{Bench, TIME, check_clean, config, file, removal, snapshot, spec};

fn take_back(root: &Root, id: u64) -> Vec<String> {
    let outcome = undo::undo(root, id, TIME, &FailPoints::none(), &mut |_| ()).unwrap();
    check_clean(root);
    outcome.notes
}

#[test]
fn every_kind_of_change_is_taken_back() {
    let bench = Bench::new();
    let empty = snapshot(&bench.root);
    let old = spec(
        "a",
        "1-1",
        &[
            FileSpec::directory("/usr/a"),
            file("/usr/a/same", "s"),
            file("/usr/a/changed", "1"),
            FileSpec::symlink("/usr/a/l", "same"),
            config("/etc/c", "1"),
        ],
    );
    let first = bench.install(&[old]).unwrap().id;
    bench.write("etc/c", "mine");
    let one = snapshot(&bench.root);
    let new = spec(
        "a",
        "2-1",
        &[
            FileSpec::directory("/usr/a"),
            file("/usr/a/same", "s"),
            file("/usr/a/changed", "2"),
            file("/usr/b/new", "n"),
            config("/etc/c", "2"),
        ],
    );
    let second = bench.upgrade(&[new]).unwrap().id;
    let two = snapshot(&bench.root);
    let third = bench.run(vec![removal("a-2-1.noarch")]).unwrap().id;
    let three = snapshot(&bench.root);

    take_back(&bench.root, third);
    assert_eq!(snapshot(&bench.root), two);
    take_back(&bench.root, second);
    assert_eq!(snapshot(&bench.root), one);
    // Undo is a transaction too: the newest one took back the second, so taking it back does the second again.
    let ids = undo::list(&bench.root).unwrap();
    assert_eq!(ids.len(), undo::KEPT);
    take_back(&bench.root, *ids.last().unwrap());
    assert_eq!(snapshot(&bench.root), two);
    assert!(undo::undo(&bench.root, first, TIME, &FailPoints::none(), &mut |_| ()).is_err());
    let _ = (empty, three);
}

#[test]
fn an_install_is_taken_back_to_nothing() {
    let bench = Bench::new();
    let id = bench
        .install(&[spec("a", "1-1", &[FileSpec::directory("/opt/a"), file("/opt/a/f", "f")])])
        .unwrap()
        .id;
    take_back(&bench.root, id);
    // The directory of the database's parent stays.
    assert_eq!(snapshot(&bench.root), "usr/ 755\n");
}

#[test]
fn configuration_changed_since_stays() {
    let bench = Bench::new();
    bench.install(&[spec("a", "1-1", &[config("/etc/c", "1")])]).unwrap();
    let id = bench.upgrade(&[spec("a", "2-1", &[config("/etc/c", "2")])]).unwrap().id;
    bench.write("etc/c", "mine");
    let notes = take_back(&bench.root, id);
    assert_eq!(notes, ["/etc/c was changed since and stays"]);
    assert_eq!(bench.root.read_to_string("etc/c").unwrap(), "mine");
}

#[test]
fn packages_changed_since_are_refused() {
    let bench = Bench::new();
    let id = bench.install(&[spec("a", "1-1", &[file("/a", "1")])]).unwrap().id;
    bench.upgrade(&[spec("a", "2-1", &[file("/a", "2")])]).unwrap();
    let error = undo::undo(&bench.root, id, TIME, &FailPoints::none(), &mut |_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("transaction {id} cannot be undone: a-1-1.noarch has been changed since")
    );
}

#[test]
fn a_transaction_is_found_by_its_entry_in_the_history() {
    let bench = Bench::new();
    let id = bench
        .install(&[spec("a", "1-1", &[FileSpec::directory("/opt/a"), file("/opt/a/f", "f")])])
        .unwrap()
        .id;
    assert_eq!(undo::of_history(&bench.root, 7).unwrap(), None);
    undo::link_history(&bench.root, id, 7).unwrap();
    assert_eq!(undo::of_history(&bench.root, 7).unwrap(), Some(id));
    undo::check(&bench.root, id).unwrap();
    let packages = undo::packages(&bench.root, id).unwrap();
    assert_eq!(
        packages.iter().map(|p| (p.header.name(), p.comes)).collect::<Vec<_>>(),
        [("a", false)]
    );
    take_back(&bench.root, id);
    // Used up: it would only push an older one out.
    assert_eq!(undo::of_history(&bench.root, 7).unwrap(), None);
    assert_eq!(undo::list(&bench.root).unwrap().len(), 1);
    // What is not in the store is not noted.
    undo::link_history(&bench.root, 99, 8).unwrap();
    assert_eq!(undo::of_history(&bench.root, 8).unwrap(), None);
}

#[test]
fn three_can_be_taken_back_one_after_the_other() {
    let bench = Bench::new();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let files =
            [FileSpec::directory(format!("/opt/{name}")), file(&format!("/opt/{name}/f"), "f")];
        ids.push(bench.install(&[spec(name, "1-1", &files)]).unwrap().id);
    }
    for id in ids.into_iter().rev() {
        take_back(&bench.root, id);
    }
    assert_eq!(undo::list(&bench.root).unwrap().len(), undo::KEPT);
    assert!(!bench.root.exists("opt/a").unwrap());
}

#[test]
fn a_second_name_of_a_removed_file_loses_its_rights() {
    let bench = Bench::new();
    let files = [file("/usr/bin/a", "a"), file("/usr/bin/b", "b")];
    bench.install(&[spec("a", "1-1", &files)]).unwrap();
    // Two names in the package, and one that anybody made.
    bench.root.remove_file("usr/bin/b").unwrap();
    bench.root.set_mode("usr/bin/a", 0o4755).unwrap();
    bench.root.hard_link("usr/bin/a", "usr/bin/b").unwrap();
    let before = snapshot(&bench.root);
    bench.root.hard_link("usr/bin/a", "mine").unwrap();
    let id = bench.run(vec![removal("a-1-1.noarch")]).unwrap().id;
    assert_eq!(bench.root.symlink_metadata("mine").unwrap().unwrap().mode, 0o755);

    bench.root.remove_file("mine").unwrap();
    take_back(&bench.root, id);
    assert_eq!(snapshot(&bench.root), before);
}
