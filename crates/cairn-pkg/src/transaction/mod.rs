// SPDX-License-Identifier: MIT OR Apache-2.0
//! Transactions: install, upgrade and remove packages so that a crash anywhere leaves a system entirely before or entirely after.
//!
//! [`run`] reads as the table of contents: read and verify, plan, check, run what must run first, stage, commit, apply. Nothing
//! live changes before the `Commit` record of the [journal](crate::journal) is on disk; everything after it can be repeated.

pub(crate) mod accounts;
pub(crate) mod apply;
mod compare;
pub(crate) mod fate;
mod left_out;
mod options;
pub(crate) mod order;
mod paths;
mod place;
mod policy;
pub(crate) mod set;
mod space;
pub(crate) mod stage;

use std::collections::{BTreeMap, BTreeSet};

use cairn_host::{Root, chroot};
use cairn_rpm::header::ScriptletKind;

use self::accounts::Accounts;
use self::apply::{Applier, interrupted, roll_back, sync_places};
use self::fate::{ChangedRow, Directory, FilePlan};
pub use self::options::{
    Action, Colors, Durability, ExtraFile, Outcome, Overrides, Ownership, OwnershipEntry,
    OwnershipKind, Scriptlets, TransactionItem, TransactionOptions, Trust,
};
use self::order::Element;
use self::set::{Fate, LeftOut, Set};
use self::stage::{AttributeSource, Detours, Serials, Stager, staged_name};
use crate::error::TransactionError;
use crate::event::{Event, Phase};
use crate::journal::{
    self, AfterStep, Begin, Content, Journal, PackageRow, Progress, Record, Step, TransactionId,
};
use crate::parallel;
use crate::recover;
use crate::rpmdb::{Access, FileState, InstallRecord, RpmDb, fingerprint_of, installed_blob};
use crate::scriptlet::CollectedScriptlet;
use crate::triggers::{self, Program, Side};
use crate::undo;

/// Runs a transaction.
///
/// Errors before the commit leave the system as it was (scriptlets that ran before it excepted). An error after it is
/// [`TransactionError::Interrupted`]: [`recover`](crate::recover::recover) goes on.
pub fn run(
    root: &Root,
    items: Vec<TransactionItem>,
    options: &TransactionOptions,
    events: &mut dyn FnMut(Event),
) -> Result<Outcome, TransactionError> {
    let journaled = options.durability == Durability::Journaled;
    let _lock = if journaled { Some(recover::lock(root)?) } else { None };
    if journaled {
        recover::recover_locked(root, events)?;
    }
    let db = open_database(root, options)?;
    events(Event::Phase(Phase::Verify));
    let (set, payloads) = Set::load(db.as_ref(), items, options, events)?;
    events(Event::Phase(Phase::Plan));
    let plan = || Planned::new(root, db.as_ref(), set, options);
    let (planned, verified) = parallel::both(plan, || payloads.check());
    verified?;
    let mut planned = planned?;
    if options.test_only {
        return Ok(planned.outcome(0, options));
    }
    let before =
        db.as_ref().map_or_else(|| Ok(fingerprint_of(std::iter::empty())), RpmDb::fingerprint)?;
    drop(db);

    let id = if journaled { next_id(root)? } else { 0 };
    let summary = planned.set.summary();
    let mut begin = Begin {
        id,
        time: options.time,
        before,
        summary,
        undoes: None,
        database: options.database.clone(),
    };
    let mut journal = if journaled { Some(Journal::create(root, &begin)?) } else { None };
    options.fail_points.pass("journal begun");
    let left_out = match planned.run_before(root, options, events) {
        Ok(left_out) => left_out,
        Err(error) => {
            abandon(root, id, &[], options)?;
            return Err(error);
        }
    };
    let mut failed = Vec::new();
    if !left_out.is_empty() || planned.has_run_pretrans(options) {
        failed = planned.report(&left_out, events);
        abandon(root, id, &[], options)?;
        drop(journal);
        let db = open_database(root, options)?;
        let mut rest = planned.set.without(&left_out);
        rest.pretrans_ran = true;
        planned = Planned::new(root, db.as_ref(), rest, options)?;
        if planned.set.is_empty() {
            return Ok(Outcome { failed, ..planned.outcome(0, options) });
        }
        begin.summary = planned.set.summary();
        journal = if journaled { Some(Journal::create(root, &begin)?) } else { None };
    }
    let mut outcome = Outcome { failed, ..planned.outcome(id, options) };
    let mut prepared = Prepared { root, id, planned, options, content: empty_content(begin) };
    if let Err(error) = prepared.stage(journal.as_mut(), events) {
        abandon(root, id, &prepared.content.steps, options)?;
        return Err(error);
    }
    if let Some(journal) = &mut journal {
        journal.append(&Record::Commit)?;
        journal.flush()?;
    }
    options.fail_points.pass("committed");
    let mut applier = Applier {
        root,
        content: prepared.content,
        journal,
        scriptlets: options.scriptlets,
        ownership: options.ownership,
        durability: options.durability,
        fail_points: &options.fail_points,
        events,
        failures: Vec::new(),
    };
    applier.run().map_err(interrupted)?;
    outcome.failures = applier.failures;
    Ok(outcome)
}

