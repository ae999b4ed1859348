// SPDX-License-Identifier: MIT OR Apache-2.0
//! The transaction journal: an append-only file of checksummed records in `var/lib/cairn/journal/`.
//!
//! Layout: 8 bytes `CAIRNJNL`, format version (u32 LE), then records of length (u32 LE), CRC-32 of kind and payload (u32 LE), kind
//! (one byte), payload. Everything up to the `Commit` record is flushed to disk before the first live file changes, so what the
//! journal describes after a crash is complete. A torn last record is dropped; damage before an intact record is an error.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;

use cairn_host::{HostError, Root};
use serde::{Deserialize, Serialize};

use crate::scriptlet::CollectedScriptlet;

/// Directory of the journals below a root.
pub const DIRECTORY: &str = "var/lib/cairn/journal";

const MAGIC: &[u8; 8] = b"CAIRNJNL";
const VERSION: u32 = 1;
/// A record longer than this is damage, not data.
const RECORD_LIMIT: usize = 512 << 20;

/// Number of a transaction on one system; grows by one.
pub type TransactionId = u64;

/// First record of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// Number of the transaction.
    pub id: TransactionId,
    /// When it began, seconds since 1970.
    pub time: u32,
    /// [`RpmDb::fingerprint`](crate::rpmdb::RpmDb::fingerprint) of the database it was planned for.
    pub before: String,
    /// What it does, for people: one line per package.
    pub summary: Vec<String>,
    /// The transaction that this one takes back, if it is an undo.
    pub undoes: Option<TransactionId>,
    /// Directory of the rpm database below the root.
    #[serde(default = "usual_database")]
    pub database: String,
}

fn usual_database() -> String {
    crate::rpmdb::DIRECTORY.to_owned()
}

/// Owner, mode and time of a directory or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Permission bits, 0o7777.
    pub mode: u32,
    /// Owner; `None` leaves it.
    pub owner: Option<(u32, u32)>,
    /// Modification time; `None` leaves it.
    pub mtime: Option<i64>,
}

/// A change of the tree that is prepared before the commit. Paths are relative to the root and contain no symbolic links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Staging creates this directory.
    MakeDirectory {
        /// Its path.
        path: String,
        /// What it gets.
        attributes: Attributes,
    },
    /// An existing directory gets other attributes.
    SetDirectory {
        /// Its path.
        path: String,
        /// What it gets.
        attributes: Attributes,
        /// What it had.
        old: Attributes,
    },
    /// A file makes way for a directory, which is staged beside it with everything that goes into it.
    ReplaceDirectory {
        /// Number of the staged directory, and of the file's copy in the undo store.
        serial: u32,
        /// Its path.
        path: String,
        /// What the directory gets.
        attributes: Attributes,
        /// The file keeps this name beside it (`….rpmsave`).
        keep_as: Option<String>,
    },
    /// A file is staged that takes a directory's place, once that is removed ([`Removal::then_place`]).
    PlaceLater {
        /// Number of the staged file.
        serial: u32,
        /// Where it goes.
        target: String,
    },
    /// A staged file is put in place.
    Place {
        /// Number of the staged file: `.cairn-ID-SERIAL` beside the target.
        serial: u32,
        /// Where it goes.
        target: String,
        /// The present file keeps this name beside it (`….rpmsave`, `….rpmorig`).
        keep_as: Option<String>,
        /// Digest of a configuration file, to tell later whether it was changed since.
        config: Option<String>,
    },
}

/// Removal of one file or directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Number of its copy in the undo store; distinct from those of [`Step::Place`].
    pub serial: u32,
    /// Its path.
    pub path: String,
    /// It is renamed to this instead of removed.
    pub keep_as: Option<String>,
    /// It is a directory: removed only if empty. Its attributes serve undo.
    pub directory: Option<Attributes>,
    /// Number of the staged file that takes the removed directory's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then_place: Option<u32>,
}

