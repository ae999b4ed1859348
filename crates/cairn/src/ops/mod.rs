// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operations, one file each. They compute, fetch and write; words are left to [`crate::commands`].

pub mod build;
pub mod explain;
pub mod index;
pub mod iso;
pub mod key_list;
pub mod lock;
pub mod packages;
pub mod python;
pub mod repository;
pub mod stamp;
pub mod upstream;
pub mod vm;
pub mod workspace;

/// Returns the version line of the compiler that builds our programs.
pub fn toolchain() -> anyhow::Result<String> {
    let output = cairn_host::Invocation::new(cairn_host::Tool::Rustc).arg("--version").run()?;
    Ok(output.stdout_text().trim().to_owned())
}
