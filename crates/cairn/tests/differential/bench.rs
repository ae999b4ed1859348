// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds the packages and runs the scenarios, all inside the tools tree.

use crate::scenario::{Scenario, Step};
use cairn::context::Context;
use cairn::lock::Use;
use cairn::ops::upstream::{self, Generation, Vanishing};
use cairn_host::{Invocation, Sandbox, Tool};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What the roots have before anything is installed: a shell for scriptlets.
const BASE: [&str; 3] = [
    "usr/bin/dash",
    "usr/lib/x86_64-linux-gnu/libc.so.6",
    "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
];
/// Parts of a root that the programs keep for themselves.
const OWN: [&str; 4] = ["usr/lib/sysimage", "var/lib/cairn", "var/lib/rpm", "trace"];
/// Made by rpm where a root has no devices, when a scriptlet's output goes nowhere.
const DEVICE: &str = "dev/null";
const MACROS: &str = "--define '_dbpath /usr/lib/sysimage/rpm' --define '_pkgverify_level none' --define '__systemd_sysusers /usr/bin/systemd-sysusers' --nosignature";

/// How many scenarios run at a time.
const WORKERS: usize = 4;

pub struct Bench {
    directory: tempfile::TempDir,
    tools: Sandbox,
}

/// What came of one scenario.
pub struct Outcome {
    parts: BTreeMap<&'static str, String>,
}

impl Outcome {
    pub fn part(&self, kind: &str) -> String {
        self.parts.get(kind).cloned().unwrap_or_default()
    }
}

