// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf needs-restarting`: what runs still is what was installed before an upgrade.
//!
//! The system: packages that only a restart replaces, installed since it was started. Processes and services: those that have
//! program files open which are gone, or which packages have brought since the process began.

use crate::dnf::cli::NeedsRestartingArgs;
use crate::dnf::session::{Loaded, Needs, Session};
use crate::failure::{CommandResult, Failure};
use cairn_host::Root;
use cairn_pkg::query::{SackPackage, glob};
use cairn_ui::{Problem, escape_control, exit};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Packages that only a restart replaces, in the names of this and of Fedora's family.
const CORE: [&str; 18] = [
    "kernel",
    "kernel-core",
    "kernel-rt",
    "linux-image",
    "linux-image-*",
    "linux-firmware",
    "firmware-*",
    "*-microcode",
    "microcode_ctl",
    "glibc",
    "libc6",
    "systemd",
    "libsystemd0",
    "udev",
    "dbus",
    "dbus-broker",
    "dbus-daemon",
    "gnutls",
];
/// Directories with `*.conf` files that name further such packages, one a line; a file of the first replaces one of the second.
const MORE_CORE: [&str; 2] = ["etc/dnf/suggest-reboot.d", "usr/share/dnf5/suggest-reboot.d"];
/// Where unit files of packages are.
const UNITS: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];
/// What explains the answer.
const DOCUMENTATION: &str = "man:dnf-needs-restarting(8)";
/// dnf5's last line: the article that says which packages need a restart.
const ARTICLE: &str = "More information: https://access.redhat.com/solutions/27943";
/// Kernel ticks in a second, as user space sees them.
const TICKS: u64 = 100;

/// Runs `dnf needs-restarting`.
pub fn needs_restarting(session: &Session, args: &NeedsRestartingArgs) -> CommandResult {
    if args.services || args.processes {
        return processes(session, args);
    }
    let booted = system_start(session)?;
    let core = Core::read(session)?;
    let loaded = session.load(Needs::INSTALLED)?;
    let mut names: Vec<String> = loaded
        .sack
        .installed()
        .filter(|package| package.details.time_install > booted)
        .filter(|package| core.has(*package))
        .map(|package| package.nevra().name.clone())
        .collect();
    names.sort();
    names.dedup();
    if args.json {
        let value = json!([{
            "type": "reboot",
            "reboot_required": !names.is_empty(),
            "packages": names,
            "documentation": DOCUMENTATION,
        }]);
        print_json(session, &value)?;
    } else if names.is_empty() {
        session.printer.data("No core libraries or services have been updated since boot-up.");
        session.printer.data("Reboot should not be necessary.");
    } else {
        session.printer.data("Core libraries or services have been updated since boot-up:");
        names.iter().for_each(|name| session.printer.data(&format!("  * {name}")));
        session.printer.data("");
        session.printer.data("Reboot is required to fully utilize these updates.");
        session.printer.data(ARTICLE);
    }
    answer(!names.is_empty())
}

/// Which packages only a restart of the system replaces.
struct Core {
    /// Names that files add to [`CORE`].
    names: BTreeSet<String>,
    /// Packages whose advisories ask for a restart.
    suggested: BTreeSet<String>,
}

impl Core {
    fn read(session: &Session) -> Result<Self, Failure> {
        let mut seen = BTreeSet::new();
        let mut names = BTreeSet::new();
        for directory in MORE_CORE {
            let files = match session.root.read_dir(directory) {
                Ok(files) => files,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error.into()),
            };
            for file in files.into_iter().filter(|file| file.ends_with(".conf")) {
                if seen.insert(file.clone()) {
                    let text = session.root.read_to_string(format!("{directory}/{file}"))?;
                    let lines = text.lines().map(str::trim);
                    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
                    names.extend(lines.map(str::to_owned));
                }
            }
        }
        Ok(Self { names, suggested: suggested(session) })
    }

    fn has(&self, package: SackPackage<'_>) -> bool {
        let nevra = package.nevra();
        package.candidate.provides.iter().any(|p| p.name == "installonlypkg(kernel)")
            || CORE.iter().any(|pattern| glob::matches(pattern, &nevra.name))
            || self.names.contains(&nevra.name)
            || self.suggested.contains(&nevra.to_string())
    }
}