/// A transaction with everything decided and nothing done.
struct Planned {
    set: Set,
    plan: FilePlan,
    serials: Serials,
    program: Program,
}

impl Planned {
    fn new(
        root: &Root,
        db: Option<&RpmDb>,
        mut set: Set,
        options: &TransactionOptions,
    ) -> Result<Self, TransactionError> {
        let order = order::order(&mut set, &options.overrides);
        set.number(db.map_or(Ok(1), RpmDb::next_number)?);
        let mut plan = fate::plan(root, db, &mut set, &order, options)?;
        plan_extra_directories(root, &mut plan, options)?;
        if options.overrides.database_only {
            plan.leave_files_alone(&mut set);
        }
        if !options.overrides.ignore_space {
            space::check(root, &set, &plan)?;
        }
        let serials = Serials::assign(&mut set, &mut plan, options);
        let program = match options.scriptlets {
            Scriptlets::Skip => without_scriptlets(&set, &order),
            Scriptlets::Collect => {
                let deferred = BTreeSet::new();
                triggers::program(&set, &order, db, &deferred, &options.overrides)?
            }
            Scriptlets::Run => {
                let deferred = deferred_pre(root, db, &set)?;
                let program = triggers::program(&set, &order, db, &deferred, &options.overrides)?;
                // With rpm a scriptlet that cannot run fails like any other.
                if !options.overrides.leave_out_failed {
                    check_interpreters(root, &set, &program)?;
                }
                program
            }
        };
        Ok(Self { set, plan, serials, program })
    }

    fn outcome(&self, id: TransactionId, options: &TransactionOptions) -> Outcome {
        outcome(&self.set, id, &self.plan, options, &self.program)
    }

