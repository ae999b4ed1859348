// SPDX-License-Identifier: MIT OR Apache-2.0
//! File system images, made by the programs of a tools tree: ext4 from a tar stream, FAT from a directory.
//!
//! Everything that would differ between two runs is given: UUID, hash seed, volume serial number, all times.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use cairn_host::{Invocation, Root, Sandbox, Tool};

use crate::error::ImageError;
use crate::guid::Guid;
use crate::manifest::{Manifest, Selection, write_tar};

/// Where the scratch directory appears inside the sandbox.
const INSIDE: &str = "/scratch";

/// A sandbox with a scratch directory and a date: the place where images are made.
#[derive(Debug, Clone)]
pub struct Workshop {
    sandbox: Sandbox,
    scratch: PathBuf,
    source_date: u32,
}

/// An ext4 file system to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ext4 {
    /// Volume label, at most 16 characters.
    pub label: String,
    /// UUID; the directory hash seed follows from it.
    pub uuid: Guid,
    /// Size in bytes, a multiple of 4096.
    pub size: u64,
    /// Share of the blocks that only root may use, in percent.
    pub reserved_percent: u32,
}

/// A FAT file system to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fat {
    /// Volume label, at most 11 characters.
    pub label: String,
    /// Volume serial number, shown as `XXXX-XXXX`.
    pub serial: u32,
    /// Size in bytes, a multiple of 512.
    pub size: u64,
}

impl Fat {
    /// Returns the UUID under which Linux and GRUB know the file system: `1A2B-3C4D`.
    pub fn uuid_text(serial: u32) -> String {
        format!("{:04X}-{:04X}", serial >> 16, serial & 0xffff)
    }
}

/// Named explicitly, so that no configuration file decides; GRUB 2.12 reads them all.
const EXT4_FEATURES: &str = "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,\
                             large_file,huge_file,dir_nlink,extra_isize,metadata_csum";

impl Workshop {
    /// Returns a workshop that runs the programs of `sandbox` on files in `scratch` (an existing, otherwise unused
    /// directory). `source_date` (seconds since 1970) replaces every clock.
    pub fn new(sandbox: &Sandbox, scratch: &Path, source_date: u32) -> Self {
        let sandbox = sandbox.clone().bind(scratch, INSIDE).source_date(u64::from(source_date));
        Self { sandbox, scratch: scratch.to_owned(), source_date }
    }

    /// Returns the scratch directory.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Returns the date that replaces every clock, seconds since 1970.
    pub fn source_date(&self) -> u32 {
        self.source_date
    }

    /// Returns the directory of the tools tree as a root.
    pub fn tools(&self) -> Result<Root, ImageError> {
        Ok(Root::open(self.sandbox.tools_tree())?)
    }

    /// Returns the sandbox, with the scratch directory bound to `/scratch`.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Returns the path that a file of the scratch directory has inside the sandbox.
    pub fn inside(&self, name: &str) -> String {
        format!("{INSIDE}/{name}")
    }

    /// Makes `NAME.ext4` in the scratch directory from the selected part of `staging`; returns its host path.
    pub fn make_ext4(
        &self,
        name: &str,
        filesystem: &Ext4,
        (staging, manifest, selection): (&Root, &Manifest, &Selection),
    ) -> Result<PathBuf, ImageError> {
        check_label(&filesystem.label, 16)?;
        let tar_name = format!("{name}.tar");
        let tar_path = self.scratch.join(&tar_name);
        let file = File::create(&tar_path).map_err(ImageError::io("create", &tar_path))?;
        write_tar(
            staging,
            manifest,
            selection,
            self.source_date,
            BufWriter::with_capacity(1 << 20, file),
        )?;
        let image_name = format!("{name}.ext4");
        let image = self.create_sparse(&image_name, filesystem.size)?;
        self.sandbox.run(
            &Invocation::new(Tool::Mke2fs)
                .args(["-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-i", "16384"])
                .args(["-O", EXT4_FEATURES])
                .arg("-m")
                .arg(filesystem.reserved_percent.to_string())
                .args(["-L", &filesystem.label, "-U", &filesystem.uuid.to_string(), "-E"])
                // A fresh sparse file is zero already: neither now nor at first boot must tables be cleared.
                .arg(format!(
                    "hash_seed={},root_owner=0:0,assume_storage_prezeroed=1",
                    filesystem.uuid
                ))
                .args(["-d", &self.inside(&tar_name), &self.inside(&image_name)])
                .env("E2FSPROGS_FAKE_TIME", self.source_date.to_string()),
        )?;
        std::fs::remove_file(&tar_path).map_err(ImageError::io("remove", &tar_path))?;
        Ok(image)
    }

