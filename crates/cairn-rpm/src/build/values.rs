// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tags of the main header, from the specification.

use std::collections::BTreeMap;

use super::payload::Archive;
use super::{BuildOptions, FileKind, FileSpec, PackageSpec, TriggerScope, TriggerSpec};
use crate::dependency::{Comparison, Dependency, sense};
use crate::evr::Evr;
use crate::header::{
    self, FileFlags, Scriptlet, ScriptletKind, TriggerKind, Value, Values, script_flags, verify,
};
use crate::package::size_value;
use crate::tag;

/// Returns all tags of the main header.
pub(super) fn header_values(
    spec: &PackageSpec,
    options: &BuildOptions,
    files: &[&FileSpec],
    archive: &Archive,
) -> Values {
    let mut values = describing_values(spec, options);
    values.extend(payload_values(options, archive));
    if !files.is_empty() {
        values.extend(file_values(options, files, archive));
    }
    let regular = |file: &&&FileSpec| matches!(file.kind, FileKind::Regular(_));
    let installed = files.iter().filter(regular).map(|file| file.size()).sum();
    values.extend([size_value(installed, tag::SIZE, tag::LONGSIZE)]);
    values.extend(dependency_values(spec, archive));
    for (kind, scriptlet) in &spec.scriptlets {
        values.extend(scriptlet_values(*kind, scriptlet));
    }
    for scope in [TriggerScope::Package, TriggerScope::File, TriggerScope::TransactionFile] {
        values.extend(trigger_values(spec, scope));
    }
    values.extend(changelog_values(spec));
    values.extend(spec.extra_tags.iter().map(|(tag, value)| (*tag, value.clone())));
    values
}

fn describing_values(spec: &PackageSpec, options: &BuildOptions) -> Values {
    let text = |text: &str| Value::text(text);
    let translated = |text: &str| Value::I18nString(vec![text.to_owned()]);
    let or = |text: &str, other: &str| if text.is_empty() { other } else { text }.to_owned();
    let source = format!("{}-{}.src.rpm", spec.name, spec.evr.without_epoch());
    let mut values = Values::from([
        (tag::HEADERI18NTABLE, Value::StringArray(vec!["C".into()])),
        (tag::NAME, text(&spec.name)),
        (tag::VERSION, text(&spec.evr.version)),
        (tag::RELEASE, text(&spec.evr.release)),
        (tag::SUMMARY, translated(&spec.summary)),
        (tag::DESCRIPTION, translated(&or(&spec.description, &spec.summary))),
        (tag::BUILDTIME, Value::number(options.source_date)),
        (tag::BUILDHOST, text(&options.build_host)),
        (tag::LICENSE, text(&spec.license)),
        (tag::GROUP, translated(&or(&spec.group, "Unspecified"))),
        (tag::OS, text("linux")),
        (tag::ARCH, text(&spec.arch)),
        (tag::SOURCERPM, text(&or(&spec.source_package, &source))),
        (tag::RPMVERSION, text("cairn-rpm 1")),
        (tag::ENCODING, text("utf-8")),
        (tag::FILEDIGESTALGO, Value::number(8)),
    ]);
    if spec.evr.epoch > 0 {
        values.insert(tag::EPOCH, Value::number(spec.evr.epoch));
    }
    let optional = [
        (tag::URL, &spec.url),
        (tag::VENDOR, &spec.vendor),
        (tag::PACKAGER, &spec.packager),
        (tag::DISTRIBUTION, &spec.distribution),
    ];
    values.extend(optional.into_iter().filter(|(_, s)| !s.is_empty()).map(|(t, s)| (t, text(s))));
    values
}

fn payload_values(options: &BuildOptions, archive: &Archive) -> Values {
    Values::from([
        (tag::PAYLOADFORMAT, Value::text("cpio")),
        (tag::PAYLOADCOMPRESSOR, Value::text("zstd")),
        (tag::PAYLOADFLAGS, Value::text(options.zstd_level.to_string())),
        (tag::PAYLOADDIGEST, Value::StringArray(vec![archive.digest.clone()])),
        (tag::PAYLOADDIGESTALGO, Value::number(8)),
        (tag::PAYLOADDIGESTALT, Value::StringArray(vec![archive.uncompressed_digest.clone()])),
    ])
}

