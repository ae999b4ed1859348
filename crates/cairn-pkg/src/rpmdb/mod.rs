// SPDX-License-Identifier: MIT OR Apache-2.0
//! The installed packages: rpm's own SQLite database (`usr/lib/sysimage/rpm/rpmdb.sqlite`), readable and writable by real rpm.
//!
//! The layout is that of rpm 4.18 and 4.20: table `Packages` with one header blob per package and 18 index tables. A damaged row
//! costs only its own package: it is reported with its number, the others stay usable.

mod blob;
mod index;
mod schema;

use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::AsRawFd as _;

use cairn_host::{HostError, Root};
use cairn_rpm::header::Header;
use cairn_rpm::tag;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

pub(crate) use self::blob::with_file_states;
pub use self::blob::{FileState, InstallRecord, installed_blob};
use self::index::Key;

/// Directory of the database below a root.
pub const DIRECTORY: &str = "usr/lib/sysimage/rpm";
/// The database file below a root.
pub const FILE: &str = "usr/lib/sysimage/rpm/rpmdb.sqlite";

/// How to open the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read; the database must exist.
    ReadOnly,
    /// Read and write; the database must exist.
    ReadWrite,
    /// Read and write; created where it does not exist.
    Create,
    /// As `Create`, without any fsync: for staging roots that are thrown away after a crash.
    Scratch,
}

/// An installed package.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Its number in the database.
    pub hnum: u64,
    /// Its header, with the entries added at installation.
    pub header: Header,
}

/// What went wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum RpmDbError {
    /// There is no database.
    #[error("no rpm database at `{path}`")]
    Missing {
        /// Where it was looked for.
        path: String,
    },
    /// The file is not a usable database.
    #[error("rpmdb: `{path}` is damaged or not a database: {reason}")]
    Damaged {
        /// The file.
        path: String,
        /// What SQLite says, once.
        reason: String,
    },
    /// Another process holds the database.
    #[error("rpmdb: locked by another process")]
    Locked,
    /// The database cannot be written.
    #[error("rpmdb: `{path}` is read-only")]
    ReadOnly {
        /// The file.
        path: String,
    },
    /// One package's row cannot be read.
    #[error("rpmdb: row {hnum} unreadable: {reason}")]
    Row {
        /// Number of the row.
        hnum: u64,
        /// Why.
        reason: String,
    },
    /// SQLite failed.
    #[error("rpmdb: {operation}")]
    Sqlite {
        /// What was tried.
        operation: &'static str,
        /// The cause.
        source: rusqlite::Error,
    },
    /// A file operation failed.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl RpmDbError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some("is this the root of an RPM system? An empty root gets its database at the first install".to_owned()),
            Self::Damaged { .. } | Self::Row { .. } => {
                Some("run `dnf recover`, or `rpm --rebuilddb` to drop what cannot be read; reinstall the packages that are lost".to_owned())
            }
            Self::Locked => Some("wait for the other rpm or dnf to end".to_owned()),
            Self::ReadOnly { .. } => Some("run as root, on a writable file system".to_owned()),
            Self::Sqlite { .. } => None,
            Self::Host(error) => error.hint(),
        }
    }

    fn sqlite(operation: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::ReadOnly { path: FILE.to_owned() }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path: FILE.to_owned(), reason: source.to_string() }
            }
            _ => Self::Sqlite { operation, source },
        }
    }
}

type Result<T> = std::result::Result<T, RpmDbError>;

/// An open rpm database.
#[derive(Debug)]
pub struct RpmDb {
    connection: Connection,
    root: Root,
    /// The database file below the root.
    file: String,
    access: Access,
    /// Keeps `/proc/self/fd/N` alive.
    _directory: File,
}

fn file_in(directory: &str) -> String {
    format!("{}/rpmdb.sqlite", directory.trim_matches('/'))
}

impl RpmDb {
    /// Tells whether `root` has a database.
    pub fn exists(root: &Root) -> Result<bool> {
        Self::exists_in(root, DIRECTORY)
    }

    /// Tells whether a database exists in a directory of a root.
    pub fn exists_in(root: &Root, directory: &str) -> Result<bool> {
        Ok(root.symlink_metadata(file_in(directory))?.is_some_and(|stat| stat.is_file()))
    }

    /// Opens the database of a root.
    pub fn open(root: &Root, access: Access) -> Result<Self> {
        Self::open_in(root, DIRECTORY, access)
    }

