// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the real programs answered, kept by everything that decides it.

use crate::Outcome;
use crate::bench::digest;
use std::path::{Path, PathBuf};

const DATABASE: &str = "usr/lib/sysimage/rpm/rpmdb.sqlite";

/// See the module.
pub struct Kept {
    directory: PathBuf,
}

impl Kept {
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub fn has(&self, key: &str) -> bool {
        self.place(key).join("outcome.json").is_file()
    }

    /// Keeps an outcome and the database of its root.
    pub fn store(&self, key: &str, outcome: &Outcome, root: &Path) {
        let place = self.place(key);
        let staging = place.with_extension(std::process::id().to_string());
        std::fs::create_dir_all(&staging).unwrap();
        std::fs::write(staging.join("outcome.json"), serde_json::to_vec(outcome).unwrap()).unwrap();
        if let Ok(database) = std::fs::File::open(root.join(DATABASE)) {
            std::fs::write(staging.join("rpmdb.zst"), zstd::encode_all(database, 3).unwrap())
                .unwrap();
        }
        // Another run may have been faster: its answer is the same.
        if std::fs::rename(&staging, &place).is_err() {
            std::fs::remove_dir_all(&staging).unwrap();
        }
    }

    /// Returns an outcome, and puts its database into a root.
    pub fn load(&self, key: &str, root: &Path) -> Outcome {
        let place = self.place(key);
        let database = root.join(DATABASE);
        std::fs::create_dir_all(database.parent().unwrap()).unwrap();
        if let Ok(kept) = std::fs::File::open(place.join("rpmdb.zst")) {
            std::fs::write(database, zstd::decode_all(kept).unwrap()).unwrap();
        }
        serde_json::from_slice(&std::fs::read(place.join("outcome.json")).unwrap()).unwrap()
    }

    fn place(&self, key: &str) -> PathBuf {
        self.directory.join(digest(key))
    }
}
