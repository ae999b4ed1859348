// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf`, and `rpm` when started under that name.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    let program = arguments.first().map_or("dnf", String::as_str);
    let name =
        Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or("dnf").to_owned();
    match name.as_str() {
        "rpm" | "rpmkeys" | "rpmquery" | "rpmverify" | "rpmdb" | "rpm2cpio" | "rpm2archive" => {
            cairn_dnf::rpm::run(&name, &arguments)
        }
        _ => cairn_dnf::dnf::run(&arguments),
    }
}
