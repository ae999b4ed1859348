// SPDX-License-Identifier: MIT OR Apache-2.0
//! A command line as a value, and running it: on the host ([`Invocation::run`]) or in a [`Sandbox`](crate::Sandbox).
//!
//! Programs get a clean environment: `PATH`, `LC_ALL=C.UTF-8`, `TZ=UTC`, `HOME` and what [`Invocation::env`] adds. On the host
//! `PATH` and `HOME` are inherited; `cargo`, `rustc`, `git` and `ssh` get the whole environment, because their configuration
//! lives there.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::{HostError, Result, Tool};

/// What a program reads from its standard input.
#[derive(Debug, Default)]
pub enum Input {
    /// Nothing.
    #[default]
    Null,
    /// These bytes.
    Bytes(Vec<u8>),
    /// An open file from its present offset.
    File(File),
    /// The terminal or whatever the calling process has.
    Inherit,
}

/// Where a program's standard output goes. Standard error is always captured, unless inherited too.
#[derive(Debug, Default)]
pub enum Sink {
    /// Into [`Output::stdout`].
    #[default]
    Capture,
    /// Into an open file.
    File(File),
    /// Nowhere.
    Null,
    /// The terminal or whatever the calling process has; standard error as well.
    Inherit,
}

/// A program with its arguments, input and environment; see the module text.
#[derive(Debug)]
pub struct Invocation {
    pub(crate) tool: Tool,
    pub(crate) args: Vec<OsString>,
    pub(crate) stdin: Input,
    pub(crate) stdout: Sink,
    pub(crate) env: BTreeMap<String, OsString>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) time_limit: Option<Duration>,
}

/// What a program that has ended left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit status; -N if signal N ended the program.
    pub status: i32,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Tells whether the exit status was 0.
    pub fn success(&self) -> bool {
        self.status == 0
    }

    /// Returns standard output as text; invalid UTF-8 is replaced.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns standard error as text; invalid UTF-8 is replaced.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

impl Invocation {
    /// Starts a command line without arguments.
    pub fn new(tool: Tool) -> Self {
        Self {
            tool,
            args: Vec::new(),
            stdin: Input::Null,
            stdout: Sink::Capture,
            env: BTreeMap::new(),
            cwd: None,
            time_limit: None,
        }
    }

    /// Adds one argument. Never pass a secret: arguments are visible to every user of the machine.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets what the program reads.
    pub fn stdin(mut self, stdin: Input) -> Self {
        self.stdin = stdin;
        self
    }

    /// Sets where standard output goes.
    pub fn stdout(mut self, stdout: Sink) -> Self {
        self.stdout = stdout;
        self
    }

    /// Sets one environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    /// Sets the working directory: a host path for [`Invocation::run`], a path inside for a sandbox.
    pub fn cwd(mut self, cwd: impl AsRef<Path>) -> Self {
        self.cwd = Some(cwd.as_ref().to_owned());
        self
    }

    /// Kills the program when it has run this long; without, it may run for ever.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Returns the command line as one would type it in a shell.
    pub fn command_line(&self) -> String {
        let mut line = self.tool.name().to_owned();
        for arg in &self.args {
            line.push(' ');
            line.push_str(&quoted(&arg.to_string_lossy()));
        }
        line
    }

    /// Runs the program on the host and waits. An exit status other than 0 is [`HostError::Failed`].
    pub fn run(&self) -> Result<Output> {
        self.run_unchecked().and_then(|output| self.check(output))
    }

    /// Runs the program on the host and waits; any exit status is a result.
    pub fn run_unchecked(&self) -> Result<Output> {
        Running::start(self, self.host_command(), Starter::Host)?.finish(None)
    }

    /// Starts the program on the host with its standard streams as pipes where captured, and returns at once.
    pub fn spawn(&self) -> Result<Child> {
        Running::start(self, self.host_command(), Starter::Host).map(Running::into_child)
    }

    pub(crate) fn check(&self, output: Output) -> Result<Output> {
        if output.success() {
            return Ok(output);
        }
        Err(HostError::Failed {
            command: self.command_line(),
            status: status_text(output.status),
            stderr_tail: tail(&output.stderr),
        })
    }

    fn host_command(&self) -> Command {
        let mut command = Command::new(self.tool.name());
        if !matches!(
            self.tool,
            Tool::Cargo | Tool::Rustc | Tool::Git | Tool::Ssh | Tool::Scp | Tool::SshKeygen
        ) {
            command.env_clear();
            for name in ["PATH", "HOME", "TERM", "XDG_RUNTIME_DIR"] {
                if let Some(value) = std::env::var_os(name) {
                    command.env(name, value);
                }
            }
            command.env("TZ", "UTC");
        }
        command.env("LC_ALL", "C.UTF-8");
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        command
    }
}

