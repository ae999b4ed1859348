// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a package's scriptlet inside a target root.
//!
//! For `/` it runs directly. rpm's own interpreter runs in a child of this process ([`run_function`]). For another root it gets a
//! mount namespace with the host's `/proc`, `/dev` and `/sys` and a chroot, which all scriptlets of a [`Runner`] share;
//! as an ordinary user it additionally gets a user namespace with one id, in which changes of ownership fail. As in rpm, the body
//! is written to a file in the root's `/var/tmp` and passed to the interpreter as its last own argument, followed by the
//! scriptlet's arguments; the caller's environment is not passed on.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use rustix::thread::UnshareFlags;

use crate::entered::{Entered, Refused};
use crate::invocation::status_number;
use crate::sandbox::{c_path, namespace_steps, step_error};
use crate::sys::{self, Step};
use crate::{HostError, Result, Root};

/// A scriptlet to be run.
#[derive(Debug, Clone, Copy)]
pub struct Scriptlet<'a> {
    /// The interpreter and its own arguments, for example `["/bin/sh"]`; a path inside the root.
    pub interpreter: &'a [String],
    /// The script. `None`: the interpreter alone is run (`%post -p /sbin/ldconfig`).
    pub body: Option<&'a str>,
    /// Arguments after the script file (`$1`: the number of installed instances).
    pub args: &'a [String],
    /// Additional environment variables.
    pub env: &'a [(String, String)],
    /// What the scriptlet reads; file triggers get their paths here.
    pub stdin: &'a [u8],
    /// Kills the scriptlet and its process group when it has run this long.
    pub time_limit: Duration,
}

/// How a scriptlet ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this exit status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
    /// It was killed because the time limit was over.
    TimedOut,
}

/// What a scriptlet left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptletOutput {
    /// How it ended.
    pub ending: Ending,
    /// Standard output and standard error in the order written, at most [`OUTPUT_LIMIT`] bytes; invalid UTF-8 is replaced.
    pub text: String,
}

impl ScriptletOutput {
    /// Tells whether it ended by itself with status 0.
    pub fn success(&self) -> bool {
        self.ending == Ending::Exited(0)
    }
}

/// Bytes of output that are kept; what comes after is read and dropped.
pub const OUTPUT_LIMIT: usize = 1 << 20;

/// How long to wait for more output after the scriptlet's end: a daemon it started may hold the pipe for ever.
const OUTPUT_GRACE: Duration = Duration::from_millis(300);

/// Runs scriptlets in one root.
///
/// It enters the root with the first one and stays there until it is dropped; then nothing of the root is held any more.
#[derive(Debug)]
pub struct Runner {
    root: Root,
    /// A thread that has entered the root.
    entered: Option<Entered>,
}

impl Runner {
    /// Prepares to run scriptlets in `root`; nothing is done yet.
    pub fn new(root: &Root) -> Self {
        Self { root: root.clone(), entered: None }
    }

    /// Returns the root.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Runs `scriptlet` and waits for its end; any ending is a result. Errors mean that it could not be started.
    pub fn run(&mut self, scriptlet: &Scriptlet<'_>) -> Result<ScriptletOutput> {
        let Some((program, own_args)) = scriptlet.interpreter.split_first() else {
            return Err(HostError::NotFound {
                tool: String::new(),
                place: "an empty interpreter".to_owned(),
            });
        };
        let root = self.root.clone();
        let script = scriptlet.body.map(|body| ScriptFile::create(&root, body)).transpose()?;
        let mut command = Command::new(program);
        command.args(own_args);
        if let Some(script) = &script {
            command.arg(format!("/{}", script.path));
        }
        command.args(scriptlet.args);
        command
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("LC_ALL", "C.UTF-8").env("HOME", "/").env("TERM", "dumb");
        command.envs(scriptlet.env.iter().map(|(name, value)| (name, value)));
        let name = format!(
            "{} (scriptlet in {})",
            scriptlet.interpreter.join(" "),
            root.path_for_display().display()
        );
        self.run_prepared(command, scriptlet, &name)
    }

    fn run_prepared(
        &mut self,
        mut command: Command,
        scriptlet: &Scriptlet<'_>,
        name: &str,
    ) -> Result<ScriptletOutput> {
        let failed = |source: io::Error| HostError::Start { command: name.to_owned(), source };
        let (reader, writer) = io::pipe().map_err(failed)?;
        // Opened here: where the program starts, the path is one of the root.
        let null = || File::open("/dev/null").map(Stdio::from).map_err(failed);
        command.stdin(if scriptlet.stdin.is_empty() { null()? } else { Stdio::piped() });
        command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
        command.process_group(0);
        let mut child = self.spawn(command, name)?;
        let output = Collected::start(reader);
        if let Some(mut stdin) = child.stdin.take() {
            let bytes = scriptlet.stdin.to_vec();
            // Not joined: a scriptlet that never reads must not block us; its end closes the pipe and ends the thread.
            thread::spawn(move || stdin.write_all(&bytes));
        }
        let ending = wait(&mut child, scriptlet.time_limit).map_err(failed)?;
        Ok(ScriptletOutput { ending, text: output.text() })
    }

