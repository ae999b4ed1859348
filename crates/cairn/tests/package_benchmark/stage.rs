// SPDX-License-Identifier: MIT OR Apache-2.0
//! The place of the measurement: trees, inputs and our programs, bound into each tree at `/run/work`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use cairn::context::Context;
use cairn::lock::Use;
use cairn::ops::upstream::{self, Generation, Vanishing};

/// Runs of each command, unless `BENCH_ROUNDS` says otherwise.
const ROUNDS: usize = 5;
const MEASURE: &str = include_str!("measure.py");

/// Who runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Our programs.
    Ours,
    /// dnf 5 and its rpm, from sid.
    Sid,
    /// rpm, dnf 4, createrepo_c and the usual tools, from trixie.
    Trixie,
}

/// One command that is measured.
#[derive(Debug, Clone)]
pub struct Run {
    /// In which tree.
    pub who: Who,
    /// What the table calls it.
    pub name: &'static str,
    /// Shell command that is not measured: makes the state the command starts from.
    pub prepare: String,
    /// Shell words that are measured.
    pub command: String,
    /// Exit statuses that are fine.
    pub expected: &'static [i32],
    /// Shell command that shows the size of the result, for comparison; not measured, run in trixie's tree.
    pub result: &'static str,
}

/// What a command cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Processor seconds.
    pub cpu: f64,
    /// Largest resident size, MiB.
    pub peak: f64,
}

/// All runs of one command.
#[derive(Debug, Default)]
pub struct Costs {
    /// One per round.
    pub runs: Vec<Cost>,
    /// What the check of its result printed.
    pub result: String,
}

impl Costs {
    /// The median of each figure.
    pub fn median(&self) -> Cost {
        let of = |figure: fn(&Cost) -> f64| {
            let mut all: Vec<f64> = self.runs.iter().map(figure).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or_default()
        };
        Cost { seconds: of(|c| c.seconds), cpu: of(|c| c.cpu), peak: of(|c| c.peak) }
    }

    /// The fastest and the slowest run, seconds.
    pub fn range(&self) -> (f64, f64) {
        let seconds = || self.runs.iter().map(|run| run.seconds);
        (seconds().fold(f64::MAX, f64::min), seconds().fold(0.0, f64::max))
    }
}

