// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tags of query formats: those stored in headers, and rpm's computed ones (`NEVRA`, `FILENAMES`, `REQUIRENEVRS`, …).

use super::Subject;
use cairn_rpm::header::{Header, Value};
use cairn_rpm::tag;

/// Largest number of a stored tag.
const TAG_MAX: u32 = 5200;

/// A known tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagId {
    /// In the header.
    Stored(u32),
    /// Computed; the name.
    Computed(&'static str),
}

/// The value of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Numbers.
    Numbers(Vec<u64>),
    /// Texts.
    Texts(Vec<String>),
    /// Bytes, one element.
    Bytes(Vec<u8>),
}

impl Column {
    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Texts(texts) => texts.len(),
            Self::Bytes(_) => 1,
        }
    }
}

const COMPUTED: &[&str] = &[
    "NVR",
    "NEVR",
    "NEVRA",
    "NVRA",
    "EVR",
    "EPOCHNUM",
    "N",
    "V",
    "R",
    "E",
    "FILENAMES",
    "INSTFILENAMES",
    "LONGSIZE",
    "LONGFILESIZES",
    "DBINSTANCE",
    "HEADERCOLOR",
    "ARCHSUFFIX",
    "VERBOSE",
    "TRIGGERCONDS",
    "TRIGGERTYPE",
    "REQUIRENEVRS",
    "PROVIDENEVRS",
    "CONFLICTNEVRS",
    "OBSOLETENEVRS",
    "RECOMMENDNEVRS",
    "SUGGESTNEVRS",
    "SUPPLEMENTNEVRS",
    "ENHANCENEVRS",
    "FILEMD5S",
    "REQUIRES",
    "PROVIDES",
    "CONFLICTS",
    "OBSOLETES",
    "RECOMMENDS",
    "SUGGESTS",
    "SUPPLEMENTS",
    "ENHANCES",
    "PKGID",
    "HDRID",
    "SYSUSERS",
    "FILETRIGGERCONDS",
    "TRANSFILETRIGGERCONDS",
    "FILETRIGGERTYPE",
    "TRANSFILETRIGGERTYPE",
    "C",
    "O",
    "P",
];

impl TagId {
    /// Returns the tag of that name; case does not count and `RPMTAG_` may stand in front.
    pub fn parse(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        let upper = upper.strip_prefix("RPMTAG_").unwrap_or(&upper);
        if let Some(known) = COMPUTED.iter().find(|known| **known == upper) {
            return Some(Self::Computed(known));
        }
        (1..=TAG_MAX).find(|number| tag::name(*number) == Some(upper)).map(Self::Stored)
    }

    /// Returns rpm's name, with a capital letter only at the start as rpm shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stored(number) => tag::name(number).unwrap_or("(unknown)"),
            Self::Computed(name) => name,
        }
    }
}