/// A running program. It is killed when this value is dropped.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    command: String,
}

impl Child {
    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Returns the command line for messages.
    pub fn command_line(&self) -> &str {
        &self.command
    }

    /// Takes the writing end of standard input, if it was [`Input::Bytes`] (which are then not written) .
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.process.stdin.take()
    }

    /// Takes the reading end of standard output, if it was [`Sink::Capture`].
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.process.stdout.take()
    }

    /// Takes the reading end of standard error.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.process.stderr.take()
    }

    /// Returns the status as in [`Output::status`] if the program has ended.
    pub fn try_wait(&mut self) -> Result<Option<i32>> {
        let status = self
            .process
            .try_wait()
            .map_err(|source| HostError::Start { command: self.command.clone(), source })?;
        Ok(status.map(status_number))
    }

    /// Waits for the end and returns the status as in [`Output::status`].
    pub fn wait(&mut self) -> Result<i32> {
        let status = self
            .process
            .wait()
            .map_err(|source| HostError::Start { command: self.command.clone(), source })?;
        Ok(status_number(status))
    }

    /// Kills the program and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        let killed = self.process.kill().and_then(|()| self.process.wait());
        killed
            .map(drop)
            .map_err(|source| HostError::Start { command: self.command.clone(), source })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ = self.kill();
    }
}

/// Who starts the program: decides what an error at the start means.
pub(crate) enum Starter<'a> {
    Host,
    Sandbox(&'a dyn Fn(&Invocation, io::Error) -> HostError),
}

/// A started program together with what is still to be fed to it.
pub(crate) struct Running<'a> {
    invocation: &'a Invocation,
    child: Child,
}

/// Writes a program's standard input; see [`Sandbox::run_feeding`](crate::Sandbox::run_feeding).
pub(crate) type Feeder<'a> = &'a mut (dyn FnMut(&mut dyn Write) -> io::Result<()> + Send);

impl<'a> Running<'a> {
    pub(crate) fn start(
        invocation: &'a Invocation,
        mut command: Command,
        starter: Starter<'_>,
    ) -> Result<Self> {
        let failed = |source| HostError::Start { command: invocation.command_line(), source };
        command.args(&invocation.args).envs(&invocation.env);
        command.stdin(match &invocation.stdin {
            Input::Null => Stdio::null(),
            Input::Bytes(_) => Stdio::piped(),
            Input::File(file) => file.try_clone().map_err(failed)?.into(),
            Input::Inherit => Stdio::inherit(),
        });
        command.stdout(match &invocation.stdout {
            Sink::Capture => Stdio::piped(),
            Sink::File(file) => file.try_clone().map_err(failed)?.into(),
            Sink::Null => Stdio::null(),
            Sink::Inherit => Stdio::inherit(),
        });
        command.stderr(if matches!(invocation.stdout, Sink::Inherit) {
            Stdio::inherit()
        } else {
            Stdio::piped()
        });
        let process = command.spawn().map_err(|source| match starter {
            Starter::Sandbox(explain) => explain(invocation, source),
            Starter::Host if source.kind() == io::ErrorKind::NotFound => HostError::NotFound {
                tool: invocation.tool.name().to_owned(),
                place: "the search path".to_owned(),
            },
            Starter::Host => failed(source),
        })?;
        Ok(Self { invocation, child: Child { process, command: invocation.command_line() } })
    }

    pub(crate) fn into_child(self) -> Child {
        self.child
    }

    /// Feeds, reads and waits. `feeder` replaces the bytes of [`Input::Bytes`].
    pub(crate) fn finish(mut self, feeder: Option<Feeder<'_>>) -> Result<Output> {
        let stdin = self.child.take_stdin();
        let stdout = self.child.take_stdout();
        let stderr = self.child.take_stderr();
        let input = &self.invocation.stdin;
        let command = self.child.command.clone();
        let failed = |source| HostError::Start { command: command.clone(), source };
        let limit = self.invocation.time_limit;
        let child = &mut self.child;
        let (written, stdout, stderr, status) = thread::scope(|scope| {
            let writer = scope.spawn(move || feed(stdin, input, feeder));
            let stdout = scope.spawn(move || read_all(stdout));
            let stderr = scope.spawn(move || read_all(stderr));
            let status = wait_within(child, limit);
            (join(writer), join(stdout), join(stderr), status)
        });
        let status = status?;
        // A program that fails stops reading: its own message says more than "broken pipe".
        if status == 0 {
            written.map_err(failed)?;
        }
        Ok(Output { status, stdout: stdout.map_err(failed)?, stderr: stderr.map_err(failed)? })
    }
}

