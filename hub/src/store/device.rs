//! What each edge last said of itself.

use std::collections::{BTreeMap, HashMap};

use gatepost_wire::{EdgeId, Health};
use serde_json::value::RawValue;
use sqlx::FromRow;

use super::access::within;
use super::column::{from_word, nanos, parse, parse_option, seq, timestamp, word};
use super::record::{Delivery, Fate, Presence};
use super::rows::chunks;
use super::sql::Sql;
use super::writer::{Batch, Touched};
use super::{Store, StoreError, sequence};
use crate::access::Scope;
use crate::device::{Device, Gap, presence};

/// Which edges are asked for.
#[derive(Debug)]
pub struct DeviceFilter {
    /// Of these boxes only.
    pub scope: Scope,
    /// Those that follow this one.
    pub after: Option<EdgeId>,
    /// At most so many.
    pub limit: Option<u16>,
}

impl DeviceFilter {
    /// Every edge there is.
    pub const ALL: Self = Self { scope: Scope::All, after: None, limit: None };
}

#[derive(FromRow)]
struct Row {
    edge: String,
    presence: String,
    last_seen: i64,
    health: Option<String>,
    refused: i64,
    change: i64,
}

#[derive(FromRow)]
struct GapRow {
    edge: String,
    boot: String,
    first: i64,
    last: i64,
}

const DEVICES: &str = "SELECT edge, presence, last_seen, health, refused, change FROM device";

impl Store {
    /// Edges, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn devices(&self, filter: &DeviceFilter) -> Result<Vec<Device>, StoreError> {
        let mut query = Sql::new(DEVICES);
        query.push(" WHERE edge > ").push_bind(filter.after.as_ref().map_or("", EdgeId::as_str).to_owned());
        within(&mut query, "edge", &filter.scope);
        query.push(" ORDER BY edge");
        if let Some(limit) = filter.limit {
            query.push(" LIMIT ").push_bind(i64::from(limit));
        }
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
        let gaps = sqlx::query_as(
            "SELECT edge, boot, first, last FROM missing WHERE edge >= $1 AND edge <= $2 ORDER BY edge, boot, first",
        )
        .bind(&first.edge)
        .bind(&last.edge)
        .fetch_all(&self.readers)
        .await?;
        Ok(assemble(rows, gaps)?.into_iter().map(|(_, device)| device).collect())
    }

    /// Edges that changed after a change number, in the order of their changes, with those numbers.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn devices_changed(&self, after: i64, limit: u16) -> Result<Vec<(i64, Device)>, StoreError> {
        let mut query = Sql::new(DEVICES);
        query.push(" WHERE change > ").push_bind(after);
        query.push(" ORDER BY change LIMIT ").push_bind(i64::from(limit));
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = Sql::new("SELECT edge, boot, first, last FROM missing WHERE edge");
        query.push_in(rows.iter().map(|row| &row.edge)).push(" ORDER BY edge, boot, first");
        let gaps = query.build_query_as().fetch_all(&self.readers).await?;
        assemble(rows, gaps)
    }

    /// Nobody is connected to a broker that has just started: what was online is unknown until it comes back.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_presence(&self) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sqlx::query("UPDATE device SET presence = 'unknown' WHERE presence = 'online'")
            .execute(&mut change.connection)
            .await?;
        change.commit().await
    }
}

fn assemble(rows: Vec<Row>, gaps: Vec<GapRow>) -> Result<Vec<(i64, Device)>, StoreError> {
    let mut by_edge: HashMap<String, Vec<Gap>> = HashMap::new();
    for gap in gaps {
        by_edge.entry(gap.edge).or_default().push(Gap {
            boot: parse("missing.boot", &gap.boot)?,
            first: seq(gap.first),
            last: seq(gap.last),
        });
    }
    rows.into_iter()
        .map(|row| {
            let unreadable = |_| StoreError::Unreadable { column: "device.health", value: row.edge.clone() };
            let device = Device {
                edge: parse("device.edge", &row.edge)?,
                presence: from_word("device.presence", row.presence)?,
                last_seen: timestamp(row.last_seen),
                health: row.health.map(RawValue::from_string).transpose().map_err(unreadable)?,
                missing: by_edge.remove(&row.edge).unwrap_or_default(),
                refused: u64::try_from(row.refused).unwrap_or(0),
            };
            Ok((row.change, device))
        })
        .collect()
}

/// What a box says of itself, as it came.
#[derive(Clone, Copy)]
pub(super) struct Report<'a> {
    pub delivery: &'a Delivery,
    pub health: &'a Health,
    /// The payload, whole.
    pub text: &'a str,
}