    /// Starts a program in the root. The command, which holds the writing ends of pipes, is gone afterwards: without that their readers would never
    /// see the end.
    fn spawn(&mut self, command: Command, name: &str) -> Result<Child> {
        let program = command.get_program().to_string_lossy().into_owned();
        let place = format!("the root `{}`", self.root.path_for_display().display());
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => {
                HostError::NotFound { tool: program.clone(), place: place.clone() }
            }
            _ => HostError::Start { command: name.to_owned(), source },
        };
        let entered = match &mut self.entered {
            Some(entered) => entered,
            none => {
                let is_system = is_system_root(&self.root)?;
                if !is_system && !rustix::process::geteuid().is_root() {
                    return spawn_in_namespace(&self.root, command, name, &failed);
                }
                let steps = if is_system { system_steps()? } else { enter_steps(&self.root)? };
                none.insert(Entered::start(steps).map_err(
                    |Refused { step, source }| match step {
                        Some(step) => step_error(name, &step, source),
                        None => HostError::Start { command: name.to_owned(), source },
                    },
                )?)
            }
        };
        entered.spawn(command).map_err(failed)
    }
}

/// Only a new process can enter a user namespace.
fn spawn_in_namespace(
    root: &Root,
    mut command: Command,
    name: &str,
    failed: &dyn Fn(io::Error) -> HostError,
) -> Result<Child> {
    let mut report = sys::prepare(&mut command, enter_steps(root)?).map_err(failed)?;
    command.spawn().map_err(|source| match report.failed_step() {
        Some(step) => step_error(name, step, source),
        None => failed(source),
    })
}

/// What a scriptlet of the running system needs.
fn system_steps() -> Result<Vec<Step>> {
    Ok(vec![Step::Umask(0o022), Step::ChangeDir(c_path("/")?)])
}

/// A part of this program that runs as a child.
pub struct Function {
    /// What it does; returns the exit status.
    pub work: Box<dyn FnMut() -> i32 + Send + Sync>,
    /// The kernel ends it when it has run this long (whole seconds).
    pub time_limit: Duration,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("time_limit", &self.time_limit).finish_non_exhaustive()
    }
}

/// Does `function.work` in a child process whose root is `root`, and waits for its end.
///
/// For interpreters that are part of this program (rpm's `<lua>`): nothing has to be installed in `root`. The child is a copy of this
/// process with the calling thread only, see [`sys::prepare_work`] for what it may do.
pub fn run_function(root: &Root, name: &str, function: Function) -> Result<ScriptletOutput> {
    let Function { work, time_limit } = function;
    let failed = |source: io::Error| HostError::Start { command: name.to_owned(), source };
    let (reader, writer) = io::pipe().map_err(failed)?;
    // The child never becomes this program.
    let mut command = Command::new("/proc/self/exe");
    command.stdin(Stdio::null()).stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let steps = if is_system_root(root)? { system_steps()? } else { enter_steps(root)? };
    let seconds = u32::try_from(time_limit.as_secs().max(1)).unwrap_or(u32::MAX);
    let mut report = sys::prepare_work(&mut command, steps, (work, seconds)).map_err(failed)?;
    let output = Collected::start(reader);
    // Returns when the child has ended.
    let mut child = command.spawn().map_err(|source| match report.failed_step() {
        Some(step) => step_error(name, step, source),
        None => failed(source),
    })?;
    drop(command);
    let ending = match ending(child.wait().map_err(failed)?) {
        Ending::Killed(signal) if signal == Signal::ALARM.as_raw() => Ending::TimedOut,
        ending => ending,
    };
    Ok(ScriptletOutput { ending, text: output.text() })
}

/// Runs a program with this process's own output and waits for its end; for scriptlets that [`run_function`] runs. Returns the
/// exit status, the negative number of the signal that killed it.
pub fn execute(program: &str, args: &[String], env: &[(String, String)]) -> io::Result<i32> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).env_clear();
    command.envs(env.iter().map(|(name, value)| (name, value)));
    Ok(status_number(command.status()?))
}

/// Makes a copy of this process, which must have one thread only, as in [`run_function`]; returns its number, 0 in the copy.
pub fn fork() -> io::Result<i32> {
    sys::fork()
}

/// Replaces this process by a program; returns only if that fails.
pub fn replace(program: &str, args: &[String], env: &[(String, String)]) -> io::Error {
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(env.iter().map(|(name, value)| (name, value)));
    command.exec()
}

/// Lets a file descriptor of this process write to nowhere.
pub fn redirect_to_null(fd: i32) -> io::Result<()> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    sys::replace_descriptor(&null, fd)
}

