//! Kept stores with the same promise: a number and the event's bytes, a group in one transaction, synced before it is called
//! written.

use std::path::Path;

use fjall::{KeyspaceCreateOptions, PersistMode};
use gatepost_edge::outbox::Draft;
use gatepost_wire::BootId;
use redb::{Durability, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use ulid::Ulid;

use crate::backlog::Backlog;
use crate::event::json;

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("event");

/// Numbers events, and gives them their bytes.
struct Numbering {
    boot: BootId,
    last: u64,
}

impl Numbering {
    fn new() -> Self {
        Self { boot: BootId::from_ulid(Ulid::generate()), last: 0 }
    }

    fn next(&mut self, draft: &Draft) -> (u64, Vec<u8>) {
        self.last += 1;
        (self.last, json(draft, self.boot, self.last))
    }
}

pub struct Redb {
    database: redb::Database,
    numbering: Numbering,
}

impl Redb {
    pub fn open(folder: &Path) -> Self {
        let database = redb::Database::create(folder.join("redb")).unwrap();
        let this = Self { database, numbering: Numbering::new() };
        let made = this.database.begin_write().unwrap();
        made.open_table(TABLE).unwrap();
        made.commit().unwrap();
        this
    }
}

impl Backlog for Redb {
    fn append(&mut self, group: &[Draft]) {
        let transaction = self.database.begin_write().unwrap();
        {
            let mut table = transaction.open_table(TABLE).unwrap();
            for draft in group {
                let (number, json) = self.numbering.next(draft);
                table.insert(number, json.as_slice()).unwrap();
            }
        }
        transaction.commit().unwrap();
    }

    fn take(&mut self, most: usize) -> usize {
        let oldest: Vec<u64> = {
            let transaction = self.database.begin_read().unwrap();
            let table = transaction.open_table(TABLE).unwrap();
            let read = table.iter().unwrap().take(most);
            read.map(|entry| {
                let (number, json) = entry.unwrap();
                assert!(!json.value().is_empty());
                number.value()
            })
            .collect()
        };
        let mut transaction = self.database.begin_write().unwrap();
        let durability = if oldest.is_empty() { Durability::Immediate } else { Durability::None };
        transaction.set_durability(durability).unwrap();
        {
            let mut table = transaction.open_table(TABLE).unwrap();
            for number in &oldest {
                table.remove(number).unwrap();
            }
        }
        transaction.commit().unwrap();
        oldest.len()
    }
}

pub struct Fjall {
    database: fjall::Database,
    events: fjall::Keyspace,
    numbering: Numbering,
}

impl Fjall {
    pub fn open(folder: &Path) -> Self {
        let database = fjall::Database::builder(folder.join("fjall")).open().unwrap();
        let events = database.keyspace("event", KeyspaceCreateOptions::default).unwrap();
        Self { database, events, numbering: Numbering::new() }
    }
}

impl Backlog for Fjall {
    fn append(&mut self, group: &[Draft]) {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for draft in group {
            let (number, json) = self.numbering.next(draft);
            batch.insert(&self.events, number.to_be_bytes(), json);
        }
        batch.commit().unwrap();
    }

    fn take(&mut self, most: usize) -> usize {
        let oldest: Vec<_> = self.events.iter().take(most).map(|entry| entry.key().unwrap()).collect();
        let mut batch = self.database.batch();
        for number in &oldest {
            assert!(self.events.get(number).unwrap().is_some());
            batch.remove(&self.events, number.clone());
        }
        batch.commit().unwrap();
        oldest.len()
    }
}

pub struct Sqlite {
    connection: rusqlite::Connection,
    numbering: Numbering,
}

impl Sqlite {
    pub fn open(folder: &Path) -> Self {
        let connection = rusqlite::Connection::open(folder.join("sqlite")).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        connection
            .execute("CREATE TABLE event (number INTEGER PRIMARY KEY, json BLOB NOT NULL) STRICT", ())
            .unwrap();
        Self { connection, numbering: Numbering::new() }
    }
}

impl Backlog for Sqlite {
    fn append(&mut self, group: &[Draft]) {
        let transaction = self.connection.transaction().unwrap();
        for draft in group {
            let (number, json) = self.numbering.next(draft);
            let mut insert = transaction.prepare_cached("INSERT INTO event VALUES (?, ?)").unwrap();
            insert.execute((number as i64, json)).unwrap();
        }
        transaction.commit().unwrap();
    }

    fn take(&mut self, most: usize) -> usize {
        let transaction = self.connection.transaction().unwrap();
        let oldest: Vec<(i64, Vec<u8>)> = {
            let mut select =
                transaction.prepare_cached("SELECT number, json FROM event ORDER BY number LIMIT ?").unwrap();
            let rows = select.query_map([most as i64], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.collect::<Result<_, _>>().unwrap()
        };
        if let Some((last, _)) = oldest.last() {
            transaction.execute("DELETE FROM event WHERE number <= ?", [last]).unwrap();
        }
        transaction.commit().unwrap();
        oldest.len()
    }
}