    /// Opens the database in another directory of a root (`rpm --dbpath`).
    pub fn open_in(root: &Root, directory: &str, access: Access) -> Result<Self> {
        let file = file_in(directory);
        let creating = matches!(access, Access::Create | Access::Scratch);
        if creating {
            root.mkdir_all(directory, 0o755)?;
        } else if root.symlink_metadata(&file)?.is_none() {
            return Err(RpmDbError::Missing {
                path: root.path_for_display().join(&file).display().to_string(),
            });
        }
        let directory = root.open_read(directory)?;
        let path = format!("/proc/self/fd/{}/rpmdb.sqlite", directory.as_raw_fd());
        let connection = connect(root, &file, &path, access)?;
        connection
            .busy_timeout(std::time::Duration::from_secs(10))
            .map_err(RpmDbError::sqlite("set the lock timeout"))?;
        // Storing a package needs one for every index table.
        connection.set_prepared_statement_cache_capacity(2 * schema::TABLES.len());
        let db = Self { connection, root: root.clone(), file, access, _directory: directory };
        db.prepare()?;
        Ok(db)
    }

    fn prepare(&self) -> Result<()> {
        let run = |sql: &str, operation| {
            self.connection.execute_batch(sql).map_err(RpmDbError::sqlite(operation))
        };
        if self.access == Access::ReadOnly {
            let tables: u32 = self
                .connection
                .query_row("SELECT count(*) FROM sqlite_master WHERE name='Packages'", [], |row| {
                    row.get(0)
                })
                .map_err(RpmDbError::sqlite("read the list of tables"))?;
            return if tables == 1 { Ok(()) } else { Err(self.wrong_schema()) };
        }
        run("PRAGMA secure_delete = OFF", "prepare the database")?;
        run("PRAGMA journal_mode = WAL", "switch to write-ahead logging")?;
        run("PRAGMA wal_autocheckpoint = 10000", "prepare the database")?;
        let synchronous = if self.access == Access::Scratch { "OFF" } else { "FULL" };
        run(&format!("PRAGMA synchronous = {synchronous}"), "prepare the database")?;
        schema::create(&self.connection).map_err(RpmDbError::sqlite("create the tables"))
    }

    fn wrong_schema(&self) -> RpmDbError {
        let path = self.root.path_for_display().join(&self.file).display().to_string();
        RpmDbError::Damaged { path, reason: "it has no table `Packages`".to_owned() }
    }

    /// Returns the numbers of all packages in ascending order.
    pub fn numbers(&self) -> Result<Vec<u64>> {
        let failed = RpmDbError::sqlite("list the packages");
        let mut numbers = BTreeSet::new();
        let mut statement =
            self.connection.prepare_cached("SELECT hnum FROM Packages").map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        loop {
            match rows.next() {
                Ok(Some(row)) => {
                    numbers.insert(row.get::<_, u64>(0).map_err(&failed)?);
                }
                Ok(None) => return Ok(numbers.into_iter().collect()),
                // A damaged page ends the scan; the index of names is on other pages.
                Err(_) => break,
            }
        }
        drop(rows);
        numbers.extend(self.column::<u64>(
            "SELECT hnum FROM Name",
            params![],
            "list the packages",
        )?);
        Ok(numbers.into_iter().collect())
    }

    /// Returns all packages that can be read, by number.
    pub fn packages(&self) -> Result<Vec<Installed>> {
        Ok(self.packages_and_damage()?.0)
    }

    /// Returns all packages that can be read and one error for each row that cannot.
    pub fn packages_and_damage(&self) -> Result<(Vec<Installed>, Vec<RpmDbError>)> {
        let mut packages = Vec::new();
        let mut damage = Vec::new();
        for hnum in self.numbers()? {
            match self.package(hnum) {
                Ok(Some(package)) => packages.push(package),
                Ok(None) => damage
                    .push(RpmDbError::Row { hnum, reason: "indexed but not there".to_owned() }),
                Err(error) => damage.push(error),
            }
        }
        Ok((packages, damage))
    }

    /// Returns one package, `None` if there is none of that number.
    pub fn package(&self, hnum: u64) -> Result<Option<Installed>> {
        let Some(blob) = self.blob(hnum)? else { return Ok(None) };
        let header = parse_blob(hnum, &blob)?;
        Ok(Some(Installed { hnum, header }))
    }

