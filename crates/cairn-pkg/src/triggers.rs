// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which scriptlets and triggers a transaction runs, in which order: a plain list, worked out before anything happens.
//!
//! The order is that of rpm 4.20 (`triggers.md`, `file_triggers.md`, `lib/psm.c`), with one difference: all files of all packages
//! are put in place at once, so `%pre` of every package runs before that, and `%post` of every package after it. `%pretrans`,
//! `%pre` and, for packages that are removed and not replaced, `%preun` run before the commit: if one fails, nothing happens.

use std::collections::{BTreeMap, BTreeSet};

use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::Evr;
use cairn_rpm::header::{Header, Scriptlet, ScriptletKind, Trigger, TriggerKind};

use crate::error::TransactionError;
use crate::journal::AfterStep;
use crate::rpmdb::RpmDb;
use crate::scriptlet::CollectedScriptlet;
use crate::transaction::order::Element;
use crate::transaction::set::Set;

/// File triggers with at least this priority run before the package's own scriptlets (rpm's `TRIGGER_PRIORITY_BOUND`).
const PRIORITY_BOUND: u32 = 10_000;

/// A scriptlet that runs before the commit.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    pub(crate) scriptlet: CollectedScriptlet,
    /// Its failure stops the transaction.
    pub(crate) critical: bool,
}

/// What runs, in order.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) before: Vec<Before>,
    pub(crate) after: Vec<AfterStep>,
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
}

