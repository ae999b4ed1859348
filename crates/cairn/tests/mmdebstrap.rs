// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our installed tree against Debian's installation of the same packages: every difference is in `distro/differences.toml`.
//!
//! Needs `out/` (`cargo xtask vm` makes it and runs this). Works for root and for ordinary users.

mod composition;
mod reference;
mod review;
mod tree;

use std::path::Path;
use std::sync::Arc;

use cairn::compose::WorkDirectory;
use cairn::context::Context;
use cairn::lock::Use;
use cairn::ops::upstream::{self, Generation, Vanishing};
use review::Review;
use tree::Tree;

#[test]
fn every_difference_from_debians_tree_has_a_reason() {
    let printer =
        Arc::new(cairn_ui::Printer::new(cairn_ui::Verbosity::Quiet, cairn_ui::Color::Never));
    let ctx = Context::open(printer, &cairn_testkit::package_directory(), None).unwrap();
    let uses = [Use::Os, Use::Tools, Use::Test, Use::Reference];
    let upstream = upstream::open(&ctx, &uses, Vanishing::Stop, Generation::Current).unwrap();
    let work = WorkDirectory::create(&ctx, "test-mmdebstrap").unwrap();
    let names = reference::names(&ctx);
    let debian = reference::install(&ctx, &upstream, &names, &work.path);
    let source_date = upstream.lock.source_date;
    let staged = composition::compose_default(&ctx, upstream, &work.path.join("root"));
    let ours = Tree::read_staged(&staged, source_date);
    let differences = tree::compare(&debian.tree, &ours);
    let review = Review::load(&ctx.distro_dir().join("differences.toml"));
    let complaints = review.judge(&debian, &differences);
    assert!(
        complaints.is_empty(),
        "{} differences, {} complaints:\n{}",
        differences.len(),
        complaints.len(),
        complaints.join("\n")
    );
}