fn file_values(options: &BuildOptions, files: &[&FileSpec], archive: &Archive) -> Values {
    let ghost_verify = !(verify::DIGEST | verify::SIZE | verify::LINK | verify::MTIME);
    let compared =
        |f: &&FileSpec| f.verify_flags & if f.is_ghost() { ghost_verify } else { u32::MAX };
    let flags = |f: &&FileSpec| f.flags.0 | if f.is_ghost() { FileFlags::GHOST.0 } else { 0 };
    let target = |f: &&FileSpec| match &f.kind {
        FileKind::Symlink(target) => target.clone(),
        _ => String::new(),
    };
    let texts =
        |text: &dyn Fn(&&FileSpec) -> String| Value::StringArray(files.iter().map(text).collect());
    let numbers =
        |number: &dyn Fn(&&FileSpec) -> u32| Value::Int32(files.iter().map(number).collect());
    let (directories, indexes, names) = split_paths(files);
    let sizes = files.iter().map(|file| file.size());
    let sizes = if archive.large {
        (tag::LONGFILESIZES, Value::Int64(sizes.collect()))
    } else {
        (tag::FILESIZES, Value::Int32(sizes.map(|size| size as u32).collect()))
    };
    let mut values = Values::from([
        sizes,
        (tag::FILEMODES, Value::Int16(files.iter().map(|file| file.full_mode()).collect())),
        (tag::FILERDEVS, Value::Int16(vec![0; files.len()])),
        (tag::FILEMTIMES, numbers(&|file| file.mtime.min(options.source_date))),
        (tag::FILEDIGESTS, Value::StringArray(archive.file_digests.clone())),
        (tag::FILELINKTOS, texts(&target)),
        (tag::FILEFLAGS, numbers(&flags)),
        (tag::FILEUSERNAME, texts(&|file| file.user.clone())),
        (tag::FILEGROUPNAME, texts(&|file| file.group.clone())),
        (tag::FILEVERIFYFLAGS, numbers(&compared)),
        (tag::FILEDEVICES, Value::Int32(vec![1; files.len()])),
        (tag::FILEINODES, Value::Int32((1..=files.len() as u32).collect())),
        (tag::FILELANGS, Value::StringArray(vec![String::new(); files.len()])),
        (tag::DIRINDEXES, Value::Int32(indexes)),
        (tag::BASENAMES, Value::StringArray(names)),
        (tag::DIRNAMES, Value::StringArray(directories)),
    ]);
    if files.iter().any(|file| !file.caps.is_empty()) {
        values.insert(tag::FILECAPS, texts(&|file| file.caps.clone()));
    }
    values
}

/// Splits sorted paths into directories, the index of each file's directory, and base names.
fn split_paths(files: &[&FileSpec]) -> (Vec<String>, Vec<u32>, Vec<String>) {
    let mut directories = Vec::new();
    let mut positions = BTreeMap::new();
    let (mut indexes, mut names) = (Vec::new(), Vec::new());
    for file in files {
        let split = file.path.rfind('/').map_or(0, |slash| slash + 1);
        let (directory, name) = file.path.split_at(split);
        let index = *positions.entry(directory).or_insert_with(|| {
            directories.push(directory.to_owned());
            directories.len() as u32 - 1
        });
        indexes.push(index);
        names.push(name.to_owned());
    }
    (directories, indexes, names)
}

fn dependency_values(spec: &PackageSpec, archive: &Archive) -> Values {
    let (provides, requires) = (provides(spec), requires(spec, archive));
    let lists = [
        ([tag::PROVIDENAME, tag::PROVIDEFLAGS, tag::PROVIDEVERSION], &provides),
        ([tag::REQUIRENAME, tag::REQUIREFLAGS, tag::REQUIREVERSION], &requires),
        ([tag::CONFLICTNAME, tag::CONFLICTFLAGS, tag::CONFLICTVERSION], &spec.conflicts),
        ([tag::OBSOLETENAME, tag::OBSOLETEFLAGS, tag::OBSOLETEVERSION], &spec.obsoletes),
        ([tag::RECOMMENDNAME, tag::RECOMMENDFLAGS, tag::RECOMMENDVERSION], &spec.recommends),
        ([tag::SUGGESTNAME, tag::SUGGESTFLAGS, tag::SUGGESTVERSION], &spec.suggests),
        ([tag::SUPPLEMENTNAME, tag::SUPPLEMENTFLAGS, tag::SUPPLEMENTVERSION], &spec.supplements),
        ([tag::ENHANCENAME, tag::ENHANCEFLAGS, tag::ENHANCEVERSION], &spec.enhances),
        ([tag::ORDERNAME, tag::ORDERFLAGS, tag::ORDERVERSION], &spec.order_with_requires),
    ];
    let mut values = Values::new();
    for ([names, flags, versions], dependencies) in lists {
        let mut rows: Vec<(String, String, u32)> =
            dependencies.iter().map(|d| (d.name.clone(), d.evr_text(), d.flags())).collect();
        rows.sort();
        rows.dedup();
        let texts = |text: &dyn Fn(&(String, String, u32)) -> String| {
            Value::StringArray(rows.iter().map(text).collect())
        };
        values.insert(names, texts(&|row| row.0.clone()));
        values.insert(versions, texts(&|row| row.1.clone()));
        values.insert(flags, Value::Int32(rows.iter().map(|row| row.2).collect()));
    }
    values
}

