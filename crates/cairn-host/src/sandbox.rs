// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs programs of a tools tree (an unpacked set of packages) in namespaces of their own, the same way for root and for ordinary
//! users: user namespace with one id (the caller is 0 inside, nobody else exists), mount namespace, by default no network.
//!
//! The new root is a tmpfs. The tools tree's top-level entries are bound into it read-only, so that callers can add mount points of
//! any name; `/proc` is the host's, `/dev` holds single nodes, `/tmp` is empty and in memory.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use rustix::thread::UnshareFlags;

use crate::invocation::{Running, Starter};
use crate::sys::{self, Step};
use crate::{Child, HostError, Invocation, Output, Result};

/// What may be done with a bound directory or file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only reading. Mounts further down in a bound directory keep their own flags.
    ReadOnly,
    /// Reading and writing.
    ReadWrite,
}

/// Whether programs reach the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Not even the loopback interface is up.
    None,
    /// The host's network.
    Host,
}

/// A file or directory of the host that is visible in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// Existing path on the host.
    pub host: PathBuf,
    /// Absolute path in the sandbox; a mount point is created where the tools tree does not have it (only outside of directories
    /// that the tree itself has).
    pub inside: PathBuf,
    /// What may be done with it.
    pub access: Access,
}

/// Description of a sandbox; it can run any number of programs, each in namespaces of its own.
#[derive(Debug, Clone)]
pub struct Sandbox {
    tools_tree: PathBuf,
    binds: Vec<Bind>,
    network: Network,
    source_date: Option<u64>,
}

/// Top-level names of the tools tree that the sandbox replaces by its own.
const OWN_ENTRIES: [&str; 5] = ["dev", "proc", "sys", "run", "tmp"];
/// Device nodes that are bound from the host where they exist.
const DEVICES: [&str; 8] = ["null", "zero", "full", "random", "urandom", "tty", "kvm", "net/tun"];
/// Mount point that every Linux has; what lies below it is taken before it is covered.
const STAGING: &str = "/tmp";

impl Sandbox {
    /// Describes a sandbox over the tools tree in the directory `tools_tree`, without binds and network.
    pub fn new(tools_tree: impl AsRef<Path>) -> Self {
        Self {
            tools_tree: tools_tree.as_ref().to_owned(),
            binds: Vec::new(),
            network: Network::None,
            source_date: None,
        }
    }

    /// Makes `host` visible for reading as `inside`.
    pub fn bind_read_only(mut self, host: impl AsRef<Path>, inside: impl AsRef<Path>) -> Self {
        self.binds.push(Bind {
            host: host.as_ref().into(),
            inside: inside.as_ref().into(),
            access: Access::ReadOnly,
        });
        self
    }

    /// Makes `host` visible for reading and writing as `inside`.
    pub fn bind(mut self, host: impl AsRef<Path>, inside: impl AsRef<Path>) -> Self {
        self.binds.push(Bind {
            host: host.as_ref().into(),
            inside: inside.as_ref().into(),
            access: Access::ReadWrite,
        });
        self
    }

    /// Sets whether programs reach the network.
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Sets `SOURCE_DATE_EPOCH` (seconds since 1970) for every program.
    pub fn source_date(mut self, unix: u64) -> Self {
        self.source_date = Some(unix);
        self
    }

    /// Returns the directory of the tools tree.
    pub fn tools_tree(&self) -> &Path {
        &self.tools_tree
    }

    /// Runs the program and waits. An exit status other than 0 is [`HostError::Failed`].
    pub fn run(&self, invocation: &Invocation) -> Result<Output> {
        self.run_unchecked(invocation).and_then(|output| invocation.check(output))
    }

    /// Runs the program and waits; any exit status is a result.
    pub fn run_unchecked(&self, invocation: &Invocation) -> Result<Output> {
        self.start(invocation)?.finish(None)
    }

