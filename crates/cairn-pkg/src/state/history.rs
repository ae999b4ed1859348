// SPDX-License-Identifier: MIT OR Apache-2.0
//! dnf5's transaction history: `transaction_history.sqlite`, schema version 1.1 (dnf5 5.2 to 5.4).

use super::{PackageReason, STATE_DIRECTORY, StateError, history_groups};
use cairn_host::Root;
use cairn_rpm::evr::{Evr, Nevra};
use std::fs::File;
use std::os::fd::AsRawFd as _;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

/// Tables and fixed rows, as dnf5 makes them.
const SCHEMA: &str = r#"
CREATE TABLE "trans_state" ("id" INTEGER, "name" TEXT, PRIMARY KEY("id"));
INSERT INTO "trans_state" VALUES (1, 'Started'), (2, 'Ok'), (3, 'Error');
CREATE TABLE "trans" ("id" INTEGER, "dt_begin" INTEGER NOT NULL, "dt_end" INTEGER, "rpmdb_version_begin" TEXT,
  "rpmdb_version_end" TEXT, "releasever" TEXT NOT NULL, "user_id" INTEGER NOT NULL, "description" TEXT, "comment" TEXT,
  "state_id" INTEGER, PRIMARY KEY("id" AUTOINCREMENT), FOREIGN KEY("state_id") REFERENCES "trans_state"("id"));
CREATE TABLE "repo" ("id" INTEGER, "repoid" TEXT NOT NULL, PRIMARY KEY("id"));
CREATE TABLE "pkg_name" ("id" INTEGER, "name" TEXT NOT NULL UNIQUE, PRIMARY KEY("id"));
CREATE TABLE "arch" ("id" INTEGER, "name" TEXT NOT NULL UNIQUE, PRIMARY KEY("id"));
CREATE TABLE "item" ("id" INTEGER, PRIMARY KEY("id"));
CREATE TABLE "trans_item_action" ("id" INTEGER, "name" TEXT, PRIMARY KEY("id"));
INSERT INTO "trans_item_action" VALUES (1, 'Install'), (2, 'Upgrade'), (3, 'Downgrade'), (4, 'Reinstall'),
  (5, 'Remove'), (6, 'Replaced'), (7, 'Reason Change');
CREATE TABLE "trans_item_reason" ("id" INTEGER, "name" TEXT, PRIMARY KEY("id"));
INSERT INTO "trans_item_reason" VALUES (0, 'None'), (1, 'Dependency'), (2, 'User'), (3, 'Clean'),
  (4, 'Weak Dependency'), (5, 'Group'), (6, 'External User');
CREATE TABLE "trans_item_state" ("id" INTEGER, "name" TEXT, PRIMARY KEY("id"));
INSERT INTO "trans_item_state" VALUES (1, 'Started'), (2, 'Ok'), (3, 'Error');
CREATE TABLE "trans_item" ("id" INTEGER, "trans_id" INTEGER, "item_id" INTEGER, "repo_id" INTEGER,
  "action_id" INTEGER NOT NULL, "reason_id" INTEGER NOT NULL, "state_id" INTEGER NOT NULL,
  PRIMARY KEY("id" AUTOINCREMENT), FOREIGN KEY("trans_id") REFERENCES "trans"("id"),
  FOREIGN KEY("item_id") REFERENCES "item"("id"), FOREIGN KEY("repo_id") REFERENCES "repo"("id"),
  FOREIGN KEY("action_id") REFERENCES "trans_item_action"("id"),
  FOREIGN KEY("reason_id") REFERENCES "trans_item_reason"("id"),
  FOREIGN KEY("state_id") REFERENCES "trans_item_state"("id"));
CREATE TABLE "item_replaced_by" ("trans_item_id" INTEGER, "by_trans_item_id" INTEGER,
  PRIMARY KEY ("trans_item_id", "by_trans_item_id"), FOREIGN KEY("trans_item_id") REFERENCES "trans_item"("id"),
  FOREIGN KEY("by_trans_item_id") REFERENCES "trans_item"("id"));
CREATE TABLE "rpm" ("item_id" INTEGER NOT NULL UNIQUE, "name_id" INTEGER NOT NULL, "epoch" INTEGER NOT NULL,
  "version" TEXT NOT NULL, "release" TEXT NOT NULL, "arch_id" INTEGER NOT NULL,
  FOREIGN KEY("item_id") REFERENCES "item"("id"), FOREIGN KEY("name_id") REFERENCES "pkg_name"("id"),
  FOREIGN KEY("arch_id") REFERENCES "arch"("id"),
  CONSTRAINT "rpm_unique_nevra" UNIQUE ("name_id", "epoch", "version", "release", "arch_id"));
