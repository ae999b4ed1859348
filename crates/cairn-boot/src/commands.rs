// SPDX-License-Identifier: MIT OR Apache-2.0
//! Carries out the commands.

use cairn_image::boot::{
    BlsEntry, BootSearch, EntryState, EntryStatus, GrubSettings, NewEntry, Trial, entry_id,
};
use cairn_image::esp;
use cairn_ui::{Column, Overflow, Printer, Problem, Table, exit, format};
use serde_json::{Value, json};

use crate::arguments::{AddArguments, Arguments, Command, InstallArguments};
use crate::failure::Failure;
use crate::system::System;

/// Runs one command; returns its exit code.
pub fn run(arguments: &Arguments, printer: &Printer) -> Result<u8, Failure> {
    let system = System::open(arguments)?;
    match &arguments.command {
        Command::Add(add_arguments) => add(&system, add_arguments, printer),
        Command::Remove { version } => remove(&system, version, printer),
        Command::List { json } => list(&system, *json, printer),
        Command::Bless { version } => bless(&system, version.as_deref(), printer),
        Command::Status => status(&system, printer),
        Command::Verify => verify(&system, printer),
        Command::Update => update(&system, printer),
        Command::Install(install_arguments) => install(&system, install_arguments, printer),
        Command::SetDefault { version } => {
            system.boot.set_default(version)?;
            printer.status("Default", &entry_id(version));
            Ok(exit::SUCCESS)
        }
        Command::SetNext { version } => {
            system.boot.set_next(version)?;
            printer.status("Next boot", &entry_id(version));
            Ok(exit::SUCCESS)
        }
    }
}

fn add(system: &System, arguments: &AddArguments, printer: &Printer) -> Result<u8, Failure> {
    let title = arguments.title.clone().map_or_else(|| system.title(), Ok)?;
    let options = arguments.options.clone().map_or_else(|| system.kernel_options(), Ok)?;
    let kernel = system.root.read(system.path(&arguments.image))?;
    let initrd = match &arguments.initrd {
        Some(path) => Some(system.root.read(system.path(path))?),
        None => None,
    };
    let entry = system.boot.add(&NewEntry {
        version: &arguments.version,
        title: &title,
        options: &options,
        kernel: &kernel,
        initrd: initrd.as_deref(),
        machine_id: None,
        trial: if arguments.no_trial { Trial::Skipped } else { Trial::Required },
    })?;
    let statuses = system.boot.status()?;
    let state =
        statuses.iter().find(|status| status.entry.id == entry.id).map(|status| status.state);
    let state = state.unwrap_or(EntryState::Ready);
    printer.status("Added", &format!("{}: {state}", entry.id));
    Ok(exit::SUCCESS)
}

fn remove(system: &System, version: &str, printer: &Printer) -> Result<u8, Failure> {
    system.boot.remove(version)?;
    printer.status("Removed", &entry_id(version));
    Ok(exit::SUCCESS)
}

fn list(system: &System, as_json: bool, printer: &Printer) -> Result<u8, Failure> {
    let statuses = system.boot.status()?;
    let running = system.running_version()?;
    if as_json {
        let values: Vec<Value> =
            statuses.iter().map(|status| to_json(status, running.as_deref())).collect();
        printer.data(&Value::from(values).to_string());
        return Ok(exit::SUCCESS);
    }
    let mut table = Table::new([
        Column::left("version"),
        Column::left("state"),
        Column::left("options").overflow(Overflow::Truncate),
    ]);
    for EntryStatus { entry, state } in &statuses {
        let mut shown = state.to_string();
        if is_running(entry, running.as_deref()) {
            shown += ", running";
        }
        table.row([entry.version.clone(), shown, entry.options.clone()]);
    }
    printer.table(&table);
    Ok(exit::SUCCESS)
}

/// Without a version this runs at each boot, on machines started in other ways too: no entry is no error then.
fn bless(system: &System, version: Option<&str>, printer: &Printer) -> Result<u8, Failure> {
    let running = system.running_version()?;
    let Some(blessed) = version.or(running.as_deref()) else {
        return Err(Failure::new(
            "no kernel of this directory is running",
            "name the version: `cairn-boot bless VERSION`",
        ));
    };
    if version.is_none()
        && !system.boot.list()?.iter().any(|entry| is_running(entry, Some(blessed)))
    {
        printer.info(&format!(
            "The running kernel {blessed} was not started from a boot entry of ours"
        ));
        return Ok(exit::SUCCESS);
    }
    if system.boot.bless(blessed)? {
        printer.status("Blessed", &entry_id(blessed));
    }
    for EntryStatus { entry, state } in system.boot.status()? {
        if state == EntryState::Failed {
            let problem = Problem::new(format!("`{}` did not come up in three tries", entry.id))
                .hint(format!("`cairn-boot set-next {}` tries it once more", entry.version));
            printer.warning(&problem);
        }
    }
    Ok(exit::SUCCESS)
}

