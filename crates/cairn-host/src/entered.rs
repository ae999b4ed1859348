// SPDX-License-Identifier: MIT OR Apache-2.0
//! A thread that has entered another root. The programs it starts are there from the beginning, so that each is started by
//! `posix_spawn`, which copies nothing of this process, instead of by a fork that enters the root anew.
//!
//! Root directory, working directory, umask and mount namespace belong to a thread as soon as it has unshared them (unshare(2),
//! `CLONE_FS`). A user namespace cannot be entered by a thread (`CLONE_NEWUSER`), so ordinary users' scriptlets go the other way.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

use crate::sys::{self, Step};

/// See the module.
#[derive(Debug)]
pub(crate) struct Entered {
    /// `None` while it is dropped.
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// A program to be started, and whom to tell.
type Order = (Command, Sender<io::Result<Child>>);

/// Where entering stopped.
pub(crate) struct Refused {
    /// `None`: the thread itself could not be started.
    pub(crate) step: Option<Step>,
    pub(crate) source: io::Error,
}

impl Entered {
    /// Starts a thread that takes the steps.
    pub(crate) fn start(mut steps: Vec<Step>) -> Result<Self, Refused> {
        let failed = |source| Refused { step: None, source };
        // What the steps change must be this thread's own.
        steps.insert(0, Step::Unshare(UnshareFlags::FS));
        let (report, entered) = channel();
        let (orders, received) = channel();
        let thread = std::thread::Builder::new().name("scriptlets".to_owned());
        let thread = thread.spawn(move || work(steps, &report, &received)).map_err(failed)?;
        match entered.recv().map_err(|_| failed(io::ErrorKind::BrokenPipe.into()))? {
            Ok(()) => Ok(Self { orders: Some(orders), thread: Some(thread) }),
            Err(refused) => Err(refused),
        }
    }

    /// Starts a program. Whatever its `stdin`, `stdout` and `stderr` name must be open already: here, a path means another file.
    pub(crate) fn spawn(&self, command: Command) -> io::Result<Child> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let (reply, child) = channel();
        let orders = self.orders.as_ref().ok_or_else(gone)?;
        orders.send((command, reply)).map_err(|_| gone())?;
        child.recv().map_err(|_| gone())?
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.orders = None;
        // Afterwards nothing of the root is held any more; it cannot have panicked.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn work(steps: Vec<Step>, report: &Sender<Result<(), Refused>>, orders: &Receiver<Order>) {
    let before = own_mounts();
    let taken = sys::take_steps(&steps, &mut sys::slots(&steps));
    let is_entered = taken.is_ok();
    let taken = taken.map_err(|(number, source)| Refused {
        step: steps.into_iter().nth(number),
        source: source.into(),
    });
    if report.send(taken).is_ok() && is_entered {
        for (mut command, reply) in orders {
            let child = command.spawn();
            // The pipes' writing ends go with it.
            drop(command);
            // Nobody waits: then the child is nobody's either.
            let _ = reply.send(child);
        }
    }
    if let Ok(before) = before {
        // The end of a thread gives the mounts back only after others see that it has ended, so it leaves them first. Where that
        // is refused they go with the thread.
        let _ = move_into_link_name_space(
            std::os::fd::AsFd::as_fd(&before),
            Some(LinkNameSpaceType::Mount),
        );
    }
}

/// Opens the mount namespace this thread is in.
fn own_mounts() -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, "/proc/thread-self/ns/mnt", flags, Mode::empty())
}
