// SPDX-License-Identifier: MIT OR Apache-2.0
//! The help of every command: the whole reference is one snapshot.

use expect_test::expect_file;

#[test]
fn reference() {
    expect_file!["snapshots/dnf.md"]
        .assert_eq(&cairn_ui::docs::markdown(&cairn_dnf::dnf::cli::command()));
}