    /// Runs the program while `feed` writes its standard input; the invocation's own input must be
    /// [`Input::Bytes`](crate::Input::Bytes), whose bytes are not used. An exit status other than 0 is [`HostError::Failed`].
    pub fn run_feeding(
        &self,
        invocation: &Invocation,
        feed: &mut (dyn FnMut(&mut dyn io::Write) -> io::Result<()> + Send),
    ) -> Result<Output> {
        let output = self.start(invocation)?.finish(Some(feed))?;
        invocation.check(output)
    }

    /// Starts the program and returns at once. It is killed when the result is dropped and when the calling *thread* ends.
    pub fn spawn(&self, invocation: &Invocation) -> Result<Child> {
        self.start(invocation).map(Running::into_child)
    }

    fn start<'a>(&self, invocation: &'a Invocation) -> Result<Running<'a>> {
        let mut command = Command::new(invocation.tool.name());
        command.env_clear();
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("LC_ALL", "C.UTF-8").env("HOME", "/tmp").env("TZ", "UTC");
        if let Some(unix) = self.source_date {
            command.env("SOURCE_DATE_EPOCH", unix.to_string());
        }
        let steps = self.steps(invocation.cwd.as_deref())?;
        let report =
            sys::prepare(&mut command, steps).map_err(|source| start_error(invocation, source))?;
        let report = std::cell::RefCell::new(report);
        let explain =
            |invocation: &Invocation, source: io::Error| match report.borrow_mut().failed_step() {
                Some(step) => step_error(&invocation.command_line(), step, source),
                None if source.kind() == io::ErrorKind::NotFound => HostError::NotFound {
                    tool: invocation.tool.name().to_owned(),
                    place: format!("the tools tree `{}`", self.tools_tree.display()),
                },
                None => start_error(invocation, source),
            };
        Running::start(invocation, command, Starter::Sandbox(&explain))
    }

    fn steps(&self, cwd: Option<&Path>) -> Result<Vec<Step>> {
        let mut flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNS;
        if self.network == Network::None {
            flags |= UnshareFlags::NEWNET;
        }
        let mut plan = Plan::default();
        let tree = self.absolute_tree()?;
        plan.add_tree(&tree)?;
        for name in DEVICES {
            plan.add_device(name)?;
        }
        plan.add_mount(Path::new("/proc"), Path::new("/proc"), Access::ReadWrite)?;
        if self.network == Network::Host {
            plan.add_resolver();
        }
        for bind in &self.binds {
            plan.add_mount(&bind.host, &bind.inside, bind.access)?;
        }
        let mut steps = vec![Step::DieWithParent, Step::Umask(0o022)];
        steps.extend(namespace_steps(flags));
        steps.append(&mut plan.takes);
        steps.push(Step::MountTmpfs(c_path(STAGING)?, CString::from(c"mode=0755")));
        steps.push(Step::ChangeDir(c_path(STAGING)?));
        steps.append(&mut plan.places);
        steps.push(Step::PivotHere);
        steps.push(Step::ChangeDir(c_path(cwd.unwrap_or(Path::new("/")))?));
        Ok(steps)
    }

    fn absolute_tree(&self) -> Result<PathBuf> {
        self.tools_tree
            .canonicalize()
            .map_err(|source| HostError::io("open the tools tree", &self.tools_tree, source))
    }
}

/// Checks that this process can build a sandbox; the error's hint says how to allow it.
pub fn user_namespaces_available() -> Result<()> {
    let name = "true";
    let mut command = Command::new(name);
    let mut steps =
        namespace_steps(UnshareFlags::NEWUSER | UnshareFlags::NEWNS | UnshareFlags::NEWNET);
    steps.push(Step::MountTmpfs(c_path(STAGING)?, CString::from(c"mode=0755")));
    let failed = |source| HostError::Start { command: name.to_owned(), source };
    let mut report = sys::prepare(&mut command, steps).map_err(failed)?;
    match command.status() {
        Ok(_) => Ok(()),
        Err(source) => match report.failed_step() {
            Some(step) => Err(step_error(name, step, source)),
            // The steps were taken; that there is no program `true` here does not matter.
            None => Ok(()),
        },
    }
}