/// What is left to do, in order, once files are in place and the database is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AfterStep {
    /// A scriptlet or trigger.
    Scriptlet(CollectedScriptlet),
    /// Files of a removed package go.
    Remove {
        /// The package, for messages.
        package: String,
        /// Files and directories, in order.
        removals: Vec<Removal>,
    },
    /// Accounts are created for lines as in sysusers.d(5), because their files came with the transaction.
    Accounts {
        /// The lines.
        lines: Vec<String>,
        /// Seconds since 1970, recorded as the last change of the passwords.
        time: u32,
    },
    /// Owners that could not be resolved before a scriptlet created them: path, mode, user, group.
    Own(Vec<(String, u32, String, String)>),
}

/// Which side of the transaction a package is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It comes.
    Added,
    /// It goes.
    Erased,
}

/// A package's database row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRow {
    /// Whether it comes or goes.
    pub side: Side,
    /// Its number in the database.
    pub hnum: u64,
    /// The row.
    pub blob: Vec<u8>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// First record.
    Begin(Begin),
    /// Changes prepared before the commit.
    Steps(Vec<Step>),
    /// A package that comes or goes.
    Package(PackageRow),
    /// What follows the commit.
    After(Vec<AfterStep>),
    /// Point of no return.
    Commit,
    /// All files are in place.
    Applied,
    /// The database is changed.
    Stored,
    /// A step of `After` begins.
    Started(u32),
    /// A step of `After` ended; with an error text if it failed.
    Finished(u32, Option<String>),
    /// Everything is done.
    Done,
}

/// What is wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A record in the middle is damaged.
    #[error("journal `{name}`: record at byte {offset} is damaged, but intact records follow it")]
    Damaged {
        /// File name.
        name: String,
        /// Where.
        offset: usize,
    },
    /// It is not a journal.
    #[error("journal `{name}`: not a journal (expected `CAIRNJNL`)")]
    NotAJournal {
        /// File name.
        name: String,
    },
    /// A newer program wrote it.
    #[error("journal `{name}`: format {found} (expected {VERSION})")]
    Version {
        /// File name.
        name: String,
        /// Format found.
        found: u32,
    },
    /// It was written for another system or another state of this one.
    #[error(
        "journal `{name}` belongs to another package database (expected {expected}, found {found})"
    )]
    OtherRoot {
        /// File name.
        name: String,
        /// Fingerprint in the journal.
        expected: String,
        /// Fingerprint of the database.
        found: String,
    },
    /// Records are in an impossible order.
    #[error("journal `{name}`: {reason}")]
    Malformed {
        /// File name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A file operation failed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Writing failed.
    #[error("cannot write the journal")]
    Write(#[source] std::io::Error),
}

impl JournalError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged { .. } | Self::NotAJournal { .. } | Self::Malformed { .. } => Some(format!(
                "nothing was changed; check the disk, keep a copy of `/{DIRECTORY}`, compare with `rpm -Va`, then move the journal away"
            )),
            Self::Version { .. } => Some("a newer version of this program wrote it: install that version and run `dnf recover`".to_owned()),
            Self::OtherRoot { .. } => Some(format!(
                "nothing was changed; if the database was rebuilt or restored since, check with `rpm -Va` and move the journal away from `/{DIRECTORY}`"
            )),
            Self::Host(error) => error.hint(),
            Self::Write(_) => None,
        }
    }
}

/// Returns the file name of a transaction's journal.
pub fn file_name(id: TransactionId) -> String {
    format!("{id:08}.journal")
}

/// Appends records to a journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
}

impl Journal {
    /// Begins a journal; its directory must exist.
    pub fn create(root: &Root, begin: &Begin) -> Result<Self, JournalError> {
        let path = format!("{DIRECTORY}/{}", file_name(begin.id));
        let mut journal = Self { file: root.create_new(&path, 0o600)? };
        if let Err(error) = journal.begin(root, begin) {
            // The first error is the one to report; what is left here is dropped by the next recovery.
            let _ = root.remove_file(&path);
            return Err(error);
        }
        Ok(journal)
    }

    fn begin(&mut self, root: &Root, begin: &Begin) -> Result<(), JournalError> {
        let mut head = MAGIC.to_vec();
        head.extend_from_slice(&VERSION.to_le_bytes());
        self.file.write_all(&head).map_err(JournalError::Write)?;
        self.append(&Record::Begin(begin.clone()))?;
        self.flush()?;
        Ok(root.fsync_dir(DIRECTORY)?)
    }

