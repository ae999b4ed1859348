// SPDX-License-Identifier: MIT OR Apache-2.0
//! Disks and boot: from a staging directory and its ownership manifest to bootable images, and the boot entries of an
//! installed system.
//!
//! Building: [`manifest`] joins staging directory and owners into tar streams, [`filesystem`] turns those into ext4 and
//! FAT images with the programs of a tools tree, [`gpt`] plans where they lie, [`bios`] and [`esp`] supply the boot
//! loaders, [`disk`] puts everything together; [`initramfs`] and [`iso`] build what their names say.
//! Running: [`boot`] keeps boot entries, GRUB snippets and the boot counter, on an image as on a live system.
//!
//! Nothing here reads a clock or draws random numbers: identifiers follow from a seed ([`guid`]), times from the source
//! date, so that the same input gives the same bytes.

#![cfg_attr(
    test,
    allow(clippy::needless_raw_string_hashes, reason = "expect-test writes its texts that way")
)]

pub mod bios;
pub mod boot;
pub mod disk;
mod error;
pub mod esp;
pub mod filesystem;
pub mod gpt;
pub mod guid;
pub mod initramfs;
pub mod iso;
pub mod manifest;
pub mod modules;

pub use error::ImageError;
