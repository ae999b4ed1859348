// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scriptlets and triggers of a header.

use super::Header;
use crate::dependency::{Dependency, sense};
use crate::error::Error;
use crate::tag;

/// Priority of a file trigger that gives none; higher ones run first.
pub const DEFAULT_TRIGGER_PRIORITY: u32 = 1_000_000;

/// Most bytes of a script.
const SCRIPT_LIMIT: usize = 4 << 20;

/// Bits of [`Scriptlet::flags`] and [`Trigger::flags`].
pub mod script_flags {
    /// Macros in the body are expanded at install time.
    pub const EXPAND: u32 = 1 << 0;
    /// The body is a queryformat, expanded with the header.
    pub const QUERYFORMAT: u32 = 1 << 1;
    /// The script decides whether the transaction goes on.
    pub const CRITICAL: u32 = 1 << 2;
}

macro_rules! scriptlets {
    ($($(#[$doc:meta])* $kind:ident, $name:literal, $body:ident, $program:ident, $flags:ident;)*) => {
        /// When a scriptlet runs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ScriptletKind {
            $($(#[$doc])* $kind,)*
        }

        impl ScriptletKind {
            /// All kinds, in the order in which they run.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Returns rpm's name of the scriptlet, for example `%post`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// Returns the tags of body, program and flags.
            pub(crate) fn tags(self) -> (u32, u32, u32) {
                match self {
                    $(Self::$kind => (tag::$body, tag::$program, tag::$flags),)*
                }
            }
        }
    };
}

scriptlets! {
    /// Before the whole transaction.
    PreTransaction, "%pretrans", PRETRANS, PRETRANSPROG, PRETRANSFLAGS;
    /// Before the whole transaction, of a package that is removed by it.
    PreUnTransaction, "%preuntrans", PREUNTRANS, PREUNTRANSPROG, PREUNTRANSFLAGS;
    /// Before the package's files are installed.
    PreInstall, "%pre", PREIN, PREINPROG, PREINFLAGS;
    /// After the package's files are installed.
    PostInstall, "%post", POSTIN, POSTINPROG, POSTINFLAGS;
    /// Before the package's files are removed.
    PreUninstall, "%preun", PREUN, PREUNPROG, PREUNFLAGS;
    /// After the package's files are removed.
    PostUninstall, "%postun", POSTUN, POSTUNPROG, POSTUNFLAGS;
    /// After the whole transaction.
    PostTransaction, "%posttrans", POSTTRANS, POSTTRANSPROG, POSTTRANSFLAGS;
    /// After the whole transaction, of a package that was removed by it.
    PostUnTransaction, "%postuntrans", POSTUNTRANS, POSTUNTRANSPROG, POSTUNTRANSFLAGS;
    /// By `rpm -V`.
    Verify, "%verify", VERIFYSCRIPT, VERIFYSCRIPTPROG, VERIFYSCRIPTFLAGS;
}

/// A script of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scriptlet {
    /// The interpreter with its arguments, never empty; `<lua>` is rpm's own.
    pub interpreter: Vec<String>,
    /// The script; `None` runs the interpreter alone (`%post -p /sbin/ldconfig`).
    pub body: Option<String>,
    /// See [`script_flags`].
    pub flags: u32,
}

/// What makes a trigger run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TriggerKind {
    /// Before the other package is installed.
    PreInstall,
    /// After the other package, or a matching file, is installed.
    Install,
    /// Before the other package, or a matching file, is removed.
    Uninstall,
    /// After the other package, or a matching file, was removed.
    PostUninstall,
}

impl TriggerKind {
    /// Returns the kinds whose bits are set.
    fn from_sense(bits: u32) -> Option<Self> {
        let kinds = [
            (sense::TRIGGERPREIN, Self::PreInstall),
            (sense::TRIGGERIN, Self::Install),
            (sense::TRIGGERUN, Self::Uninstall),
            (sense::TRIGGERPOSTUN, Self::PostUninstall),
        ];
        kinds.into_iter().find(|(bit, _)| bits & bit != 0).map(|(_, kind)| kind)
    }

    /// Returns the `RPMSENSE_TRIGGER…` bit.
    pub fn sense(self) -> u32 {
        match self {
            Self::PreInstall => sense::TRIGGERPREIN,
            Self::Install => sense::TRIGGERIN,
            Self::Uninstall => sense::TRIGGERUN,
            Self::PostUninstall => sense::TRIGGERPOSTUN,
        }
    }
}

/// One condition of a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerCondition {
    /// When the trigger runs.
    pub kind: TriggerKind,
    /// The other package, with a version if it matters; for file triggers the name is a path
    /// prefix.
    pub dependency: Dependency,
    /// Position in the header's list of conditions (`idx` in the rpm database).
    pub index: usize,
}

