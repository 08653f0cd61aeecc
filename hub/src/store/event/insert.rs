//! Events that arrived together are stored together: what is known of them is read once, decided in memory and
//! written in few statements. A statement costs more than a row.

use std::collections::{BTreeMap, HashMap};

use gatepost_wire::event::Phase;
use gatepost_wire::{AlarmId, BootId, EdgeId, Event, EventId};

use super::super::column::{integer, nanos, parse, text as id_text, word};
use super::super::record::{Delivery, Fate};
use super::super::rows::chunks;
use super::super::sequence::Numbers;
use super::super::sql::Sql;
use super::super::writer::Batch;
use super::super::{StoreError, alarm, evidence, sequence};
use crate::alarm::Alarm;

/// An event as it came.
#[derive(Clone, Copy)]
pub(in super::super) struct Arrival<'a> {
    pub delivery: &'a Delivery,
    pub event: &'a Event,
    /// The payload, whole.
    pub text: &'a str,
}

/// One that is not here yet.
struct Fresh<'a> {
    arrival: Arrival<'a>,
    told: Option<Alarm>,
    /// Another event has its place in the boot.
    conflict: bool,
}

/// Stores events, in their order, and everything that follows from them. One fate for each.
pub(in super::super) async fn store(
    batch: &mut Batch<'_>,
    arrivals: &[Arrival<'_>],
) -> Result<Vec<Fate>, StoreError> {
    if arrivals.is_empty() {
        return Ok(Vec::new());
    }
    let told: Vec<Option<Alarm>> = arrivals.iter().map(|arrival| Alarm::of(arrival.event)).collect();
    let mut alarms = alarm::find_all(batch, told.iter().flatten().map(|alarm| alarm.id)).await?;
    let owners = owners(batch, arrivals).await?;
    let (fates, mut fresh) = decide(arrivals, told, &alarms, owners);
    place(batch, &mut fresh).await?;
    insert(batch, &fresh).await?;
    let evidence_waits = evidence::some_waits(batch).await?;
    let mut changed = Vec::with_capacity(fresh.len());
    for Fresh { arrival: Arrival { delivery, event, .. }, told, .. } in fresh {
        evidence::name(batch, event).await?;
        let has_snapshot = evidence_waits && evidence::settle(batch, delivery, event).await?;
        if let Some(mut told) = told {
            told.snapshot = has_snapshot.then_some(told.first);
            changed.push((told.id, delivery.received));
            let merged = match alarms.remove(&told.id) {
                Some(known) => known.merge(told),
                None => told,
            };
            alarms.insert(merged.id, merged);
        }
    }
    alarm::store_all(batch, &mut alarms, changed).await?;
    Ok(fates)
}

/// Which of these events are here, and whose they are.
async fn owners(
    batch: &mut Batch<'_>,
    arrivals: &[Arrival<'_>],
) -> Result<HashMap<EventId, EdgeId>, StoreError> {
    let mut query = Sql::new("SELECT id, edge FROM event WHERE id");
    query.push_in(arrivals.iter().map(|arrival| arrival.event.id));
    let query = query.suited_to(batch.connection);
    let rows: Vec<(String, String)> = query.build_query_as().fetch_all(&mut *batch.connection).await?;
    rows.iter().map(|(id, edge)| Ok((parse("event.id", id)?, parse("event.edge", edge)?))).collect()
}

/// What becomes of each, and which are new. There is one writer, so what was read is what is.
fn decide<'a>(
    arrivals: &[Arrival<'a>],
    told: Vec<Option<Alarm>>,
    alarms: &HashMap<AlarmId, Alarm>,
    mut owners: HashMap<EventId, EdgeId>,
) -> (Vec<Fate>, Vec<Fresh<'a>>) {
    let mut alarm_owners: HashMap<AlarmId, EdgeId> =
        alarms.values().map(|alarm| (alarm.id, alarm.edge.clone())).collect();
    let mut fresh = Vec::with_capacity(arrivals.len());
    let fates = arrivals.iter().zip(told).map(|(arrival, told)| {
        let event = arrival.event;
        let alarm_owner = told.as_ref().and_then(|told| alarm_owners.get(&told.id));
        if let (Some(told), Some(owner)) = (&told, alarm_owner.filter(|owner| **owner != event.edge)) {
            return Fate::Refused(format!("alarm {} belongs to edge {owner}", told.id));
        }
        match owners.get(&event.id) {
            Some(owner) if *owner == event.edge => return Fate::Duplicate,
            Some(owner) => return Fate::Refused(format!("event id {} belongs to edge {owner}", event.id)),
            None => {}
        }
        owners.insert(event.id, event.edge.clone());
        if let Some(told) = &told {
            alarm_owners.insert(told.id, event.edge.clone());
        }
        fresh.push(Fresh { arrival: *arrival, told, conflict: false });
        Fate::Stored
    });
    let fates = fates.collect();
    (fates, fresh)
}

/// Notes their numbers, boot by boot.
async fn place(batch: &mut Batch<'_>, fresh: &mut [Fresh<'_>]) -> Result<(), StoreError> {
    let mut boots: BTreeMap<(EdgeId, BootId), Vec<usize>> = BTreeMap::new();
    for (index, Fresh { arrival: Arrival { event, .. }, .. }) in fresh.iter().enumerate() {
        boots.entry((event.edge.clone(), event.boot)).or_default().push(index);
    }
    let (boots, indices): (Vec<Numbers>, Vec<Vec<usize>>) = boots
        .into_iter()
        .map(|((edge, boot), indices)| {
            let seqs = indices.iter().map(|index| fresh[*index].arrival.event.seq).collect();
            (Numbers { edge, boot, seqs }, indices)
        })
        .unzip();
    let placed = sequence::place(batch, &boots).await?;
    for (index, placed) in indices.into_iter().flatten().zip(placed.into_iter().flatten()) {
        fresh[index].conflict = !placed;
        if !placed {
            let event = fresh[index].arrival.event;
            tracing::warn!(
                event = %event.id, edge = %event.edge, boot = %event.boot, seq = %event.seq,
                "another event already has this sequence number; both are kept: was the edge's disk copied or put back?"
            );
        }
    }
    Ok(())
}

async fn insert(batch: &mut Batch<'_>, fresh: &[Fresh<'_>]) -> Result<(), StoreError> {
    for rows in chunks(fresh) {
        let mut query = Sql::new(
            "INSERT INTO event (id, edge, boot, seq, time, received, kind, severity, alarm, phase, \
             sequence_conflict, envelope) ",
        );
        query.push_rows(rows, |row, Fresh { arrival: Arrival { delivery, event, text }, told, conflict }| {
            row.bind(event.id.to_string())
                .bind(event.edge.as_str())
                .bind(event.boot.to_string())
                .bind(integer(event.seq))
                .bind(nanos(event.time))
                .bind(nanos(delivery.received))
                .bind(event.data.happening.kind())
                .bind(i64::from(event.data.severity.level()))
                .bind(id_text(told.as_ref().map(|alarm| &alarm.id)))
                .bind(told.as_ref().map(|alarm| word::<Phase>(&alarm.first.phase)))
                .bind(i64::from(*conflict))
                .bind(*text);
        });
        query.suited_to(batch.connection).build().execute(&mut *batch.connection).await?;
    }
    Ok(())
}