/// Notes what boxes say of themselves, in their order. Of two reports of a box the later counts.
pub(super) async fn store_reports(batch: &mut Batch<'_>, reports: &[Report<'_>]) -> Result<(), StoreError> {
    let (mut latest, mut labels) = (BTreeMap::new(), BTreeMap::new());
    let (mut sensor_labels, mut announced) = (BTreeMap::new(), BTreeMap::new());
    for report in reports {
        let edge = &report.health.edge;
        latest.insert(edge, report);
        for camera in &report.health.cameras {
            let zones = camera.zones.iter().map(|zone| (zone.zone.as_str(), &zone.label));
            for (zone, label) in camera.label.iter().map(|label| ("", label)).chain(zones) {
                labels.insert((edge, camera.camera.as_str(), zone), label);
            }
        }
        for sensor in &report.health.sensors {
            if let Some(label) = &sensor.label {
                sensor_labels.insert((edge, sensor.sensor.as_str()), label);
            }
        }
        for recorded in &report.health.recorded {
            let last = announced.entry((edge.clone(), recorded.boot)).or_insert(recorded.last);
            *last = recorded.last.max(*last);
        }
    }
    write_health(batch, latest).await?;
    for some in chunks(&Vec::from_iter(labels)) {
        let mut insert = Sql::new("INSERT INTO label (edge, camera, zone, label) ");
        insert.push_rows(some, |row, ((edge, camera, zone), label)| {
            row.bind(edge.as_str()).bind(*camera).bind(*zone).bind(label.as_str());
        });
        insert.push(
            " ON CONFLICT (edge, camera, zone) DO UPDATE SET label = excluded.label WHERE label.label <> excluded.label",
        );
        insert.suited_to(batch.connection).build().execute(&mut *batch.connection).await?;
    }
    for some in chunks(&Vec::from_iter(sensor_labels)) {
        let mut insert = Sql::new("INSERT INTO sensor_label (edge, sensor, label) ");
        insert.push_rows(some, |row, ((edge, sensor), label)| {
            row.bind(edge.as_str()).bind(*sensor).bind(label.as_str());
        });
        insert.push(
            " ON CONFLICT (edge, sensor) DO UPDATE SET label = excluded.label WHERE sensor_label.label <> excluded.label",
        );
        insert.suited_to(batch.connection).build().execute(&mut *batch.connection).await?;
    }
    sequence::announce(batch, &Vec::from_iter(announced)).await
}

async fn write_health(
    batch: &mut Batch<'_>,
    latest: BTreeMap<&EdgeId, &Report<'_>>,
) -> Result<(), StoreError> {
    let rows: Vec<(&Report<'_>, i64)> =
        latest.into_values().map(|report| (report, batch.next_change())).collect();
    for some in chunks(&rows) {
        let mut insert = Sql::new("INSERT INTO device (edge, last_seen, health, change) ");
        insert.push_rows(some, |row, (Report { delivery, health, text }, change)| {
            row.bind(health.edge.as_str()).bind(nanos(delivery.received)).bind(*text).bind(*change);
        });
        insert.push(" ON CONFLICT (edge) DO UPDATE SET health = excluded.health");
        insert.suited_to(batch.connection).build().execute(&mut *batch.connection).await?;
    }
    Ok(())
}

pub(super) async fn store_presence(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    told: &Presence,
) -> Result<Fate, StoreError> {
    ensure(batch, &told.edge, delivery).await?;
    let boot: Option<String> = sqlx::query_scalar("SELECT presence_boot FROM device WHERE edge = $1")
        .bind(told.edge.as_str())
        .fetch_one(&mut *batch.connection)
        .await?;
    let known = parse_option("device.presence_boot", boot)?;
    if !presence::replaces(known, told.boot, told.state) {
        return Ok(Fate::Duplicate);
    }
    sqlx::query("UPDATE device SET presence = $1, presence_boot = $2 WHERE edge = $3")
        .bind(word(&told.state))
        .bind(told.boot.to_string())
        .bind(told.edge.as_str())
        .execute(&mut *batch.connection)
        .await?;
    batch.touch(&told.edge, delivery).changed = true;
    Ok(Fate::Stored)
}

async fn ensure(batch: &mut Batch<'_>, edge: &EdgeId, delivery: &Delivery) -> Result<(), StoreError> {
    let change = batch.next_change();
    sqlx::query(
        "INSERT INTO device (edge, last_seen, change) VALUES ($1, $2, $3) ON CONFLICT (edge) DO NOTHING",
    )
    .bind(edge.as_str())
    .bind(nanos(delivery.received))
    .bind(change)
    .execute(&mut *batch.connection)
    .await?;
    Ok(())
}

/// Notes that messages of these boxes came. `last_seen` never goes back, whatever the hub's clock does.
pub(super) async fn touch(
    batch: &mut Batch<'_>,
    devices: BTreeMap<EdgeId, Touched>,
) -> Result<(), StoreError> {
    let rows: Vec<(EdgeId, Touched, i64)> =
        devices.into_iter().map(|(edge, touched)| (edge, touched, batch.next_change())).collect();
    for (live, changed) in [(true, true), (true, false), (false, true), (false, false)] {
        let is_like_this =
            |touched: &Touched| touched.last_seen.is_some() == live && touched.changed == changed;
        let alike: Vec<_> = rows.iter().filter(|(_, touched, _)| is_like_this(touched)).collect();
        for some in chunks(&alike) {
            let mut insert = Sql::new("INSERT INTO device (edge, last_seen, refused, change) ");
            insert.push_rows(some, |row, (edge, touched, change)| {
                let last_seen = touched.last_seen.unwrap_or(touched.received);
                row.bind(edge.as_str()).bind(last_seen).bind(touched.refused).bind(*change);
            });
            insert.push(" ON CONFLICT (edge) DO UPDATE SET refused = device.refused + excluded.refused");
            if live {
                insert.push(
                    ", last_seen = CASE WHEN excluded.last_seen > device.last_seen THEN excluded.last_seen ELSE device.last_seen END",
                );
            }
            if changed {
                insert.push(", change = excluded.change");
            }
            insert.suited_to(batch.connection).build().execute(&mut *batch.connection).await?;
        }
    }
    Ok(())
}