/// Waits for the end; kills the program and reports [`HostError::TimedOut`] when the limit is over.
fn wait_within(child: &mut Child, limit: Option<Duration>) -> Result<i32> {
    let Some(limit) = limit else { return child.wait() };
    let failed = |source| HostError::Start { command: child.command.clone(), source };
    if ends_within(&child.process, limit).map_err(failed)? {
        return child.wait();
    }
    child.kill()?;
    Err(HostError::TimedOut { command: child.command.clone(), seconds: limit.as_secs() })
}

/// Waits until a child that nobody has waited for ends; `false` when the limit is over first.
pub(crate) fn ends_within(child: &std::process::Child, limit: Duration) -> io::Result<bool> {
    let Some(id) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let handle = pidfd_open(id, PidfdFlags::empty())?;
    let start = Instant::now();
    loop {
        let left = limit.saturating_sub(start.elapsed());
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        match poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&timeout)) {
            Ok(ended) => return Ok(ended > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn feed(stdin: Option<ChildStdin>, input: &Input, feeder: Option<Feeder<'_>>) -> io::Result<()> {
    let Some(mut stdin) = stdin else { return Ok(()) };
    let result = match (feeder, input) {
        (Some(feeder), _) => feeder(&mut stdin),
        (None, Input::Bytes(bytes)) => stdin.write_all(bytes),
        (None, Input::Null | Input::File(_) | Input::Inherit) => Ok(()),
    };
    match result {
        // `head` and friends stop reading early, which is their right.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn read_all(stream: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        stream.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

pub(crate) fn status_number(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().or_else(|| status.signal().map(|signal| -signal)).unwrap_or(-1)
}

fn status_text(status: i32) -> String {
    if status < 0 { format!("signal {}", -status) } else { format!("exit status {status}") }
}

/// Returns the last lines of an error output, at most 10 lines and 2000 characters, joined with " / ".
fn tail(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> =
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let joined = lines[lines.len().saturating_sub(10)..].join(" / ");
    let excess = joined.chars().count().saturating_sub(2000);
    joined.chars().skip(excess).collect()
}

fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%^".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg.to_owned()
    } else {
        format!("'{}'", arg.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Invocation {
        Invocation::new(Tool::Sh).args(["-c", script])
    }

    #[test]
    fn reports_status_output_and_command_line() {
        assert_eq!(
            sh("cat; echo oops >&2").stdin(Input::Bytes(b"in".to_vec())).run().unwrap(),
            Output { status: 0, stdout: b"in".to_vec(), stderr: b"oops\n".to_vec() }
        );
        let error = sh("echo one >&2; echo two >&2; exit 3").run().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh -c 'echo one >&2; echo two >&2; exit 3'` ended with exit status 3: one / two"
        );
        assert_eq!(sh("kill -9 $$").run_unchecked().unwrap().status, -9);
    }

    #[test]
    fn environment_is_clean() {
        let text = sh("echo $LC_ALL $TZ $CARGO_MANIFEST_DIR $X")
            .env("X", "y")
            .run()
            .unwrap()
            .stdout_text();
        assert_eq!(text, "C.UTF-8 UTC y\n");
    }

    #[test]
    fn time_limit_kills() {
        let error = sh("exec sleep 60").time_limit(Duration::from_millis(100)).run().unwrap_err();
        assert!(matches!(error, HostError::TimedOut { .. }), "{error}");
    }

    #[test]
    fn missing_program_is_not_found() {
        let error = Invocation::new(Tool::VirtFwVars).run().unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert_eq!(error.to_string(), "program `virt-fw-vars` not found in the search path");
    }

    #[test]
    fn a_program_that_stops_reading_is_no_error() {
        let output = sh("head -c 1").stdin(Input::Bytes(vec![b'x'; 1 << 20])).run().unwrap();
        assert_eq!(output.stdout, b"x");
    }

    #[test]
    fn quoting() {
        for (arg, expected) in
            [("a-b", "a-b"), ("", "''"), ("it's", r"'it'\''s'"), ("a b", "'a b'")]
        {
            assert_eq!(quoted(arg), expected);
        }
    }
}