/// Returns all names, sorted.
pub fn all_names() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        (1..=TAG_MAX).filter_map(tag::name).chain(COMPUTED.iter().copied()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the value of a tag, `None` when the package has none.
pub fn load(id: TagId, subject: Subject<'_>) -> Option<Column> {
    match id {
        TagId::Stored(number) => stored(subject.header, number)
            .or_else(|| subject.signature.and_then(|header| signature_tag(header, number))),
        TagId::Computed(name) => computed(name, subject),
    }
}

/// Tags that a package file has in its signature header and an installed package in its own.
fn signature_tag(header: &Header, number: u32) -> Option<Column> {
    let there = match number {
        tag::SIGMD5 => 1004,
        tag::SIGSIZE => 1000,
        tag::ARCHIVESIZE => 1007,
        tag::SIGPGP => 1002,
        tag::SIGGPG => 1005,
        tag::RSAHEADER | tag::DSAHEADER | tag::SHA1HEADER | tag::SHA256HEADER | tag::OPENPGP => {
            number
        }
        _ => return None,
    };
    stored(header, there)
}

fn stored(header: &Header, number: u32) -> Option<Column> {
    Some(match header.value(number)? {
        Value::Char(bytes) | Value::Int8(bytes) => {
            Column::Numbers(bytes.into_iter().map(u64::from).collect())
        }
        Value::Int16(numbers) => Column::Numbers(numbers.into_iter().map(u64::from).collect()),
        Value::Int32(numbers) => Column::Numbers(numbers.into_iter().map(u64::from).collect()),
        Value::Int64(numbers) => Column::Numbers(numbers),
        Value::String(text) => Column::Texts(vec![text]),
        Value::StringArray(texts) => Column::Texts(texts),
        // Texts in several languages: the first is the untranslated one.
        Value::I18nString(texts) => Column::Texts(texts.into_iter().take(1).collect()),
        Value::Binary(bytes) => Column::Bytes(bytes),
    })
}

fn computed(name: &str, subject: Subject<'_>) -> Option<Column> {
    let header = subject.header;
    let one = |text: String| Some(Column::Texts(vec![text]));
    let evr = header.evr();
    let package = header.name();
    match name {
        "N" => one(package.to_owned()),
        "V" => one(evr.version),
        "R" => one(evr.release),
        "E" => stored(header, tag::EPOCH),
        "EPOCHNUM" => Some(Column::Numbers(vec![u64::from(evr.epoch)])),
        "EVR" => one(evr.to_string()),
        "NVR" => one(format!("{package}-{}", evr.without_epoch())),
        "NVRA" => one(with_arch(format!("{package}-{}", evr.without_epoch()), header)),
        "NEVR" => one(format!("{package}-{evr}")),
        "NEVRA" => one(with_arch(format!("{package}-{evr}"), header)),
        "ARCHSUFFIX" => one(with_arch(String::new(), header)),
        "DBINSTANCE" => Some(Column::Numbers(vec![subject.number])),
        "HEADERCOLOR" => Some(Column::Numbers(vec![
            header.files().iter().fold(0, |c, f| c | u64::from(f.color & 3)),
        ])),
        "VERBOSE" => subject.verbose.then(|| Column::Numbers(vec![1])),
        "LONGSIZE" => Some(Column::Numbers(vec![header.installed_size()])),
        "PKGID" => load(TagId::Stored(tag::SIGMD5), subject),
        "HDRID" => load(TagId::Stored(tag::SHA1HEADER), subject),
        "FILEMD5S" => stored(header, tag::FILEDIGESTS),
        "C" | "CONFLICTS" => stored(header, tag::CONFLICTNAME),
        "O" | "OBSOLETES" => stored(header, tag::OBSOLETENAME),
        "P" | "PROVIDES" => stored(header, tag::PROVIDENAME),
        "REQUIRES" => stored(header, tag::REQUIRENAME),
        "RECOMMENDS" => stored(header, tag::RECOMMENDNAME),
        "SUGGESTS" => stored(header, tag::SUGGESTNAME),
        "SUPPLEMENTS" => stored(header, tag::SUPPLEMENTNAME),
        "ENHANCES" => stored(header, tag::ENHANCENAME),
        "FILENAMES" | "INSTFILENAMES" | "LONGFILESIZES" => file_column(name, subject),
        "TRIGGERCONDS" | "TRIGGERTYPE" => trigger_column(name, header),
        "SYSUSERS"
        | "FILETRIGGERCONDS"
        | "TRANSFILETRIGGERCONDS"
        | "FILETRIGGERTYPE"
        | "TRANSFILETRIGGERTYPE" => file_trigger_column(name, header),
        nevrs => dependency_column(nevrs, header),
    }
}

fn with_arch(text: String, header: &Header) -> String {
    let arch = header.arch();
    if arch.is_empty() { text } else { format!("{text}.{arch}") }
}

fn file_column(name: &str, subject: Subject<'_>) -> Option<Column> {
    let files = subject.header.files();
    if files.is_empty() {
        return None;
    }
    if name == "LONGFILESIZES" {
        return Some(Column::Numbers(files.iter().map(|f| f.size).collect()));
    }
    let states = stored(subject.header, tag::FILESTATES);
    let installed = |index: usize| match &states {
        Some(Column::Numbers(states)) => states.get(index) == Some(&0),
        Some(Column::Bytes(states)) => states.get(index) == Some(&0),
        _ => true,
    };
    let keep = |index: usize| name == "FILENAMES" || installed(index);
    let paths =
        files.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, f)| f.path.clone()).collect();
    Some(Column::Texts(paths))
}

