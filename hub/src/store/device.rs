//! What each edge last said of itself.

use std::collections::HashMap;

use gatepost_wire::{EdgeId, Health};
use serde_json::value::RawValue;
use sqlx::FromRow;

use super::access::within;
use super::column::{from_word, nanos, parse, parse_option, plain, seq, timestamp, word};
use super::record::{Delivery, Fate, Presence};
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
        let mut gaps = Vec::new();
        for row in &rows {
            let of_edge: Vec<GapRow> = sqlx::query_as(
                "SELECT edge, boot, first, last FROM missing WHERE edge = $1 ORDER BY boot, first",
            )
            .bind(&row.edge)
            .fetch_all(&self.readers)
            .await?;
            gaps.extend(of_edge);
        }
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

pub(super) async fn store_health(
    batch: &mut Batch<'_>,
    delivery: &Delivery,
    health: &Health,
    text: &str,
) -> Result<Fate, StoreError> {
    ensure(batch, &health.edge, delivery).await?;
    sqlx::query("UPDATE device SET health = $1 WHERE edge = $2")
        .bind(text)
        .bind(health.edge.as_str())
        .execute(&mut *batch.connection)
        .await?;
    for camera in &health.cameras {
        let zones = camera.zones.iter().map(|zone| (zone.zone.as_str(), &zone.label));
        for (zone, label) in camera.label.iter().map(|label| ("", label)).chain(zones) {
            sqlx::query(
                "INSERT INTO label (edge, camera, zone, label) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (edge, camera, zone) DO UPDATE SET label = excluded.label \
                 WHERE label.label <> excluded.label",
            )
            .bind(health.edge.as_str())
            .bind(camera.camera.as_str())
            .bind(zone)
            .bind(plain(label))
            .execute(&mut *batch.connection)
            .await?;
        }
    }
    for sensor in &health.sensors {
        let Some(label) = &sensor.label else { continue };
        sqlx::query(
            "INSERT INTO sensor_label (edge, sensor, label) VALUES ($1, $2, $3) \
             ON CONFLICT (edge, sensor) DO UPDATE SET label = excluded.label \
             WHERE sensor_label.label <> excluded.label",
        )
        .bind(health.edge.as_str())
        .bind(sensor.sensor.as_str())
        .bind(plain(label))
        .execute(&mut *batch.connection)
        .await?;
    }
    for recorded in &health.recorded {
        sequence::announce(batch, &health.edge, recorded.boot, recorded.last).await?;
    }
    batch.touch(&health.edge, delivery).changed = true;
    Ok(Fate::Stored)
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

/// Notes that messages of an edge came. `last_seen` never goes back, whatever the hub's clock does.
pub(super) async fn touch(batch: &mut Batch<'_>, edge: &EdgeId, touched: &Touched) -> Result<(), StoreError> {
    let change = batch.next_change();
    sqlx::query(
        "INSERT INTO device (edge, last_seen, refused, change) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (edge) DO UPDATE SET \
           last_seen = CASE WHEN $6 > device.last_seen THEN $6 ELSE device.last_seen END, \
           refused = device.refused + excluded.refused, \
           change = CASE WHEN $5 = 1 THEN excluded.change ELSE device.change END",
    )
    .bind(edge.as_str())
    .bind(touched.received)
    .bind(touched.refused)
    .bind(change)
    .bind(i64::from(touched.changed))
    .bind(touched.last_seen)
    .execute(&mut *batch.connection)
    .await?;
    Ok(())
}
