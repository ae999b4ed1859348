// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tags of query formats: those stored in headers, and rpm's computed ones (`NEVRA`, `FILENAMES`, `REQUIRENEVRS`, …).

use super::Subject;
use crate::rpm::base64;
use cairn_rpm::dependency::Dependency;
use cairn_rpm::header::{FileEntry, Header, Value, mode};
use cairn_rpm::package::SIGNATURE_TAGS;
use cairn_rpm::tag;

/// Largest number of a stored tag.
const TAG_MAX: u32 = 5200;

/// A known tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TagId {
    /// In the header.
    Stored(u32),
    /// Computed; its name and number.
    Computed(&'static str, u32),
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

/// Computed tags with their numbers.
const COMPUTED: &[(&str, u32)] = &[
    ("ARCHSUFFIX", tag::ARCHSUFFIX),
    ("CONFLICTNEVRS", 5044),
    ("DBINSTANCE", tag::DBINSTANCE),
    ("ENHANCENEVRS", 5061),
    ("EPOCHNUM", tag::EPOCHNUM),
    ("EVR", tag::EVR),
    ("FILECLASS", tag::FILECLASS),
    ("FILEMIMES", tag::FILEMIMES),
    ("FILENAMES", tag::FILENAMES),
    ("FILENLINKS", tag::FILENLINKS),
    ("FILEPROVIDE", tag::FILEPROVIDE),
    ("FILEREQUIRE", tag::FILEREQUIRE),
    ("FILETRIGGERCONDS", tag::FILETRIGGERCONDS),
    ("FILETRIGGERTYPE", tag::FILETRIGGERTYPE),
    ("HEADERCOLOR", tag::HEADERCOLOR),
    ("INSTFILENAMES", tag::INSTFILENAMES),
    ("LONGARCHIVESIZE", tag::LONGARCHIVESIZE),
    ("LONGFILESIZES", tag::LONGFILESIZES),
    ("LONGSIGSIZE", tag::LONGSIGSIZE),
    ("LONGSIZE", tag::LONGSIZE),
    ("NEVR", tag::NEVR),
    ("NEVRA", tag::NEVRA),
    ("NVR", tag::NVR),
    ("NVRA", tag::NVRA),
    ("OBSOLETENEVRS", 5043),
    ("ORIGFILENAMES", tag::ORIGFILENAMES),
    ("PROVIDENEVRS", 5042),
    ("RECOMMENDNEVRS", 5058),
    ("REQUIRENEVRS", 5041),
    ("SUGGESTNEVRS", 5059),
    ("SUPPLEMENTNEVRS", 5060),
    ("SYSUSERS", tag::SYSUSERS),
    ("TRANSFILETRIGGERCONDS", tag::TRANSFILETRIGGERCONDS),
    ("TRANSFILETRIGGERTYPE", tag::TRANSFILETRIGGERTYPE),
    ("TRIGGERCONDS", tag::TRIGGERCONDS),
    ("TRIGGERTYPE", tag::TRIGGERTYPE),
    ("VERBOSE", tag::VERBOSE),
];

/// Other names of stored tags.
const ALIASES: &[(&str, u32)] = &[
    ("C", tag::CONFLICTNAME),
    ("CONFLICTS", tag::CONFLICTNAME),
    ("E", tag::EPOCH),
    ("ENHANCES", tag::ENHANCENAME),
    ("FILEMD5S", tag::FILEDIGESTS),
    ("HDRID", tag::SHA1HEADER),
    ("N", tag::NAME),
    ("O", tag::OBSOLETENAME),
    ("OBSOLETES", tag::OBSOLETENAME),
    ("OLDENHANCES", tag::OLDENHANCESNAME),
    ("OLDSUGGESTS", tag::OLDSUGGESTSNAME),
    ("P", tag::PROVIDENAME),
    ("PAYLOADSHA256", tag::PAYLOADDIGEST),
    ("PAYLOADSHA256ALGO", tag::PAYLOADDIGESTALGO),
    ("PAYLOADSHA256ALT", tag::PAYLOADDIGESTALT),
    ("PKGID", tag::SIGMD5),
    ("PROVIDES", tag::PROVIDENAME),
    ("R", tag::RELEASE),
    ("RECOMMENDS", tag::RECOMMENDNAME),
    ("REQUIRES", tag::REQUIRENAME),
    ("SOURCEPKGID", tag::SOURCESIGMD5),
    ("SUGGESTS", tag::SUGGESTNAME),
    ("SUPPLEMENTS", tag::SUPPLEMENTNAME),
    ("V", tag::VERSION),
];

/// Names rpm keeps to itself: `--querytags` does not list them, and queries do not know them.
const HIDDEN: &[&str] = &[
    "AUTOINSTALLED",
    "AUTOPROV",
    "AUTOREQ",
    "AUTOREQPROV",
    "BUILDPLATFORMS",
    "BUILDREQUIRES",
    "BUILDROOT",
    "COLLECTIONS",
    "DEFAULTPREFIX",
    "DOCDIR",
    "FILEDIGESTALGOS",
    "FILEGIDS",
    "FILETRIGGERIN",
    "FILETRIGGERPOSTUN",
    "FILETRIGGERUN",
    "FILEUIDS",
    "FSNAMES",
    "FSSIZES",
    "IDENTITY",
    "INSTALLPREFIX",
    "OLDORIGFILENAMES",
    "PACKAGECOLOR",
    "PACKAGEORIGIN",
    "PACKAGEPREFCOLOR",
    "PREREQ",
    "REMOVEPATHPOSTFIXES",
    "ROOT",
    "SOURCELICENSE",
    "SOURCESIGMD5",
    "TRANSFILETRIGGERIN",
    "TRANSFILETRIGGERPOSTUN",
    "TRANSFILETRIGGERUN",
    "TRIGGERIN",
    "TRIGGERPOSTUN",
    "TRIGGERPREIN",
    "TRIGGERUN",
];

impl TagId {
    /// Returns the tag of that name; case does not count and `RPMTAG_` may stand in front.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.strip_prefix("RPMTAG_").unwrap_or(name);
        let upper = name.to_ascii_uppercase();
        if let Some((known, number)) = COMPUTED.iter().find(|(known, _)| *known == upper) {
            return Some(Self::Computed(known, *number));
        }
        if let Some((_, number)) = ALIASES.iter().find(|(known, _)| *known == upper) {
            return Some(Self::Stored(*number));
        }
        (1..=TAG_MAX)
            .find(|number| tag::name(*number).is_some_and(|name| name == upper))
            .filter(|_| !HIDDEN.contains(&upper.as_str()))
            .map(Self::Stored)
    }

    /// Returns rpm's number.
    pub fn number(self) -> u32 {
        match self {
            Self::Stored(number) | Self::Computed(_, number) => number,
        }
    }

    /// Returns the name as rpm shows it: `Name`, and `Tag_0x…` for a tag it does not know.
    pub fn display_name(self) -> String {
        let name = match self {
            Self::Stored(number) => tag::name(number),
            Self::Computed(name, _) => Some(name),
        };
        let Some(name) = name else { return format!("Tag_{:#010x}", self.number()) };
        let lower = name.to_ascii_lowercase();
        let mut characters = lower.chars();
        characters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(characters).collect()
    }
}

