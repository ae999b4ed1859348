// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios: packages as short descriptions that become spec files, and commands.

use std::fmt::Write as _;

/// A list of packages and of commands.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub packages: Vec<Pkg>,
    pub steps: Vec<Step>,
}

/// A command of a scenario.
#[derive(Clone, Debug)]
pub enum Step {
    /// `rpm` or `dnf` with these arguments; `@a-1` is the package file of a, version 1.
    Command(String),
    /// Another program of rpm's, `rpm2cpio` or the like, with these arguments.
    Other(String),
    /// A shell command in the root's directory; `@a-1` as above.
    Shell(String),
}

/// A package.
#[derive(Clone, Debug)]
pub struct Pkg {
    pub name: String,
    pub version: String,
    arch: String,
    is_v6: bool,
    tags: Vec<String>,
    install: Vec<String>,
    files: Vec<String>,
    scripts: Vec<String>,
}

impl Scenario {
    pub fn new(name: impl Into<String>, packages: &[Pkg]) -> Self {
        Self { name: name.into(), packages: packages.to_vec(), steps: Vec::new() }
    }

    /// Whether rpm 4 does not know all of it.
    pub fn is_v6(&self) -> bool {
        self.packages.iter().any(Pkg::is_v6)
    }

    pub fn rpm(mut self, arguments: impl Into<String>) -> Self {
        self.steps.push(Step::Command(arguments.into()));
        self
    }

    pub fn other(mut self, command: impl Into<String>) -> Self {
        self.steps.push(Step::Other(command.into()));
        self
    }

    pub fn shell(mut self, command: impl Into<String>) -> Self {
        self.steps.push(Step::Shell(command.into()));
        self
    }
}

impl Pkg {
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            arch: "noarch".to_owned(),
            is_v6: false,
            tags: Vec::new(),
            install: Vec::new(),
            files: Vec::new(),
            scripts: Vec::new(),
        }
    }

    /// Another architecture than `noarch`.
    pub fn built_for(mut self, arch: &str) -> Self {
        arch.clone_into(&mut self.arch);
        self
    }

    /// In the package format of rpm 6, which only rpm 6 builds.
    pub fn of_format_6(mut self) -> Self {
        self.is_v6 = true;
        self.tag("%global _rpmformat 6")
    }

    pub fn is_v6(&self) -> bool {
        self.is_v6
    }

    /// A line of the head: `Requires: b`.
    pub fn tag(mut self, line: impl Into<String>) -> Self {
        self.tags.push(line.into());
        self
    }

    /// A file; `attributes` as in `%files`.
    pub fn file(self, path: &str, attributes: &str, content: &str) -> Self {
        self.made(path, attributes, &format!("printf '%s\\n' '{content}' > %{{buildroot}}{path}"))
    }

    pub fn directory(self, path: &str, attributes: &str) -> Self {
        self.made(path, &format!("%dir {attributes}"), &format!("mkdir -p %{{buildroot}}{path}"))
    }

    pub fn link(self, path: &str, target: &str) -> Self {
        self.made(path, "", &format!("ln -s {target} %{{buildroot}}{path}"))
    }

    /// A file that is made by a command.
    pub fn made(mut self, path: &str, attributes: &str, command: &str) -> Self {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.install.push(format!("mkdir -p %{{buildroot}}{parent}"));
        self.install.push(command.to_owned());
        self.files.push(format!("{attributes} {path}"));
        self
    }

    /// A file that is listed only.
    pub fn ghost(mut self, path: &str, attributes: &str) -> Self {
        self.files.push(format!("%ghost {attributes} {path}"));
        self
    }

    /// A section: `%post`, `%triggerin -- b`, … with its lines.
    pub fn section(mut self, head: &str, body: &str) -> Self {
        self.scripts.push(format!("{head}\n{body}"));
        self
    }

    /// A section that writes what it is and its arguments to the trace.
    pub fn traced(self, head: &str) -> Self {
        let word = head.split_whitespace().next().unwrap().trim_start_matches('%').to_owned();
        let label = self.label();
        self.section(head, &format!("echo {label} {word} $1 $2 >> /trace"))
    }

    /// A section that also writes the paths it gets.
    pub fn traced_files(self, head: &str) -> Self {
        let word = head.split_whitespace().next().unwrap().trim_start_matches('%').to_owned();
        let label = self.label();
        self.section(
            head,
            &format!("echo {label} {word} $1 $2 >> /trace\nwhile read path; do echo \"  $path\" >> /trace; done"),
        )
    }

    pub fn label(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    pub fn arch(&self) -> &str {
        &self.arch
    }

    /// The name of its package file.
    pub fn file_name(&self) -> String {
        format!("{}-1.{}.rpm", self.label(), self.arch)
    }

    /// Its spec file.
    pub fn spec(&self) -> String {
        let mut spec = format!(
            "Name: {}\nVersion: {}\nRelease: 1\nSummary: a test\nLicense: MIT\nGroup: Test\n{}",
            self.name,
            self.version,
            if self.arch == "noarch" { "BuildArch: noarch\n" } else { "" }
        );
        for tag in &self.tags {
            writeln!(spec, "{tag}").unwrap();
        }
        spec.push_str("%description\ntest\n%install\nmkdir -p %{buildroot}\n");
        for line in &self.install {
            writeln!(spec, "{line}").unwrap();
        }
        spec.push_str("%files\n");
        for line in &self.files {
            writeln!(spec, "{line}").unwrap();
        }
        for script in &self.scripts {
            writeln!(spec, "{script}").unwrap();
        }
        spec
    }
}
