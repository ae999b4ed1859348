// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask fuzz TARGET [SECONDS]`: builds the fuzzer with coverage instrumentation on the stable toolchain, and runs one target.
//!
//! The inputs that reach all code known so far are stored in `fuzz/corpus/TARGET.tar.gz`; those that a run adds are kept in the cache
//! until `cargo xtask fuzz corpus` stores what is new of them. What breaks a parser lies in `fuzz/artifacts/TARGET`, untracked: a
//! finding becomes a test beside the parser.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow, bail};

use crate::run::{cargo, checkout, output, say, stage};

/// The target triple must be named: without it, build scripts are instrumented too and do not link.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Inline counters and comparisons, as cargo-fuzz asks for them, without a sanitizer.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";

/// Seconds without an argument, and those of every landing.
const SECONDS: &str = "60";

/// Runs one target, or all of them in turn for `all`.
pub(crate) fn run(target: &str, seconds: Option<&str>) -> Result<()> {
    let seconds = seconds.unwrap_or(SECONDS);
    if seconds.parse::<u32>().is_err() {
        bail!("`{seconds}` is not a number of seconds");
    }
    let fuzzer = Fuzzer::new();
    stage("build the fuzzer", &mut fuzzer.build())?;
    let names = fuzzer.names()?;
    let chosen: Vec<&String> =
        names.iter().filter(|name| target == "all" || *name == target).collect();
    if chosen.is_empty() {
        bail!("no target is called `{target}` (there are: all, {})", names.join(", "));
    }
    for name in chosen {
        fuzzer.prepare(name)?;
        stage(&format!("fuzz {name}"), &mut fuzzer.fuzz(name, seconds)?)?;
    }
    Ok(())
}

/// Stores the smallest set of inputs that reaches what those in the cache and those stored so far reach.
pub(crate) fn store_corpus() -> Result<()> {
    let fuzzer = Fuzzer::new();
    stage("build the fuzzer", &mut fuzzer.build())?;
    for name in fuzzer.names()? {
        fuzzer.prepare(&name)?;
        let smallest = fuzzer.work.join("smallest").join(&name);
        empty(&smallest)?;
        let mut merge = fuzzer.command(&name);
        merge.args(["-merge=1", "-max_len=4096"]).arg(&smallest).arg(fuzzer.corpus(&name));
        stage(&format!("merge {name}"), &mut merge)?;
        let mut pack = Command::new("tar");
        pack.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"])
            .args(["--mode=0644", "--use-compress-program=gzip -n9", "-cf"])
            .arg(fuzzer.stored(&name))
            .arg("-C")
            .args([&smallest, Path::new(".")]);
        output(&mut pack)?;
    }
    Ok(())
}

/// Fuzzing of all targets that uses what the processors have left beside other stages.
///
/// A landing fails where a stored input breaks a parser. What a minute of chance finds besides is told and kept, and does not: it would
/// hold up changes that have nothing to do with it.
///
/// Dropping it ends it, whatever it is doing.
pub(crate) struct Background {
    thread: Option<JoinHandle<Result<()>>>,
    running: Running,
}

/// The program that runs now, shared with who may end it.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Its process, until it has ended.
    process: Option<u32>,
    stopped: bool,
}

impl Background {
    /// Begins, where a C++ compiler is: libFuzzer is written in it, and nothing else here needs one.
    pub(crate) fn start() -> Result<Self> {
        let running = Running::default();
        if Command::new("c++").arg("--version").output().is_err() {
            say("==> fuzz: not run, there is no C++ compiler (`c++`) to build libFuzzer with");
            return Ok(Self { thread: None, running });
        }
        let fuzzer = Fuzzer::new();
        empty(&fuzzer.logs())?;
        say(&format!("==> fuzz: in the background; logs in {}", fuzzer.logs().display()));
        let inner = running.clone();
        let thread = Some(std::thread::spawn(move || run_quietly(&fuzzer, &inner)));
        Ok(Self { thread, running })
    }

    /// Waits for the end of all targets.
    pub(crate) fn finish(mut self) -> Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().map_err(|_| anyhow!("the thread that fuzzes stopped"))?
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let mut state = self.running.lock();
        state.stopped = true;
        if let Some(process) = state.process {
            // It may have ended by itself.
            let _ = Command::new("kill").arg(process.to_string()).output();
        }
    }
}

fn run_quietly(fuzzer: &Fuzzer, running: &Running) -> Result<()> {
    running.complete(fuzzer, "build", fuzzer.build())?.or_fail()?;
    for name in fuzzer.names()? {
        fuzzer.prepare(&name)?;
        running.complete(fuzzer, &name, fuzzer.replay(&name)?)?.or_fail()?;
        match running.complete(fuzzer, &name, fuzzer.fuzz(&name, SECONDS)?)? {
            Ended::Well => {
                let log = std::fs::read_to_string(fuzzer.log(&name))?;
                let executed = "stat::number_of_executed_units:";
                let runs = log.lines().find_map(|line| line.strip_prefix(executed));
                let runs = runs.map_or("?", str::trim);
                say(&format!("==> fuzz {name}: ok, {runs} inputs in {SECONDS} s"));
            }
            Ended::Badly(log) => say(&format!(
                "==> fuzz {name}: FOUND an input that breaks the parser, in fuzz/artifacts/{name}; make it a test\n{log}"
            )),
        }
    }
    Ok(())
}