    /// Returns a package's row as stored.
    pub fn blob(&self, hnum: u64) -> Result<Option<Vec<u8>>> {
        let unreadable =
            |source: rusqlite::Error| RpmDbError::Row { hnum, reason: source.to_string() };
        let mut statement = self
            .connection
            .prepare_cached("SELECT blob FROM Packages WHERE hnum=?")
            .map_err(RpmDbError::sqlite("read a package"))?;
        let blob = statement.query_row([hnum], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Some(bytes.to_vec()),
                _ => None,
            })
        });
        match blob.optional().map_err(unreadable)? {
            Some(Some(bytes)) => Ok(Some(bytes)),
            Some(None) => Err(RpmDbError::Row { hnum, reason: "it holds no header".to_owned() }),
            None => Ok(None),
        }
    }

    /// Returns the packages of that exact name.
    pub fn by_name(&self, name: &str) -> Result<Vec<Installed>> {
        self.by_key("Name", name)
    }

    /// Returns the packages that provide `name` (any version), by the Provides of their headers.
    pub fn by_provide(&self, name: &str) -> Result<Vec<Installed>> {
        self.by_key("Providename", name)
    }

    /// Returns the packages that one of rpm's index tables has under a key; `tag` is the table's tag (`REQUIRENAME`, …).
    ///
    /// Without such a table the result is empty.
    pub fn by_index(&self, tag: u32, key: &str) -> Result<Vec<Installed>> {
        match schema::TABLES.iter().find(|table| table.tag == tag) {
            Some(table) => self.by_key(table.name, key),
            None => Ok(Vec::new()),
        }
    }

    /// Returns the packages that require `name` (any version).
    pub fn by_require(&self, name: &str) -> Result<Vec<Installed>> {
        self.by_key("Requirename", name)
    }

    /// Returns the packages that own the absolute path, as their headers spell it.
    pub fn by_file(&self, path: &str) -> Result<Vec<Installed>> {
        let (_, base) = path.rsplit_once('/').unwrap_or(("", path));
        let mut owners = Vec::new();
        for hnum in
            self.by_basename(base)?.into_iter().map(|(hnum, _)| hnum).collect::<BTreeSet<_>>()
        {
            if let Some(package) = self.package(hnum)?
                && package.header.files().iter().any(|file| file.path == path)
            {
                owners.push(package);
            }
        }
        Ok(owners)
    }

    /// Returns (package number, position in its file list) of all files with that last path component.
    pub fn by_basename(&self, base: &str) -> Result<Vec<(u64, usize)>> {
        let failed = RpmDbError::sqlite("look up a file");
        let mut statement = self
            .connection
            .prepare_cached("SELECT hnum, idx FROM Basenames WHERE key=?")
            .map_err(&failed)?;
        let rows = statement
            .query_map([base], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, i64>(1)? as usize)))
            .map_err(&failed)?;
        let mut found = rows.collect::<rusqlite::Result<Vec<_>>>().map_err(&failed)?;
        found.sort_unstable();
        Ok(found)
    }

    /// Returns the name and number of every package in the index of names, in no order; no header is read.
    pub fn names(&self) -> Result<Vec<(String, u64)>> {
        let failed = RpmDbError::sqlite("list the packages");
        let mut statement =
            self.connection.prepare_cached("SELECT key, hnum FROM Name").map_err(&failed)?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(&failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(&failed)
    }

    /// Returns the numbers of the packages of that name.
    pub fn numbers_by_name(&self, name: &str) -> Result<Vec<u64>> {
        let mut numbers: Vec<u64> =
            self.column("SELECT hnum FROM Name WHERE key=?", params![name], "look up a name")?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Returns the numbers of the packages that have triggers of any kind.
    pub(crate) fn numbers_with_triggers(&self) -> Result<BTreeSet<u64>> {
        let mut numbers = BTreeSet::new();
        for table in ["Triggername", "Filetriggername", "Transfiletriggername"] {
            numbers.extend(self.column::<u64>(
                &format!("SELECT DISTINCT hnum FROM '{table}'"),
                params![],
                "list the triggers",
            )?);
        }
        Ok(numbers)
    }

    /// Returns a digest of which packages the database holds: number and header digest of each. Equal states, equal fingerprints.
    pub fn fingerprint(&self) -> Result<String> {
        let failed = RpmDbError::sqlite("list the packages");
        let mut statement = self
            .connection
            .prepare_cached("SELECT n.hnum, n.key, s.key FROM Name n LEFT JOIN Sigmd5 s ON s.hnum = n.hnum ORDER BY n.hnum, s.key")
            .map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            let name: String = row.get(1).map_err(&failed)?;
            let digest: Option<Vec<u8>> = row.get(2).map_err(&failed)?;
            entries.push((row.get(0).map_err(&failed)?, name, digest.unwrap_or_default()));
        }
        Ok(fingerprint_of(
            entries.iter().map(|(hnum, name, digest)| (*hnum, name.as_str(), digest.as_slice())),
        ))
    }

    /// Returns the number that the next package gets.
    pub fn next_number(&self) -> Result<u64> {
        let failed = RpmDbError::sqlite("find the next number");
        let used: Option<u64> = self
            .connection
            .query_row("SELECT max(seq) FROM sqlite_sequence WHERE name='Packages'", [], |row| {
                row.get(0)
            })
            .map_err(&failed)?;
        let highest: Option<u64> = self
            .connection
            .query_row("SELECT max(hnum) FROM Packages", [], |row| row.get(0))
            .map_err(&failed)?;
        Ok(used.max(highest).unwrap_or(0) + 1)
    }

    /// Runs `changes` in one SQLite transaction: all of it is stored, or nothing.
    pub fn write<T, E: From<RpmDbError>>(
        &mut self,
        changes: impl FnOnce(&Writer<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(RpmDbError::sqlite("begin a transaction"))?;
        let value = changes(&Writer { connection: &transaction })?;
        transaction.commit().map_err(RpmDbError::sqlite("commit a transaction"))?;
        Ok(value)
    }

    /// Checks the file's structure and that each index row belongs to a package. Returns the problems found.
    pub fn check(&self) -> Result<Vec<String>> {
        let failed = RpmDbError::sqlite("check the database");
        let mut problems: Vec<String> =
            self.column("PRAGMA integrity_check", params![], "check the database")?;
        problems.retain(|line| line != "ok");
        let mut statement = self.connection.prepare("PRAGMA foreign_key_check").map_err(&failed)?;
        let rows = statement
            .query_map([], |row| {
                Ok(format!("{} has a row without a package", row.get::<_, String>(0)?))
            })
            .map_err(&failed)?;
        problems.extend(rows.collect::<rusqlite::Result<Vec<_>>>().map_err(&failed)?);
        problems.extend(self.packages_and_damage()?.1.iter().map(ToString::to_string));
        Ok(problems)
    }

    /// Merges the write-ahead log into the file and closes. Leaves an empty log beside it, so that programs without write access
    /// can open the database (SQLite would otherwise want to create one).
    pub fn close(self) -> Result<()> {
        if self.access == Access::ReadOnly {
            return Ok(());
        }
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(RpmDbError::sqlite("merge the write-ahead log"))?;
        let Self { connection, root, file, _directory, .. } = self;
        connection
            .close()
            .map_err(|(_, source)| RpmDbError::sqlite("close the database")(source))?;
        for (suffix, length) in [("-wal", 0), ("-shm", 32768)] {
            let name = format!("{file}{suffix}");
            if root.symlink_metadata(&name)?.is_none() {
                root.write(&name, &vec![0; length], 0o644)?;
            }
        }
        Ok(())
    }

    fn by_key(&self, table: &str, key: &str) -> Result<Vec<Installed>> {
        let sql = format!("SELECT hnum FROM '{table}' WHERE key=?");
        let numbers: Vec<u64> = self.column(&sql, params![key], "look up a package")?;
        let numbers: BTreeSet<u64> = numbers.into_iter().collect();
        numbers.into_iter().filter_map(|hnum| self.package(hnum).transpose()).collect()
    }

    fn column<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        operation: &'static str,
    ) -> Result<Vec<T>> {
        let failed = RpmDbError::sqlite(operation);
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement.query_map(parameters, |row| row.get(0)).map_err(&failed)?;
        rows.collect::<rusqlite::Result<Vec<T>>>().map_err(&failed)
    }
}