/// Leaves the namespaces and maps the caller's user and group to 0.
pub(crate) fn namespace_steps(flags: UnshareFlags) -> Vec<Step> {
    let mut steps = vec![Step::Unshare(flags)];
    if flags.contains(UnshareFlags::NEWUSER) {
        let uid_map = format!("0 {} 1", rustix::process::geteuid().as_raw());
        let gid_map = format!("0 {} 1", rustix::process::getegid().as_raw());
        steps.push(Step::WriteFile(CString::from(c"/proc/self/setgroups"), b"deny".to_vec()));
        steps.push(Step::WriteFile(CString::from(c"/proc/self/uid_map"), uid_map.into_bytes()));
        steps.push(Step::WriteFile(CString::from(c"/proc/self/gid_map"), gid_map.into_bytes()));
    }
    steps.push(Step::MakePrivate);
    steps
}

/// Turns the step at which a child stopped into an error.
pub(crate) fn step_error(command: &str, step: &Step, source: io::Error) -> HostError {
    let refused = matches!(source.kind(), io::ErrorKind::PermissionDenied)
        || matches!(step, Step::Unshare(_));
    if step.needs_namespaces() && refused {
        HostError::NamespaceForbidden {
            step: step.describe(),
            sysctl: responsible_sysctl(),
            source,
        }
    } else {
        HostError::SandboxStep { command: command.to_owned(), step: step.describe(), source }
    }
}

pub(crate) fn c_path(path: impl AsRef<Path>) -> Result<CString> {
    let path = path.as_ref();
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| HostError::BadPath { root: PathBuf::from("/"), path: path.to_owned() })
}

/// Everything that is taken from the host before the new root covers it, and put into place afterwards.
#[derive(Default)]
struct Plan {
    n_slots: usize,
    takes: Vec<Step>,
    places: Vec<Step>,
}

impl Plan {
    fn take(&mut self, host: &Path) -> Result<usize> {
        let slot = self.n_slots;
        self.n_slots += 1;
        self.takes.push(Step::CloneMount(slot, c_path(host)?));
        Ok(slot)
    }

    /// Binds each top-level entry of the tools tree; links are made anew.
    fn add_tree(&mut self, tree: &Path) -> Result<()> {
        let unconfigured = !tree.join("etc/passwd").exists();
        self.add_entries(tree, Path::new("/"), &|name| {
            OWN_ENTRIES.contains(&name) || (unconfigured && name == "etc")
        })?;
        if unconfigured {
            self.add_etc(&tree.join("etc"))?;
        }
        self.places.push(Step::MakeDir(c_path("tmp")?, 0o777));
        self.places.push(Step::MakeDir(c_path("run")?, 0o755));
        self.places.push(Step::MakeDir(c_path("sys")?, 0o755));
        self.add_dev_dir()
    }

    /// A tree of packages that were unpacked and never configured has no users, without whom `ssh` does not start: `/etc` becomes a
    /// directory of single binds with a root user added.
    fn add_etc(&mut self, etc: &Path) -> Result<()> {
        let made = [
            (
                "passwd",
                "root:x:0:0:root:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
            ),
            ("group", "root:x:0:\nnogroup:x:65534:\n"),
            ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
            ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ];
        self.places.push(Step::MakeDir(c_path("etc")?, 0o755));
        if etc.is_dir() {
            self.add_entries(etc, Path::new("/etc"), &|name| {
                made.iter().any(|(own, _)| *own == name) || name == "resolv.conf"
            })?;
        }
        for (name, content) in made {
            let path = c_path(Path::new("etc").join(name))?;
            self.places.push(Step::MakeFile(path.clone()));
            self.places.push(Step::WriteFile(path, content.as_bytes().to_vec()));
        }
        self.places.push(Step::MakeFile(c_path("etc/resolv.conf")?));
        Ok(())
    }

