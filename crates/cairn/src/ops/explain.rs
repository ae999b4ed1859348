// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn explain`: why a package is as it is.

use anyhow::{Context as _, Result, anyhow};

use crate::context::Context;
use crate::deb::Deb;
use crate::fetch;
use crate::lock::Use;
use crate::ops::upstream::{self, Generation, Vanishing};
use crate::overlay::suggest;
use crate::repack::{self, Explanation, RepackOptions};

/// Returns the explanation of the package called `name` (ours or Debian's) as lines of text.
pub fn explain(ctx: &Context, name: &str) -> Result<Vec<String>> {
    let upstream = upstream::open(ctx, &[Use::Os], Vanishing::Stop, Generation::Current)?;
    let set = crate::ops::packages::package_set_of(&upstream);
    let file = upstream
        .lock
        .used_for(Use::Os)
        .find(|file| {
            file.name == name || set.names.get(&file.name).is_some_and(|ours| ours == name)
        })
        .ok_or_else(|| {
            let known = set.names.values().chain(set.names.keys()).map(String::as_str);
            let nearest = suggest::nearest(name, known)
                .map(|nearest| format!(" (did you mean `{nearest}`?)"))
                .unwrap_or_default();
            anyhow!("no package `{name}` is re-packaged from upstream{nearest}")
        })?;
    let path = fetch::cached_path(&ctx.cache, &file.sha256);
    let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let deb = Deb::parse(&file.path, &bytes)?;
    let overlay = upstream.overlays.overlay_for(&file.name);
    let options = RepackOptions {
        source_date: upstream.lock.source_date,
        vendor: upstream.distro.name.clone(),
    };
    let repacked = repack::repack(&deb, &overlay, &set, &options)?;
    Ok(lines(&repacked.explanation, &file.suite))
}

fn lines(explanation: &Explanation, suite: &str) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{} {} ({suite}) → {}",
            explanation.debian_name,
            explanation.debian_version,
            explanation.packages.join(", ")
        ),
        format!("  {}", explanation.purl),
        format!(
            "  overlay: {}",
            explanation.overlay.as_deref().unwrap_or("none, taken with the defaults")
        ),
    ];
    lines.push("files:".into());
    for file in &explanation.files {
        let from = file.source.as_deref().unwrap_or("(added)");
        match &file.path {
            Some(path) if Some(path) == file.source.as_ref() => {
                lines.push(format!("  {path}: {}", file.reason));
            }
            Some(path) => lines.push(format!("  {from} → {path}: {}", file.reason)),
            None => lines.push(format!("  {from} → left out: {}", file.reason)),
        }
    }
    lines.push("dependencies:".into());
    for dependency in &explanation.dependencies {
        let fate = if dependency.kept { "" } else { "left out: " };
        lines.push(format!(
            "  {} {} {}: {fate}{}",
            dependency.package, dependency.kind, dependency.text, dependency.reason
        ));
    }
    lines.push("maintainer scripts:".into());
    lines.extend(
        explanation.scripts.iter().map(|script| format!("  {}: {}", script.script, script.reason)),
    );
    lines.push("effects of debhelper and triggers:".into());
    lines.extend(explanation.effects.iter().map(|effect| format!("  {effect:?}")));
    lines.extend(explanation.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines
}