    /// Makes `NAME.fat` in the scratch directory with the files of `content`; returns its host path.
    ///
    /// The times of all files are the source date.
    pub fn make_fat(
        &self,
        name: &str,
        filesystem: &Fat,
        content: &Root,
    ) -> Result<PathBuf, ImageError> {
        check_label(&filesystem.label, 11)?;
        let image_name = format!("{name}.fat");
        let image = self.create_sparse(&image_name, filesystem.size)?;
        let inside = self.inside(&image_name);
        self.sandbox.run(
            &Invocation::new(Tool::MkfsFat)
                .args([
                    "--invariant",
                    "-n",
                    &filesystem.label,
                    "-i",
                    &format!("{:08x}", filesystem.serial),
                ])
                .arg(&inside),
        )?;
        let mut directories = Vec::new();
        let mut files = Vec::new();
        content.walk("", &mut |path, stat| {
            let path = path.to_string_lossy().into_owned();
            if stat.is_dir() {
                directories.push(path);
            } else {
                files.push(path);
            }
            Ok(())
        })?;
        let mtools = self.sandbox.clone().bind_read_only(content.path_for_display(), "/content");
        if !directories.is_empty() {
            let targets = directories.iter().map(|path| format!("::/{path}"));
            mtools.run(&mtool(Tool::Mmd).args(["-i", &inside]).args(targets))?;
        }
        for path in files {
            // Times come from SOURCE_DATE_EPOCH, which the sandbox sets.
            mtools.run(
                &mtool(Tool::Mcopy)
                    .args(["-i", &inside])
                    .arg(format!("/content/{path}"))
                    .arg(format!("::/{path}")),
            )?;
        }
        Ok(image)
    }

    /// Runs `grub-mkimage` for BIOS and returns the image; `early_config` is built in and runs first.
    pub fn make_grub_image(
        &self,
        format: &str,
        (prefix, early_config): (&str, &str),
        modules: &[&str],
    ) -> Result<Vec<u8>, ImageError> {
        let (config, output) =
            (self.scratch.join("grub-early.cfg"), self.scratch.join("grub-core.img"));
        std::fs::write(&config, early_config).map_err(ImageError::io("write", &config))?;
        self.sandbox.run(
            &Invocation::new(Tool::GrubMkimage)
                .args(["-O", format, "-d", "/usr/lib/grub/i386-pc", "-p", prefix])
                .args(["-c", &self.inside("grub-early.cfg"), "-o", &self.inside("grub-core.img")])
                .args(modules),
        )?;
        std::fs::read(&output).map_err(ImageError::io("read", &output))
    }

    /// Creates an empty file of `size` bytes without blocks, replacing an older one; returns its host path.
    fn create_sparse(&self, name: &str, size: u64) -> Result<PathBuf, ImageError> {
        let path = self.scratch.join(name);
        let file = File::create(&path).map_err(ImageError::io("create", &path))?;
        file.set_len(size).map_err(ImageError::io("enlarge", &path))?;
        Ok(path)
    }
}

fn mtool(tool: Tool) -> Invocation {
    Invocation::new(tool).env("MTOOLSRC", "/dev/null").env("MTOOLS_SKIP_CHECK", "1")
}

fn check_label(label: &str, limit: usize) -> Result<(), ImageError> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if label.is_empty()
        || label.len() > limit
        || label.starts_with('-')
        || !label.chars().all(allowed)
    {
        return Err(ImageError::InvalidLabel { label: label.to_owned(), limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_serials() {
        assert_eq!(Fat::uuid_text(0x0a2b_003c), "0A2B-003C");
        assert!(check_label("cairn-root", 16).is_ok());
        for label in ["", "-x", "a b", "seventeen-letters", "ä"] {
            assert!(
                matches!(check_label(label, 16), Err(ImageError::InvalidLabel { .. })),
                "{label}"
            );
        }
    }
}