/// Returns all names, sorted.
pub fn all_names() -> Vec<&'static str> {
    let other = COMPUTED.iter().chain(ALIASES).map(|(name, _)| *name);
    let mut names: Vec<&str> = (1..=TAG_MAX)
        .filter_map(tag::name)
        .chain(other)
        .filter(|name| !HIDDEN.contains(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the tags a package has, in rpm's order, those of its signature header among them.
pub fn stored_tags(subject: Subject<'_>) -> Vec<TagId> {
    let mut numbers: Vec<u32> =
        subject.header.tags().filter(|number| *number != tag::HEADERIMMUTABLE).collect();
    if let Some(signature) = subject.signature {
        let there = |number: &u32| signature_number(*number).is_some_and(|n| signature.has(n));
        numbers.extend(SIGNATURE_TAGS.iter().map(|(number, _)| *number).filter(there));
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().map(TagId::Stored).collect()
}

/// Returns all texts of a tag, numbers as digits and bytes in hexadecimal; for `-qa TAG=PATTERN`.
pub fn texts(name: &str, subject: Subject<'_>) -> Option<Vec<String>> {
    let column = load(TagId::parse(name)?, subject);
    let plain = |column: Column| -> Vec<String> {
        (0..column.len()).map(|index| super::formatters::plain(&column, index)).collect()
    };
    Some(column.map(plain).unwrap_or_default())
}

/// Returns the value of a tag, `None` when the package has none.
pub fn load(id: TagId, subject: Subject<'_>) -> Option<Column> {
    match id {
        TagId::Stored(tag::HEADERIMMUTABLE) => {
            Some(Column::Bytes(subject.header.immutable_bytes()))
        }
        TagId::Stored(number) => stored(subject.header, number)
            .or_else(|| subject.signature.and_then(|header| signature_tag(header, number))),
        TagId::Computed(name, _) => computed(name, subject),
    }
}

fn signature_number(number: u32) -> Option<u32> {
    SIGNATURE_TAGS.iter().find(|(known, _)| *known == number).map(|(_, there)| *there)
}

fn signature_tag(header: &Header, number: u32) -> Option<Column> {
    stored(header, signature_number(number)?)
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
        "LONGSIGSIZE" => either(subject, tag::LONGSIGSIZE, tag::SIGSIZE),
        "LONGARCHIVESIZE" => either(subject, tag::LONGARCHIVESIZE, tag::ARCHIVESIZE),
        "FILENAMES" | "INSTFILENAMES" | "LONGFILESIZES" | "FILENLINKS" | "ORIGFILENAMES" => {
            file_column(name, subject)
        }
        "FILEMIMES" => media_types(header),
        "FILECLASS" => file_classes(header),
        "FILEPROVIDE" => file_dependencies(header, b'P', &header.provides()),
        "FILEREQUIRE" => file_dependencies(header, b'R', &header.requires()),
        "TRIGGERCONDS" | "TRIGGERTYPE" => trigger_column(name, header),
        "SYSUSERS" => sysusers(header),
        "FILETRIGGERCONDS"
        | "TRANSFILETRIGGERCONDS"
        | "FILETRIGGERTYPE"
        | "TRANSFILETRIGGERTYPE" => file_trigger_column(name, header),
        nevrs => dependency_column(nevrs, header),
    }
}

/// A number that is stored in 64 bits or in 32.
fn either(subject: Subject<'_>, long: u32, short: u32) -> Option<Column> {
    load(TagId::Stored(long), subject).or_else(|| load(TagId::Stored(short), subject))
}

/// What `file` said about each file, and for packages that do not tell, what the mode says.
fn file_classes(header: &Header) -> Option<Column> {
    let files = header.files();
    let dictionary = header.strings(tag::CLASSDICT);
    let indexes = header.u32s(tag::FILECLASS);
    let class = |(index, file): (usize, &FileEntry)| {
        let stored = indexes.get(index).and_then(|class| dictionary.get(*class as usize));
        match stored {
            Some(text) if !text.is_empty() => (*text).to_owned(),
            _ => match file.kind() {
                mode::DIRECTORY => "directory".to_owned(),
                mode::SYMLINK => format!("symbolic link to `{}'", file.link_target),
                mode::CHARACTER => "character special".to_owned(),
                mode::BLOCK => "block special".to_owned(),
                mode::FIFO => "fifo (named pipe)".to_owned(),
                _ => String::new(),
            },
        }
    };
    (!files.is_empty()).then(|| Column::Texts(files.iter().enumerate().map(class).collect()))
}

/// The media type of each file, which packages of format 6 have.
fn media_types(header: &Header) -> Option<Column> {
    let types = header.strings(tag::MIMEDICT);
    let of = |at: u32| types.get(at as usize).map_or(String::new(), |text| (*text).to_owned());
    let indexes = header.u32s(tag::FILEMIMEINDEX);
    (!indexes.is_empty()).then(|| Column::Texts(indexes.into_iter().map(of).collect()))
}

/// The dependencies that come from each file, joined by blanks.
fn file_dependencies(header: &Header, kind: u8, list: &[Dependency]) -> Option<Column> {
    let made = header.file_dependencies();
    let one = |file: usize| {
        let entries = made.get(file).map_or(&[][..], Vec::as_slice);
        let wanted = entries.iter().filter(|entry| (**entry >> 24) as u8 == kind);
        let texts = wanted.filter_map(|entry| list.get((*entry & 0x00ff_ffff) as usize));
        texts.map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let n_files = header.file_count();
    (n_files > 0).then(|| Column::Texts((0..n_files).map(one).collect()))
}

/// The lines of sysusers.d(5) that a package's `user(…)`, `group(…)` and `groupmember(…)` provides carry.
fn sysusers(header: &Header) -> Option<Column> {
    let prefixes = ["user(", "group(", "groupmember("];
    let mut lines: Vec<String> = header
        .provides()
        .iter()
        .filter(|provide| prefixes.iter().any(|prefix| provide.name.starts_with(prefix)))
        .filter_map(|provide| {
            let text = provide.to_string();
            let (_, version) = text.split_once(" = ")?;
            String::from_utf8(base64::decode(version)?).ok()
        })
        .collect();
    lines.sort();
    (!lines.is_empty()).then_some(Column::Texts(lines))
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
    let numbers = |of: fn(&FileEntry) -> u64| Some(Column::Numbers(files.iter().map(of).collect()));
    match name {
        "LONGFILESIZES" => return numbers(|file| file.size),
        "FILENLINKS" => return numbers(|file| u64::from(file.nlink)),
        "ORIGFILENAMES" if !subject.header.has(tag::ORIGBASENAMES) => return None,
        _ => {}
    }
    let states = |file: &&FileEntry| file.state == Some(0);
    let keep = |file: &&FileEntry| name != "INSTFILENAMES" || states(file);
    Some(Column::Texts(files.iter().filter(keep).map(|file| file.path.clone()).collect()))
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
