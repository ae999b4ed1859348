// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a signature or a key was refused.

use crate::error::Error;

/// Why something is not trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The package itself is malformed or its digests do not fit.
    #[error(transparent)]
    Package(#[from] Error),
    /// There is no signature.
    #[error("not signed")]
    NotSigned,
    /// The signature cannot be read.
    #[error("signature is malformed: {problem}")]
    Malformed {
        /// What is wrong.
        problem: String,
    },
    /// More signatures than anybody needs.
    #[error("more than {limit} signatures")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// No key of the keyring made the signature.
    #[error("signed by unknown key {fingerprint}")]
    UnknownKey {
        /// The fingerprint (or, in old signatures, the key id) in the signature.
        fingerprint: String,
    },
    /// The bytes are not those that were signed.
    #[error("signature of key {fingerprint} does not match")]
    Mismatch {
        /// The key.
        fingerprint: String,
    },
    /// The key has expired.
    #[error("key {fingerprint} expired on {date}")]
    KeyExpired {
        /// The key.
        fingerprint: String,
        /// The last day, year-month-day.
        date: String,
    },
    /// The signature is limited in time and the time is over.
    #[error("signature of key {fingerprint} expired on {date}")]
    SignatureExpired {
        /// The key.
        fingerprint: String,
        /// The last day, year-month-day.
        date: String,
    },
    /// The signature is older than the key or from the future.
    #[error("signature of key {fingerprint} is dated {date}, {problem}")]
    Time {
        /// The key.
        fingerprint: String,
        /// The day of the signature, year-month-day.
        date: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The key was revoked by its owner.
    #[error("key {fingerprint} is revoked")]
    KeyRevoked {
        /// The key.
        fingerprint: String,
    },
    /// The signature uses a digest that can be forged.
    #[error(
        "signature of key {fingerprint} uses {digest}, which is too weak (expected SHA-256 or better)"
    )]
    WeakDigest {
        /// The key.
        fingerprint: String,
        /// The digest, for example `SHA1`.
        digest: String,
    },
    /// The key is of a kind that can be broken.
    #[error(
        "key {fingerprint} is {algorithm}, which is too weak (expected RSA-2048 or better, or Ed25519)"
    )]
    WeakKey {
        /// The key.
        fingerprint: String,
        /// The kind, for example `RSA-1024`.
        algorithm: String,
    },
    /// The key has no valid self-signature, or may not sign.
    #[error("key {fingerprint} {problem}")]
    KeyUnusable {
        /// The key.
        fingerprint: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl VerifyError {
    /// Returns what an operator can do, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Package(error) => return error.hint(),
            Self::NotSigned => {
                "sign it, or allow unsigned packages for this repository with gpgcheck=0"
            }
            Self::Malformed { .. } | Self::TooMany { .. } | Self::Mismatch { .. } => {
                "the file is damaged or was altered: download it again from a source you trust"
            }
            Self::UnknownKey { .. } => {
                "compare the fingerprint with the vendor's, then import the key with `rpm --import FILE`"
            }
            Self::KeyExpired { .. } | Self::SignatureExpired { .. } => {
                "import the vendor's renewed key, or get a newer package"
            }
            Self::Time { .. } => "check this machine's clock",
            Self::KeyRevoked { .. } => {
                "do not install this: remove the key, and import the vendor's new one"
            }
            Self::WeakDigest { .. } => "ask the vendor to sign with SHA-256 or better",
            Self::WeakKey { .. } => "ask the vendor for a stronger key",
            Self::KeyUnusable { .. } => "import a current copy of the key from its vendor",
        })
    }

    /// Returns how telling the error is, for choosing among those of several signatures.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Mismatch { .. } => 9,
            Self::KeyRevoked { .. } => 8,
            Self::KeyExpired { .. } | Self::SignatureExpired { .. } | Self::Time { .. } => 7,
            Self::WeakDigest { .. } | Self::WeakKey { .. } | Self::KeyUnusable { .. } => 6,
            Self::UnknownKey { .. } => 4,
            Self::Malformed { .. } | Self::TooMany { .. } => 3,
            Self::NotSigned | Self::Package(_) => 0,
        }
    }
}

/// Why a key was not read or did not sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text or the bytes are no OpenPGP key.
    #[error("not an OpenPGP key: {problem}")]
    Malformed {
        /// What is wrong.
        problem: String,
    },
    /// A public key where a secret one is needed.
    #[error("key {fingerprint} is a public key (expected a secret key)")]
    Public {
        /// The key.
        fingerprint: String,
    },
    /// A secret key where a public one is needed.
    #[error("this is a secret key (expected a public key)")]
    Secret,
    /// The key is protected by a passphrase that was not given or is wrong.
    #[error("key {fingerprint}: the passphrase is missing or wrong")]
    Passphrase {
        /// The key.
        fingerprint: String,
    },
    /// The key may not sign.
    #[error("{0}")]
    Unusable(VerifyError),
    /// Generating or signing failed.
    #[error("OpenPGP: {problem}")]
    Failed {
        /// The library's words.
        problem: String,
    },
}

impl KeyError {
    /// Returns what an operator can do, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Malformed { .. } => "name a file that starts with `-----BEGIN PGP`",
            Self::Public { .. } => "name the file with the secret key",
            Self::Secret => {
                "name the file with the public key, and keep the secret one to yourself"
            }
            Self::Passphrase { .. } => "give the key's passphrase",
            Self::Unusable(error) => return error.hint(),
            Self::Failed { .. } => return None,
        })
    }
}

/// Returns a Unix time as year-month-day.
pub(super) fn date(unix: u64) -> String {
    // Days to a date in the proleptic Gregorian calendar, by eras of 400 years (Howard Hinnant).
    let days = unix / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let leap_corrected =
        day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096;
    let year_of_era = leap_corrected / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