fn answer(is_needed: bool) -> CommandResult {
    if is_needed { Err(Failure::silent(exit::FAILURE)) } else { Ok(exit::SUCCESS) }
}

/// Returns the packages whose advisories ask for a restart, from the cache only: this command works without network.
fn suggested(session: &Session) -> BTreeSet<String> {
    use cairn_pkg::repos::metadata::{Freshness, load_advisories, load_repository};
    let context = cairn_pkg::repos::metadata::LoadContext {
        freshness: Freshness::CacheOnly,
        ..session.load_context(false)
    };
    let mut names = BTreeSet::new();
    for repository in session.configuration.enabled() {
        // What is not in the cache says nothing.
        let Ok(loaded) = load_repository(repository, &context, &mut |_| {}) else { continue };
        let Ok(advisories) = load_advisories(&loaded, &context) else { continue };
        let packages = advisories.into_iter().flat_map(|advisory| advisory.packages);
        names.extend(packages.filter(|p| p.needs_reboot).map(|p| p.nevra.to_string()));
    }
    names
}

/// Returns when the first process began, which in a container is later than the machine's start. A root that does not run has the
/// start of the machine that it is on, as with dnf5.
fn system_start(session: &Session) -> Result<u64, Failure> {
    let host;
    let root = if session.root.exists("proc/stat")? {
        &session.root
    } else {
        host = Root::open("/")?;
        &host
    };
    let booted = boot_time(root)?;
    Ok(started(root, 1, booted).unwrap_or(booted))
}

/// Returns when the machine was started, seconds since 1970.
fn boot_time(root: &Root) -> Result<u64, Failure> {
    let text = root.read_to_string("proc/stat")?;
    let line = text.lines().find_map(|line| line.strip_prefix("btime "));
    line.and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| Failure::new("/proc/stat does not say when the system was started"))
}

/// A process that uses what has been replaced.
struct Stale {
    process: u32,
    command: Vec<String>,
    service: Option<String>,
    /// What its program is of, where a package has it.
    package: Option<String>,
}

fn processes(session: &Session, args: &NeedsRestartingArgs) -> CommandResult {
    let loaded = session.load(Needs::INSTALLED)?;
    let mut stale = stale_processes(session, &loaded)?;
    if args.services {
        let mut services: BTreeSet<String> =
            stale.iter().filter_map(|process| process.service.clone()).collect();
        keep_core(session, &loaded, &mut services)?;
        if args.json {
            let value: Vec<Value> =
                services.iter().map(|name| json!({"type": "unit", "unit": name})).collect();
            print_json(session, &json!(value))?;
        } else {
            services.iter().for_each(|name| session.printer.data(&escape_control(name)));
        }
        return answer(!services.is_empty());
    }
    if args.exclude_services {
        stale.retain(|process| process.service.is_none());
    }
    if args.json {
        let value: Vec<Value> = stale
            .iter()
            .map(|process| {
                json!({
                    "type": "process",
                    "pid": process.process,
                    "cmdline": process.command,
                    "package": process.package,
                })
            })
            .collect();
        print_json(session, &json!(value))?;
    } else {
        for Stale { process, command, .. } in &stale {
            let command = command.join(" ");
            session.printer.data(&format!("{process} : {}", escape_control(&command)));
        }
    }
    answer(!stale.is_empty())
}

/// Takes out the services of packages that only a restart of the system replaces, and says so.
fn keep_core(
    session: &Session,
    loaded: &Loaded,
    services: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    let core = Core::read(session)?;
    for package in loaded.sack.installed().filter(|package| core.has(*package)) {
        for file in &package.candidate.files {
            let Some((directory, unit)) = file.rsplit_once('/') else { continue };
            if UNITS.contains(&directory) && services.remove(unit) {
                let name = &package.nevra().name;
                let problem = Problem::new(format!("{unit} is of {name}, not to be restarted"))
                    .hint("restart the system");
                session.printer.warning(&problem);
            }
        }
    }
    Ok(())
}