    /// Creates accounts and runs `%pretrans`, `%pre` and the like. Returns the packages that cannot come or go because of them; an
    /// error unless the operator wants to go on without these.
    fn run_before(
        &self,
        root: &Root,
        options: &TransactionOptions,
        events: &mut dyn FnMut(Event),
    ) -> Result<LeftOut, TransactionError> {
        let mut left_out = LeftOut::new();
        accounts::create_provided(root, &self.set, options)?;
        if options.scriptlets != Scriptlets::Run {
            return Ok(left_out);
        }
        events(Event::Phase(Phase::Before));
        let mut runner = chroot::Runner::new(root);
        for before in &self.program.before {
            if before.decides.is_some_and(|side| left_out.contains_key(&side)) {
                continue;
            }
            let Some(ending) = before.scriptlet.run(&mut runner, events) else { continue };
            let (package, kind) = (before.scriptlet.package.clone(), before.scriptlet.kind.clone());
            let Some(side) = before.decides else {
                events(Event::Warning(format!("{kind}({package}) {ending}")));
                continue;
            };
            if !options.overrides.leave_out_failed {
                return Err(TransactionError::Scriptlet { package, kind, ending });
            }
            // What fails before the first package is reached makes rpm skip its package, later the package itself fails.
            let skipped = matches!(kind.as_str(), "%pretrans" | "%preuntrans");
            events(Event::ScriptletFailed { package, kind, ending });
            left_out.insert(side, skipped);
            // A package and what it replaces stand and fall together.
            match side {
                Side::Added(at) => {
                    let erased = self.set.erased.iter().enumerate();
                    let replaced = erased.filter(|(_, erased)| erased.replaced_by == Some(at));
                    left_out.extend(replaced.map(|(at, _)| (Side::Erased(at), true)));
                }
                Side::Erased(at) => {
                    let replacing = self.set.erased[at].replaced_by;
                    left_out.extend(replacing.map(|at| (Side::Added(at), true)));
                }
            }
        }
        Ok(left_out)
    }

    /// Tells whether `%pretrans` ran, which may have moved out of the way what is in the place of files.
    fn has_run_pretrans(&self, options: &TransactionOptions) -> bool {
        let is_pretrans = |kind: &str| kind == ScriptletKind::PreTransaction.name();
        options.scriptlets == Scriptlets::Run
            && self.program.before.iter().any(|before| is_pretrans(&before.scriptlet.kind))
    }

    /// Tells which packages are left out; returns their names.
    fn report(&self, left_out: &LeftOut, events: &mut dyn FnMut(Event)) -> Vec<String> {
        let mut names = Vec::new();
        for (side, skipped) in left_out {
            let (package, installs) = match side {
                Side::Added(at) => (self.set.added[*at].label.clone(), true),
                Side::Erased(at) => (self.set.erased[*at].label.clone(), false),
            };
            names.push(package.clone());
            events(Event::LeftOut { package, installs, skipped: *skipped });
        }
        names
    }
}

/// Returns the number of the next transaction of a root.
pub(crate) fn next_id(root: &Root) -> Result<TransactionId, TransactionError> {
    let kept = undo::list(root)?;
    let pending = journal::list(root)?;
    let pending = pending.iter().filter_map(|name| name.strip_suffix(".journal")?.parse().ok());
    Ok(kept.into_iter().chain(pending).max().unwrap_or(0) + 1)
}

fn open_database(
    root: &Root,
    options: &TransactionOptions,
) -> Result<Option<RpmDb>, TransactionError> {
    if !RpmDb::exists_in(root, &options.database)? {
        return Ok(None);
    }
    Ok(Some(RpmDb::open_in(root, &options.database, Access::ReadWrite)?))
}

fn empty_content(begin: Begin) -> Content {
    Content {
        begin,
        steps: Vec::new(),
        packages: Vec::new(),
        after: Vec::new(),
        progress: Progress::default(),
        length: 0,
    }
}

fn without_scriptlets(set: &Set, order: &[Element]) -> Program {
    let mut program = Program::default();
    for element in order {
        if let Element::Erase(at) = element {
            let erased = &set.erased[*at];
            program.after.push(AfterStep::Remove {
                package: erased.label.clone(),
                removals: erased.removals.clone(),
            });
        }
    }
    program
}