/// How a program ended.
enum Ended {
    Well,
    /// With its name and the end of its log.
    Badly(String),
}

impl Ended {
    fn or_fail(self) -> Result<()> {
        match self {
            Self::Well => Ok(()),
            Self::Badly(log) => bail!("{log}"),
        }
    }
}

impl Running {
    /// Runs a program at the lowest priority with its output in a log.
    fn complete(&self, fuzzer: &Fuzzer, name: &str, command: Command) -> Result<Ended> {
        let path = fuzzer.log(name);
        let log = std::fs::File::create(&path).with_context(|| format!("{}", path.display()))?;
        let mut command = at_lowest_priority(command);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = {
            let mut state = self.lock();
            if state.stopped {
                bail!("fuzzing was stopped");
            }
            let child = command.spawn().with_context(|| format!("starting {command:?}"))?;
            state.process = Some(child.id());
            child
        };
        let status = child.wait();
        self.lock().process = None;
        let status = status?;
        if !status.success() {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let last: Vec<&str> = text.lines().rev().take(40).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            return Ok(Ended::Badly(format!("fuzz {name}: {status}:\n{}", last.join("\n"))));
        }
        Ok(Ended::Well)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same command under `nice`.
fn at_lowest_priority(command: Command) -> Command {
    let mut nice = Command::new("nice");
    nice.args(["-n", "19"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        nice.current_dir(directory);
    }
    nice
}

/// Where the fuzzer and its files are.
struct Fuzzer {
    /// `fuzz` in the checkout.
    directory: PathBuf,
    /// Its place in the cache: what is built, and inputs found by earlier runs.
    work: PathBuf,
}

impl Fuzzer {
    fn new() -> Self {
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        let cache =
            std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home().join(".cache"), PathBuf::from);
        Self { directory: checkout().join("fuzz"), work: cache.join("cairn/fuzz") }
    }

    fn build(&self) -> Command {
        let mut build = cargo(&["build", "--release", "--target", TRIPLE]);
        build
            .current_dir(&self.directory)
            .env("RUSTFLAGS", FLAGS)
            .env("CARGO_TARGET_DIR", self.work.join("target"));
        build
    }

    fn program(&self) -> PathBuf {
        self.work.join("target").join(TRIPLE).join("release/fuzz")
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.program());
        command.env("CAIRN_FUZZ_TARGET", name);
        command
    }

    /// All targets, as the fuzzer prints them.
    fn names(&self) -> Result<Vec<String>> {
        let text = output(Command::new(self.program()).env_remove("CAIRN_FUZZ_TARGET"))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn corpus(&self, name: &str) -> PathBuf {
        self.work.join("corpus").join(name)
    }

    fn stored(&self, name: &str) -> PathBuf {
        self.directory.join("corpus").join(format!("{name}.tar.gz"))
    }

    fn artifacts(&self, name: &str) -> PathBuf {
        self.directory.join("artifacts").join(name)
    }

    fn logs(&self) -> PathBuf {
        self.work.join("logs")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    /// Makes the directories of a target, with the stored inputs and the good ones beside those of earlier runs.
    fn prepare(&self, name: &str) -> Result<()> {
        for path in [self.corpus(name), self.artifacts(name)] {
            std::fs::create_dir_all(&path)
                .with_context(|| format!("creating {}", path.display()))?;
        }
        self.fill(name, &self.corpus(name))
    }

    /// Puts the stored inputs and the good ones into a directory.
    fn fill(&self, name: &str, directory: &Path) -> Result<()> {
        let stored = self.stored(name);
        if stored.exists() {
            let mut unpack = Command::new("tar");
            output(unpack.arg("-xzf").arg(stored).arg("-C").arg(directory))?;
        }
        output(self.command(name).env("CAIRN_FUZZ_SEEDS", directory)).map(drop)
    }

    /// Gives the parser every stored input once.
    fn replay(&self, name: &str) -> Result<Command> {
        let inputs = self.work.join("stored").join(name);
        empty(&inputs)?;
        self.fill(name, &inputs)?;
        let mut replay = self.command(name);
        replay.args(["-runs=0", "-timeout=10", "-rss_limit_mb=576"]).arg(inputs);
        Ok(replay)
    }

    fn fuzz(&self, name: &str, seconds: &str) -> Result<Command> {
        let artifacts = self.artifacts(name);
        let artifacts = artifacts.to_str().context("the path of the checkout is not UTF-8")?;
        let mut fuzz = self.command(name);
        fuzz.arg(self.corpus(name))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={artifacts}/"))
            .args(["-timeout=10", "-rss_limit_mb=576", "-max_len=65536", "-print_final_stats=1"]);
        Ok(fuzz)
    }
}

/// Makes an empty directory of it.
fn empty(path: &Path) -> Result<()> {
    if path.exists() {
        std::fs::remove_dir_all(path).with_context(|| format!("removing {}", path.display()))?;
    }
    std::fs::create_dir_all(path).with_context(|| format!("creating {}", path.display()))
}
