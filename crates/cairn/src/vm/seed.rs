// SPDX-License-Identifier: MIT OR Apache-2.0
//! Provisioning data for cloud-init's NoCloud source: a small ISO image labelled `cidata`.

use std::collections::BTreeMap;
use std::path::Path;

use cairn_host::{Invocation, Root, Sandbox, Tool};

use super::{Result, VmError};

/// The label cloud-init looks for.
pub const SEED_LABEL: &str = "cidata";

/// Writes `files` (`user-data`, `meta-data`, perhaps `network-config`) into an ISO image at `output`. `staging` is an empty
/// directory for the files; `tools` holds xorriso. The same files give the same image.
pub fn write_seed(
    tools: &Sandbox,
    files: &BTreeMap<String, Vec<u8>>,
    staging: &Path,
    output: &Path,
) -> Result<()> {
    let root = Root::create(staging)?;
    for (name, content) in files {
        root.write(name, content, 0o644)?;
        root.set_mtime(name, 0)?;
    }
    root.set_mtime("", 0)?;
    let image =
        std::fs::File::create(output).map_err(|source| VmError::file("create", output, source))?;
    drop(image);
    let invocation = Invocation::new(Tool::Xorriso)
        .args([
            "-as",
            "mkisofs",
            "-quiet",
            "-V",
            SEED_LABEL,
            "-J",
            "-R",
            "-o",
            "/seed.iso",
            "/seed",
        ])
        .env("SOURCE_DATE_EPOCH", "0");
    tools.clone().bind_read_only(staging, "/seed").bind(output, "/seed.iso").run(&invocation)?;
    Ok(())
}