/// The write side inside one transaction; see [`RpmDb::write`].
#[derive(Debug)]
pub struct Writer<'a> {
    connection: &'a Connection,
}

impl Writer<'_> {
    /// Stores a package (a blob of [`installed_blob`]) under `hnum`, or under the next number, and returns the number.
    ///
    /// Idempotent: the same blob under the same number is stored once; another package under that number stays, the new one then
    /// gets the next number.
    pub fn insert(&self, hnum: Option<u64>, blob: &[u8]) -> Result<u64> {
        let failed = RpmDbError::sqlite("store a package");
        let mut wanted = hnum;
        if let Some(number) = hnum {
            let present: Option<Vec<u8>> = self
                .connection
                .prepare_cached("SELECT blob FROM Packages WHERE hnum=?")
                .and_then(|mut statement| statement.query_row([number], |row| row.get(0)))
                .optional()
                .map_err(&failed)?;
            match present {
                Some(present) if present == blob => return Ok(number),
                Some(_) => wanted = None,
                None => {}
            }
        }
        let header = parse_blob(hnum.unwrap_or(0), blob)?;
        self.connection
            .prepare_cached("INSERT INTO Packages VALUES(?, ?)")
            .and_then(|mut statement| statement.execute(params![wanted, blob]))
            .map_err(&failed)?;
        let number = self.connection.last_insert_rowid() as u64;
        for table in &schema::TABLES {
            let sql = format!("INSERT INTO '{}' VALUES(?, ?, ?)", table.name);
            let mut statement = self.connection.prepare_cached(&sql).map_err(&failed)?;
            for (key, at) in index::rows(&header, table) {
                match key {
                    Key::Text(text) => statement.execute(params![text, number, at]),
                    Key::Bytes(bytes) => statement.execute(params![bytes, number, at]),
                }
                .map_err(&failed)?;
            }
        }
        Ok(number)
    }

    /// Lets the next package get the number after the highest there is.
    pub fn restart_numbers(&self) -> Result<()> {
        let sql = "UPDATE sqlite_sequence SET seq=(SELECT coalesce(max(hnum), 0) FROM Packages) WHERE name='Packages'";
        let done = self.connection.execute(sql, []);
        done.map(|_rows| ()).map_err(RpmDbError::sqlite("number the packages"))
    }

    /// Removes a package and its index rows; nothing happens if it is not there.
    pub fn remove(&self, hnum: u64) -> Result<()> {
        let failed = RpmDbError::sqlite("remove a package");
        for name in schema::TABLES.iter().map(|table| table.name).chain(["Packages"]) {
            let sql = format!("DELETE FROM '{name}' WHERE hnum=?");
            self.connection
                .prepare_cached(&sql)
                .and_then(|mut statement| statement.execute([hnum]))
                .map_err(&failed)?;
        }
        Ok(())
    }
}

