// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our installed tree against Debian's installation of the same packages: every difference is in `distro/differences.toml`.
//!
//! Needs `out/` (`cargo xtask vm` makes it and runs this). Works for root and for ordinary users.

mod reference;
mod review;
mod tree;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use cairn::compose::stage::Staged;
use cairn::compose::{Profile, WorkDirectory, finish, stage, triggers};
use cairn::context::Context;
use cairn::lock::Use;
use cairn::ops::build::Build;
use cairn::ops::packages::Packages;
use cairn::ops::upstream::{self, Generation, Upstream, Vanishing};
use review::Review;
use tree::Tree;

#[test]
fn every_difference_from_debians_tree_has_a_reason() {
    let printer =
        Arc::new(cairn_ui::Printer::new(cairn_ui::Verbosity::Quiet, cairn_ui::Color::Never));
    let ctx = Context::open(printer, Path::new(env!("CARGO_MANIFEST_DIR")), None).unwrap();
    let uses = [Use::Os, Use::Tools, Use::Test, Use::Reference];
    let upstream = upstream::open(&ctx, &uses, Vanishing::Stop, Generation::Current).unwrap();
    let work = WorkDirectory::create(&ctx, "test-mmdebstrap").unwrap();
    let profile = Profile::load(&ctx.distro_dir(), "default").unwrap();
    let names = debian_names(&ctx);
    let debian = reference::install(&ctx, &upstream, &names, &work.path);
    let source_date = upstream.lock.source_date;
    let ours =
        Tree::read_staged(&compose(&ctx, upstream, &profile, &work.path.join("root")), source_date);
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

/// Names of the upstream packages in the default image.
fn debian_names(ctx: &Context) -> BTreeSet<String> {
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

/// Installs the default profile from `out/repo`, as `cairn build disk` does, without what only a disk has.
fn compose(ctx: &Context, upstream: Upstream, profile: &Profile, root: &Path) -> Staged {
    let mut packages = Packages::default();
    for entry in std::fs::read_dir(ctx.project.join("out/repo/packages")).unwrap() {
        packages.files.push(entry.unwrap().path());
    }
    packages.files.sort();
    let tools = cairn::tools::open(ctx, &upstream.lock, Use::Tools).unwrap();
    let key = cairn::keys::load(ctx, None).unwrap();
    let build = Build { ctx, upstream, key, tools, out: ctx.project.join("out") };
    let names: Vec<String> =
        profile.packages.iter().cloned().chain(profile.kernel.clone()).collect();
    let mut staged = stage::install(&build, &packages, &names, root).unwrap();
    triggers::run(&build, &mut staged).unwrap();
    finish::seal(&build, &mut staged).unwrap();
    staged
}
