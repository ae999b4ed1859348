// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which scriptlets and triggers a transaction runs, in which order: a plain list, worked out before anything happens.
//!
//! The order is that of rpm 4.20 (`triggers.md`, `file_triggers.md`, `lib/psm.c`), with one difference: all files of all packages
//! are put in place at once, so `%pre` of every package runs before that, and `%post` of every package after it. `%pretrans`,
//! `%pre` and, for packages that are removed and not replaced, `%preun` run before the commit: if one fails, nothing happens.

mod files;
mod scripts;

use std::collections::{BTreeMap, BTreeSet};

use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::Evr;
use cairn_rpm::header::{Header, Scriptlet, ScriptletKind, Trigger, TriggerKind, script_flags};
use cairn_rpm::macros::Macros;

use self::files::{Owner, matching, matching_owned};
use self::scripts::{file_trigger, file_trigger_name, package_trigger, sets_off};
use crate::error::TransactionError;
use crate::journal::AfterStep;
use crate::rpmdb::{Installed, RpmDb};
use crate::scriptlet::{CollectedScriptlet, prefix_environment};
use crate::transaction::Overrides;
use crate::transaction::order::Element;
use crate::transaction::set::{Fate, Set};

/// File triggers with at least this priority run before the package's own scriptlets (rpm's `TRIGGER_PRIORITY_BOUND`).
const PRIORITY_BOUND: u32 = 10_000;

/// A scriptlet that runs before the commit.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    pub(crate) scriptlet: CollectedScriptlet,
    /// The package that cannot come or go if it fails; `None` if its failure is only told.
    pub(crate) decides: Option<Side>,
}

/// A package of the transaction, by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// In [`Set::added`].
    Added(usize),
    /// In [`Set::erased`].
    Erased(usize),
}

/// What runs, in order.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) before: Vec<Before>,
    pub(crate) after: Vec<AfterStep>,
    /// Packages whose owners a late `%pre` may create.
    pub(crate) owned_later: BTreeSet<usize>,
}

/// A package as triggers see it.
#[derive(Debug)]
struct Member {
    label: String,
    name: String,
    evr: Evr,
    provides: Vec<Dependency>,
    triggers: Vec<Trigger>,
    file_triggers: Vec<Trigger>,
    transaction_file_triggers: Vec<Trigger>,
    in_transaction: bool,
    /// What its scripts are told about the places it was moved to.
    env: Vec<(String, String)>,
}

