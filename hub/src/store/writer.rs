//! The one writer: a batch of records becomes one transaction.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_wire::{BootId, EdgeId};
use sqlx::AnyConnection;

use super::column::nanos;
use super::database::{Database, Purpose, close};
use super::device::Report;
use super::event::Arrival;
use super::record::{Content, Delivery, Fate, Record};
use super::turn::Turn;
use super::{StoreError, command, deletion, device, event, evidence, refused, reply, sequence};
use crate::evidence::{Folder, Format};

/// Writes. A transaction that fails leaves nothing behind, and the next one starts on a new connection.
#[derive(Debug)]
pub struct Writer {
    database: Database,
    turn: Turn,
    connection: Option<AnyConnection>,
    folder: Folder,
}

/// A transaction that is on disk.
#[derive(Debug)]
pub struct Committed {
    /// One for each record, in order.
    pub fates: Vec<Fate>,
    /// The number of the last change.
    pub last_change: i64,
}

impl Writer {
    pub(super) fn new(database: Database, turn: Turn, folder: Folder) -> Self {
        Self { database, turn, connection: None, folder }
    }

    /// Stores all records or none. When this returns, they are on disk.
    ///
    /// # Errors
    /// Nothing of the batch is stored then, and it may be tried again.
    pub async fn commit(&mut self, records: &[Record]) -> Result<Committed, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.database.connect(Purpose::Write).await?,
        };
        let _turn = self.turn.wait().await;
        let stored = store_all(&self.database, &mut connection, records, &self.folder);
        match self.database.patiently(stored).await {
            Ok(committed) => {
                self.connection = Some(connection);
                Ok(committed)
            }
            Err(error) => {
                // After "disk full" SQLite may have ended the transaction by itself; a new connection is the
                // one state that is known. Closing rolls back what is left.
                close(connection).await;
                Err(error)
            }
        }
    }

    /// Is there room again? Writes to the disk without changing anything.
    ///
    /// # Errors
    /// When writing still fails.
    pub async fn probe(&mut self) -> Result<(), StoreError> {
        self.commit(&[]).await.map(|_| ())
    }

    /// Ends writing; the WAL is folded into the database when this was the last connection.
    pub async fn close(self) {
        if let Some(connection) = self.connection {
            close(connection).await;
        }
    }
}

/// One transaction under way.
pub(super) struct Batch<'c> {
    pub connection: &'c mut AnyConnection,
    pub folder: &'c Folder,
    /// Boots of which a gap may have come or gone.
    pub gaps: BTreeSet<(EdgeId, BootId)>,
    /// Evidence nobody vouches for any more.
    pub orphans: Vec<(String, Format)>,
    devices: BTreeMap<EdgeId, Touched>,
    change: i64,
}

/// What the batch does to one device.
#[derive(Default)]
pub(super) struct Touched {
    /// When its last live message came; none when all were retained.
    pub last_seen: Option<i64>,
    /// When its last message of any kind came.
    pub received: i64,
    pub refused: i64,
    /// A page has to hear of it.
    pub changed: bool,
}

impl Batch<'_> {
    /// The number of the next change.
    pub fn next_change(&mut self) -> i64 {
        self.change += 1;
        self.change
    }

    /// A message of this edge came. A retained one says nothing about now.
    pub fn touch(&mut self, edge: &EdgeId, delivery: &Delivery) -> &mut Touched {
        let touched = self.devices.entry(edge.clone()).or_default();
        touched.received = touched.received.max(nanos(delivery.received));
        if !delivery.retained {
            touched.last_seen = touched.last_seen.max(Some(nanos(delivery.received)));
        }
        touched
    }
}