/// Computes [`RpmDb::fingerprint`] of (number, name, MD5 of header and payload) entries in ascending order.
pub(crate) fn fingerprint_of<'a>(
    entries: impl Iterator<Item = (u64, &'a str, &'a [u8])>,
) -> String {
    let mut hash = Sha256::new();
    for (hnum, name, digest) in entries {
        hash.update(hnum.to_le_bytes());
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(digest);
    }
    hex::encode(hash.finalize())
}

fn parse_blob(hnum: u64, blob: &[u8]) -> Result<Header> {
    let header =
        Header::parse(blob).map_err(|error| RpmDbError::Row { hnum, reason: error.to_string() })?;
    if header.string(tag::NAME).is_none() {
        return Err(RpmDbError::Row { hnum, reason: "the header has no name".to_owned() });
    }
    Ok(header)
}

/// Opens the connection. A read-only database that SQLite cannot open as such (no log beside it and no right to create one) is
/// opened as immutable.
fn connect(root: &Root, file: &str, path: &str, access: Access) -> Result<Connection> {
    let base = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let flags = match access {
        Access::ReadOnly => base | OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::ReadWrite => base | OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Create | Access::Scratch => {
            base | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        }
    };
    let failed = RpmDbError::sqlite("open the database");
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    let readable = connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()));
    match readable {
        Ok(()) => Ok(connection),
        Err(error)
            if access == Access::ReadOnly
                && error.sqlite_error_code() == Some(ErrorCode::CannotOpen) =>
        {
            let wal = root.symlink_metadata(format!("{file}-wal"))?;
            if wal.is_some_and(|stat| stat.size > 0) {
                return Err(failed(error));
            }
            Connection::open_with_flags(format!("file:{path}?immutable=1"), flags).map_err(&failed)
        }
        Err(error) => Err(failed(error)),
    }
}
