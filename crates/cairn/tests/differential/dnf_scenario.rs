// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios of `dnf`: small repositories as text, and commands.

use crate::scenario::{Pkg, Step};
use std::fmt::Write as _;

/// Repositories and commands.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub repositories: Vec<Repository>,
    /// Packages that are given as files only: `@a-1`.
    pub files: Vec<Pkg>,
    /// Lines of dnf.conf.
    pub configuration: Vec<String>,
    pub steps: Vec<Step>,
}

/// A repository.
#[derive(Clone, Debug)]
pub struct Repository {
    pub name: String,
    pub packages: Vec<Pkg>,
    /// Lines of its part of the `.repo` file.
    pub options: Vec<String>,
    pub comps: String,
    pub advisories: String,
}

impl Scenario {
    /// A scenario with one repository, `base`.
    pub fn new(name: &str, repository: &str) -> Self {
        let empty = Self {
            name: name.to_owned(),
            repositories: Vec::new(),
            files: Vec::new(),
            configuration: Vec::new(),
            steps: Vec::new(),
        };
        empty.repository("base", repository)
    }

    /// A further repository, of which the next options speak.
    pub fn repository(mut self, name: &str, packages: &str) -> Self {
        self.repositories.push(Repository {
            name: name.to_owned(),
            packages: read_packages(packages),
            options: Vec::new(),
            comps: String::new(),
            advisories: String::new(),
        });
        self
    }

    fn last(&mut self) -> &mut Repository {
        self.repositories.last_mut().unwrap()
    }

    /// A line of the last repository's configuration.
    pub fn option(mut self, line: &str) -> Self {
        self.last().options.push(line.to_owned());
        self
    }

    /// Elements of the last repository's groups, as they are written in the file.
    pub fn comps(mut self, text: &str) -> Self {
        self.last().comps.push_str(text);
        self
    }

    /// A group of the last repository; members as `mandatory:a` or `conditional:a if b`.
    pub fn group(mut self, id: &str, members: &[&str]) -> Self {
        let mut text = format!(
            "<group><id>{id}</id><name>Group {id}</name><description/><default>true</default><uservisible>true</uservisible><packagelist>"
        );
        for member in members {
            let (kind, name) = member.split_once(':').unwrap();
            let (name, condition) = match name.split_once(" if ") {
                Some((name, condition)) => (name, format!(" requires=\"{condition}\"")),
                None => (name, String::new()),
            };
            write!(text, "<packagereq type=\"{kind}\"{condition}>{name}</packagereq>").unwrap();
        }
        text.push_str("</packagelist></group>\n");
        self.last().comps.push_str(&text);
        self
    }

    /// An environment of the last repository: its groups and its optional groups.
    pub fn environment(mut self, id: &str, groups: &[&str], optional: &[&str]) -> Self {
        let list = |ids: &[&str]| -> String {
            ids.iter().map(|id| format!("<groupid>{id}</groupid>")).collect()
        };
        let text = format!(
            "<environment><id>{id}</id><name>Environment {id}</name><description/><grouplist>{}</grouplist><optionlist>{}</optionlist></environment>\n",
            list(groups),
            list(optional)
        );
        self.last().comps.push_str(&text);
        self
    }

    /// An advisory of the last repository: `kind/severity`, what it fixes (`cve:CVE-1`), packages as `a-2`.
    pub fn advisory(mut self, id: &str, kind: &str, fixes: &str, packages: &[&str]) -> Self {
        let (kind, severity) = kind.split_once('/').unwrap_or((kind, "None"));
        let mut text = format!(
            "<update from=\"x\" status=\"final\" type=\"{kind}\" version=\"1\"><id>{id}</id><title>{id}</title>\
             <issued date=\"2024-01-01 00:00:00\"/><severity>{severity}</severity><references>"
        );
        if let Some((kind, reference)) = fixes.split_once(':') {
            write!(text, "<reference href=\"x\" id=\"{reference}\" type=\"{kind}\" title=\"x\"/>")
                .unwrap();
        }
        text.push_str("</references><pkglist><collection short=\"c\"><name>c</name>");
        for package in packages {
            let (name, version) = package.rsplit_once('-').unwrap();
            write!(
                text,
                "<package name=\"{name}\" version=\"{version}\" release=\"1\" epoch=\"0\" arch=\"noarch\"><filename>{package}-1.noarch.rpm</filename></package>"
            )
            .unwrap();
        }
        text.push_str("</collection></pkglist></update>\n");
        self.last().advisories.push_str(&text);
        self
    }

    /// Packages that are given as files.
    pub fn files(mut self, packages: &str) -> Self {
        self.files = read_packages(packages);
        self
    }

    /// A line of dnf.conf.
    pub fn conf(mut self, line: &str) -> Self {
        self.configuration.push(line.to_owned());
        self
    }

    /// Commands: arguments of `dnf`, or after `$ ` a shell command in the root's directory, which may name files as `@a-1`.
    pub fn run(mut self, commands: &[&str]) -> Self {
        self.steps.extend(commands.iter().map(|command| match command.strip_prefix("$ ") {
            Some(command) => Step::Shell(command.to_owned()),
            None => Step::Command((*command).to_owned()),
        }));
        self
    }

    /// Whether packages are installed, one way or another, at once.
    pub fn installs(&self) -> bool {
        let others = ["only", "--offline"];
        let does = |command: &str| {
            command.starts_with("install ") && !others.iter().any(|word| command.contains(word))
        };
        self.steps.iter().any(|step| matches!(step, Step::Command(command) if does(command)))
    }

    /// All packages that have to be built.
    pub fn packages(&self) -> impl Iterator<Item = &Pkg> {
        self.repositories.iter().flat_map(|one| &one.packages).chain(&self.files)
    }
}

/// Reads one package a line: `NAME-VERSION[.ARCH] | Requires: b | /usr/bin/file | %post -p <lua>: print(1)`; a section has `¶` between
/// its lines.
fn read_packages(text: &str) -> Vec<Pkg> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(read_package).collect()
}

fn read_package(line: &str) -> Pkg {
    let mut parts = line.split(" | ").map(str::trim);
    let label = parts.next().unwrap();
    let (label, arch) = ["x86_64", "i686", "src"]
        .into_iter()
        .find_map(|arch| Some((label.strip_suffix(arch)?.strip_suffix('.')?, arch)))
        .unwrap_or((label, "noarch"));
    let (name, version) = label.rsplit_once('-').unwrap_or_else(|| panic!("{line}"));
    let package = Pkg::new(name, version).built_for(arch);
    let package = package.file(&format!("/usr/share/{name}/{version}.{arch}"), "", version);
    parts.fold(package, |package, part| match part {
        path if path.starts_with('/') => package.file(path, "", name),
        section if section.starts_with('%') => {
            let (head, body) = section.split_once(": ").unwrap();
            package.section(head, &body.replace('¶', "\n"))
        }
        tag => package.tag(tag),
    })
}
