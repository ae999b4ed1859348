// SPDX-License-Identifier: MIT OR Apache-2.0
//! Carries out a plan: one action, one step. An installation that was cut off is repaired by running it again, because the first
//! steps take down whatever they find on the chosen disk.

pub mod accounts;
mod bootable;
mod configure;
mod packages;
mod record;
mod storage;
mod stub;

use std::io::{Seek as _, SeekFrom, Write as _};

use cairn_host::{HostError, Invocation, Lock, Root, Tool};

pub use record::{RESULT_DIRECTORY, STATE_DIRECTORY};

use crate::answers::Answers;
use crate::error::InstallError;
use crate::medium::Medium;
use crate::plan::{Action, Plan, plan};
use crate::probe::{self, Probe};

/// Where the new system is mounted meanwhile.
pub const TARGET: &str = "/run/cairn-install/target";

/// What the installation tells while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// A step begins.
    Step {
        /// Its number, from 1.
        number: usize,
        /// Steps in all.
        total: usize,
        /// What it does.
        text: String,
    },
    /// A step goes on.
    Progress {
        /// Percent of the step.
        percent: u8,
        /// What is being worked on.
        text: String,
    },
    /// Something worth knowing.
    Note(String),
}

/// Listens to reports.
pub type Listener<'a> = &'a mut dyn FnMut(Report);

/// The right to install: one process at a time has it.
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "held, not read")] Lock);

/// Takes the right to install.
///
/// # Errors
/// [`InstallError::Busy`] while another process has it.
pub fn claim() -> Result<Claim, InstallError> {
    let state = record::state_root()?;
    state.try_lock_file("lock")?.map(Claim).ok_or(InstallError::Busy)
}

/// Waits until no other process has the right to install.
///
/// # Errors
/// The lock cannot be used.
pub fn wait_for_claim() -> Result<Claim, InstallError> {
    Ok(Claim(record::state_root()?.lock_file("lock")?))
}

/// Tells whether nobody has asked this before since the live system was started: what was tried unattended and failed is not tried
/// again by the next console.
///
/// # Errors
/// The installer's directory cannot be used.
pub fn first_attempt(_claim: &Claim) -> Result<bool, InstallError> {
    let state = record::state_root()?;
    let is_first = !state.exists("attempted")?;
    state.write("attempted", b"", 0o600)?;
    Ok(is_first)
}

/// Carries out a confirmed plan and writes down the result: on the target, or on failure in the live system.
///
/// # Errors
/// What stopped it. Before the step that takes the disk out of use nothing has been changed.
pub fn run(
    _claim: &Claim,
    confirmed: &Plan,
    answers: &Answers,
    medium: &Medium,
    listener: Listener<'_>,
) -> Result<(), InstallError> {
    let started = cairn_host::Clock::system().now_unix();
    let mut state = Run {
        plan: confirmed,
        answers,
        medium,
        prepared: None,
        boot: None,
        notes: Vec::new(),
        started,
    };
    let result = state.carry_out(listener).map_err(|error| match error {
        // Whatever failed, failed because of it.
        error if medium.is_gone() => InstallError::MediumGone(Box::new(error)),
        error => error,
    });
    if let Err(error) = &result {
        // What the failure is, is the error to show.
        let _ = record::failure(&state, &error.reason());
        let _ = storage::unmount();
    }
    result
}

/// State of a running installation.
struct Run<'a> {
    plan: &'a Plan,
    answers: &'a Answers,
    medium: &'a Medium,
    prepared: Option<packages::Prepared>,
    boot: Option<bootable::Embedded>,
    notes: Vec<String>,
    started: u64,
}