CREATE TABLE "comps_group" ("item_id" INTEGER NOT NULL UNIQUE, "groupid" TEXT NOT NULL, "name" TEXT NOT NULL,
  "translated_name" TEXT NOT NULL, "pkg_types" INTEGER NOT NULL, FOREIGN KEY("item_id") REFERENCES "item"("id"));
CREATE TABLE "comps_group_package" ("id" INTEGER, "group_id" INTEGER NOT NULL, "name_id" INTEGER NOT NULL,
  "installed" INTEGER NOT NULL, "pkg_type" INTEGER NOT NULL, FOREIGN KEY("group_id") REFERENCES "comps_group"("item_id"),
  FOREIGN KEY("name_id") REFERENCES "pkg_name"("id"),
  CONSTRAINT "comps_group_package_unique_name" UNIQUE ("group_id", "name_id"), PRIMARY KEY("id" AUTOINCREMENT));
CREATE TABLE "comps_environment" ("item_id" INTEGER NOT NULL UNIQUE, "environmentid" TEXT NOT NULL, "name" TEXT NOT NULL,
  "translated_name" TEXT NOT NULL, "pkg_types" INTEGER NOT NULL, FOREIGN KEY("item_id") REFERENCES "item"("id"));
CREATE TABLE "comps_environment_group" ("id" INTEGER, "environment_id" INTEGER NOT NULL, "groupid" TEXT NOT NULL,
  "installed" INTEGER NOT NULL, "group_type" INTEGER NOT NULL,
  FOREIGN KEY("environment_id") REFERENCES "comps_environment"("item_id"),
  CONSTRAINT "comps_environment_group_unique_groupid" UNIQUE ("environment_id", "groupid"),
  PRIMARY KEY("id" AUTOINCREMENT));
CREATE TABLE "config" ("key" TEXT, "value" TEXT NOT NULL, PRIMARY KEY("key"));
INSERT INTO "config" VALUES ('version', '1.1');
CREATE INDEX "pkg_name_name" ON "pkg_name"("name");
CREATE INDEX "trans_item_trans_id" ON "trans_item"("trans_id");
CREATE INDEX "trans_item_item_id" ON "trans_item"("item_id");
"#;

/// What happened to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HistoryAction {
    /// New.
    Install,
    /// Newer than the one it replaces.
    Upgrade,
    /// Older than the one it replaces.
    Downgrade,
    /// The same again.
    Reinstall,
    /// Gone.
    Remove,
    /// Gone because another took its place.
    Replaced,
    /// Only the reason changed.
    ReasonChange,
}

impl HistoryAction {
    const ALL: [Self; 7] = [
        Self::Install,
        Self::Upgrade,
        Self::Downgrade,
        Self::Reinstall,
        Self::Remove,
        Self::Replaced,
        Self::ReasonChange,
    ];

    /// Returns the action with that name in a file of dnf5.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }

    pub(super) fn from_number(number: i64) -> Self {
        let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
        Self::ALL.get(index).copied().unwrap_or(Self::Install)
    }

    pub(super) fn number(self) -> i64 {
        Self::ALL.iter().position(|action| *action == self).unwrap_or_default() as i64 + 1
    }

    /// Returns dnf5's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Install => "Install",
            Self::Upgrade => "Upgrade",
            Self::Downgrade => "Downgrade",
            Self::Reinstall => "Reinstall",
            Self::Remove => "Remove",
            Self::Replaced => "Replaced",
            Self::ReasonChange => "Reason Change",
        }
    }
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryState {
    /// It began, and its end was not recorded.
    Started,
    /// It is complete.
    Ok,
    /// It failed.
    Error,
}

impl HistoryState {
    /// Returns dnf5's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::Ok => "Ok",
            Self::Error => "Error",
        }
    }
}

/// One package of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    /// What happened.
    pub action: HistoryAction,
    /// Package.
    pub nevra: Nevra,
    /// Why.
    pub reason: PackageReason,
    /// Repository, `@System` for what goes.
    pub repository: String,
}