fn has_config_file(spec: &PackageSpec) -> bool {
    spec.files.iter().any(|file| file.flags.is_config())
}

/// Returns the dependency `config(name) = evr` with rpm's mark for it.
fn config_dependency(spec: &PackageSpec) -> Dependency {
    let name = format!("config({})", spec.name);
    let mut dependency = Dependency::versioned(name, Comparison::Equal, spec.evr.clone());
    dependency.sense = 1 << 28;
    dependency
}

fn provides(spec: &PackageSpec) -> Vec<Dependency> {
    let own = |name: String| Dependency::versioned(name, Comparison::Equal, spec.evr.clone());
    let mut provides = spec.provides.clone();
    provides.push(own(spec.name.clone()));
    let isa = match spec.arch.as_str() {
        "x86_64" => Some("x86-64"),
        "aarch64" => Some("aarch-64"),
        "i386" | "i486" | "i586" | "i686" => Some("x86-32"),
        _ => None,
    };
    provides.extend(isa.map(|isa| own(format!("{}({isa})", spec.name))));
    if has_config_file(spec) {
        provides.push(config_dependency(spec));
    }
    provides
}

fn requires(spec: &PackageSpec, archive: &Archive) -> Vec<Dependency> {
    let mut requires = spec.requires.clone();
    requires.extend(rpmlib_requires(spec, archive));
    if has_config_file(spec) {
        requires.push(config_dependency(spec));
    }
    let mut interpreter = |path: Option<&str>, phase: u32| {
        if let Some(path) = path.filter(|path| path.starts_with('/')) {
            let mut dependency = Dependency::new(path);
            dependency.sense = sense::INTERP | phase;
            requires.push(dependency);
        }
    };
    for (kind, scriptlet) in &spec.scriptlets {
        let phase = match kind {
            ScriptletKind::PreTransaction => sense::PRETRANS,
            ScriptletKind::PreInstall => sense::SCRIPT_PRE,
            ScriptletKind::PostInstall => sense::SCRIPT_POST,
            ScriptletKind::PreUninstall => sense::SCRIPT_PREUN,
            ScriptletKind::PostUninstall => sense::SCRIPT_POSTUN,
            ScriptletKind::PostTransaction => 1 << 5,
            ScriptletKind::PreUnTransaction => 1 << 20,
            ScriptletKind::PostUnTransaction => 1 << 21,
            ScriptletKind::Verify => sense::SCRIPT_VERIFY,
        };
        interpreter(scriptlet.interpreter.first().map(String::as_str), phase);
    }
    for trigger in &spec.triggers {
        interpreter(Some(&trigger.interpreter), 0);
    }
    requires
}

/// Returns the features of rpm that are needed to install the package.
fn rpmlib_requires(spec: &PackageSpec, archive: &Archive) -> Vec<Dependency> {
    let scripts = || spec.scriptlets.values();
    let dependencies = [
        &spec.provides,
        &spec.requires,
        &spec.conflicts,
        &spec.obsoletes,
        &spec.recommends,
        &spec.suggests,
        &spec.supplements,
        &spec.enhances,
    ];
    let mut versions = dependencies.into_iter().flatten().map(Dependency::evr_text);
    let own_evr = spec.evr.to_string();
    let mut version_has = |c| own_evr.contains(c) || versions.any(|evr| evr.contains(c));
    let (tilde, caret) = (version_has('~'), version_has('^'));
    let lua = scripts().any(|s| s.interpreter.first().is_some_and(|program| program == "<lua>"))
        || spec.triggers.iter().any(|trigger| trigger.interpreter == "<lua>");
    let expand = script_flags::EXPAND | script_flags::QUERYFORMAT;
    let features = [
        ("CompressedFileNames", "3.0.4-1", !spec.files.is_empty()),
        ("FileDigests", "4.6.0-1", !spec.files.is_empty()),
        ("PayloadFilesHavePrefix", "4.0-1", true),
        ("PayloadIsZstd", "5.4.18-1", true),
        ("LargeFiles", "4.12.0-1", archive.large),
        ("FileCaps", "4.6.1-1", spec.files.iter().any(|file| !file.caps.is_empty())),
        (
            "RichDependencies",
            "4.12.0-1",
            dependencies.into_iter().flatten().any(Dependency::is_rich),
        ),
        ("TildeInVersions", "4.10.0-1", tilde),
        ("CaretInVersions", "4.15.0-1", caret),
        ("BuiltinLuaScripts", "4.2.2-1", lua),
        ("ScriptletInterpreterArgs", "4.0.3-1", scripts().any(|s| s.interpreter.len() > 1)),
        ("ScriptletExpansion", "4.9.0-1", scripts().any(|s| s.flags & expand != 0)),
    ];
    let needed = features.into_iter().filter(|(_, _, needed)| *needed);
    needed.map(|(name, version, _)| rpmlib(name, version)).collect()
}