fn outcome(
    set: &Set,
    id: TransactionId,
    plan: &FilePlan,
    options: &TransactionOptions,
    program: &Program,
) -> Outcome {
    let collected = || -> Vec<CollectedScriptlet> {
        let before = program.before.iter().map(|before| before.scriptlet.clone());
        let after = program.after.iter().filter_map(|step| {
            if let AfterStep::Scriptlet(scriptlet) = step { Some(scriptlet.clone()) } else { None }
        });
        before.chain(after).collect()
    };
    Outcome {
        id,
        added: set.added.iter().map(|added| (added.nevra.clone(), added.hnum)).collect(),
        removed: set.erased.iter().map(|erased| (erased.nevra.clone(), erased.hnum)).collect(),
        ownership: if options.ownership == Ownership::Record {
            stage::ownership(set, plan, options)
        } else {
            Vec::new()
        },
        scriptlets: if options.scriptlets == Scriptlets::Collect {
            collected()
        } else {
            Vec::new()
        },
        failures: Vec::new(),
        failed: Vec::new(),
        notes: plan.notes.clone(),
    }
}

/// Directories above extra files.
fn plan_extra_directories(
    root: &Root,
    plan: &mut FilePlan,
    options: &TransactionOptions,
) -> Result<(), TransactionError> {
    for extra in &options.extra_files {
        let mut directory = paths::parent(&extra.path);
        while !directory.is_empty() && !plan.directories.contains_key(directory) {
            let exists = root.metadata(directory)?.is_some();
            plan.directories.insert(directory.to_owned(), Directory::implied(exists));
            directory = paths::parent(directory);
        }
    }
    Ok(())
}

/// Tells whether a program can be run in the root as it is now.
fn is_runnable(root: &Root, program: &str) -> Result<bool, TransactionError> {
    Ok(root.metadata(program)?.is_some_and(|stat| stat.is_file() && stat.mode & 0o111 != 0))
}

/// Returns the packages whose `%pre` must wait until files are in place: its interpreter or what `Requires(pre)` names comes with
/// this transaction and is not there yet.
fn deferred_pre(
    root: &Root,
    db: Option<&RpmDb>,
    set: &Set,
) -> Result<BTreeSet<usize>, TransactionError> {
    let mut deferred = BTreeSet::new();
    let comes = coming(set);
    for (at, added) in set.added.iter().enumerate() {
        let header = &added.package.header;
        let Some(scriptlet) = header.scriptlet(ScriptletKind::PreInstall) else { continue };
        let interpreter = scriptlet.interpreter.first().map_or("", String::as_str);
        if interpreter != crate::scriptlet::LUA
            && find_interpreter(root, set, &comes, interpreter)? == Interpreter::Coming
        {
            deferred.insert(at);
            continue;
        }
        for requirement in header.requires() {
            if requirement.sense & cairn_rpm::dependency::sense::SCRIPT_PRE == 0
                || requirement.is_rich()
                || requirement.is_rpmlib()
            {
                continue;
            }
            let there = if requirement.is_file() {
                root.metadata(&requirement.name)?.is_some()
            } else {
                let providers = db.map_or(Ok(Vec::new()), |db| db.by_provide(&requirement.name))?;
                providers.iter().any(|package| {
                    package
                        .header
                        .provides()
                        .iter()
                        .any(|provide| requirement.is_satisfied_by(provide))
                })
            };
            // What nobody provides is the solver's business, not a reason to wait.
            let comes = set.added.iter().any(|other| {
                other
                    .package
                    .header
                    .provides()
                    .iter()
                    .any(|provide| requirement.is_satisfied_by(provide))
                    || other.files.iter().any(|file| file.path == requirement.name)
            });
            if !there && comes {
                deferred.insert(at);
                break;
            }
        }
    }
    Ok(deferred)
}