/// A script that runs when another package or file comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Position of the script in the header.
    pub index: usize,
    /// The interpreter with its arguments, never empty.
    pub interpreter: Vec<String>,
    /// The script; `None` runs the interpreter alone.
    pub body: Option<String>,
    /// See [`script_flags`].
    pub flags: u32,
    /// Order among file triggers, the highest first; [`DEFAULT_TRIGGER_PRIORITY`] for others.
    pub priority: u32,
    /// The conditions, any of which is enough.
    pub conditions: Vec<TriggerCondition>,
}

impl Trigger {
    /// Returns the conditions of one kind.
    pub fn conditions_of(&self, kind: TriggerKind) -> impl Iterator<Item = &TriggerCondition> {
        self.conditions.iter().filter(move |condition| condition.kind == kind)
    }
}

/// The tags of one kind of trigger.
pub(crate) struct TriggerTags {
    pub name: &'static str,
    pub scripts: u32,
    pub programs: u32,
    pub script_flags: u32,
    pub names: u32,
    pub versions: u32,
    pub flags: u32,
    pub indexes: u32,
    pub priorities: Option<u32>,
}

/// `%triggerin` and the like.
pub(crate) const TRIGGERS: TriggerTags = TriggerTags {
    name: "%trigger",
    scripts: tag::TRIGGERSCRIPTS,
    programs: tag::TRIGGERSCRIPTPROG,
    script_flags: tag::TRIGGERSCRIPTFLAGS,
    names: tag::TRIGGERNAME,
    versions: tag::TRIGGERVERSION,
    flags: tag::TRIGGERFLAGS,
    indexes: tag::TRIGGERINDEX,
    priorities: None,
};

/// `%filetriggerin` and the like.
pub(crate) const FILE_TRIGGERS: TriggerTags = TriggerTags {
    name: "%filetrigger",
    scripts: tag::FILETRIGGERSCRIPTS,
    programs: tag::FILETRIGGERSCRIPTPROG,
    script_flags: tag::FILETRIGGERSCRIPTFLAGS,
    names: tag::FILETRIGGERNAME,
    versions: tag::FILETRIGGERVERSION,
    flags: tag::FILETRIGGERFLAGS,
    indexes: tag::FILETRIGGERINDEX,
    priorities: Some(tag::FILETRIGGERPRIORITIES),
};

/// `%transfiletriggerin` and the like.
pub(crate) const TRANSACTION_FILE_TRIGGERS: TriggerTags = TriggerTags {
    name: "%transfiletrigger",
    scripts: tag::TRANSFILETRIGGERSCRIPTS,
    programs: tag::TRANSFILETRIGGERSCRIPTPROG,
    script_flags: tag::TRANSFILETRIGGERSCRIPTFLAGS,
    names: tag::TRANSFILETRIGGERNAME,
    versions: tag::TRANSFILETRIGGERVERSION,
    flags: tag::TRANSFILETRIGGERFLAGS,
    indexes: tag::TRANSFILETRIGGERINDEX,
    priorities: Some(tag::TRANSFILETRIGGERPRIORITIES),
};

impl Header {
    /// Returns a scriptlet, `None` if the package has none of that kind.
    pub fn scriptlet(&self, kind: ScriptletKind) -> Option<Scriptlet> {
        let (body_tag, program_tag, flags_tag) = kind.tags();
        if !self.has(body_tag) && !self.has(program_tag) {
            return None;
        }
        let program = self.strings(program_tag);
        let program = if program.is_empty() { vec!["/bin/sh"] } else { program };
        Some(Scriptlet {
            interpreter: program.into_iter().map(str::to_owned).collect(),
            body: self.string(body_tag).map(str::to_owned),
            flags: self.u32(flags_tag).unwrap_or(0),
        })
    }