/// By the number of the row and the name of the command.
pub type Results = BTreeMap<(usize, &'static str), Costs>;

/// See the module.
pub struct Stage {
    trixie: PathBuf,
    sid: PathBuf,
    universe: PathBuf,
    repository: PathBuf,
    programs: PathBuf,
    /// On a tmpfs; `/run/work` inside.
    directory: tempfile::TempDir,
}

impl Stage {
    /// Makes or finds everything.
    pub fn open() -> Self {
        let printer =
            Arc::new(cairn_ui::Printer::new(cairn_ui::Verbosity::Normal, cairn_ui::Color::Never));
        let ctx = Context::open(printer, &cairn_testkit::package_directory(), None).unwrap();
        let uses = [Use::Tools, Use::Test, Use::Reference];
        let lock =
            upstream::open(&ctx, &uses, Vanishing::MoveForward, Generation::Current).unwrap().lock;
        let trixie = cairn::tools::open_reference(&ctx, &lock).unwrap().tools_tree().to_owned();
        let repository = std::env::var_os("BENCH_REPOSITORY")
            .map_or_else(|| ctx.project.join("out/repo"), PathBuf::from);
        assert!(
            repository.join("repodata/repomd.xml").is_file(),
            "{} has no repository: run `cargo cairn build repo`",
            repository.display()
        );
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        std::fs::write(directory.path().join("measure.py"), MEASURE).unwrap();
        // Real rpm takes its database where ours is, and does not ask for signatures: neither do we in these runs.
        let macros = "%_dbpath /usr/lib/sysimage/rpm\n%_pkgverify_level none\n";
        std::fs::write(directory.path().join(".rpmmacros"), macros).unwrap();
        std::os::unix::fs::symlink("/run/programs/dnf", directory.path().join("rpm")).unwrap();
        let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("release");
        Self {
            trixie,
            sid: super::peers::sid_tree(&ctx),
            universe: super::universe::open(&ctx),
            repository,
            programs,
            directory,
        }
    }

    fn tree(&self, who: Who) -> &Path {
        if who == Who::Sid { &self.sid } else { &self.trixie }
    }

    /// Where a path below `/run/work` really is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// One of our programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Runs shell text with everything in place; returns its output.
    pub fn shell(&self, who: Who, text: &str) -> String {
        let tree = self.tree(who).display();
        let mounts = format!(
            "set -e; t={tree}; mount --bind $t $t; mount -o remount,bind,ro $t; \
             mount -t proc proc $t/proc; mount -t tmpfs tmpfs $t/tmp; mount -t tmpfs tmpfs $t/var; mkdir -p $t/var/lib $t/var/log $t/var/tmp $t/var/cache; mount -t tmpfs tmpfs $t/run; mount --rbind /dev $t/dev; \
             mkdir $t/run/work $t/run/universe $t/run/repository $t/run/programs; \
             mount --bind {} $t/run/work; mount --bind {} $t/run/universe; mount --bind {} $t/run/repository; mount --bind {} $t/run/programs; \
             cd $t/run/work; exec chroot $t /bin/sh -c \"$1\"",
            self.directory.path().display(),
            self.universe.display(),
            self.repository.display(),
            self.programs.display()
        );
        let output = Command::new("unshare")
            .args(["--mount", "sh", "-c", &mounts, "sh", text])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", "/run/work")
            .env("TZ", "UTC")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{text}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs every command of every row in turns.
    pub fn measure(&self, rows: &[super::rows::Row]) -> Results {
        raise_priority();
        let rounds = std::env::var("BENCH_ROUNDS").ok().and_then(|text| text.parse().ok());
        let wanted = std::env::var("BENCH_ROWS").unwrap_or_default();
        let mut results = Results::new();
        for (number, row) in rows.iter().enumerate().filter(|(_, row)| row.name.contains(&wanted)) {
            for round in 0..rounds.unwrap_or(ROUNDS) {
                for run in &row.runs {
                    let cost = self.run(run);
                    println!("{} | {} | {round}: {cost:.3?}", row.name, run.name);
                    let costs = results.entry((number, run.name)).or_default();
                    costs.runs.push(cost);
                    if round == 0 && !run.result.is_empty() {
                        // Always the same tools look at it.
                        costs.result = self.shell(Who::Trixie, run.result).trim().to_owned();
                    }
                }
            }
        }
        results
    }

    fn run(&self, run: &Run) -> Cost {
        let text = format!(
            "{}; exec python3 /run/work/measure.py /run/work/log --shell 'exec {}'",
            if run.prepare.is_empty() { ":" } else { &run.prepare },
            run.command
        );
        let printed = self.shell(run.who, &text);
        let last = printed.lines().last().unwrap_or_default();
        let figures: Vec<f64> = last.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [seconds, cpu, kib, status] = figures[..] else { panic!("{}: {printed}", run.name) };
        let log = |name: &str| std::fs::read(self.path(name)).unwrap_or_default();
        assert!(
            run.expected.contains(&(status as i32)),
            "{}: {} ended with {status}\n{}\n{}",
            run.name,
            run.command,
            String::from_utf8_lossy(&log("log.out")),
            String::from_utf8_lossy(&log("log.err"))
        );
        Cost { seconds, cpu, peak: kib / 1024.0 }
    }
}

/// Others on this machine wait; without the privilege the figures are only less steady.
fn raise_priority() {
    if let Err(error) = std::fs::write("/proc/self/autogroup", "-15") {
        println!("the priority cannot be raised: {error}");
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load.trim());
}