/// Refuses scriptlets that could not be run.
fn check_interpreters(root: &Root, set: &Set, program: &Program) -> Result<(), TransactionError> {
    let comes = coming(set);
    let mut known: BTreeMap<&str, Interpreter> = BTreeMap::new();
    let before = program.before.iter().map(|before| (&before.scriptlet, true));
    let after = program.after.iter().filter_map(|step| {
        if let AfterStep::Scriptlet(scriptlet) = step { Some((scriptlet, false)) } else { None }
    });
    for (scriptlet, must_be_there) in before.chain(after) {
        if scriptlet.is_lua() {
            continue;
        }
        let interpreter = scriptlet.interpreter.first().map_or("", String::as_str);
        let found = match known.get(interpreter) {
            Some(found) => *found,
            None => find_interpreter(root, set, &comes, interpreter)?,
        };
        known.insert(interpreter, found);
        if found == Interpreter::Missing || must_be_there && found == Interpreter::Coming {
            let (package, kind) = (scriptlet.package.clone(), scriptlet.kind.clone());
            let interpreter = interpreter.to_owned();
            return Err(TransactionError::NoInterpreter { package, kind, interpreter });
        }
    }
    Ok(())
}

/// Where the files of the transaction are put, under both names.
fn coming(set: &Set) -> BTreeSet<&str> {
    let files = set.added.iter().flat_map(|added| added.files.iter().zip(&added.resolved));
    files.flat_map(|(file, place)| [file.path.trim_start_matches('/'), place.as_str()]).collect()
}

fn find_interpreter(
    root: &Root,
    set: &Set,
    comes: &BTreeSet<&str>,
    interpreter: &str,
) -> Result<Interpreter, TransactionError> {
    if is_runnable(root, interpreter)? {
        return Ok(Interpreter::Present);
    }
    let comes = comes.contains(interpreter.trim_start_matches('/'))
        || comes_through_link(root, set, comes, interpreter)?;
    Ok(if comes { Interpreter::Coming } else { Interpreter::Missing })
}

/// Whether the interpreter of a scriptlet can be run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interpreter {
    Present,
    /// It comes with the transaction.
    Coming,
    Missing,
}

/// Looks an interpreter up under the name it has once the links of the transaction and of the root are resolved.
fn comes_through_link(
    root: &Root,
    set: &Set,
    comes: &BTreeSet<&str>,
    interpreter: &str,
) -> Result<bool, TransactionError> {
    let mut lookup = paths::Paths::new(root, None);
    let links = set.added.iter().enumerate().flat_map(|(at, added)| {
        let links = added.files.iter().filter(|file| file.is_symlink() && !file.is_ghost());
        links.map(move |file| (at, file.path.as_str(), file.link_target.as_str()))
    });
    lookup.add_links(links)?;
    Ok(comes.contains(lookup.resolve(interpreter, None, "")?.as_str()))
}

/// A transaction whose files are written beside their targets.
struct Prepared<'a> {
    root: &'a Root,
    id: TransactionId,
    planned: Planned,
    options: &'a TransactionOptions,
    content: Content,
}