impl Member {
    fn new(header: &Header, label: String, in_transaction: bool, macros: &Macros) -> Self {
        let expand = |mut triggers: Vec<Trigger>| -> Vec<Trigger> {
            for trigger in &mut triggers {
                let (body, flags) = (trigger.body.take(), trigger.flags);
                trigger.body = body.map(|body| expanded(body, flags, header, macros));
            }
            triggers
        };
        Self {
            label,
            name: header.name().to_owned(),
            evr: header.evr(),
            provides: header.provides(),
            triggers: expand(header.triggers()),
            file_triggers: expand(header.file_triggers()),
            transaction_file_triggers: expand(header.transaction_file_triggers()),
            in_transaction,
            env: prefix_environment(header),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Before the package's own scriptlets.
    High,
    /// After them.
    Low,
}

impl Class {
    fn holds(self, trigger: &Trigger) -> bool {
        (trigger.priority >= PRIORITY_BOUND) == (self == Self::High)
    }
}

struct Builder<'a> {
    set: &'a Set,
    order: &'a [Element],
    silenced: &'a BTreeSet<String>,
    macros: Macros,
    db: Option<&'a RpmDb>,
    /// Installed instances by name, as the database would say at this point.
    counts: BTreeMap<String, i32>,
    /// Of these, packages that are only stored again.
    stored_again: BTreeMap<String, i32>,
    /// Packages with triggers, present at this point, by row.
    members: BTreeMap<u64, Member>,
    added: Vec<Member>,
    erased: Vec<Member>,
    program: Program,
    committed: bool,
    /// A `%pre` has run after the files were written: it may have created their owners.
    late_accounts: bool,
    /// `$1` of the scriptlets of what comes and of what goes: instances after its own step.
    added_args: Vec<i32>,
    erased_args: Vec<i32>,
    /// Steps done so far, as the database would say: packages that have come, rows that have gone.
    come: BTreeSet<usize>,
    gone: BTreeSet<u64>,
    /// Where packages have put a file; `None` if no package has file triggers that ask for it.
    brought: Option<BTreeSet<&'a str>>,
}

/// The body of a scriptlet with its macros replaced and filled in from its header, where it asks for that.
fn expanded(body: String, flags: u32, header: &Header, macros: &Macros) -> String {
    let body = if flags & script_flags::EXPAND == 0 { body } else { macros.expand(&body) };
    if flags & script_flags::QUERYFORMAT == 0 {
        return body;
    }
    // As in rpm, nothing is left of a format that is wrong; why is told with the errors of macros.
    macros.format(header, &body).unwrap_or_default()
}

/// Works out the program. `deferred` holds the positions of packages whose `%pre` cannot run before the files are there,
/// `overrides` what does not run at all.
pub(crate) fn program(
    set: &Set,
    order: &[Element],
    db: Option<&RpmDb>,
    deferred: &BTreeSet<usize>,
    overrides: &Overrides,
) -> Result<Program, TransactionError> {
    let mut builder = Builder::new(set, db, overrides)?;
    let is_quiet = |element: &&Element| match element {
        Element::Erase(at) => overrides.replace_quietly && set.erased[*at].replaced_by.is_some(),
        Element::Add(_) => false,
    };
    let (quiet, order): (Vec<Element>, Vec<Element>) = order.iter().partition(is_quiet);
    for element in &quiet {
        if let Element::Erase(at) = element {
            builder.members.remove(&set.erased[*at].hnum);
            builder.gone.insert(set.erased[*at].hnum);
        }
    }
    let order = order.as_slice();
    for element in &quiet {
        if let Element::Erase(at) = element {
            *builder.stored_again.entry(set.erased[*at].nevra.name.clone()).or_insert(0) += 1;
        }
    }
    builder.order = order;
    builder.count_instances(order);
    builder.before_transaction(order)?;
    builder.before_elements(order, deferred)?;
    builder.committed = true;
    for element in order {
        match element {
            Element::Add(at) => builder.add(*at, deferred.contains(at))?,
            Element::Erase(at) => builder.erase(*at)?,
        }
    }
    for element in quiet {
        if let Element::Erase(at) = element {
            builder.remove(at);
        }
    }
    builder.after_transaction(order)?;
    Ok(builder.program)
}

impl<'a> Builder<'a> {
    fn new(
        set: &'a Set,
        db: Option<&'a RpmDb>,
        overrides: &'a Overrides,
    ) -> Result<Self, TransactionError> {
        let macros = overrides.macros.clone().unwrap_or_else(Macros::built_in);
        let erased_rows: BTreeSet<u64> = set.erased.iter().map(|erased| erased.hnum).collect();
        let mut counts = BTreeMap::new();
        let mut members = BTreeMap::new();
        if let Some(db) = db {
            let names = set
                .added
                .iter()
                .map(|added| &added.nevra.name)
                .chain(set.erased.iter().map(|erased| &erased.nevra.name));
            let mut names: BTreeSet<String> = names.cloned().collect();
            let headers = set
                .added
                .iter()
                .map(|added| &added.package.header)
                .chain(set.erased.iter().map(|erased| &erased.header));
            names.extend(
                headers
                    .flat_map(Header::triggers)
                    .flat_map(|trigger| trigger.conditions)
                    .map(|condition| condition.dependency.name),
            );
            for hnum in db.numbers_with_triggers()? {
                // Triggers of a damaged row cannot be known.
                let Ok(Some(package)) = db.package(hnum) else { continue };
                let member = Member::new(
                    &package.header,
                    package.header.nevra().to_string(),
                    erased_rows.contains(&hnum),
                    &macros,
                );
                names.insert(member.name.clone());
                names.extend(
                    member
                        .triggers
                        .iter()
                        .flat_map(|trigger| &trigger.conditions)
                        .map(|condition| condition.dependency.name.clone()),
                );
                members.insert(hnum, member);
            }
            for name in names {
                let count = db.numbers_by_name(&name)?.len() as i32;
                counts.insert(name, count);
            }
        }
        let added: Vec<Member> = set
            .added
            .iter()
            .map(|added| Member::new(&added.package.header, added.label.clone(), true, &macros))
            .collect();
        let erased = set
            .erased
            .iter()
            .map(|erased| Member::new(&erased.header, erased.label.clone(), true, &macros))
            .collect();
        let mut watchers = members.values().chain(&added);
        let is_watched = watchers.any(|member| !member.file_triggers.is_empty());
        Ok(Self {
            set,
            order: &[],
            silenced: &overrides.silenced,
            macros,
            db,
            counts,
            stored_again: BTreeMap::new(),
            members,
            added,
            erased,
            program: Program::default(),
            committed: false,
            late_accounts: false,
            added_args: vec![0; set.added.len()],
            erased_args: vec![0; set.erased.len()],
            come: BTreeSet::new(),
            gone: BTreeSet::new(),
            brought: is_watched.then(BTreeSet::new),
        })
    }