/// One group or environment of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryGroup {
    /// What happened; for what is there already and changes, [`HistoryAction::Upgrade`].
    pub action: HistoryAction,
    /// Whether it is a group or an environment.
    pub kind: GroupKind,
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// Why.
    pub reason: PackageReason,
    /// Repository, `@System` for what goes.
    pub repository: String,
    /// Types of its packages that were asked for.
    pub package_types: Vec<String>,
    /// Names of its packages, or identifiers of an environment's groups.
    pub members: Vec<String>,
}

/// What a [`HistoryGroup`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKind {
    /// A group of packages.
    Group,
    /// A group of groups.
    Environment,
}

/// One transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRecord {
    /// Number, set by [`History::begin`].
    pub id: i64,
    /// Begin, seconds since 1970.
    pub begin: i64,
    /// End, when known.
    pub end: Option<i64>,
    /// Cookie of the rpm database before.
    pub rpmdb_begin: String,
    /// Cookie of the rpm database after.
    pub rpmdb_end: String,
    /// `$releasever`.
    pub releasever: String,
    /// User.
    pub user_id: u32,
    /// Command line.
    pub description: String,
    /// Comment of the user.
    pub comment: String,
    /// How it ended.
    pub state: HistoryState,
    /// Packages; empty in lists.
    pub items: Vec<HistoryItem>,
    /// Groups and environments; empty in lists.
    pub groups: Vec<HistoryGroup>,
    /// Number of packages, groups and environments.
    pub n_items: usize,
}

/// The open database.
#[derive(Debug)]
pub struct History {
    connection: Connection,
    /// Keeps `/proc/self/fd/N` alive.
    _directory: File,
}

