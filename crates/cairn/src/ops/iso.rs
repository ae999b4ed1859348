// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn iso customize`: answers and kernel options onto a copy of a medium, nothing rebuilt.
//!
//! xorriso copies the medium, adds the files and replays its boot records; `SHA256SUMS` is brought up to date, so the check of the
//! medium stays true. The same input gives the same bytes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use cairn_host::{Invocation, Root, Sandbox, Tool};
use cairn_image::iso::{ANSWERS, CUSTOMIZATION, customization};
use cairn_install::answers;
use cairn_install::software::{self, Software};

use crate::compose::WorkDirectory;
use crate::context::Context;
use crate::digest::sha256_hex;
use crate::lock::Use;
use crate::ops::upstream::{self, Generation, Vanishing};
use crate::tools;

/// Seconds the menu of a customized medium waits.
const TIMEOUT_SECONDS: u32 = 1;
/// The list of digests on a medium.
const DIGESTS: &str = "SHA256SUMS";

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Customization {
    /// The medium.
    pub input: PathBuf,
    /// Answer file.
    pub answers: PathBuf,
    /// Kernel options.
    pub kernel_args: Vec<String>,
    /// Where the result goes.
    pub output: PathBuf,
}

/// Writes a customized copy of a medium.
pub fn customize(ctx: &Context, wanted: &Customization) -> Result<()> {
    let upstream = upstream::open(ctx, &[Use::Tools], Vanishing::Stop, Generation::Current)?;
    let tools = tools::open(ctx, &upstream.lock, Use::Tools)?;
    customize_with(ctx, &tools, upstream.lock.source_date, wanted)
}

/// As [`customize`], with the programs of `tools`; new files get the date `source_date`.
pub fn customize_with(
    ctx: &Context,
    tools: &Sandbox,
    source_date: u32,
    wanted: &Customization,
) -> Result<()> {
    let input = std::fs::canonicalize(&wanted.input)
        .with_context(|| format!("opening {}", wanted.input.display()))?;
    let text = std::fs::read_to_string(&wanted.answers)
        .with_context(|| format!("reading {}", wanted.answers.display()))?;
    let work = WorkDirectory::create(ctx, "iso-customize")?;
    let root = Root::open(&work.path)?;
    let sandbox = tools
        .clone()
        .source_date(source_date.into())
        .bind_read_only(&input, "/in.iso")
        .bind(&work.path, "/work");
    let (software, digests) = read_medium(&sandbox, &root, &wanted.input)?;
    answers::parse(&wanted.answers.display().to_string(), &text, Some(&software))?;
    let menu = customization(text.as_bytes(), &wanted.kernel_args, TIMEOUT_SECONDS)?;
    let files = [(ANSWERS, text.as_bytes()), (CUSTOMIZATION, menu.as_bytes())];
    root.mkdir_all("new/cairn", 0o755)?;
    for (path, bytes) in files {
        // Readable like everything on a medium: whoever has the medium has its content.
        root.write(format!("new/{path}"), bytes, 0o644)?;
    }
    root.write(format!("new/{DIGESTS}"), with_digests(&digests, &files).as_bytes(), 0o644)?;
    for path in [ANSWERS, CUSTOMIZATION, DIGESTS] {
        root.set_mtime(format!("new/{path}"), source_date.into())?;
    }
    write(&sandbox, source_date)?;
    put_in_place(&work.path.join("out.iso"), &wanted.output)
}

/// Reads the description of a medium and its list of digests.
fn read_medium(sandbox: &Sandbox, work: &Root, shown: &Path) -> Result<(Software, String)> {
    let output = sandbox.run_unchecked(
        &Invocation::new(Tool::Xorriso)
            .args([
                "-osirrox",
                "on",
                "-indev",
                "/in.iso",
                "-extract",
                &format!("/{}", software::PATH),
            ])
            .args(["/work/software.json", "-extract", &format!("/{DIGESTS}"), "/work/digests"]),
    )?;
    if !output.success() || !work.exists("software.json")? || !work.exists("digests")? {
        bail!(
            "{} is not an installation medium of Cairn Linux (/{} and /{DIGESTS} are not on it)",
            shown.display(),
            software::PATH
        );
    }
    let software = Software::parse(&work.read("software.json")?).map_err(|reason| {
        anyhow::anyhow!("/{} of {}: {reason}", software::PATH, shown.display())
    })?;
    Ok((software, work.read_to_string("digests")?))
}

/// Returns a list of digests in which `files` are new or replaced, in the order of names.
fn with_digests(list: &str, files: &[(&str, &[u8])]) -> String {
    let is_new = |line: &str| files.iter().any(|(path, _)| line.get(66..) == Some(*path));
    let mut lines: Vec<String> =
        list.lines().filter(|line| !is_new(line)).map(|line| format!("{line}\n")).collect();
    lines.extend(files.iter().map(|(path, bytes)| format!("{}  {path}\n", sha256_hex(bytes))));
    lines.sort_by(|one, other| one.get(64..).cmp(&other.get(64..)));
    lines.concat()
}

fn write(sandbox: &Sandbox, source_date: u32) -> Result<()> {
    let date = format!("={source_date}");
    let mut invocation = Invocation::new(Tool::Xorriso).args([
        "-abort_on",
        "FAILURE",
        "-return_with",
        "SORRY",
        "32",
        "-report_about",
        "SORRY",
        "-indev",
        "/in.iso",
        "-outdev",
        "/work/out.iso",
        "-boot_image",
        "any",
        "replay",
        "-volume_date",
        "all_file_dates",
        &date,
    ]);
    for path in [ANSWERS, CUSTOMIZATION, DIGESTS] {
        invocation =
            invocation.args(["-map", &format!("/work/new/{path}"), &format!("/{path}")]).args([
                "-chown",
                "0",
                &format!("/{path}"),
                "--",
                "-chgrp",
                "0",
                &format!("/{path}"),
                "--",
            ]);
    }
    sandbox.run(&invocation.args(["-commit", "-end"]))?;
    Ok(())
}

fn put_in_place(made: &Path, output: &Path) -> Result<()> {
    let shown = || format!("writing {}", output.display());
    if std::fs::rename(made, output).is_err() {
        // The work directory lies on another file system.
        std::fs::copy(made, output).with_context(shown)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_added_replaced_and_sorted() {
        let zeros = "0".repeat(64);
        let list = format!("{zeros}  boot/vmlinuz\n{zeros}  cairn/answers.toml\n{zeros}  repo/x\n");
        let made = with_digests(&list, &[(ANSWERS, b"a"), (CUSTOMIZATION, b"b")]);
        let names: Vec<&str> = made.lines().map(|line| &line[66..]).collect();
        assert_eq!(names, ["boot/vmlinuz", "cairn/answers.toml", "cairn/customize.cfg", "repo/x"]);
        assert!(made.contains(&format!("{}  cairn/answers.toml\n", sha256_hex(b"a"))));
        assert_eq!(with_digests(&made, &[(ANSWERS, b"a"), (CUSTOMIZATION, b"b")]), made);
    }
}
