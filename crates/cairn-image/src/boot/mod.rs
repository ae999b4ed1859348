// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boot entries of one installation: added, removed, blessed and checked on an image as on a live system.
//!
//! What lies where (paths inside the `/boot` file system and inside the EFI system partition, "ESP"):
//! - `/boot`: `cairn/VERSION/{linux,initrd,SHA256SUMS}`, `loader/entries/cairn-VERSION.conf` (BLS, the truth),
//!   `loader/cairn/NN-cairn-VERSION.cfg` (GRUB snippets derived from it, newest first);
//! - ESP: `EFI/debian/grub.cfg` (static, reads the snippets), `EFI/debian/grubenv` (default entry and counter).
//!
//! A new entry is on trial: GRUB boots it at most [`TRIES`] times, then the previous one again, until [`BootFiles::bless`] makes it the
//! default. Each step leaves a bootable state behind: files before entries, entries before the environment block.

mod bls;
mod environment;
mod error;
mod grub;
mod store;
#[cfg(test)]
mod tests;

pub use bls::{BlsEntry, compare_versions};
pub use environment::Environment;
pub use error::BootError;
pub use grub::{BootSearch, GrubSettings, MENU_LIMIT, TRIES, configuration, snippet};
pub(crate) use grub::{quote as quote_for_grub, split_options};
pub use store::{
    BootFiles, CONFIGURATION_PATH, ENVIRONMENT_PATH, EntryState, EntryStatus, NewEntry, Problem,
    Trial, entry_id,
};