    fn count_instances(&mut self, order: &[Element]) {
        let mut counts = self.counts.clone();
        for element in order {
            match element {
                Element::Add(at) => {
                    let count = counts.entry(self.set.added[*at].nevra.name.clone()).or_insert(0);
                    *count += 1;
                    self.added_args[*at] = *count;
                }
                Element::Erase(at) => {
                    let count = counts.entry(self.set.erased[*at].nevra.name.clone()).or_insert(0);
                    *count -= 1;
                    self.erased_args[*at] = *count;
                }
            }
        }
    }

    fn count(&self, name: &str) -> i32 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// As [`Self::count`], also for packages that have nothing to do with the transaction.
    fn count_anywhere(&self, name: &str) -> Result<i32, TransactionError> {
        match (self.counts.get(name), self.db) {
            (Some(count), _) => Ok(*count),
            (None, Some(db)) => Ok(db.numbers_by_name(name)?.len() as i32),
            (None, None) => Ok(0),
        }
    }

    fn push(&mut self, scriptlet: CollectedScriptlet, decides: Option<Side>) {
        if self.silenced.contains(&scriptlet.kind) {
            return;
        }
        if self.committed {
            self.program.after.push(AfterStep::Scriptlet(scriptlet));
        } else {
            self.program.before.push(Before { scriptlet, decides });
        }
    }

    fn own(&mut self, side: Side, kind: ScriptletKind, arg: i32) {
        let set = self.set;
        let (header, label) = match side {
            Side::Added(at) => (&set.added[at].package.header, &set.added[at].label),
            Side::Erased(at) => (&set.erased[at].header, &set.erased[at].label),
        };
        let critical = matches!(
            kind,
            ScriptletKind::PreTransaction
                | ScriptletKind::PreUnTransaction
                | ScriptletKind::PreInstall
                | ScriptletKind::PreUninstall
        );
        if let Some(Scriptlet { interpreter, body, flags }) = header.scriptlet(kind) {
            let body = body.map(|body| expanded(body, flags, header, &self.macros));
            let (package, kind) = (label.clone(), kind.name().to_owned());
            let scriptlet = CollectedScriptlet {
                package,
                kind,
                interpreter,
                body,
                args: vec![arg],
                stdin: Vec::new(),
                env: prefix_environment(header),
            };
            self.push(scriptlet, critical.then_some(side));
        }
    }

    fn own_of_added(&mut self, at: usize, kind: ScriptletKind) {
        self.own(Side::Added(at), kind, self.added_args[at]);
    }

    fn own_of_erased(&mut self, at: usize, kind: ScriptletKind) {
        self.own(Side::Erased(at), kind, self.erased_args[at]);
    }

    /// `$1` before the transaction: what will be left, but all instances if another package replaces it.
    fn argument_before(&self, at: usize) -> i32 {
        let erased = &self.set.erased[at];
        self.count(&erased.nevra.name) - i32::from(erased.replaced_by.is_none())
    }