fn rpmlib(name: &str, version: &str) -> Dependency {
    let (version, release) = version.split_once('-').unwrap_or((version, ""));
    let evr = Evr::new(0, version, release);
    let name = format!("rpmlib({name})");
    let mut dependency = Dependency::versioned(name, Comparison::LessOrEqual, evr);
    dependency.sense = sense::RPMLIB;
    dependency
}

fn scriptlet_values(kind: ScriptletKind, scriptlet: &Scriptlet) -> Values {
    let (body, program, flags) = kind.tags();
    let mut values = Values::new();
    let program_value = match scriptlet.interpreter.as_slice() {
        [] => Value::text("/bin/sh"),
        [one] => Value::text(one),
        several => Value::StringArray(several.to_vec()),
    };
    values.insert(program, program_value);
    values.extend(scriptlet.body.as_ref().map(|text| (body, Value::text(text))));
    if scriptlet.flags != 0 {
        values.insert(flags, Value::number(scriptlet.flags));
    }
    values
}

fn trigger_values(spec: &PackageSpec, scope: TriggerScope) -> Values {
    let tags = match scope {
        TriggerScope::Package => header::TRIGGERS,
        TriggerScope::File => header::FILE_TRIGGERS,
        TriggerScope::TransactionFile => header::TRANSACTION_FILE_TRIGGERS,
    };
    let triggers: Vec<&TriggerSpec> =
        spec.triggers.iter().filter(|trigger| trigger.scope == scope).collect();
    let conditions: Vec<(u32, TriggerKind, &Dependency)> = triggers
        .iter()
        .enumerate()
        .flat_map(|(index, trigger)| {
            trigger.conditions.iter().map(move |(kind, d)| (index as u32, *kind, d))
        })
        .collect();
    let texts = |text: &dyn Fn(&Dependency) -> String| {
        Value::StringArray(conditions.iter().map(|(_, _, d)| text(d)).collect())
    };
    let flags = conditions.iter().map(|(_, kind, d)| d.flags() | kind.sense()).collect();
    let body = |t: &&TriggerSpec| t.body.clone().unwrap_or_default();
    let mut values = Values::from([
        (tags.scripts, Value::StringArray(triggers.iter().map(body).collect())),
        (
            tags.programs,
            Value::StringArray(triggers.iter().map(|t| t.interpreter.clone()).collect()),
        ),
        (tags.names, texts(&|dependency| dependency.name.clone())),
        (tags.versions, texts(&Dependency::evr_text)),
        (tags.flags, Value::Int32(flags)),
        (tags.indexes, Value::Int32(conditions.iter().map(|(index, _, _)| *index).collect())),
    ]);
    if let Some(priorities) = tags.priorities {
        values.insert(priorities, Value::Int32(triggers.iter().map(|t| t.priority).collect()));
    }
    if triggers.iter().any(|trigger| trigger.flags != 0) {
        let flags = triggers.iter().map(|trigger| trigger.flags).collect();
        values.insert(tags.script_flags, Value::Int32(flags));
    }
    values
}

fn changelog_values(spec: &PackageSpec) -> Values {
    let entries = || spec.changelog.iter();
    Values::from([
        (tag::CHANGELOGTIME, Value::Int32(entries().map(|entry| entry.time).collect())),
        (
            tag::CHANGELOGNAME,
            Value::StringArray(entries().map(|entry| entry.author.clone()).collect()),
        ),
        (
            tag::CHANGELOGTEXT,
            Value::StringArray(entries().map(|entry| entry.text.clone()).collect()),
        ),
    ])
}
