// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that give power in places where nobody looks for them: named before they come, not refused.

use cairn_rpm::header::{FileEntry, mode};

/// Where programs live, and with them those that run with another's rights.
const PROGRAMS: [&str; 9] = [
    "/usr/bin/",
    "/usr/sbin/",
    "/usr/lib/",
    "/usr/lib64/",
    "/usr/libexec/",
    "/bin/",
    "/sbin/",
    "/lib/",
    "/opt/",
];

/// Returns one line per device node outside `/dev`, and per setuid or setgid file or file with capabilities outside the directories of
/// programs.
pub(crate) fn unusual(label: &str, files: &[FileEntry]) -> Vec<String> {
    let line = |file: &FileEntry| {
        let is_program = PROGRAMS.iter().any(|place| file.path.starts_with(place));
        let (what, place) = match file.kind() {
            mode::CHARACTER | mode::BLOCK if !file.path.starts_with("/dev/") => {
                ("a device node".to_owned(), "/dev")
            }
            mode::REGULAR if is_program => return None,
            mode::REGULAR if file.mode & 0o4000 != 0 => {
                ("setuid".to_owned(), "directories of programs")
            }
            mode::REGULAR if file.mode & 0o2000 != 0 => {
                ("setgid".to_owned(), "directories of programs")
            }
            mode::REGULAR if !file.caps.is_empty() => {
                (format!("privileged ({})", file.caps), "directories of programs")
            }
            _ => return None,
        };
        Some(format!("{label}: {} is {what} outside {place}", file.path))
    };
    files.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let file = |path: &str, mode, caps: &str| FileEntry {
            path: path.to_owned(),
            mode,
            caps: caps.to_owned(),
            ..FileEntry::default()
        };
        let files = [
            file("/usr/bin/su", 0o104_755, ""),
            file("/usr/share/x", 0o104_755, ""),
            file("/etc/y", 0o102_755, ""),
            file("/srv/z", 0o100_755, "cap_net_raw=ep"),
            file("/usr/bin/ping", 0o100_755, "cap_net_raw=ep"),
            file("/dev/null", 0o020_666, ""),
            file("/tmp/mem", 0o020_666, ""),
            file("/var/mail", 0o042_775, ""),
        ];
        assert_eq!(
            unusual("x-1-1.noarch", &files),
            [
                "x-1-1.noarch: /usr/share/x is setuid outside directories of programs",
                "x-1-1.noarch: /etc/y is setgid outside directories of programs",
                "x-1-1.noarch: /srv/z is privileged (cap_net_raw=ep) outside directories of programs",
                "x-1-1.noarch: /tmp/mem is a device node outside /dev",
            ]
        );
    }
}