    /// `$1` after the transaction: the instances there are, and one more if it replaced a package.
    fn argument_after(&self, at: usize) -> i32 {
        let replaces = self.order.iter().any(|element| {
            matches!(element, Element::Erase(erased) if self.set.erased[*erased].replaced_by == Some(at))
        });
        let name = &self.set.added[at].nevra.name;
        let stored_again = self.stored_again.get(name).copied().unwrap_or(0);
        self.count(name) - stored_again + i32::from(replaces)
    }

    /// `%pretrans`, `%preuntrans`, `%transfiletriggerun`.
    fn before_transaction(&mut self, order: &[Element]) -> Result<(), TransactionError> {
        for at in added_in(order) {
            self.own_of_added(at, ScriptletKind::PreTransaction);
        }
        for at in erased_in(order) {
            self.own(Side::Erased(at), ScriptletKind::PreUnTransaction, self.argument_before(at));
        }
        let files = erased_files(self.set);
        self.transaction_file_triggers(TriggerKind::Uninstall, &files);
        for at in erased_in(order) {
            self.immediate(Immediate::TransactionErased(at))?;
        }
        Ok(())
    }

    /// `%triggerprein` and `%pre` of what comes, `%preun` with its triggers of what goes without replacement.
    fn before_elements(
        &mut self,
        order: &[Element],
        deferred: &BTreeSet<usize>,
    ) -> Result<(), TransactionError> {
        let counts = self.counts.clone();
        let mut aside = Vec::new();
        for element in order {
            match element {
                Element::Add(at) => {
                    if !deferred.contains(at) {
                        self.pre(*at);
                    }
                    self.comes(*at);
                }
                Element::Erase(at) => {
                    if self.set.erased[*at].replaced_by.is_none() {
                        self.preun(*at)?;
                    }
                    aside.extend(self.goes(*at));
                }
            }
        }
        // That was how rpm finds the database at each of these points; in truth nothing has come or gone yet.
        self.counts = counts;
        for at in std::mem::take(&mut self.come) {
            self.members.remove(&self.set.added[at].hnum);
        }
        for (hnum, member) in aside {
            self.gone.remove(&hnum);
            self.members.insert(hnum, member);
        }
        for element in order {
            if let Element::Erase(at) = element {
                self.gone.remove(&self.set.erased[*at].hnum);
            }
        }
        Ok(())
    }

    /// From here on the package is installed.
    fn comes(&mut self, at: usize) {
        let added = &self.set.added[at];
        *self.counts.entry(added.nevra.name.clone()).or_insert(0) += 1;
        let member = Member::new(&added.package.header, added.label.clone(), true, &self.macros);
        self.members.insert(added.hnum, member);
        self.come.insert(at);
    }

    /// From here on the package is not installed any more.
    fn goes(&mut self, at: usize) -> Option<(u64, Member)> {
        let erased = &self.set.erased[at];
        *self.counts.entry(erased.nevra.name.clone()).or_insert(0) -= 1;
        self.gone.insert(erased.hnum);
        self.members.remove(&erased.hnum).map(|member| (erased.hnum, member))
    }

    fn pre(&mut self, at: usize) {
        let present = self.count(&self.set.added[at].nevra.name);
        self.triggers_of_others(TriggerKind::PreInstall, Side::Added(at), present);
        self.own_triggers(TriggerKind::PreInstall, Side::Added(at), present);
        self.own_of_added(at, ScriptletKind::PreInstall);
    }

    fn add(&mut self, at: usize, deferred: bool) -> Result<(), TransactionError> {
        if deferred {
            self.pre(at);
            self.late_accounts = true;
        }
        if self.late_accounts {
            let unowned = unowned_files(self.set, at);
            if !unowned.is_empty() {
                self.program.after.push(AfterStep::Own(unowned));
                self.program.owned_later.insert(at);
            }
        }
        self.comes(at);
        let added = &self.set.added[at];
        let target = self.count(&added.nevra.name);
        let files = self.bring(at);
        self.file_triggers(TriggerKind::Install, &files, Class::High, target);
        self.immediate(Immediate::Added(at, Class::High))?;
        self.own_of_added(at, ScriptletKind::PostInstall);
        self.triggers_of_others(TriggerKind::Install, Side::Added(at), target);
        self.own_triggers(TriggerKind::Install, Side::Added(at), target);
        self.file_triggers(TriggerKind::Install, &files, Class::Low, target);
        self.immediate(Immediate::Added(at, Class::Low))
    }