    /// Returns the triggers that other packages set off, in the header's order.
    pub fn triggers(&self) -> Vec<Trigger> {
        self.read_triggers(&TRIGGERS)
    }

    /// Returns the triggers that files set off, once per package, in the header's order.
    pub fn file_triggers(&self) -> Vec<Trigger> {
        self.read_triggers(&FILE_TRIGGERS)
    }

    /// Returns the triggers that files set off, once per transaction, in the header's order.
    pub fn transaction_file_triggers(&self) -> Vec<Trigger> {
        self.read_triggers(&TRANSACTION_FILE_TRIGGERS)
    }

    fn read_triggers(&self, tags: &TriggerTags) -> Vec<Trigger> {
        let programs = self.strings(tags.programs);
        let script_flags = self.u32s(tags.script_flags);
        let priorities = tags.priorities.map(|tag| self.u32s(tag)).unwrap_or_default();
        let scripts = self.strings(tags.scripts).into_iter().enumerate();
        let mut triggers: Vec<Trigger> = scripts
            .map(|(index, body)| Trigger {
                index,
                interpreter: vec![programs.get(index).copied().unwrap_or("/bin/sh").to_owned()],
                body: (!body.is_empty()).then(|| body.to_owned()),
                flags: script_flags.get(index).copied().unwrap_or(0),
                priority: priorities.get(index).copied().unwrap_or(DEFAULT_TRIGGER_PRIORITY),
                conditions: Vec::new(),
            })
            .collect();
        let conditions = self.dependencies(tags.names, tags.flags, tags.versions);
        for (index, (dependency, script)) in
            conditions.into_iter().zip(self.u32s(tags.indexes)).enumerate()
        {
            if let Some(kind) = TriggerKind::from_sense(dependency.sense)
                && let Some(trigger) = triggers.get_mut(script as usize)
            {
                trigger.conditions.push(TriggerCondition { kind, dependency, index });
            }
        }
        triggers
    }
}

/// Refuses scripts that are too large and triggers whose lists do not fit.
pub(super) fn check_scripts(header: &Header) -> Result<(), Error> {
    for kind in ScriptletKind::ALL {
        let length = header.string(kind.tags().0).map_or(0, str::len);
        check_length(kind.name(), length)?;
    }
    for tags in [TRIGGERS, FILE_TRIGGERS, TRANSACTION_FILE_TRIGGERS] {
        check_triggers(header, &tags)?;
    }
    Ok(())
}

fn check_length(script: &'static str, length: usize) -> Result<(), Error> {
    if length <= SCRIPT_LIMIT {
        return Ok(());
    }
    Err(Error::Script { script, problem: format!("{length} bytes, limit {SCRIPT_LIMIT}") })
}

fn check_triggers(header: &Header, tags: &TriggerTags) -> Result<(), Error> {
    let n_scripts = header.count(tags.scripts);
    header.strings(tags.scripts).iter().try_for_each(|body| check_length(tags.name, body.len()))?;
    let optional = [Some(tags.script_flags), tags.priorities];
    let parallel = [Some(tags.programs)].into_iter().chain(optional).flatten();
    for tag in parallel.filter(|tag| header.has(*tag)) {
        let found = header.count(tag);
        if found != n_scripts {
            return Err(Error::Lists { expected: n_scripts, found, tag });
        }
    }
    let expected = header.count(tags.names);
    for tag in [tags.versions, tags.flags, tags.indexes] {
        let found = header.count(tag);
        if found != expected {
            return Err(Error::Lists { expected, found, tag });
        }
    }
    for index in header.u32s(tags.indexes) {
        if index as usize >= n_scripts {
            let problem = format!("script index {index}, {n_scripts} scripts");
            return Err(Error::Script { script: tags.name, problem });
        }
    }
    let names = header.strings(tags.names).into_iter();
    for ((name, flags), evr) in
        names.zip(header.u32s(tags.flags)).zip(header.strings(tags.versions))
    {
        Dependency::from_header(name, flags, evr)
            .map_err(|source| Error::Dependency { kind: tags.name, source })?;
    }
    Ok(())
}
