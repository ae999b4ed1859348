// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which options go together; rpm's messages where they do not.

use super::{Mode, Options, RELATIVE_DBPATH};
use std::path::Path;

impl Options {
    /// Refuses options that the mode does not have.
    pub(super) fn check(&self) -> Result<(), String> {
        let installs = matches!(
            self.mode,
            Some(Mode::Install | Mode::Upgrade | Mode::Freshen | Mode::Reinstall)
        );
        let changes = installs || self.mode == Some(Mode::Erase);
        let refuse = |bad: bool, text: &str| if bad { Err(text.to_owned()) } else { Ok(()) };
        let forced = ["replacepkgs", "oldpackage"].into_iter().any(|flag| self.has(flag));
        refuse(forced && !installs, "only installation and upgrading may be forced")?;
        self.check_paths(installs)?;
        for (flag, option) in [("hash", "--hash (-h)"), ("percent", "--percent")] {
            refuse(
                self.has(flag) && !changes,
                &format!("{option} may only be specified during package installation and erasure"),
            )?;
        }
        for flag in ["excludedocs", "includedocs", "ignorearch", "ignoreos", "ignoresize"] {
            let allowed = installs || flag == "ignoresize" && changes;
            refuse(
                self.has(flag) && !allowed,
                &format!("--{flag} may only be specified during package installation"),
            )?;
        }
        refuse(
            self.has("excludedocs") && self.has("includedocs"),
            "only one of --excludedocs and --includedocs may be specified",
        )?;
        refuse(
            self.has("allmatches") && self.mode != Some(Mode::Erase),
            "--allmatches may only be specified during package erasure",
        )?;
        refuse(
            self.has("allfiles") && !installs,
            "--allfiles may only be specified during package installation",
        )?;
        refuse(
            self.has("justdb") && !changes,
            "--justdb may only be specified during package installation and erasure",
        )?;
        let verifies = self.mode == Some(Mode::Verify);
        refuse(
            !self.silenced.kinds.is_empty() && !changes && !verifies,
            "script disabling options may only be specified during package installation and erasure",
        )?;
        refuse(
            self.has("nodeps") && !changes && !verifies,
            "--nodeps may only be specified during package installation, erasure, and verification",
        )?;
        refuse(
            self.has("test") && !changes && self.mode != Some(Mode::CheckSignatures),
            "--test may only be specified during package installation and erasure",
        )?;
        refuse(self.dbpath.as_ref().is_some_and(|path| !path.starts_with('/')), RELATIVE_DBPATH)?;
        refuse(!self.root.is_absolute(), "arguments to --root (-r) must begin with a /")
    }

    fn check_paths(&self, installs: bool) -> Result<(), String> {
        let refuse = |bad: bool, text: &str| if bad { Err(text.to_owned()) } else { Ok(()) };
        let relative = |path: &String| !Path::new(path).is_absolute();
        let moves = !self.relocations.is_empty() || !self.exclude_paths.is_empty();
        refuse(
            moves && self.prefix.is_some(),
            "cannot use --prefix with --relocate or --excludepath",
        )?;
        refuse(
            moves && !installs,
            "--relocate and --excludepath may only be used when installing new packages",
        )?;
        refuse(
            self.prefix.is_some() && !installs,
            "--prefix may only be used when installing new packages",
        )?;
        refuse(self.exclude_paths.iter().any(relative), "exclude paths must begin with a /")?;
        refuse(self.relocations.iter().any(relative), "relocations must begin with a /")?;
        for relocation in &self.relocations {
            let Some((_, new)) = relocation.split_once('=') else {
                return Err("relocations must contain a =".to_owned());
            };
            refuse(!new.starts_with('/'), "relocations must have a / following the =")?;
        }
        refuse(
            self.prefix.as_ref().is_some_and(relative),
            "arguments to --prefix must begin with a /",
        )
    }
}
