// SPDX-License-Identifier: MIT OR Apache-2.0
//! OpenPGP: who signed a package, a file or a Debian `InRelease`, and signing our own.
//!
//! Trust is a type. The engine installs only a [`Verified`] package, and only [`Keyring`] (or, said
//! out loud, [`Verified::accept_unsigned`]) makes one. A signature counts if
//! - it is over the right bytes, with SHA-256 or better, by a key in the keyring,
//! - the key may sign: its self-signature (and a subkey's binding, both ways) is valid, it is
//!   neither revoked nor expired, and it is no RSA key under 2048 bits and no DSA key.
//!
//! This crate has no clock. Without [`Keyring::at`] a key must have been valid when the signature
//! was made; with it also at that time.
//!
//! The mathematics is `pgp` (rPGP), the same version the `rpm` crate uses; the policy is here,
//! because rPGP leaves it to its callers.

mod certificate;
mod error;
mod key;
mod keyring;
mod report;
mod verify;

pub use error::{KeyError, VerifyError};
pub use key::SigningKey;
pub use keyring::{Keyring, SignerInfo};
pub use report::{Check, Demand, Finding, Ignored, report, report_of_header};
pub use verify::{PayloadCheck, Unread, Verified};

#[cfg(test)]
mod tests;