impl Prepared<'_> {
    /// Writes the plan to the journal and the files beside their targets.
    fn stage(
        &mut self,
        mut journal: Option<&mut Journal>,
        events: &mut dyn FnMut(Event),
    ) -> Result<(), TransactionError> {
        events(Event::Phase(Phase::Stage));
        let Planned { set, plan, serials, program } = &mut self.planned;
        let Accounts { owners, late } = match self.options.ownership {
            // After %pre: it creates users.
            Ownership::Apply => accounts::settle(self.root, set, plan, self.options)?,
            Ownership::Record => Accounts::default(),
        };
        let source = || match self.options.ownership {
            Ownership::Apply => AttributeSource::Apply(&owners),
            Ownership::Record => AttributeSource::Record,
        };
        if !late.is_empty() {
            // Before every scriptlet that may use them.
            program.after.insert(0, AfterStep::Accounts { lines: late, time: self.options.time });
        }
        let mut steps = stage::steps(self.root, set, plan, serials, &source())?;
        let extra: Vec<u32> = self.options.extra_files.iter().map(|_| serials.take()).collect();
        for (extra, serial) in self.options.extra_files.iter().zip(&extra) {
            steps.push(Step::Place {
                serial: *serial,
                target: extra.path.clone(),
                keep_as: None,
                config: None,
            });
        }
        self.content.steps = steps;
        if let Some(journal) = journal.as_deref_mut() {
            journal.append(&Record::Steps(self.content.steps.clone()))?;
            journal.flush()?;
        }
        self.options.fail_points.pass("steps recorded");
        let stager = Stager {
            live: self.root.without_links(),
            id: self.id,
            serials,
            attributes: source(),
            options: self.options,
            detours: Detours::new(self.id, &self.content.steps),
            owned_later: &program.owned_later,
        };
        stager.make_directories(&self.content.steps)?;
        let total = set.added.len();
        let coming: &Set = set;
        let unpack = |at| stager.unpack(coming, at);
        parallel::in_order(total, &unpack, &mut |at, unpacked| {
            events(Event::Staging { package: coming.added[at].label.clone(), done: at, total });
            unpacked.map(|()| stager.warn(coming, at, events))
        })?;
        for (extra, serial) in self.options.extra_files.iter().zip(&extra) {
            self.options.fail_points.pass("stage extra file");
            self.root.write(
                staged_name(&extra.path, self.id, *serial),
                &extra.content,
                extra.mode,
            )?;
        }
        if !self.options.overrides.without_database {
            self.content.packages = rows(set, plan, self.options)?;
        }
        let after = std::mem::take(&mut program.after).into_iter();
        let kept = |step: &AfterStep| {
            self.options.scriptlets == Scriptlets::Run || !matches!(step, AfterStep::Scriptlet(_))
        };
        self.content.after = after.filter(kept).collect();
        if let Some(journal) = journal {
            for package in &self.content.packages {
                journal.append(&Record::Package(package.clone()))?;
            }
            journal.append(&Record::After(self.content.after.clone()))?;
            self.options.fail_points.pass("staged");
            sync_places(self.root, &self.content.steps, &[])?;
            journal.flush()?;
            self.options.fail_points.pass("flushed");
        }
        Ok(())
    }
}

/// Returns the database rows that come and go.
fn rows(
    set: &Set,
    plan: &FilePlan,
    options: &TransactionOptions,
) -> Result<Vec<PackageRow>, TransactionError> {
    let mut rows = Vec::new();
    for ChangedRow { hnum, old, new } in &plan.changed_rows {
        let row = |side, blob: &Vec<u8>| PackageRow { side, hnum: *hnum, blob: blob.clone() };
        rows.extend([row(journal::Side::Erased, old), row(journal::Side::Added, new)]);
    }
    for erased in &set.erased {
        let blob = erased.header.source_bytes().to_vec();
        rows.push(PackageRow { side: journal::Side::Erased, hnum: erased.hnum, blob });
    }
    for (at, added) in (0_u32..).zip(&set.added) {
        let file_states = added.fates.iter().map(|fate| match fate {
            Fate::NotInstalled(state) => *state,
            Fate::Create { .. } | Fate::Beside { .. } | Fate::Directory | Fate::Skip => {
                FileState::Normal
            }
        });
        let record = InstallRecord {
            install_time: options.time.saturating_add(if options.overrides.time_advances {
                at
            } else {
                0
            }),
            transaction_id: options.time,
            file_states: file_states.collect(),
        };
        let blob = installed_blob(&added.package, &record);
        rows.push(PackageRow { side: journal::Side::Added, hnum: added.hnum, blob });
    }
    Ok(rows)
}

/// Removes what was staged, and the journal.
fn abandon(
    root: &Root,
    id: TransactionId,
    steps: &[Step],
    options: &TransactionOptions,
) -> Result<(), TransactionError> {
    roll_back(root, id, steps, &options.fail_points)?;
    if options.durability == Durability::Journaled {
        root.remove_file(format!("{}/{}", journal::DIRECTORY, journal::file_name(id)))?;
    }
    Ok(())
}