impl Bench {
    pub fn new(scenarios: &[Scenario]) -> Self {
        let printer =
            Arc::new(cairn_ui::Printer::new(cairn_ui::Verbosity::Quiet, cairn_ui::Color::Never));
        let ctx = Context::open(printer, &cairn_testkit::package_directory(), None).unwrap();
        let upstream = upstream::open(
            &ctx,
            &[Use::Tools, Use::Test],
            Vanishing::MoveForward,
            Generation::Current,
        )
        .unwrap();
        let tools = cairn::tools::open_test(&ctx, &upstream.lock).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let bench = Self { directory, tools };
        bench.prepare_base();
        bench.build(scenarios);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn prepare_base(&self) {
        let base = self.path("base");
        for name in [
            "etc",
            "usr/bin",
            "usr/lib",
            "usr/lib64",
            "usr/sbin",
            "var/tmp",
            "var/lib",
            "dev",
            "proc",
        ] {
            std::fs::create_dir_all(base.join(name)).unwrap();
        }
        for name in ["bin", "lib", "lib64", "sbin"] {
            std::os::unix::fs::symlink(format!("usr/{name}"), base.join(name)).unwrap();
        }
        for name in BASE {
            let target = base.join(name);
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(self.tools.tools_tree().join(name), target).unwrap();
        }
        std::os::unix::fs::symlink("dash", base.join("usr/bin/sh")).unwrap();
        let loader = "ld-linux-x86-64.so.2";
        std::os::unix::fs::symlink(
            format!("../lib/x86_64-linux-gnu/{loader}"),
            base.join("usr/lib64").join(loader),
        )
        .unwrap();
        std::fs::write(base.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
        std::fs::write(base.join("etc/group"), "root:x:0:\n").unwrap();
        std::fs::create_dir(self.path("bin")).unwrap();
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("debug/dnf");
        std::fs::copy(&program, self.path("bin/rpm")).unwrap_or_else(|error| {
            panic!("{}: {error}: run `cargo xtask differential`", program.display())
        });
    }

    /// Runs a script in the tools tree, with the bench at /work; returns what it wrote.
    fn script(&self, script: &str) -> String {
        std::fs::write(self.path("script"), script).unwrap();
        let sandbox = self.tools.clone().bind(self.directory.path(), "/work");
        let invocation = Invocation::new(Tool::Sh)
            .arg("/work/script")
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", "/tmp")
            .time_limit(Duration::from_secs(3600));
        let output = sandbox.run_unchecked(&invocation).unwrap();
        assert!(output.success(), "{}{}", output.stdout_text(), output.stderr_text());
        output.stdout_text()
    }

    /// Runs a command for each of the names, a few at a time; returns what it wrote.
    fn script_for_each(&self, command: &str, names: Vec<String>) -> String {
        let mut script = String::new();
        for part in names.chunks(names.len().div_ceil(WORKERS)) {
            script.push_str("(\n");
            part.iter().for_each(|name| writeln!(script, "({command} {name})").unwrap());
            script.push_str(") &\n");
        }
        self.script(&format!("{script}wait\n"))
    }

    /// What provides the shell that is in the roots already.
    fn base_package(&self) -> String {
        let package = base_package();
        format!("/work/build/{}/RPMS/noarch/{}", key(&package), package.file_name())
    }

    /// Builds each different spec once; the package files get links in the directories of the scenarios.
    fn build(&self, scenarios: &[Scenario]) {
        let mut specs = BTreeMap::new();
        let base = base_package();
        specs.insert(key(&base), &base);
        for package in scenarios.iter().flat_map(|scenario| &scenario.packages) {
            specs.insert(key(package), package);
        }
        std::fs::create_dir(self.path("specs")).unwrap();
        for (key, package) in &specs {
            std::fs::write(self.path(&format!("specs/{key}.spec")), package.spec()).unwrap();
            let target = package.file_name().rsplit('.').nth(1).unwrap().to_owned();
            let target = if target == "noarch" { "x86_64".to_owned() } else { target };
            std::fs::write(self.path(&format!("specs/{key}.target")), target).unwrap();
        }
        std::fs::write(
            self.path("specs/one"),
            "spec=$1\n\
             export SOURCE_DATE_EPOCH=1700000000\n\
             rpmbuild -bb --define '_tmppath /tmp' --define '_dbpath /tmp/db' --quiet --define \"_topdir /work/build/${spec%.spec}\" --define '_build_id_links none' \
             --define '__os_install_post %{nil}' --define 'debug_package %{nil}' --define '_buildhost test' \
             --define '_unpackaged_files_terminate_build 0' --define '_binary_payload w1.gzdio' \
             --define 'clamp_mtime_to_source_date_epoch 1' --define 'use_source_date_epoch_as_buildtime 1' \
             --target $(cat ${spec%.spec}.target) $spec > $spec.log 2>&1 || cat $spec.log $spec\n",
        )
        .unwrap();
        let names = specs.keys().map(|key| format!("{key}.spec"));
        let failed = self.script_for_each("cd /work/specs; sh ./one", names.collect());
        assert!(failed.is_empty(), "rpmbuild: {failed}");
        for scenario in scenarios {
            let directory = self.path(&format!("packages/{}", scenario.name));
            std::fs::create_dir_all(&directory).unwrap();
            for package in &scenario.packages {
                let name = package.file_name();
                let arch = name.rsplit('.').nth(1).unwrap();
                let built = self.path(&format!("build/{}/RPMS/{arch}/{name}", key(package)));
                std::fs::hard_link(&built, directory.join(&name)).unwrap();
            }
        }
    }

    /// Runs all scenarios with one of the programs.
    pub fn run(&self, scenarios: &[Scenario], who: &str) -> BTreeMap<String, Outcome> {
        let program = if who == "ours" { "/work/bin/rpm" } else { "/usr/bin/rpm" };
        let scripts = self.path(&format!("scripts-{who}"));
        std::fs::create_dir_all(&scripts).unwrap();
        for scenario in scenarios {
            std::fs::write(scripts.join(&scenario.name), self.commands(scenario, who, program))
                .unwrap();
        }
        let names = scenarios.iter().map(|scenario| format!("./{}", scenario.name));
        self.script_for_each(&format!("cd /work/scripts-{who}; sh"), names.collect());
        scenarios
            .iter()
            .map(|scenario| (scenario.name.clone(), self.outcome(scenario, who)))
            .collect()
    }

    /// The script that runs one scenario.
    fn commands(&self, scenario: &Scenario, who: &str, program: &str) -> String {
        let mut script = String::from("set -f\n");
        let place = format!("/work/{who}/{}", scenario.name);
        let packages = format!("/work/packages/{}", scenario.name);
        writeln!(script, "mkdir -p {place}; cp -a /work/base {place}/root; cd {place}/root")
            .unwrap();
        let rpm = |program: &str| format!("{program} --root {place}/root {MACROS}");
        writeln!(script, "{} -i {}", rpm(program), self.base_package()).unwrap();
        for (number, step) in scenario.steps.iter().enumerate() {
            match step {
                Step::Shell(command) => writeln!(script, "{command}").unwrap(),
                Step::Rpm(arguments) => {
                    let arguments = expand(arguments, &packages, scenario);
                    writeln!(
                        script,
                        "{{ {} {arguments} </dev/null; }} > ../text.{number} 2>&1; echo {number} $? >> ../exit",
                        rpm(program)
                    )
                    .unwrap();
                }
            }
        }
        let format = "'%{NEVRA} %{INSTALLCOLOR} [%{FILENAMES} %{FILESTATES:fstate},]\\n'";
        writeln!(
            script,
            "{{ {} -qa --qf {format} | sort; {} -qa | sort; }} > ../database 2>&1",
            rpm("/usr/bin/rpm"),
            rpm("/work/bin/rpm")
        )
        .unwrap();
        script
    }

    fn outcome(&self, scenario: &Scenario, who: &str) -> Outcome {
        let place = self.path(&format!("{who}/{}", scenario.name));
        let read = |name: &str| {
            let bytes = std::fs::read(place.join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let mut text = String::new();
        for (number, step) in scenario.steps.iter().enumerate() {
            if let Step::Rpm(arguments) = step {
                let output = read(&format!("text.{number}"))
                    .replace(&format!("/work/{who}/{}/root", scenario.name), "ROOT");
                let output =
                    output.replace("warning: Unable to reset nice value: Permission denied", "");
                let lines = output
                    .lines()
                    .filter(|line| !line.contains("private mounts") && !line.is_empty());
                writeln!(text, "$ rpm {arguments}").unwrap();
                lines.for_each(|line| writeln!(text, "{line}").unwrap());
            }
        }
        let mut tree = String::new();
        list(&place.join("root"), Path::new(""), &mut tree);
        let parts = [
            ("exit", read("exit")),
            ("database", read("database")),
            ("tree", tree),
            ("trace", read("root/trace")),
            ("text", text),
        ];
        Outcome { parts: parts.into_iter().collect() }
    }
}

/// The first package of every root: it provides what scriptlets need.
fn base_package() -> crate::scenario::Pkg {
    crate::scenario::Pkg::new("base", "1").tag("Provides: /bin/sh").tag("Provides: /usr/bin/dash")
}

fn key(package: &crate::scenario::Pkg) -> String {
    let text = format!("{}{}", package.file_name(), package.spec());
    hex::encode(Sha256::digest(text.as_bytes()))[..16].to_owned()
}

/// Replaces `@a-1` by the path of that package file.
fn expand(arguments: &str, packages: &str, scenario: &Scenario) -> String {
    let words = arguments.split(' ').map(|word| match word.strip_prefix('@') {
        Some(label) => {
            let package = scenario.packages.iter().find(|package| package.label() == label);
            let package =
                package.unwrap_or_else(|| panic!("{}: no package {label}", scenario.name));
            format!("{packages}/{}", package.file_name())
        }
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// One line per file: type, mode, and content or target.
fn list(root: &Path, below: &Path, text: &mut String) {
    let mut names: Vec<PathBuf> = std::fs::read_dir(root.join(below))
        .unwrap()
        .map(|entry| below.join(entry.unwrap().file_name()))
        .collect();
    names.sort();
    for name in names {
        if OWN.iter().any(|own| Path::new(own) == name)
            || BASE.iter().any(|own| Path::new(own) == name)
            || name == Path::new(DEVICE)
        {
            continue;
        }
        let path = root.join(&name);
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let owner = match (metadata.uid(), metadata.gid()) {
            (0, 0) => String::new(),
            (user, group) => format!("{user}:{group} "),
        };
        let mode = format!("{owner}{:o}", metadata.permissions().mode() & 0o7777);
        let shown = name.display();
        if metadata.is_symlink() {
            let target = std::fs::read_link(&path).unwrap();
            writeln!(text, "{shown} -> {}", target.display()).unwrap();
        } else if metadata.is_dir() {
            writeln!(text, "{shown}/ {mode}").unwrap();
            list(root, &name, text);
        } else {
            let content = std::fs::read(&path).unwrap_or_default();
            let content = String::from_utf8_lossy(&content).replace('\n', "\\n");
            // Elsewhere our undo store has links to what was replaced.
            let links = if name.starts_with("usr/share/p") { metadata.nlink() } else { 1 };
            writeln!(text, "{shown} {mode} {links} `{content}`").unwrap();
        }
    }
}
