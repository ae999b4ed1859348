// SPDX-License-Identifier: MIT OR Apache-2.0
//! A directory as text, one line for each file.

use std::fmt::Write as _;

use anyhow::Result;
use cairn_host::{FileKind, Root};

/// Returns everything below `root` in sorted order as `mode path`, directories with `/` at the end, links as `path -> target`, regular
/// files with their size.
pub fn tree_text(root: &Root) -> Result<String> {
    let mut text = String::new();
    root.walk("", &mut |path, stat| {
        let end = match stat.kind {
            FileKind::Directory => "/".to_owned(),
            FileKind::Symlink => format!(" -> {}", root.read_link(path)?.display()),
            FileKind::Regular => format!(" {}", stat.size),
            FileKind::CharacterDevice
            | FileKind::BlockDevice
            | FileKind::Fifo
            | FileKind::Socket
            | FileKind::Other => {
                format!(" {:?}", stat.kind)
            }
        };
        let _ = writeln!(text, "{:04o} {}{end}", stat.mode, path.display());
        Ok(())
    })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::tree_text;
    use cairn_host::Root;

    #[test]
    fn lists_in_order() {
        let dir = std::env::temp_dir().join(format!("cairn-testkit-{}", std::process::id()));
        let root = Root::create(&dir).unwrap();
        root.mkdir_all("etc/x", 0o750).unwrap();
        root.write("etc/file", b"12345", 0o4755).unwrap();
        root.symlink("../y", "etc/link").unwrap();
        assert_eq!(
            tree_text(&root).unwrap(),
            "0750 etc/\n4755 etc/file 5\n0777 etc/link -> ../y\n0750 etc/x/\n"
        );
        std::fs::remove_dir_all(dir).unwrap();
    }
}