impl History {
    /// Opens the history for reading; `None` when there is none.
    ///
    /// # Errors
    /// The file is not dnf5's database.
    pub fn open(root: &Root) -> Result<Option<Self>, StateError> {
        let relative = format!("{STATE_DIRECTORY}/transaction_history.sqlite");
        if root.metadata(&relative)?.is_none() {
            return Ok(None);
        }
        let (directory, path) = database_path(root)?;
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY))?;
        let history = Self { connection, _directory: directory };
        history.check_version()?;
        Ok(Some(history))
    }

    /// Opens the history for writing and creates it where it does not exist.
    ///
    /// # Errors
    /// The file cannot be written or is not dnf5's database.
    pub fn create(root: &Root) -> Result<Self, StateError> {
        root.mkdir_all(STATE_DIRECTORY, 0o755)?;
        let (directory, path) = database_path(root)?;
        let connection = Connection::open(&path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let exists: bool = connection.query_row(
            "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'config'",
            [],
            |row| row.get::<_, i64>(0).map(|n| n > 0),
        )?;
        if !exists {
            connection.execute_batch(&format!("BEGIN;{SCHEMA}COMMIT;"))?;
        }
        let history = Self { connection, _directory: directory };
        history.check_version()?;
        Ok(history)
    }

    fn check_version(&self) -> Result<(), StateError> {
        let sql = "SELECT value FROM config WHERE key = 'version'";
        let version: Option<String> =
            self.connection.query_row(sql, [], |row| row.get(0)).optional()?;
        let version = version.unwrap_or_default();
        if version.split('.').next() == Some("1") {
            return Ok(());
        }
        Err(StateError::History(format!("unsupported schema version {version:?} (expected 1.x)")))
    }

    /// Records the begin of a transaction with all of its packages; returns its number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn begin(&mut self, record: &HistoryRecord) -> Result<i64, StateError> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "INSERT INTO trans(dt_begin, rpmdb_version_begin, releasever, user_id, description, comment, state_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)",
            params![
                record.begin,
                record.rpmdb_begin,
                record.releasever,
                record.user_id,
                record.description,
                record.comment
            ],
        )?;
        let id = transaction.last_insert_rowid();
        for item in &record.items {
            insert_item(&transaction, id, item)?;
        }
        for group in &record.groups {
            history_groups::insert(&transaction, id, group)?;
        }
        transaction.commit()?;
        Ok(id)
    }

    /// Records the end of transaction `id`.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn finish(
        &mut self,
        id: i64,
        end: i64,
        rpmdb_end: &str,
        state: HistoryState,
    ) -> Result<(), StateError> {
        let number = match state {
            HistoryState::Started => 1,
            HistoryState::Ok => 2,
            HistoryState::Error => 3,
        };
        self.connection.execute(
            "UPDATE trans SET dt_end = ?2, rpmdb_version_end = ?3, state_id = ?4 WHERE id = ?1",
            params![id, end, rpmdb_end, number],
        )?;
        Ok(())
    }

    /// Returns all transactions without their packages, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn list(&self) -> Result<Vec<HistoryRecord>, StateError> {
        self.newest_first(-1)
    }

    /// Returns the newest transaction without its packages.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn newest(&self) -> Result<Option<HistoryRecord>, StateError> {
        Ok(self.newest_first(1)?.pop())
    }

    /// Returns so many transactions, all for -1.
    fn newest_first(&self, limit: i64) -> Result<Vec<HistoryRecord>, StateError> {
        let mut statement = self.connection.prepare(
            "SELECT t.id, dt_begin, dt_end, rpmdb_version_begin, rpmdb_version_end, releasever, user_id, description,
                    comment, state_id, (SELECT count(*) FROM trans_item i WHERE i.trans_id = t.id)
             FROM trans t ORDER BY t.id DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit], read_record)?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    }

    /// Returns the numbers of the transactions with a package whose name matches a glob, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn with_package(&self, pattern: &str) -> Result<Vec<i64>, StateError> {
        let mut statement = self.connection.prepare(
            "SELECT DISTINCT i.trans_id FROM trans_item i JOIN rpm r ON r.item_id = i.item_id
             JOIN pkg_name n ON n.id = r.name_id WHERE n.name GLOB ?1 ORDER BY i.trans_id DESC",
        )?;
        let rows = statement.query_map([pattern], |row| row.get(0))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    }

    /// Returns one transaction with its packages, by action and name as dnf5 shows them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn get(&self, id: i64) -> Result<Option<HistoryRecord>, StateError> {
        let Some(mut record) = self.list()?.into_iter().find(|r| r.id == id) else {
            return Ok(None);
        };
        let mut statement = self.connection.prepare(
            "SELECT n.name, r.epoch, r.version, r.release, a.name, i.action_id, i.reason_id, coalesce(p.repoid, '')
             FROM trans_item i JOIN rpm r ON r.item_id = i.item_id JOIN pkg_name n ON n.id = r.name_id
                  JOIN arch a ON a.id = r.arch_id LEFT JOIN repo p ON p.id = i.repo_id
             WHERE i.trans_id = ?1 ORDER BY i.id",
        )?;
        let rows = statement.query_map([id], |row| {
            let evr = Evr::new(row.get(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?);
            let reason: i64 = row.get(6)?;
            Ok(HistoryItem {
                action: HistoryAction::from_number(row.get(5)?),
                nevra: Nevra::new(row.get::<_, String>(0)?, evr, row.get::<_, String>(4)?),
                reason: reason_from_number(reason),
                repository: row.get(7)?,
            })
        })?;
        record.items = rows.collect::<Result<Vec<_>, _>>()?;
        record.groups = history_groups::read(&self.connection, id)?;
        Ok(Some(record))
    }
}

/// Returns the open directory, resolved inside the root, and a path to the database through it.
fn database_path(root: &Root) -> Result<(File, String), StateError> {
    let directory = root.open_read(STATE_DIRECTORY)?;
    let path = format!("/proc/self/fd/{}/transaction_history.sqlite", directory.as_raw_fd());
    Ok((directory, path))
}

fn read_record(row: &rusqlite::Row<'_>) -> rusqlite::Result<HistoryRecord> {
    let text = |index| row.get::<_, Option<String>>(index).map(Option::unwrap_or_default);
    Ok(HistoryRecord {
        id: row.get(0)?,
        begin: row.get(1)?,
        end: row.get(2)?,
        rpmdb_begin: text(3)?,
        rpmdb_end: text(4)?,
        releasever: text(5)?,
        user_id: row.get(6)?,
        description: text(7)?,
        comment: text(8)?,
        state: match row.get::<_, Option<i64>>(9)? {
            Some(2) => HistoryState::Ok,
            Some(3) => HistoryState::Error,
            _ => HistoryState::Started,
        },
        n_items: row.get::<_, i64>(10)?.unsigned_abs() as usize,
        items: Vec::new(),
        groups: Vec::new(),
    })
}

pub(super) fn reason_from_number(number: i64) -> PackageReason {
    use PackageReason as R;
    [R::None, R::Dependency, R::User, R::Clean, R::WeakDependency, R::Group, R::ExternalUser]
        .into_iter()
        .find(|reason| reason.number() == number)
        .unwrap_or(R::None)
}