impl Run<'_> {
    fn carry_out(&mut self, listener: Listener<'_>) -> Result<(), InstallError> {
        storage::unmount()?;
        self.compare_machine()?;
        let total = self.plan.actions.len();
        for (index, action) in self.plan.actions.iter().enumerate() {
            listener(Report::Step { number: index + 1, total, text: action.text() });
            self.step(action, listener)?;
        }
        Ok(())
    }

    /// The disk must be the one that was shown, and still free.
    fn compare_machine(&self) -> Result<(), InstallError> {
        let now: Probe = probe::read()?;
        let target = &self.plan.target;
        let Some(disk) = now.disks.iter().find(|disk| disk.path == target.path) else {
            return Err(InstallError::Changed(format!("{} is gone", target.path)));
        };
        if (disk.size, &disk.serial) != (target.size, &target.serial) {
            return Err(InstallError::Changed(format!("{} is another disk", target.path)));
        }
        if let Some(obstacle) = disk.obstacles.first() {
            return Err(InstallError::Changed(format!("{}: {obstacle}", target.path)));
        }
        Ok(())
    }

    fn step(&mut self, action: &Action, listener: Listener<'_>) -> Result<(), InstallError> {
        match action {
            Action::Verify { .. } => {
                let prepared = packages::prepare(self.plan, self.medium)?;
                packages::verify(&prepared, self.medium, listener)?;
                self.prepared = Some(prepared);
            }
            Action::TearDown { .. } => storage::tear_down(self.plan)?,
            Action::Partition { .. } => storage::partition(self.plan)?,
            Action::Volumes { device, group } => storage::make_volumes(device, group)?,
            Action::Format { device, kind, uuid, place } => {
                storage::format(device, kind, uuid, place)?;
            }
            Action::Mount => {
                storage::mount(self.plan)?;
                bootable::prepare(self.plan, &target()?)?;
            }
            Action::Packages { .. } => {
                let prepared = self.prepared.take().ok_or_else(|| {
                    InstallError::Machine("the packages were not prepared".to_owned())
                })?;
                self.notes.extend(packages::install(prepared, self.medium, &target()?, listener)?);
            }
            Action::Configure { .. } => {
                configure::configure(self.plan, self.answers, self.medium, &target()?)?;
            }
            Action::BootLoader { .. } => {
                let (embedded, notes) = bootable::install(self.plan, self.medium, &target()?)?;
                for note in &notes {
                    listener(Report::Note(note.clone()));
                }
                self.notes.extend(notes);
                self.boot = Some(embedded);
                // The record is part of what is read back, so nothing is written after the check.
                record::success(self, &target()?)?;
            }
            Action::ReadBack => {
                storage::unmount()?;
                storage::forget_cached(self.plan)?;
                storage::mount_read_only(self.plan)?;
                bootable::verify(self.plan, self.boot.as_ref(), &target()?)?;
            }
            Action::Unmount => storage::unmount()?,
        }
        Ok(())
    }
}

/// Returns the root of the new system.
fn target() -> Result<Root, InstallError> {
    Ok(Root::open(TARGET)?)
}

/// Writes bytes to a disk outside of file systems, and flushes them.
fn write_disk(path: &str, pieces: &[(u64, &[u8])]) -> Result<(), InstallError> {
    let failed = |source| HostError::Io { operation: "write", path: path.into(), source };
    let mut disk = Root::open("/")?.open_read_write(path.trim_start_matches('/'))?;
    for (offset, bytes) in pieces {
        disk.seek(SeekFrom::Start(*offset)).map_err(failed)?;
        disk.write_all(bytes).map_err(failed)?;
        disk.sync_all().map_err(failed)?;
    }
    Ok(())
}

/// Runs a program with arguments.
fn call(tool: Tool, arguments: &[&str]) -> Result<String, InstallError> {
    Ok(Invocation::new(tool).args(arguments).run()?.stdout_text())
}

/// Looks at the machine and plans for it.
///
/// # Errors
/// The machine cannot be looked at, or does not fit.
pub fn probe_and_plan(answers: &Answers, medium: &Medium) -> Result<Plan, InstallError> {
    let probe = probe::read()?;
    Ok(plan(&probe, answers, &medium.software)?)
}

/// Plans again what a saved plan says: nothing else is ever carried out than what answers and machine give.
///
/// # Errors
/// The machine cannot be looked at, does not fit, or it or the answers have changed since the plan was made.
pub fn plan_again(saved: &Plan, answers: &Answers, medium: &Medium) -> Result<Plan, InstallError> {
    let probe = Probe { identity: saved.identity.clone(), ..probe::read()? };
    let now = plan(&probe, answers, &medium.software)?;
    if now == *saved {
        return Ok(now);
    }
    Err(InstallError::Changed(format!(
        "the saved plan has the digest {}, now it would be {}",
        saved.digest(),
        now.digest()
    )))
}