    /// Returns the paths that come with a package; what another one brought before is not among them.
    fn bring(&mut self, at: usize) -> Vec<&'a str> {
        let added = &self.set.added[at];
        let Some(brought) = &mut self.brought else { return Vec::new() };
        let mut come = Vec::new();
        for ((file, place), fate) in added.files.iter().zip(&added.resolved).zip(&added.fates) {
            let is_left_out = matches!(fate, Fate::NotInstalled(_));
            // A ghost is not written, so that the next one with that path brings it.
            if !is_left_out && (file.is_ghost() || brought.insert(place)) {
                come.push(file.path.as_str());
            }
        }
        come
    }

    fn preun(&mut self, at: usize) -> Result<(), TransactionError> {
        let remaining = self.erased_args[at];
        let files = really_removed(self.set, at);
        self.immediate(Immediate::Erased(at, Class::High))?;
        self.file_triggers(TriggerKind::Uninstall, &files, Class::High, remaining);
        self.own_triggers(TriggerKind::Uninstall, Side::Erased(at), remaining);
        self.triggers_of_others(TriggerKind::Uninstall, Side::Erased(at), remaining);
        self.own_of_erased(at, ScriptletKind::PreUninstall);
        self.immediate(Immediate::Erased(at, Class::Low))?;
        self.file_triggers(TriggerKind::Uninstall, &files, Class::Low, remaining);
        Ok(())
    }

    fn erase(&mut self, at: usize) -> Result<(), TransactionError> {
        let erased = &self.set.erased[at];
        if erased.replaced_by.is_some() {
            self.preun(at)?;
        }
        self.remove(at);
        let remaining = self.erased_args[at];
        let files = really_removed(self.set, at);
        self.file_triggers(TriggerKind::PostUninstall, &files, Class::High, remaining);
        self.own_of_erased(at, ScriptletKind::PostUninstall);
        self.triggers_of_others(TriggerKind::PostUninstall, Side::Erased(at), remaining);
        self.file_triggers(TriggerKind::PostUninstall, &files, Class::Low, remaining);
        self.goes(at);
        Ok(())
    }

    /// The files of a package that goes.
    fn remove(&mut self, at: usize) {
        let erased = &self.set.erased[at];
        self.program.after.push(AfterStep::Remove {
            package: erased.label.clone(),
            removals: erased.removals.clone(),
        });
    }

    /// `%posttrans`, `%postuntrans`, then the transaction file triggers.
    fn after_transaction(&mut self, order: &[Element]) -> Result<(), TransactionError> {
        for at in added_in(order) {
            self.own(Side::Added(at), ScriptletKind::PostTransaction, self.argument_after(at));
        }
        for at in erased_in(order) {
            self.own_of_erased(at, ScriptletKind::PostUnTransaction);
        }
        self.transaction_file_triggers(TriggerKind::Install, &added_files(self.set));
        self.transaction_file_triggers(TriggerKind::PostUninstall, &erased_files(self.set));
        for at in added_in(order) {
            self.immediate(Immediate::TransactionAdded(at))?;
        }
        Ok(())
    }

    /// `%trigger…` of the packages in the database that the package sets off.
    fn triggers_of_others(&mut self, kind: TriggerKind, side: Side, target: i32) {
        let subject = match side {
            Side::Added(at) => &self.added[at],
            Side::Erased(at) => &self.erased[at],
        };
        let mut found = Vec::new();
        // A package that is in the database by now sets off its own, too; rpm looks at those once more as its own.
        for member in self.members.values() {
            // Of several for the same package only the first one runs, as in rpm.
            let is_set_off = |trigger: &&Trigger| {
                let mut conditions = trigger.conditions_of(kind);
                conditions.any(|condition| sets_off(subject, &condition.dependency))
            };
            if let Some(trigger) = member.triggers.iter().find(is_set_off) {
                let args = [self.count(&member.name), target];
                found.push(package_trigger(member, trigger, kind, args));
            }
        }
        for scriptlet in found {
            self.push(scriptlet, None);
        }
    }

