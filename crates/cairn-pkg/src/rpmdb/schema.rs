// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables and indexes of the SQLite rpmdb, with the SQL text that rpm 4.18 and 4.20 write (compared on a database of rpm 4.20.1).

use cairn_rpm::tag;
use rusqlite::Connection;

/// How a table's keys are stored and indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text keys, one per package: an index on `key` only.
    Text,
    /// Text keys, many per package: indexes on `key` and on `hnum`.
    TextArray,
    /// Binary keys: no index.
    Blob,
}

/// One secondary table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) tag: u32,
    pub(super) shape: Shape,
}

const fn table(name: &'static str, tag: u32, shape: Shape) -> Table {
    Table { name, tag, shape }
}

/// The secondary tables in the order in which rpm creates them.
pub(super) const TABLES: [Table; 18] = [
    table("Name", tag::NAME, Shape::Text),
    table("Basenames", tag::BASENAMES, Shape::TextArray),
    table("Group", tag::GROUP, Shape::Text),
    table("Requirename", tag::REQUIRENAME, Shape::TextArray),
    table("Providename", tag::PROVIDENAME, Shape::TextArray),
    table("Conflictname", tag::CONFLICTNAME, Shape::TextArray),
    table("Obsoletename", tag::OBSOLETENAME, Shape::TextArray),
    table("Triggername", tag::TRIGGERNAME, Shape::TextArray),
    table("Dirnames", tag::DIRNAMES, Shape::TextArray),
    table("Installtid", tag::INSTALLTID, Shape::Blob),
    table("Sigmd5", tag::SIGMD5, Shape::Blob),
    table("Sha1header", tag::SHA1HEADER, Shape::Text),
    table("Filetriggername", tag::FILETRIGGERNAME, Shape::TextArray),
    table("Transfiletriggername", tag::TRANSFILETRIGGERNAME, Shape::TextArray),
    table("Recommendname", tag::RECOMMENDNAME, Shape::TextArray),
    table("Suggestname", tag::SUGGESTNAME, Shape::TextArray),
    table("Supplementname", tag::SUPPLEMENTNAME, Shape::TextArray),
    table("Enhancename", tag::ENHANCENAME, Shape::TextArray),
];

/// Creates what is missing; an existing database is left as it is.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)",
    )?;
    for Table { name, shape, .. } in TABLES {
        let key_type = if shape == Shape::Blob { "BLOB" } else { "TEXT" };
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS '{name}' (key '{key_type}' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL, \
             FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))"
        ))?;
        if shape != Shape::Blob {
            connection.execute_batch(&format!(
                "CREATE INDEX IF NOT EXISTS '{name}_key_idx' ON '{name}'(key ASC)"
            ))?;
        }
        if shape == Shape::TextArray {
            connection.execute_batch(&format!(
                "CREATE INDEX IF NOT EXISTS '{name}_hnum_idx' ON '{name}'(hnum ASC)"
            ))?;
        }
    }
    Ok(())
}