async fn store_all(
    database: &Database,
    connection: &mut AnyConnection,
    records: &[Record],
    folder: &Folder,
) -> Result<Committed, StoreError> {
    database.begin(connection).await?;
    let change = sqlx::query_scalar("SELECT last FROM change_number").fetch_one(&mut *connection).await?;
    let mut batch = Batch {
        connection,
        folder,
        gaps: BTreeSet::new(),
        orphans: Vec::new(),
        devices: BTreeMap::new(),
        change,
    };
    let fates = store_records(&mut batch, records).await?;
    let gaps: Vec<_> = std::mem::take(&mut batch.gaps).into_iter().collect();
    sequence::find_missing(&mut batch, &gaps).await?;
    for (edge, _) in gaps {
        batch.devices.entry(edge).or_default().changed = true;
    }
    let devices = std::mem::take(&mut batch.devices);
    device::touch(&mut batch, devices).await?;
    let Batch { orphans, change, .. } = batch;
    // Written even when nothing changed: that is what makes an empty batch a probe.
    sqlx::query("UPDATE change_number SET last = $1").bind(change).execute(&mut *connection).await?;
    database.commit(connection).await?;
    if !orphans.is_empty() {
        // While nobody else can note a piece.
        database.begin(connection).await?;
        for (sha256, format) in orphans {
            evidence::remove_orphan(connection, folder, &sha256, format).await;
        }
        database.commit(connection).await?;
    }
    Ok(Committed { fates, last_change: change })
}

/// All events together and all reports together, each in their order, then the rest one by one: a statement costs more than a row, and
/// of thousands of boxes that speak at once hardly two messages that follow each other are alike. What is stored is the same in whichever
/// order these three come: a picture finds its event or waits for it, and gaps are looked for at the end.
async fn store_records(batch: &mut Batch<'_>, records: &[Record]) -> Result<Vec<Fate>, StoreError> {
    let arrivals: Vec<Arrival<'_>> = records.iter().filter_map(arrival).collect();
    let reports: Vec<Report<'_>> = records.iter().filter_map(report).collect();
    let mut of_events = event::store(batch, &arrivals).await?.into_iter();
    device::store_reports(batch, &reports).await?;
    let mut fates = Vec::with_capacity(records.len());
    for record in records {
        fates.push(match record {
            Record::Message { delivery, content } => {
                store_message(batch, delivery, content, &mut of_events).await?
            }
            Record::Command { command, person, text } => command::store(batch, command, person, text).await?,
            Record::Deletion(deletion) => deletion::store(batch, deletion).await?,
        });
    }
    Ok(fates)
}

fn arrival(record: &Record) -> Option<Arrival<'_>> {
    match record {
        Record::Message { delivery, content: Content::Event { event, text } } => {
            Some(Arrival { delivery, event, text })
        }
        _ => None,
    }
}

fn report(record: &Record) -> Option<Report<'_>> {
    match record {
        Record::Message { delivery, content: Content::Health { health, text } } => {
            Some(Report { delivery, health, text })
        }
        _ => None,
    }
}

/// `of_events`: what became of events, which are stored already.
async fn store_message(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    content: &Content,
    of_events: &mut impl Iterator<Item = Fate>,
) -> Result<Fate, StoreError> {
    let (edge, fate) = match content {
        // There is one for each, in their order.
        Content::Event { event, .. } => (Some(&event.edge), of_events.next().unwrap_or(Fate::Duplicate)),
        Content::Health { health, .. } => {
            batch.touch(&health.edge, delivery).changed = true;
            (Some(&health.edge), Fate::Stored)
        }
        Content::Evidence { edge, event, sha256, format } => {
            let piece = evidence::Arrived { edge, event: *event, sha256, format: *format };
            (Some(edge), evidence::store(batch, delivery, &piece).await?)
        }
        Content::Presence(presence) => {
            (Some(&presence.edge), device::store_presence(batch, delivery, presence).await?)
        }
        Content::Reply { edge, reply, text } => {
            (Some(edge), reply::store(batch, delivery, edge, reply, text).await?)
        }
        Content::Refused { edge, reason } => (edge.as_ref(), Fate::Refused(reason.clone())),
    };
    note(batch, delivery, edge, &fate).await?;
    Ok(fate)
}

/// A message of this box came, and this became of it.
async fn note(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    edge: Option<&EdgeId>,
    fate: &Fate,
) -> Result<(), StoreError> {
    if let Some(edge) = edge {
        batch.touch(edge, delivery);
    }
    if let Fate::Refused(reason) = fate {
        refused::store(batch, delivery, edge, reason).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