    /// Binds the directories and files in `host` into `inside` and repeats its links, but for the names that `skip` picks.
    fn add_entries(
        &mut self,
        host: &Path,
        inside: &Path,
        skip: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        let failed = |source| HostError::io("read the tools tree", host, source);
        let mut names = std::fs::read_dir(host)
            .and_then(|entries| {
                entries
                    .map(|entry| entry.map(|entry| entry.file_name()))
                    .collect::<io::Result<Vec<_>>>()
            })
            .map_err(failed)?;
        names.sort();
        for name in names.iter().filter(|name| !name.to_str().is_some_and(skip)) {
            let path = host.join(name);
            let target = inside.join(name);
            let file_type = path.symlink_metadata().map_err(failed)?.file_type();
            if file_type.is_symlink() {
                let link = path.read_link().map_err(failed)?;
                self.places.push(Step::MakeLink(
                    c_path(link)?,
                    c_path(target.strip_prefix("/").unwrap_or(&target))?,
                ));
            } else if file_type.is_dir() || file_type.is_file() {
                self.add_mount(&path, &target, Access::ReadOnly)?;
            }
        }
        Ok(())
    }

    fn add_dev_dir(&mut self) -> Result<()> {
        for dir in ["dev", "dev/shm", "dev/net"] {
            self.places.push(Step::MakeDir(c_path(dir)?, 0o755));
        }
        let links = [
            ("/proc/self/fd", "fd"),
            ("/proc/self/fd/0", "stdin"),
            ("/proc/self/fd/1", "stdout"),
            ("/proc/self/fd/2", "stderr"),
        ];
        for (target, name) in links {
            self.places.push(Step::MakeLink(c_path(target)?, c_path(Path::new("dev").join(name))?));
        }
        Ok(())
    }

    fn add_device(&mut self, name: &str) -> Result<()> {
        let host = Path::new("/dev").join(name);
        if host.exists() { self.add_mount(&host, &host, Access::ReadWrite) } else { Ok(()) }
    }

    /// Names the resolver of the host to programs that may use the network, if the tree has a place for it.
    fn add_resolver(&mut self) {
        let Ok(host) = Path::new("/etc/resolv.conf").canonicalize() else { return };
        if let (Ok(slot), Ok(inside)) = (self.take(&host), c_path("etc/resolv.conf")) {
            self.places.push(Step::AttachIfPresent(slot, inside));
        }
    }

    /// Takes `host` and puts it at `inside`, whose mount point and parents are created.
    fn add_mount(&mut self, host: &Path, inside: &Path, access: Access) -> Result<()> {
        let bad = || HostError::BadPath { root: PathBuf::from("/"), path: inside.to_owned() };
        let names: Vec<&OsStr> = inside
            .components()
            .filter(|component| !matches!(component, Component::RootDir | Component::CurDir))
            .map(
                |component| {
                    if let Component::Normal(name) = component { Ok(name) } else { Err(bad()) }
                },
            )
            .collect::<Result<_>>()?;
        let Some((last, parents)) = names.split_last() else { return Err(bad()) };
        let metadata = host.metadata().map_err(|source| HostError::io("bind", host, source))?;
        let mut path = PathBuf::new();
        for parent in parents {
            path.push(parent);
            self.places.push(Step::MakeDir(c_path(&path)?, 0o755));
        }
        path.push(last);
        let target = c_path(&path)?;
        self.places.push(if metadata.is_dir() {
            Step::MakeDir(target.clone(), 0o755)
        } else {
            Step::MakeFile(target.clone())
        });
        let slot = self.take(host)?;
        self.places.push(Step::Attach(slot, target.clone()));
        if access == Access::ReadOnly {
            self.places.push(Step::MakeReadOnly(target));
        }
        Ok(())
    }
}

fn start_error(invocation: &Invocation, source: io::Error) -> HostError {
    HostError::Start { command: invocation.command_line(), source }
}

/// Looks for the switch that forbids user namespaces.
fn responsible_sysctl() -> Option<&'static str> {
    let value = |name: &str| {
        let path = Path::new("/proc/sys").join(name.replace('.', "/"));
        std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
    };
    let forbidding = [
        ("kernel.unprivileged_userns_clone", "0"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1"),
        ("user.max_user_namespaces", "0"),
    ];
    forbidding
        .into_iter()
        .find(|(name, bad)| value(name).as_deref() == Some(*bad))
        .map(|(name, _)| name)
}