    /// Opens an existing journal for more records, after cutting it to `length` intact bytes.
    pub fn resume(root: &Root, name: &str, length: u64) -> Result<Self, JournalError> {
        let path = format!("{DIRECTORY}/{name}");
        let cut = root.open_read_write(&path)?;
        cut.set_len(length).map_err(JournalError::Write)?;
        Ok(Self { file: root.open_append(&path, 0o600)? })
    }

    /// Appends a record; it is on disk only after [`Journal::flush`].
    pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        self.file.write_all(&encode(record)?).map_err(JournalError::Write)
    }

    /// Flushes all records to disk.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        self.file.sync_data().map_err(JournalError::Write)
    }
}

/// What a journal says after it was read back.
#[derive(Clone, Debug)]
pub struct Content {
    /// First record.
    pub begin: Begin,
    /// Changes prepared before the commit.
    pub steps: Vec<Step>,
    /// Packages that come and go.
    pub packages: Vec<PackageRow>,
    /// What follows the commit.
    pub after: Vec<AfterStep>,
    /// How far it came.
    pub progress: Progress,
    /// Bytes up to the end of the last intact record.
    pub length: u64,
}

impl Content {
    /// Returns what its rows of the database hold once it is stored; `None`: nothing.
    pub fn rows_after(&self) -> BTreeMap<u64, Option<&Vec<u8>>> {
        let mut rows = BTreeMap::new();
        for package in &self.packages {
            let row = rows.entry(package.hnum).or_insert(None);
            if package.side == Side::Added {
                *row = Some(&package.blob);
            }
        }
        rows
    }

    /// Tells whether a package neither comes nor goes: only its row changes.
    pub fn only_changes(&self, hnum: u64) -> bool {
        self.packages.iter().filter(|package| package.hnum == hnum).count() > 1
    }
}

/// How far a transaction came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The point of no return was passed.
    pub committed: bool,
    /// All files are in place.
    pub applied: bool,
    /// The database is changed.
    pub stored: bool,
    /// Steps of `after` that began.
    pub started: Vec<u32>,
    /// Steps of `after` that ended, with the error of those that failed.
    pub finished: Vec<(u32, Option<String>)>,
    /// Everything is done.
    pub done: bool,
}

/// Returns the names of the journals of a root, oldest first.
pub fn list(root: &Root) -> Result<Vec<String>, JournalError> {
    if !root.exists(DIRECTORY)? {
        return Ok(Vec::new());
    }
    let mut names = root.read_dir(DIRECTORY)?;
    names.retain(|name| name.ends_with(".journal"));
    Ok(names)
}

/// Reads a journal. `None` if not even its first record was completed: then nothing has been done under it.
pub fn read(root: &Root, directory: &str, name: &str) -> Result<Option<Content>, JournalError> {
    parse(name, &root.read(format!("{directory}/{name}"))?)
}

/// Parses a journal's bytes; see [`read`].
pub fn parse(name: &str, bytes: &[u8]) -> Result<Option<Content>, JournalError> {
    let Some(magic) = bytes.get(..12) else { return Ok(None) };
    if &magic[..8] != MAGIC {
        return Err(JournalError::NotAJournal { name: name.to_owned() });
    }
    let found = u32::from_le_bytes([magic[8], magic[9], magic[10], magic[11]]);
    if found != VERSION {
        return Err(JournalError::Version { name: name.to_owned(), found });
    }
    let (records, length) = records(name, bytes)?;
    let mut records = records.into_iter();
    let begin = match records.next() {
        Some(Record::Begin(begin)) => begin,
        Some(_) => return Err(malformed(name, "it does not begin with a Begin record")),
        None => return Ok(None),
    };
    let mut content = Content {
        begin,
        steps: Vec::new(),
        packages: Vec::new(),
        after: Vec::new(),
        progress: Progress::default(),
        length,
    };
    for record in records {
        let progress = &mut content.progress;
        match record {
            Record::Begin(_) => return Err(malformed(name, "it begins twice")),
            Record::Steps(_) | Record::Package(_) | Record::After(_) if progress.committed => {
                return Err(malformed(name, "a plan follows the commit"));
            }
            Record::Steps(steps) => content.steps.extend(steps),
            Record::Package(package) => content.packages.push(package),
            Record::After(after) => content.after.extend(after),
            Record::Commit => progress.committed = true,
            Record::Applied => progress.applied = true,
            Record::Stored => progress.stored = true,
            Record::Started(index) => progress.started.push(index),
            Record::Finished(index, error) => progress.finished.push((index, error)),
            Record::Done => progress.done = true,
        }
    }
    Ok(Some(content))
}