fn dependency_column(name: &str, header: &Header) -> Option<Column> {
    let list = match name {
        "REQUIRENEVRS" => header.requires(),
        "PROVIDENEVRS" => header.provides(),
        "CONFLICTNEVRS" => header.conflicts(),
        "OBSOLETENEVRS" => header.obsoletes(),
        "RECOMMENDNEVRS" => header.recommends(),
        "SUGGESTNEVRS" => header.suggests(),
        "SUPPLEMENTNEVRS" => header.supplements(),
        "ENHANCENEVRS" => header.enhances(),
        _ => return None,
    };
    if list.is_empty() {
        return None;
    }
    Some(Column::Texts(list.iter().map(ToString::to_string).collect()))
}

fn trigger_column(name: &str, header: &Header) -> Option<Column> {
    let scripts = header.strings(tag::TRIGGERSCRIPTS).len();
    let names = header.strings(tag::TRIGGERNAME);
    let versions = header.strings(tag::TRIGGERVERSION);
    let flags = header.u32s(tag::TRIGGERFLAGS);
    let indexes = header.u32s(tag::TRIGGERINDEX);
    let column = script_column(name == "TRIGGERCONDS", scripts, &indexes, |i| {
        let mut text = names.get(i).copied().unwrap_or_default().to_owned();
        let flag = flags.get(i).copied().unwrap_or(0);
        if flag & 0xe != 0 {
            let version = versions.get(i).copied().unwrap_or_default();
            text = format!("{text} {} {version}", super::dependency_flags(u64::from(flag)).trim());
        }
        (text, flag)
    });
    (scripts > 0).then_some(column)
}

fn file_trigger_column(name: &str, header: &Header) -> Option<Column> {
    let [scripts, names, flags, indexes] = if name.starts_with("TRANS") {
        [
            tag::TRANSFILETRIGGERSCRIPTS,
            tag::TRANSFILETRIGGERNAME,
            tag::TRANSFILETRIGGERFLAGS,
            tag::TRANSFILETRIGGERINDEX,
        ]
    } else if name.starts_with("FILE") {
        [
            tag::FILETRIGGERSCRIPTS,
            tag::FILETRIGGERNAME,
            tag::FILETRIGGERFLAGS,
            tag::FILETRIGGERINDEX,
        ]
    } else {
        return None;
    };
    let scripts = header.strings(scripts).len();
    let (names, flags, indexes) = (header.strings(names), header.u32s(flags), header.u32s(indexes));
    let column = script_column(name.ends_with("CONDS"), scripts, &indexes, |i| {
        (names.get(i).copied().unwrap_or_default().to_owned(), flags.get(i).copied().unwrap_or(0))
    });
    (scripts > 0).then_some(column)
}

/// Builds one text per script: its conditions, or the kind of its first condition.
fn script_column(
    conditions: bool,
    scripts: usize,
    indexes: &[u32],
    element: impl Fn(usize) -> (String, u32),
) -> Column {
    let texts = (0..scripts).map(|script| {
        let members = indexes
            .iter()
            .enumerate()
            .filter(|(_, s)| **s as usize == script)
            .map(|(i, _)| element(i));
        let members: Vec<(String, u32)> = members.collect();
        if conditions {
            return members.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(", ");
        }
        trigger_kind(members.first().map_or(0, |(_, flags)| *flags)).to_owned()
    });
    Column::Texts(texts.collect())
}

/// Returns rpm's word for the kind of a trigger.
pub fn trigger_kind(flags: u32) -> &'static str {
    match flags {
        f if f & (1 << 25) != 0 => "prein",
        f if f & (1 << 16) != 0 => "in",
        f if f & (1 << 17) != 0 => "un",
        f if f & (1 << 18) != 0 => "postun",
        _ => "",
    }
}