fn insert_item(
    connection: &Connection,
    transaction: i64,
    item: &HistoryItem,
) -> Result<(), StateError> {
    let repository = intern(connection, "repo", "repoid", &item.repository)?;
    let name = intern(connection, "pkg_name", "name", &item.nevra.name)?;
    let arch = intern(connection, "arch", "name", &item.nevra.arch)?;
    let evr = &item.nevra.evr;
    let known: Option<i64> = connection
        .query_row(
            "SELECT item_id FROM rpm WHERE name_id = ?1 AND epoch = ?2 AND version = ?3 AND release = ?4 AND arch_id = ?5",
            params![name, evr.epoch, evr.version, evr.release, arch],
            |row| row.get(0),
        )
        .optional()?;
    let package = if let Some(id) = known {
        id
    } else {
        connection.execute("INSERT INTO item DEFAULT VALUES", [])?;
        let id = connection.last_insert_rowid();
        connection.execute(
            "INSERT INTO rpm(item_id, name_id, epoch, version, release, arch_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![id, name, evr.epoch, evr.version, evr.release, arch],
        )?;
        id
    };
    connection.execute(
        "INSERT INTO trans_item(trans_id, item_id, repo_id, action_id, reason_id, state_id) VALUES (?1, ?2, ?3, ?4, ?5, 1)",
        params![transaction, package, repository, item.action.number(), item.reason.number()],
    )?;
    Ok(())
}

/// Returns the number of `value` in a table of unique texts and adds it where it is new.
pub(super) fn intern(
    connection: &Connection,
    table: &str,
    column: &str,
    value: &str,
) -> Result<i64, StateError> {
    let select = format!("SELECT id FROM \"{table}\" WHERE \"{column}\" = ?1");
    if let Some(id) = connection.query_row(&select, [value], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    connection.execute(&format!("INSERT INTO \"{table}\"(\"{column}\") VALUES (?1)"), [value])?;
    Ok(connection.last_insert_rowid())
}

impl From<rusqlite::Error> for StateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::History(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(action: HistoryAction, nevra: &str, repository: &str) -> HistoryItem {
        let nevra = Nevra::parse(nevra).unwrap();
        HistoryItem {
            action,
            nevra,
            reason: PackageReason::User,
            repository: repository.to_owned(),
        }
    }

    #[test]
    fn records_and_reads() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        assert!(History::open(&root).unwrap().is_none());
        let mut history = History::create(&root).unwrap();
        let record = HistoryRecord {
            id: 0,
            begin: 100,
            end: None,
            rpmdb_begin: "aa".to_owned(),
            rpmdb_end: String::new(),
            releasever: "0.1".to_owned(),
            user_id: 0,
            description: "dnf install foo".to_owned(),
            comment: String::new(),
            state: HistoryState::Started,
            items: vec![
                item(HistoryAction::Upgrade, "foo-1:2.0-1.noarch", "t"),
                item(HistoryAction::Replaced, "foo-1.0-1.noarch", "@System"),
            ],
            groups: vec![HistoryGroup {
                action: HistoryAction::Install,
                kind: GroupKind::Group,
                id: "tools".to_owned(),
                name: "Tools".to_owned(),
                reason: PackageReason::User,
                repository: "t".to_owned(),
                package_types: vec!["mandatory".to_owned(), "default".to_owned()],
                members: vec!["bar".to_owned(), "foo".to_owned()],
            }],
            n_items: 3,
        };
        assert_eq!(history.begin(&record).unwrap(), 1);
        assert_eq!(history.begin(&record).unwrap(), 2);
        history.finish(2, 101, "bb", HistoryState::Ok).unwrap();
        drop(history);
        let history = History::open(&root).unwrap().unwrap();
        let list = history.list().unwrap();
        assert_eq!(list.iter().map(|r| (r.id, r.n_items)).collect::<Vec<_>>(), [(2, 3), (1, 3)]);
        let read = history.get(2).unwrap().unwrap();
        assert_eq!(read.items, record.items);
        assert_eq!(read.groups, record.groups);
        let with = |name: &str| history.with_package(name).unwrap();
        assert_eq!((with("fo*"), with("bar")), (vec![2, 1], vec![]));
        assert_eq!(
            (read.state, read.end, read.rpmdb_end.as_str()),
            (HistoryState::Ok, Some(101), "bb")
        );
        assert!(history.get(7).unwrap().is_none());
    }
}