impl Member {
    fn new(header: &Header, label: String, in_transaction: bool) -> Self {
        Self {
            label,
            name: header.name().to_owned(),
            evr: header.evr(),
            provides: header.provides(),
            triggers: header.triggers(),
            file_triggers: header.file_triggers(),
            transaction_file_triggers: header.transaction_file_triggers(),
            in_transaction,
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
    db: Option<&'a RpmDb>,
    /// Installed instances by name, as the database would say at this point.
    counts: BTreeMap<String, i32>,
    /// Packages with triggers, present at this point, by row.
    members: BTreeMap<u64, Member>,
    added: Vec<Member>,
    erased: Vec<Member>,
    program: Program,
    committed: bool,
}

/// Works out the program. `deferred` holds the positions of packages whose `%pre` cannot run before the files are there.
pub(crate) fn program(set: &Set, order: &[Element], db: Option<&RpmDb>, deferred: &BTreeSet<usize>) -> Result<Program, TransactionError> {
    let mut builder = Builder::new(set, db)?;
    builder.before_transaction(order)?;
    builder.before_elements(order, deferred);
    builder.committed = true;
    for element in order {
        match element {
            Element::Add(at) => builder.add(*at, deferred.contains(at))?,
            Element::Erase(at) => builder.erase(*at)?,
        }
    }
    builder.after_transaction(order)?;
    Ok(builder.program)
}

impl<'a> Builder<'a> {
    fn new(set: &'a Set, db: Option<&'a RpmDb>) -> Result<Self, TransactionError> {
        let erased_rows: BTreeSet<u64> = set.erased.iter().map(|erased| erased.hnum).collect();
        let mut counts = BTreeMap::new();
        let mut members = BTreeMap::new();
        if let Some(db) = db {
            let names = set.added.iter().map(|added| &added.nevra.name).chain(set.erased.iter().map(|erased| &erased.nevra.name));
            let mut names: BTreeSet<String> = names.cloned().collect();
            let headers = set.added.iter().map(|added| &added.package.header).chain(set.erased.iter().map(|erased| &erased.header));
            names.extend(headers.flat_map(Header::triggers).flat_map(|trigger| trigger.conditions).map(|condition| condition.dependency.name));
            for hnum in db.numbers_with_triggers()? {
                // Triggers of a damaged row cannot be known.
                let Ok(Some(package)) = db.package(hnum) else { continue };
                let member = Member::new(&package.header, package.header.nevra().to_string(), erased_rows.contains(&hnum));
                names.insert(member.name.clone());
                names.extend(member.triggers.iter().flat_map(|trigger| &trigger.conditions).map(|condition| condition.dependency.name.clone()));
                members.insert(hnum, member);
            }
            for name in names {
                let count = db.numbers_by_name(&name)?.len() as i32;
                counts.insert(name, count);
            }
        }
        let added = set.added.iter().map(|added| Member::new(&added.package.header, added.label.clone(), true)).collect();
        let erased = set.erased.iter().map(|erased| Member::new(&erased.header, erased.label.clone(), true)).collect();
        Ok(Self { set, db, counts, members, added, erased, program: Program::default(), committed: false })
    }

    fn count(&self, name: &str) -> i32 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    fn push(&mut self, scriptlet: CollectedScriptlet, critical: bool) {
        if self.committed {
            self.program.after.push(AfterStep::Scriptlet(scriptlet));
        } else {
            self.program.before.push(Before { scriptlet, critical });
        }
    }

    fn own(&mut self, header: &Header, label: &str, kind: ScriptletKind, arg: i32, critical: bool) {
        if let Some(Scriptlet { interpreter, body, .. }) = header.scriptlet(kind) {
            let (package, kind) = (label.to_owned(), kind.name().to_owned());
            let scriptlet = CollectedScriptlet { package, kind, interpreter, body, args: vec![arg], stdin: Vec::new(), env: Vec::new() };
            self.push(scriptlet, critical);
        }
    }

    fn own_of_added(&mut self, at: usize, kind: ScriptletKind, extra: i32, critical: bool) {
        let added = &self.set.added[at];
        let arg = self.count(&added.nevra.name) + extra;
        self.own(&added.package.header, &added.label, kind, arg, critical);
    }

    fn own_of_erased(&mut self, at: usize, kind: ScriptletKind, extra: i32, critical: bool) {
        let erased = &self.set.erased[at];
        let arg = self.count(&erased.nevra.name) + extra;
        self.own(&erased.header, &erased.label, kind, arg, critical);
    }

    /// `%pretrans`, `%preuntrans`, `%transfiletriggerun`.
    fn before_transaction(&mut self, order: &[Element]) -> Result<(), TransactionError> {
        for element in order {
            if let Element::Add(at) = element {
                self.own_of_added(*at, ScriptletKind::PreTransaction, 1, true);
            }
        }
        for element in order {
            if let Element::Erase(at) = element {
                self.own_of_erased(*at, ScriptletKind::PreUnTransaction, -1, true);
            }
        }
        let files = erased_files(self.set);
        self.transaction_file_triggers(TriggerKind::Uninstall, &files, true);
        let erased = std::mem::take(&mut self.erased);
        for member in &erased {
            self.immediate_file_triggers(member, &member.transaction_file_triggers, TriggerKind::Uninstall, None, "%transfiletriggerun", &[])?;
        }
        self.erased = erased;
        Ok(())
    }

    /// `%triggerprein` and `%pre` of what comes, `%preun` with its triggers of what goes without replacement.
    fn before_elements(&mut self, order: &[Element], deferred: &BTreeSet<usize>) {
        for element in order {
            match element {
                Element::Add(at) if !deferred.contains(at) => self.pre(*at),
                Element::Erase(at) if self.set.erased[*at].replaced_by.is_none() => self.preun(*at, true),
                Element::Add(_) | Element::Erase(_) => {}
            }
        }
    }

    fn pre(&mut self, at: usize) {
        let name = self.set.added[at].nevra.name.clone();
        let target = self.count(&name) + 1;
        self.triggers_of_others(TriggerKind::PreInstall, Side::Added(at), target);
        self.own_triggers(TriggerKind::PreInstall, Side::Added(at), target);
        self.own_of_added(at, ScriptletKind::PreInstall, 1, true);
    }

    fn add(&mut self, at: usize, deferred: bool) -> Result<(), TransactionError> {
        if deferred {
            self.pre(at);
            let unowned = unowned_files(self.set, at);
            if !unowned.is_empty() {
                self.program.after.push(AfterStep::Own(unowned));
            }
        }
        let added = &self.set.added[at];
        let name = added.nevra.name.clone();
        let hnum = added.hnum;
        *self.counts.entry(name.clone()).or_insert(0) += 1;
        let target = self.count(&name);
        let files: Vec<&str> = added.files.iter().map(|file| file.path.as_str()).collect();
        self.file_triggers(TriggerKind::Install, &files, Class::High, &name, None);
        self.immediate(at, Class::High)?;
        self.own_of_added(at, ScriptletKind::PostInstall, 0, false);
        self.triggers_of_others(TriggerKind::Install, Side::Added(at), target);
        self.own_triggers(TriggerKind::Install, Side::Added(at), target);
        self.file_triggers(TriggerKind::Install, &files, Class::Low, &name, None);
        self.immediate(at, Class::Low)?;
        let member = Member::new(&added.package.header, added.label.clone(), true);
        self.members.insert(hnum, member);
        Ok(())
    }

    /// `%filetriggerin` of a package that comes, set off by any file in the database.
    fn immediate(&mut self, at: usize, class: Class) -> Result<(), TransactionError> {
        let added = std::mem::take(&mut self.added);
        let member = &added[at];
        let count = self.count(&member.name);
        let result =
            self.immediate_file_triggers(member, &member.file_triggers, TriggerKind::Install, Some(class), "%filetriggerin", &[count, count]);
        self.added = added;
        result
    }

    fn preun(&mut self, at: usize, critical: bool) {
        let erased = &self.set.erased[at];
        let (name, hnum) = (erased.nevra.name.clone(), erased.hnum);
        let files: Vec<&str> = erased.files.iter().map(|file| file.path.as_str()).collect();
        let target = self.count(&name) - 1;
        self.file_triggers(TriggerKind::Uninstall, &files, Class::High, &name, Some(hnum));
        self.own_triggers(TriggerKind::Uninstall, Side::Erased(at), target);
        self.triggers_of_others(TriggerKind::Uninstall, Side::Erased(at), target);
        self.own_of_erased(at, ScriptletKind::PreUninstall, -1, critical);
        self.file_triggers(TriggerKind::Uninstall, &files, Class::Low, &name, Some(hnum));
    }

    fn erase(&mut self, at: usize) -> Result<(), TransactionError> {
        let erased = &self.set.erased[at];
        if erased.replaced_by.is_some() {
            self.preun(at, false);
        }
        let (name, hnum) = (erased.nevra.name.clone(), erased.hnum);
        self.program.after.push(AfterStep::Remove { package: erased.label.clone(), removals: erased.removals.clone() });
        let files: Vec<&str> = erased.files.iter().map(|file| file.path.as_str()).collect();
        *self.counts.entry(name.clone()).or_insert(0) -= 1;
        self.members.remove(&hnum);
        let target = self.count(&name);
        self.file_triggers(TriggerKind::PostUninstall, &files, Class::High, &name, Some(hnum));
        self.own_of_erased(at, ScriptletKind::PostUninstall, 0, false);
        self.triggers_of_others(TriggerKind::PostUninstall, Side::Erased(at), target);
        self.file_triggers(TriggerKind::PostUninstall, &files, Class::Low, &name, Some(hnum));
        Ok(())
    }

    /// `%posttrans`, `%postuntrans`, then the transaction file triggers.
    fn after_transaction(&mut self, order: &[Element]) -> Result<(), TransactionError> {
        for element in order {
            if let Element::Add(at) = element {
                self.own_of_added(*at, ScriptletKind::PostTransaction, 0, false);
            }
        }
        for element in order {
            if let Element::Erase(at) = element {
                self.own_of_erased(*at, ScriptletKind::PostUnTransaction, 0, false);
            }
        }
        self.transaction_file_triggers(TriggerKind::PostUninstall, &erased_files(self.set), false);
        self.transaction_file_triggers(TriggerKind::Install, &added_files(self.set), true);
        let added = std::mem::take(&mut self.added);
        let mut triggers = Vec::new();
        for member in &added {
            let matching = member.transaction_file_triggers.iter().filter(|trigger| trigger.conditions_of(TriggerKind::Install).next().is_some());
            triggers.extend(matching.map(|trigger| (member, trigger)));
        }
        triggers.sort_by_key(|(_, trigger)| std::cmp::Reverse(trigger.priority));
        for (member, trigger) in triggers {
            self.immediate_file_triggers(member, std::slice::from_ref(trigger), TriggerKind::Install, None, "%transfiletriggerin", &[])?;
        }
        self.added = added;
        Ok(())
    }

    /// `%trigger…` of other packages that the package sets off.
    fn triggers_of_others(&mut self, kind: TriggerKind, side: Side, target: i32) {
        let (subject, own_row) = match side {
            Side::Added(at) => (&self.added[at], self.set.added[at].hnum),
            Side::Erased(at) => (&self.erased[at], self.set.erased[at].hnum),
        };
        let mut found = Vec::new();
        for (hnum, member) in &self.members {
            // A package's own triggers are looked at separately.
            if *hnum == own_row {
                continue;
            }
            for trigger in &member.triggers {
                if trigger.conditions_of(kind).any(|condition| sets_off(subject, &condition.dependency)) {
                    found.push(package_trigger(member, trigger, kind, [self.count(&member.name), target]));
                }
            }
        }
        found.into_iter().for_each(|scriptlet| self.push(scriptlet, false));
    }

    /// `%trigger…` of the package itself, set off by packages that are installed.
    fn own_triggers(&mut self, kind: TriggerKind, side: Side, remaining: i32) {
        let subject = match side {
            Side::Added(at) => &self.added[at],
            Side::Erased(at) => &self.erased[at],
        };
        let mut found = Vec::new();
        for trigger in &subject.triggers {
            let target = trigger.conditions_of(kind).find_map(|condition| self.installed_target(&condition.dependency));
            if let Some(target) = target {
                found.push(package_trigger(subject, trigger, kind, [remaining, target]));
            }
        }
        found.into_iter().for_each(|scriptlet| self.push(scriptlet, false));
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
            let gone = |hnum: u64| self.set.erased.iter().any(|erased| erased.hnum == hnum && !self.members.contains_key(&hnum) && self.committed);
            rows.iter().any(|row| !gone(row.hnum) && dependency.matches_evr(&row.header.evr())).then_some(())
        };
        (from_set || in_db().is_some()).then(|| self.count(&dependency.name)).filter(|count| *count > 0)
    }

    /// `%filetrigger…` of packages in the database, set off by a package's files.
    fn file_triggers(&mut self, kind: TriggerKind, files: &[&str], class: Class, name: &str, own_row: Option<u64>) {
        let mut found = Vec::new();
        for (hnum, member) in &self.members {
            for trigger in member.file_triggers.iter().filter(|trigger| class.holds(trigger)) {
                let stdin = matching(trigger, kind, files.iter().copied());
                if !stdin.is_empty() {
                    let leaving = i32::from(kind == TriggerKind::Uninstall);
                    let own = if Some(*hnum) == own_row { leaving } else { 0 };
                    let args = vec![self.count(&member.name) - own, self.count(name) - leaving];
                    found.push((trigger.priority, file_trigger(member, trigger, file_trigger_name(kind, false), args, stdin)));
                }
            }
        }
        self.push_by_priority(found);
    }

    /// `%transfiletrigger…` of packages that are not part of the transaction.
    fn transaction_file_triggers(&mut self, kind: TriggerKind, files: &[&str], with_files: bool) {
        let mut found = Vec::new();
        for member in self.members.values().filter(|member| !member.in_transaction) {
            for trigger in &member.transaction_file_triggers {
                let mut stdin = matching(trigger, kind, files.iter().copied());
                if stdin.is_empty() {
                    continue;
                }
                if !with_files {
                    stdin.clear();
                }
                found.push((trigger.priority, file_trigger(member, trigger, file_trigger_name(kind, true), Vec::new(), stdin)));
            }
        }
        self.push_by_priority(found);
    }

    /// File triggers of a package that comes or goes, set off by any file in the database.
    fn immediate_file_triggers(
        &mut self,
        member: &Member,
        triggers: &[Trigger],
        kind: TriggerKind,
        class: Option<Class>,
        name: &'static str,
        args: &[i32],
    ) -> Result<(), TransactionError> {
        let mut found = Vec::new();
        for trigger in triggers.iter().filter(|trigger| class.is_none_or(|class| class.holds(trigger))) {
            if trigger.conditions_of(kind).next().is_none() {
                continue;
            }
            let files = self.all_files()?;
            let stdin = matching(trigger, kind, files.iter().map(String::as_str));
            if !stdin.is_empty() {
                found.push((trigger.priority, file_trigger(member, trigger, name, args.to_vec(), stdin)));
            }
        }
        self.push_by_priority(found);
        Ok(())
    }

    /// Highest priority first, then by row.
    fn push_by_priority(&mut self, mut found: Vec<(u32, CollectedScriptlet)>) {
        found.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
        found.into_iter().for_each(|(_, scriptlet)| self.push(scriptlet, false));
    }

    /// All files the database holds at this point: before the commit without what comes, after it without what has gone.
    fn all_files(&self) -> Result<Vec<String>, TransactionError> {
        let mut files = Vec::new();
        if let Some(db) = self.db {
            for package in db.packages()? {
                let gone = self.committed && self.set.erased.iter().any(|erased| erased.hnum == package.hnum);
                if !gone {
                    files.extend(package.header.paths());
                }
            }
        }
        if self.committed {
            files.extend(added_files(self.set).into_iter().map(str::to_owned));
        }
        Ok(files)
    }
}

#[derive(Clone, Copy)]
enum Side {
    Added(usize),
    Erased(usize),
}

fn added_files(set: &Set) -> Vec<&str> {
    set.added.iter().flat_map(|added| &added.files).map(|file| file.path.as_str()).collect()
}

fn erased_files(set: &Set) -> Vec<&str> {
    set.erased.iter().flat_map(|erased| &erased.files).map(|file| file.path.as_str()).collect()
}

/// Files whose owner a late `%pre` may create: path, mode, user, group.
fn unowned_files(set: &Set, at: usize) -> Vec<(String, u32, String, String)> {
    let added = &set.added[at];
    let files = added.files.iter().zip(&added.resolved).filter(|(file, _)| !file.is_ghost() && (file.user != "root" || file.group != "root"));
    files.map(|(file, path)| (path.clone(), u32::from(file.mode & 0o7777), file.user.clone(), file.group.clone())).collect()
}

/// Tells whether a package is the target of a trigger: by name and version, or by a Provides.
fn sets_off(member: &Member, condition: &Dependency) -> bool {
    if member.name == condition.name {
        return condition.matches_evr(&member.evr);
    }
    member.provides.iter().any(|provide| provide.name == condition.name && condition.is_satisfied_by(provide))
}

/// Returns the files a file trigger of that kind matches, in order and once each.
fn matching<'f>(trigger: &Trigger, kind: TriggerKind, files: impl Iterator<Item = &'f str>) -> Vec<String> {
    let prefixes: Vec<&str> = trigger.conditions_of(kind).map(|condition| condition.dependency.name.as_str()).collect();
    if prefixes.is_empty() {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let wanted = files.filter(|file| prefixes.iter().any(|prefix| file.starts_with(prefix)) && seen.insert(*file));
    wanted.map(str::to_owned).collect()
}

fn file_trigger_name(kind: TriggerKind, transaction: bool) -> &'static str {
    match (kind, transaction) {
        (TriggerKind::PreInstall | TriggerKind::Install, false) => "%filetriggerin",
        (TriggerKind::Uninstall, false) => "%filetriggerun",
        (TriggerKind::PostUninstall, false) => "%filetriggerpostun",
        (TriggerKind::PreInstall | TriggerKind::Install, true) => "%transfiletriggerin",
        (TriggerKind::Uninstall, true) => "%transfiletriggerun",
        (TriggerKind::PostUninstall, true) => "%transfiletriggerpostun",
    }
}

fn package_trigger(member: &Member, trigger: &Trigger, kind: TriggerKind, args: [i32; 2]) -> CollectedScriptlet {
    let name = match kind {
        TriggerKind::PreInstall => "%triggerprein",
        TriggerKind::Install => "%triggerin",
        TriggerKind::Uninstall => "%triggerun",
        TriggerKind::PostUninstall => "%triggerpostun",
    };
    file_trigger(member, trigger, name, args.to_vec(), Vec::new())
}

fn file_trigger(member: &Member, trigger: &Trigger, kind: &str, args: Vec<i32>, stdin: Vec<String>) -> CollectedScriptlet {
    CollectedScriptlet {
        package: member.label.clone(),
        kind: kind.to_owned(),
        interpreter: trigger.interpreter.clone(),
        body: trigger.body.clone(),
        args,
        stdin,
        env: Vec::new(),
    }
}