    /// `%trigger…` of the package itself, set off by packages that are installed.
    fn own_triggers(&mut self, kind: TriggerKind, side: Side, remaining: i32) {
        let subject = match side {
            Side::Added(at) => &self.added[at],
            Side::Erased(at) => &self.erased[at],
        };
        let mut found = Vec::new();
        for trigger in &subject.triggers {
            let target = trigger
                .conditions_of(kind)
                .find_map(|condition| self.installed_target(&condition.dependency));
            if let Some(target) = target {
                found.push(package_trigger(subject, trigger, kind, [remaining, target]));
            }
        }
        for scriptlet in found {
            self.push(scriptlet, None);
        }
    }

    /// Returns how many instances of a trigger's target are installed, `None` if none fits.
    fn installed_target(&self, dependency: &Dependency) -> Option<i32> {
        let from_set = self.set.added.iter().zip(&self.added).any(|(added, member)| {
            let installed = self.members.contains_key(&added.hnum);
            installed && member.name == dependency.name && sets_off(member, dependency)
        });
        let in_db = || {
            let db = self.db?;
            let rows = db.by_name(&dependency.name).ok()?;
            rows.iter()
                .any(|row| {
                    !self.gone.contains(&row.hnum) && dependency.matches_evr(&row.header.evr())
                })
                .then_some(())
        };
        (from_set || in_db().is_some())
            .then(|| self.count(&dependency.name))
            .filter(|count| *count > 0)
    }

    /// `%filetrigger…` of packages in the database, set off by a package's files; `target`: instances of that package.
    fn file_triggers(&mut self, kind: TriggerKind, files: &[&str], class: Class, target: i32) {
        let mut found = Vec::new();
        for member in self.members.values() {
            for trigger in member.file_triggers.iter().filter(|trigger| class.holds(trigger)) {
                let stdin = matching(trigger, kind, files);
                if !stdin.is_empty() {
                    let args = vec![self.count(&member.name), target];
                    found.push((
                        trigger.priority,
                        file_trigger(member, trigger, file_trigger_name(kind, false), args, stdin),
                    ));
                }
            }
        }
        self.push_by_priority(found);
    }