fn malformed(name: &str, reason: &str) -> JournalError {
    JournalError::Malformed { name: name.to_owned(), reason: reason.to_owned() }
}

/// Splits a journal into records and returns them with the length of the intact part.
fn records(name: &str, bytes: &[u8]) -> Result<(Vec<Record>, u64), JournalError> {
    let mut records = Vec::new();
    let mut offset = 12;
    while offset < bytes.len() {
        match decode(&bytes[offset..]) {
            Some((record, length)) => {
                records.push(record);
                offset += length;
            }
            None if intact_record_after(bytes, offset) => {
                return Err(JournalError::Damaged { name: name.to_owned(), offset });
            }
            None => break,
        }
    }
    Ok((records, offset as u64))
}

/// Tells whether an intact record begins anywhere after a damaged one at `offset`.
fn intact_record_after(bytes: &[u8], offset: usize) -> bool {
    (offset + 1..bytes.len().saturating_sub(8)).any(|at| decode(&bytes[at..]).is_some())
}

const KIND_PACKAGE: u8 = 3;

fn encode(record: &Record) -> Result<Vec<u8>, JournalError> {
    let json = |kind: u8, value: serde_json::Result<Vec<u8>>| {
        value.map(|payload| (kind, payload)).map_err(|error| JournalError::Write(error.into()))
    };
    let (kind, payload) = match record {
        Record::Begin(begin) => json(1, serde_json::to_vec(begin))?,
        Record::Steps(steps) => json(2, serde_json::to_vec(steps))?,
        Record::Package(PackageRow { side, hnum, blob }) => {
            let mut payload = vec![u8::from(*side == Side::Erased)];
            payload.extend_from_slice(&hnum.to_le_bytes());
            payload.extend_from_slice(blob);
            (KIND_PACKAGE, payload)
        }
        Record::After(after) => json(4, serde_json::to_vec(after))?,
        Record::Commit => (5, Vec::new()),
        Record::Applied => (6, Vec::new()),
        Record::Stored => (7, Vec::new()),
        Record::Started(index) => json(8, serde_json::to_vec(index))?,
        Record::Finished(index, error) => json(9, serde_json::to_vec(&(index, error)))?,
        Record::Done => (10, Vec::new()),
    };
    let mut body = Vec::with_capacity(payload.len() + 9);
    body.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    body.extend_from_slice(&checksum(kind, &payload).to_le_bytes());
    body.push(kind);
    body.extend_from_slice(&payload);
    Ok(body)
}

fn checksum(kind: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(payload);
    hasher.finalize()
}

/// Decodes the record at the start of `bytes`; `None` if there is no intact one.
fn decode(bytes: &[u8]) -> Option<(Record, usize)> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let length = word(0)? as usize;
    if length > RECORD_LIMIT {
        return None;
    }
    let kind = *bytes.get(8)?;
    if !(1..=10).contains(&kind) {
        return None;
    }
    let payload = bytes.get(9..9 + length)?;
    if checksum(kind, payload) != word(4)? {
        return None;
    }
    let record = match kind {
        1 => Record::Begin(serde_json::from_slice(payload).ok()?),
        2 => Record::Steps(serde_json::from_slice(payload).ok()?),
        KIND_PACKAGE => {
            let side = if *payload.first()? == 1 { Side::Erased } else { Side::Added };
            let hnum = u64::from_le_bytes(payload.get(1..9)?.try_into().ok()?);
            Record::Package(PackageRow { side, hnum, blob: payload[9..].to_vec() })
        }
        4 => Record::After(serde_json::from_slice(payload).ok()?),
        5 => Record::Commit,
        6 => Record::Applied,
        7 => Record::Stored,
        8 => Record::Started(serde_json::from_slice(payload).ok()?),
        9 => {
            let (index, error) = serde_json::from_slice(payload).ok()?;
            Record::Finished(index, error)
        }
        _ => Record::Done,
    };
    Some((record, 9 + length))
}
