// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `rpm -qi`, `--requires`, `--scripts` and the like show, as query formats.

/// `-i`
pub const INFO: &str = "Name        : %{NAME}\\n\
%|EPOCH?{Epoch       : %{EPOCH}\\n}|\
Version     : %{VERSION}\\n\
Release     : %{RELEASE}\\n\
%|DISTTAG?{DistTag     : %{DISTTAG}\\n}|\
Architecture: %{ARCH}\\n\
Install Date: %|INSTALLTIME?{%{INSTALLTIME:date}}:{(not installed)}|\\n\
Group       : %{GROUP}\\n\
Size        : %{LONGSIZE}\\n\
%|LICENSE?{License     : %{LICENSE}}|\\n\
Signature   : %|DSAHEADER?{%{DSAHEADER:pgpsig}}:{%|RSAHEADER?{%{RSAHEADER:pgpsig}}:{%|OPENPGP?{[%{OPENPGP:pgpsig}]}:{%|SIGGPG?{%{SIGGPG:pgpsig}}:{%|SIGPGP?{%{SIGPGP:pgpsig}}:{(none)}|}|}|}|}|\\n\
Source RPM  : %{SOURCERPM}\\n\
Build Date  : %{BUILDTIME:date}\\n\
Build Host  : %{BUILDHOST}\\n\
%|PREFIXES?{Relocations :[ %{PREFIXES}]\\n}|\
%|PACKAGER?{Packager    : %{PACKAGER}\\n}|\
%|VENDOR?{Vendor      : %{VENDOR}\\n}|\
%|VCS?{VCS         : %{VCS}\\n}|\
%|URL?{URL         : %{URL}\\n}|\
%|BUGURL?{Bug URL     : %{BUGURL}\\n}|\
Summary     : %{SUMMARY}\\n\
Description :\\n%{DESCRIPTION}\\n";

/// `--changelog`
pub const CHANGELOG: &str = "[* %{CHANGELOGTIME:day} %{CHANGELOGNAME}\\n%{CHANGELOGTEXT}\\n\\n]";
/// `--changes`
pub const CHANGES: &str = "[* %{CHANGELOGTIME:date} %{CHANGELOGNAME}\\n%{CHANGELOGTEXT}\\n\\n]";
/// `--triggers`
pub const TRIGGERS: &str = "[trigger%{TRIGGERTYPE} scriptlet (using %{TRIGGERSCRIPTPROG}) -- %{TRIGGERCONDS}\\n%{TRIGGERSCRIPTS}\\n]";
/// `--filetriggers`
pub const FILE_TRIGGERS: &str = "[filetrigger%{FILETRIGGERTYPE} scriptlet (using %{FILETRIGGERSCRIPTPROG}) -- \
%{FILETRIGGERCONDS}\\n%{FILETRIGGERSCRIPTS}\\n]\
[transfiletrigger%{TRANSFILETRIGGERTYPE} scriptlet (using %{TRANSFILETRIGGERSCRIPTPROG}) -- \
%{TRANSFILETRIGGERCONDS}\\n%{TRANSFILETRIGGERSCRIPTS}\\n]";

/// Returns the format that an option stands for: `--info`, `--requires`, `--fileclass`, …
pub fn alias(name: &str) -> Option<String> {
    let format = match name {
        "info" => INFO,
        "requires" => return Some(dependencies("REQUIRE")),
        "provides" => return Some(dependencies("PROVIDE")),
        "conflicts" => return Some(dependencies("CONFLICT")),
        "obsoletes" => return Some(dependencies("OBSOLETE")),
        "recommends" => return Some(dependencies("RECOMMEND")),
        "suggests" => return Some(dependencies("SUGGEST")),
        "supplements" => return Some(dependencies("SUPPLEMENT")),
        "enhances" => return Some(dependencies("ENHANCE")),
        "scripts" => return Some(scripts()),
        "triggers" | "triggerscripts" => TRIGGERS,
        "filetriggers" | "filetriggerscripts" => FILE_TRIGGERS,
        "changelog" => CHANGELOG,
        "changes" => CHANGES,
        "xml" => "[%{*:xml}\\n]",
        "json" => "[%{*:json}]",
        "filesbypkg" => "[%-25{=NAME} %{FILENAMES}\\n]",
        "fileclass" => "[%{FILENAMES}\\t%{FILECLASS}\\n]",
        "filecolor" => "[%{FILENAMES}\\t%{FILECOLORS}\\n]",
        "fileprovide" => "[%{FILENAMES}\\t%{FILEPROVIDE}\\n]",
        "filerequire" => "[%{FILENAMES}\\t%{FILEREQUIRE}\\n]",
        "filecaps" => "[%{FILENAMES}\\t%|FILECAPS?{%{FILECAPS}}|\\n]",
        _ => return None,
    };
    Some(format.to_owned())
}

/// Returns the format of one kind of dependencies: `REQUIRE`, `PROVIDE`, `CONFLICT`, …
pub fn dependencies(kind: &str) -> String {
    format!("[%|VERBOSE?{{%{{{kind}FLAGS:deptype}}: }}:{{}}|%{{{kind}NEVRS}}\\n]")
}

/// Returns the format of `--scripts`.
pub fn scripts() -> String {
    let scripts = [
        ("PRETRANS", "pretrans"),
        ("PREIN", "preinstall"),
        ("POSTIN", "postinstall"),
        ("PREUN", "preuninstall"),
        ("POSTUN", "postuninstall"),
        ("POSTTRANS", "posttrans"),
        ("PREUNTRANS", "preuntrans"),
        ("POSTUNTRANS", "postuntrans"),
        ("VERIFYSCRIPT", "verify"),
    ];
    let one = |(tag, name): (&str, &str)| {
        format!(
            "%|{tag}?{{{name} scriptlet%|{tag}PROG?{{ (using[ %{{{tag}PROG}}])}}|:\\n%{{{tag}}}\\n}}:\
             {{%|{tag}PROG?{{{name} program:[ %{{{tag}PROG}}]\\n}}|}}|"
        )
    };
    scripts.into_iter().map(one).collect()
}