    /// `%transfiletrigger…` of packages in the database. Those of packages of the transaction are set off by [`Immediate`], but
    /// for `%transfiletriggerpostun`, which gets no paths.
    fn transaction_file_triggers(&mut self, kind: TriggerKind, owners: &[Owner<'_>]) {
        let after_removal = kind == TriggerKind::PostUninstall;
        let mut found = Vec::new();
        for member in self.members.values().filter(|member| after_removal || !member.in_transaction)
        {
            for trigger in &member.transaction_file_triggers {
                let matched = matching_owned(trigger, kind, owners);
                if matched.is_empty() {
                    continue;
                }
                let given = matched.into_iter().filter(|_| !after_removal);
                let stdin = given.map(|(_, path)| path).collect();
                let args = vec![self.count(&member.name)];
                found.push((
                    trigger.priority,
                    file_trigger(member, trigger, file_trigger_name(kind, true), args, stdin),
                ));
            }
        }
        self.push_by_priority(found);
    }

    /// File triggers of a package that comes or goes, set off by the files of any installed package.
    fn immediate(&mut self, which: Immediate) -> Result<(), TransactionError> {
        let (member, kind, class, own, except) = match which {
            Immediate::Added(at, class) => {
                let own = self.added_args[at];
                (&self.added[at], TriggerKind::Install, Some(class), own, Some(at))
            }
            Immediate::Erased(at, class) => {
                (&self.erased[at], TriggerKind::Uninstall, Some(class), self.erased_args[at], None)
            }
            Immediate::TransactionAdded(at) => {
                (&self.added[at], TriggerKind::Install, None, self.argument_after(at), None)
            }
            Immediate::TransactionErased(at) => {
                (&self.erased[at], TriggerKind::Uninstall, None, self.argument_before(at), None)
            }
        };
        let triggers =
            if class.is_some() { &member.file_triggers } else { &member.transaction_file_triggers };
        let is_meant = |trigger: &&Trigger| {
            class.is_none_or(|class| class.holds(trigger))
                && trigger.conditions_of(kind).next().is_some()
        };
        let triggers: Vec<&Trigger> = triggers.iter().filter(is_meant).collect();
        if triggers.is_empty() {
            return Ok(());
        }
        let packages = self.installed()?;
        let mut owners: Vec<Owner<'_>> =
            packages.iter().map(|package| Owner::installed(&package.header)).collect();
        let come = self.come.iter().filter(|at| Some(**at) != except);
        owners.extend(come.map(|at| Owner::added(&self.set.added[*at])));
        let mut found = Vec::new();
        for trigger in triggers {
            let matched = matching_owned(trigger, kind, &owners);
            let Some((package, _)) = matched.first() else { continue };
            let mut args = vec![own];
            if class.is_some() {
                // The instances of the first package that has such a file.
                args.push(self.count_anywhere(package)?);
            }
            let stdin = matched.into_iter().map(|(_, path)| path).collect();
            let name = file_trigger_name(kind, class.is_none());
            found.push((trigger.priority, file_trigger(member, trigger, name, args, stdin)));
        }
        self.push_by_priority(found);
        Ok(())
    }

    /// Highest priority first, then by row.
    fn push_by_priority(&mut self, mut found: Vec<(u32, CollectedScriptlet)>) {
        found.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
        for (_, scriptlet) in found {
            self.push(scriptlet, None);
        }
    }

    /// The packages that were installed before and still are at this point.
    fn installed(&self) -> Result<Vec<Installed>, TransactionError> {
        let mut packages = self.db.map(RpmDb::packages).transpose()?.unwrap_or_default();
        packages.retain(|package| !self.gone.contains(&package.hnum));
        Ok(packages)
    }
}

/// A package whose own file triggers are set off by what is installed.
#[derive(Clone, Copy)]
enum Immediate {
    /// `%filetriggerin` of a package that comes.
    Added(usize, Class),
    /// `%filetriggerun` of a package that goes.
    Erased(usize, Class),
    /// `%transfiletriggerin` of a package that comes.
    TransactionAdded(usize),
    /// `%transfiletriggerun` of a package that goes.
    TransactionErased(usize),
}

fn added_in(order: &[Element]) -> impl Iterator<Item = usize> {
    order.iter().filter_map(|element| if let Element::Add(at) = element { Some(*at) } else { None })
}

fn erased_in(order: &[Element]) -> impl Iterator<Item = usize> {
    order
        .iter()
        .filter_map(|element| if let Element::Erase(at) = element { Some(*at) } else { None })
}

/// Paths of a package that goes that no other package keeps.
fn really_removed(set: &Set, at: usize) -> Vec<&str> {
    let erased = &set.erased[at];
    let removed: BTreeSet<&str> =
        erased.removals.iter().map(|removal| removal.path.as_str()).collect();
    let files = erased
        .files
        .iter()
        .zip(&erased.resolved)
        .filter(|(_, place)| removed.contains(place.as_str()));
    files.map(|(file, _)| file.path.as_str()).collect()
}

fn added_files(set: &Set) -> Vec<Owner<'_>> {
    set.added.iter().map(Owner::added).collect()
}

/// In the order of the database, as rpm looks there for them.
fn erased_files(set: &Set) -> Vec<Owner<'_>> {
    let mut erased: Vec<_> = set.erased.iter().collect();
    erased.sort_by_key(|erased| erased.hnum);
    erased.into_iter().map(Owner::erased).collect()
}

/// Files whose owner a late `%pre` may create: path, mode, user, group.
fn unowned_files(set: &Set, at: usize) -> Vec<(String, u32, String, String)> {
    let added = &set.added[at];
    let files = added.files.iter().zip(&added.resolved).zip(&added.fates);
    let owned = files
        .filter(|((file, _), _)| !file.is_ghost() && (file.user != "root" || file.group != "root"));
    owned
        .filter_map(|((file, place), fate)| {
            let path = match fate {
                Fate::Create { .. } | Fate::Directory => place.clone(),
                Fate::Beside { target } => target.clone(),
                // What is there stays as it is.
                Fate::Skip | Fate::NotInstalled(_) => return None,
            };
            let mode = u32::from(file.mode & 0o7777);
            Some((path, mode, file.user.clone(), file.group.clone()))
        })
        .collect()
}
