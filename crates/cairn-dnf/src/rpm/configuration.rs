// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm --showrc`: what this rpm can do and how it is set.

use super::macros;
use super::options::Options;
use super::problems;
use cairn_ui::Printer;

/// Shows the configuration.
pub fn show(options: &Options, printer: &Printer) {
    let arch = std::env::consts::ARCH;
    let known = ["x86_64_v4", "x86_64_v3", "x86_64_v2", "x86_64", "amd64", "em64t", "aarch64"];
    let old = ["noarch", "athlon", "i686", "i586", "i486", "i386"];
    let compatible: Vec<&str> =
        known.into_iter().chain(old).filter(|name| problems::runs_here(name)).collect();
    let heads = [
        "ARCHITECTURE AND OS:".to_owned(),
        format!("build arch            : {arch}"),
        format!("compatible build archs: {arch} noarch"),
        "build os              : Linux".to_owned(),
        "compatible build os's : Linux".to_owned(),
        format!("install arch          : {arch}"),
        "install os            : Linux".to_owned(),
        format!("compatible archs      : {}", compatible.join(" ")),
        "compatible os's       : Linux".to_owned(),
        String::new(),
        "BACKEND:".to_owned(),
        "default backend       : sqlite".to_owned(),
        "available backends    : sqlite".to_owned(),
        String::new(),
        "Features supported by rpmlib:".to_owned(),
    ];
    heads.iter().for_each(|line| printer.data(line));
    problems::features().for_each(|feature| printer.data(&format!("    {feature}")));
    printer.data("");
    printer.data(&format!("Macro path: {}", options.macro_path.as_deref().unwrap_or(macros::PATH)));
    printer.data("");
    printer.data("========================");
    for (name, body) in macros::of(options).all() {
        printer.data(&format!("-13: {name}\t{body}"));
    }
}