fn status(system: &System, printer: &Printer) -> Result<u8, Failure> {
    let statuses = system.boot.status()?;
    let environment = system.boot.environment()?.unwrap_or_default();
    let mut table = Table::new([Column::left(""), Column::left("")]);
    if let Some(running) = system.running_version()? {
        table.row(["running".to_owned(), running]);
    }
    if let Some(next) = environment.get("next_entry") {
        table.row(["next boot", next]);
    }
    for EntryStatus { entry, state } in &statuses {
        match state {
            EntryState::Default => table.row(["default", &entry.id]),
            EntryState::OnTrial(tries) => {
                table.row(["on trial".to_owned(), format!("{} ({tries} tries left)", entry.id)]);
            }
            EntryState::Failed => table.row(["failed", &entry.id]),
            EntryState::Ready => table.row(["ready", &entry.id]),
        }
    }
    printer.table(&table);
    Ok(exit::SUCCESS)
}

fn verify(system: &System, printer: &Printer) -> Result<u8, Failure> {
    let mut problems: Vec<String> = system.boot.verify()?.iter().map(ToString::to_string).collect();
    for path in esp::differences(&system.root, &system.esp)? {
        problems.push(format!("`ESP:/{path}` is missing or differs from the installed package"));
    }
    if problems.is_empty() {
        printer.status(
            "Verified",
            &format::counted(system.boot.list()?.len(), "boot entry", "boot entries"),
        );
        return Ok(exit::SUCCESS);
    }
    let mut problem = Problem::new("this system may not boot").details(problems);
    problem =
        problem.hint("`cairn-boot update` repairs snippets, environment block and boot loaders");
    problem = problem.hint("`kernel-install add VERSION IMAGE INITRD` copies a kernel again");
    printer.error(&problem);
    Ok(exit::FAILURE)
}

fn update(system: &System, printer: &Printer) -> Result<u8, Failure> {
    if system.boot.update()? {
        printer.status("Repaired", "GRUB environment block");
    }
    // A system without the boot loader packages (an image under construction) keeps what is on its ESP.
    let refreshed = if esp::is_available(&system.root)? {
        esp::install(&system.root, &system.esp)?
    } else {
        Vec::new()
    };
    for path in refreshed {
        printer.status("Refreshed", &path);
    }
    Ok(exit::SUCCESS)
}

fn install(
    system: &System,
    arguments: &InstallArguments,
    printer: &Printer,
) -> Result<u8, Failure> {
    let settings = GrubSettings {
        timeout_seconds: arguments.timeout,
        serial_speed: (!arguments.no_serial).then_some(arguments.serial),
        boot: match &arguments.boot_uuid {
            Some(uuid) => BootSearch::Uuid(uuid.clone()),
            None => BootSearch::Label(arguments.boot_label.clone()),
        },
        ..GrubSettings::default()
    };
    for path in esp::install(&system.root, &system.esp)? {
        printer.status("Wrote", &path);
    }
    system.boot.write_configuration(&settings)?;
    system.boot.update()?;
    Ok(exit::SUCCESS)
}

fn is_running(entry: &BlsEntry, running: Option<&str>) -> bool {
    running.is_some_and(|version| entry.id == entry_id(version))
}

fn to_json(status: &EntryStatus, running: Option<&str>) -> Value {
    let EntryStatus { entry, state } = status;
    let (name, tries_left) = match state {
        EntryState::Ready => ("ready", None),
        EntryState::Default => ("default", None),
        EntryState::OnTrial(tries) => ("on-trial", Some(*tries)),
        EntryState::Failed => ("failed", Some(0)),
    };
    json!({
        "id": entry.id,
        "title": entry.title,
        "version": entry.version,
        "state": name,
        "tries_left": tries_left,
        "running": is_running(entry, running),
        "linux": entry.linux,
        "initrd": entry.initrds,
        "options": entry.options,
    })
}