/// Tells whether `root` is the root directory this process sees.
pub fn is_system_root(root: &Root) -> Result<bool> {
    let here = Root::open("/")?.symlink_metadata("")?;
    let there = root.symlink_metadata("")?;
    Ok(here.zip(there).is_some_and(|(here, there)| here.is_same_file(&there)))
}

/// Tells whether the root directory this process sees is the top of a mount, as it is not in a plain chroot.
fn root_is_mounted() -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags};
    let stat = rustix::fs::statx(CWD, "/", AtFlags::empty(), StatxFlags::BASIC_STATS);
    // Unknown counts as mounted: entering will tell.
    stat.is_ok_and(|stat| {
        stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
            || !stat.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT)
    })
}

/// Enters `root` with the kernel's file systems mounted where it has a directory for them. Inside a plain chroot mounts cannot be
/// kept from spreading, so there it is entered without them.
fn enter_steps(root: &Root) -> Result<Vec<Step>> {
    let mut flags = UnshareFlags::NEWNS;
    if !rustix::process::geteuid().is_root() {
        flags |= UnshareFlags::NEWUSER;
    }
    let fd = root
        .fd()
        .try_clone()
        .map_err(|source| HostError::io("open directory", root.path_for_display(), source))?;
    // Changing the directory comes first: unshare moves it to the copy in the new namespace, later it would be a foreign mount.
    let mut steps = vec![Step::Umask(0o022), Step::ChangeDirTo(Arc::new(fd))];
    if rustix::process::geteuid().is_root() && !root_is_mounted() {
        steps.extend([Step::ChrootHere, Step::ChangeDir(c_path("/")?)]);
        return Ok(steps);
    }
    steps.extend(namespace_steps(flags));
    let kernel_dirs = ["/proc", "/dev", "/sys"];
    for (slot, dir) in kernel_dirs.iter().enumerate() {
        steps.push(Step::CloneMount(slot, c_path(dir)?));
    }
    steps.push(Step::ChrootHere);
    // After the chroot a link in the target cannot lead these mounts out of it.
    for (slot, dir) in kernel_dirs.iter().enumerate() {
        steps.push(Step::AttachIfPresent(slot, c_path(dir)?));
    }
    steps.push(Step::ChangeDir(c_path("/")?));
    Ok(steps)
}

fn wait(child: &mut Child, limit: Duration) -> io::Result<Ending> {
    if !crate::invocation::ends_within(child, limit)? {
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            rustix::process::kill_process_group(group, Signal::KILL)?;
        }
        child.wait()?;
        return Ok(Ending::TimedOut);
    }
    Ok(ending(child.wait()?))
}

fn ending(status: ExitStatus) -> Ending {
    match status_number(status) {
        number if number < 0 => Ending::Killed(-number),
        number => Ending::Exited(number),
    }
}

/// What comes out of a pipe, collected beside what else is done.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Closed at the end of the pipe.
    ended: Receiver<()>,
}

impl Collected {
    fn start(reader: impl Read + Send + 'static) -> Self {
        let (sender, ended) = std::sync::mpsc::channel();
        let bytes = Arc::default();
        let target = Arc::clone(&bytes);
        thread::spawn(move || {
            collect(reader, &target);
            drop(sender);
        });
        Self { bytes, ended }
    }

    /// Returns what came, after the writer has ended.
    fn text(&self) -> String {
        // Something it left running may hold the pipe open.
        let _ = self.ended.recv_timeout(OUTPUT_GRACE);
        let bytes = self.bytes.lock();
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

fn collect(mut reader: impl Read, text: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = reader.read(&mut buffer) {
        if let Ok(mut text) = text.lock() {
            let kept = length.min(OUTPUT_LIMIT.saturating_sub(text.len()));
            text.extend_from_slice(&buffer[..kept]);
        }
    }
}

/// The script in a file of the root; removed on drop.
struct ScriptFile<'a> {
    root: &'a Root,
    path: String,
}

static SCRIPT_SERIAL: AtomicU64 = AtomicU64::new(0);

impl<'a> ScriptFile<'a> {
    fn create(root: &'a Root, body: &str) -> Result<Self> {
        let dir = if root.metadata("var/tmp")?.is_some_and(|stat| stat.is_dir()) {
            "var/tmp"
        } else {
            root.mkdir_all("tmp", 0o1777)?;
            "tmp"
        };
        let serial = SCRIPT_SERIAL.fetch_add(1, Ordering::Relaxed);
        let path = format!("{dir}/rpm-tmp.{}.{serial}", std::process::id());
        // Left over by a killed process that had our id.
        root.remove_all(&path)?;
        let mut file = root.create_new(&path, 0o700)?;
        let script = Self { root, path };
        file.write_all(body.as_bytes())
            .map_err(|source| HostError::io("write", &script.path, source))?;
        Ok(script)
    }
}

impl Drop for ScriptFile<'_> {
    fn drop(&mut self) {
        // A left-over script file does no harm.
        let _ = self.root.remove_file(&self.path);
    }
}
