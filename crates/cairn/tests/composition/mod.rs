// SPDX-License-Identifier: MIT OR Apache-2.0
//! The default profile as a directory: what `cairn build disk` writes to a disk.

use std::path::Path;

use cairn::compose::stage::Staged;
use cairn::compose::{Profile, finish, stage, triggers};
use cairn::context::Context;
use cairn::lock::Use;
use cairn::ops::build::Build;
use cairn::ops::packages::Packages;
use cairn::ops::upstream::Upstream;

/// Installs the default profile from `out/repo`, as `cairn build disk` does, without what only a disk has.
pub fn compose_default(ctx: &Context, upstream: Upstream, root: &Path) -> Staged {
    let profile = Profile::load(&ctx.distro_dir(), "default").unwrap();
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