fn stale_processes(session: &Session, loaded: &Loaded) -> Result<Vec<Stale>, Failure> {
    let root = &session.root;
    let booted = boot_time(root)?;
    let mut installed: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for package in loaded.sack.installed() {
        let now = (package.details.time_install, package.candidate.nevra.name.as_str());
        for file in &package.candidate.files {
            let known = installed.entry(file).or_insert(now);
            *known = (*known).max(now);
        }
    }
    let mut numbers: Vec<u32> =
        root.read_dir("proc")?.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    let mut stale = Vec::new();
    for process in numbers {
        // Processes end while they are looked at.
        let Some(begun) = started(root, process, booted) else { continue };
        let Ok(maps) = root.read_to_string(format!("proc/{process}/maps")) else { continue };
        let is_old = program_files(&maps).any(|(path, is_gone)| {
            is_gone || installed.get(path).is_some_and(|(time, _)| *time > begun)
        });
        if is_old {
            let command = command_of(root, process);
            let package = program_files(&maps)
                .find_map(|(path, _)| installed.get(path).map(|(_, name)| (*name).to_owned()));
            let service = service_of(root, process);
            stale.push(Stale { process, command, service, package });
        }
    }
    Ok(stale)
}

/// Returns when a process began, seconds since 1970.
fn started(root: &Root, process: u32, booted: u64) -> Option<u64> {
    let text = root.read_to_string(format!("proc/{process}/stat")).ok()?;
    // The name in parentheses may have blanks; the start is the 22nd field, the 20th behind the name.
    let (_, rest) = text.rsplit_once(')')?;
    let ticks: u64 = rest.split_whitespace().nth(19)?.parse().ok()?;
    Some(booted + ticks / TICKS)
}

/// Returns the files that a process runs code of, and whether they are gone.
fn program_files(maps: &str) -> impl Iterator<Item = (&str, bool)> {
    maps.lines().filter_map(|line| {
        let mut fields = line.splitn(6, ' ').map(str::trim_start);
        let permissions = fields.nth(1)?;
        let path = fields.nth(3)?.trim();
        let is_code = permissions.contains('x');
        let path_only = path.strip_suffix(" (deleted)");
        let is_program = ["/usr/", "/lib", "/bin/", "/sbin/", "/opt/"]
            .iter()
            .any(|prefix| path.starts_with(prefix));
        (is_code && is_program).then_some((path_only.unwrap_or(path), path_only.is_some()))
    })
}

fn command_of(root: &Root, process: u32) -> Vec<String> {
    let bytes = root.read(format!("proc/{process}/cmdline")).unwrap_or_default();
    let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// Returns the systemd service of a process, from its control group.
fn service_of(root: &Root, process: u32) -> Option<String> {
    let text = root.read_to_string(format!("proc/{process}/cgroup")).ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    let unit = path.split('/').rfind(|part| part.ends_with(".service"))?;
    // A user's own manager is no service to restart.
    (!unit.starts_with("user@")).then(|| unit.to_owned())
}

fn print_json(session: &Session, value: &Value) -> Result<(), Failure> {
    let written = session.printer.json(value);
    written.map_err(|error| Failure::new(format!("cannot write JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps() {
        let text = "55e0-55e1 r-xp 00000000 fe:00 131 /usr/bin/sh\n\
                    7f00-7f01 r--p 00000000 fe:00 132                        /usr/lib/a.so\n\
                    7f02-7f03 r-xp 00001000 fe:00 133                        /usr/lib/b.so (deleted)\n\
                    7f04-7f05 r-xp 00000000 00:00 0 [vdso]\n\
                    7f06-7f07 r-xp 00000000 00:01 9 /memfd:x (deleted)\n";
        assert_eq!(
            program_files(text).collect::<Vec<_>>(),
            [("/usr/bin/sh", false), ("/usr/lib/b.so", true)]
        );
    }
}
