//! Reading it.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_wire::{CameraId, EdgeId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, FromRow, Row as _};

use super::row::columns;
use crate::store::column::{from_word, nanos, parse, timestamp};
use crate::store::sql::Sql;
use crate::store::{Store, StoreError};
use crate::telemetry::{Amount, BoxSample, CameraSample, Change, Standing, Stretch};

/// More changes are not told of at once.
const CHANGES: i64 = 500;

struct BoxRow {
    start: i64,
    reports: i64,
    last_time: i64,
    boot: String,
    uptime_ms: i64,
    amounts: [Amount; 5],
}

impl FromRow<'_, AnyRow> for BoxRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let mut amounts = [Amount::default(); 5];
        for (amount, name) in amounts.iter_mut().zip(super::row::AMOUNTS) {
            let bound = |end: &str| row.try_get::<Option<i64>, _>(format!("{name}_{end}").as_str());
            *amount = Amount {
                count: row.try_get(format!("{name}_count").as_str())?,
                sum: row.try_get(format!("{name}_sum").as_str())?,
                bounds: bound("min")?.zip(bound("max")?),
            };
        }
        Ok(Self {
            start: row.try_get("start")?,
            reports: row.try_get("reports")?,
            last_time: row.try_get("last_time")?,
            boot: row.try_get("boot")?,
            uptime_ms: row.try_get("uptime_ms")?,
            amounts,
        })
    }
}

#[derive(FromRow)]
struct CameraRow {
    start: i64,
    camera: String,
    reports: i64,
    streaming: i64,
    last_time: i64,
    sampled: i64,
    looked_at: i64,
}

#[derive(FromRow)]
struct StandingRow {
    edge: String,
    camera: String,
    state: String,
    reason: Option<String>,
    since: i64,
}

impl Store {
    /// What is kept of a box in a stretch, and of the step before it, by their beginnings.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn samples(
        &self,
        edge: &EdgeId,
        stretch: &Stretch,
    ) -> Result<Vec<(Timestamp, BoxSample)>, StoreError> {
        let limited = |query: &mut Sql| {
            query.push(" WHERE edge = ").push_bind(edge.as_str());
            query.push(" AND width_s = ").push_bind(stretch.width.seconds());
            query.push(" AND start >= ").push_bind(nanos(stretch.lead()));
            query.push(" AND start < ").push_bind(nanos(stretch.end()));
        };
        let mut query = Sql::new("SELECT start, reports, last_time, boot, uptime_ms, ");
        query.push(&columns()).push(" FROM telemetry_box");
        limited(&mut query);
        let boxes: Vec<BoxRow> = query.build_query_as().fetch_all(&self.readers).await?;
        let mut query = Sql::new(
            "SELECT start, camera, reports, streaming, last_time, sampled, looked_at FROM telemetry_camera",
        );
        limited(&mut query);
        let cameras: Vec<CameraRow> = query.build_query_as().fetch_all(&self.readers).await?;
        assemble(boxes, cameras)
    }

    /// How a box and its cameras stand.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn standing(&self, edge: &EdgeId) -> Result<Vec<Change>, StoreError> {
        self.readers.ask(async |connection| standing(&BTreeSet::from([edge]), connection).await).await
    }

    /// How that changed in a stretch, in order; the latest 500.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn changes(&self, edge: &EdgeId, stretch: &Stretch) -> Result<Vec<Change>, StoreError> {
        let rows: Vec<StandingRow> = sqlx::query_as(
            "SELECT edge, camera, state, reason, time AS since FROM telemetry_change \
             WHERE edge = $1 AND time >= $2 AND time < $3 ORDER BY time DESC, camera LIMIT $4",
        )
        .bind(edge.as_str())
        .bind(nanos(stretch.start))
        .bind(nanos(stretch.end()))
        .bind(CHANGES)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().rev().map(told).collect()
    }
}

/// How boxes and their cameras stand.
pub(super) async fn standing(
    edges: &BTreeSet<&EdgeId>,
    connection: &mut AnyConnection,
) -> Result<Vec<Change>, StoreError> {
    let mut query = Sql::new("SELECT edge, camera, state, reason, since FROM telemetry_standing WHERE edge");
    query.push_in(edges).push(" ORDER BY edge, camera");
    let rows: Vec<StandingRow> = query.build_query_as().fetch_all(connection).await?;
    rows.into_iter().map(told).collect()
}

fn told(row: StandingRow) -> Result<Change, StoreError> {
    let camera: Option<CameraId> = match row.camera.as_str() {
        "" => None,
        camera => Some(parse("telemetry_standing.camera", camera)?),
    };
    let state = from_word("telemetry_standing.state", row.state)?;
    let standing = Standing { state, reason: row.reason, since: timestamp(row.since) };
    Ok(Change { edge: parse("telemetry_standing.edge", &row.edge)?, camera, standing })
}

fn assemble(boxes: Vec<BoxRow>, cameras: Vec<CameraRow>) -> Result<Vec<(Timestamp, BoxSample)>, StoreError> {
    let mut of_start: BTreeMap<i64, BTreeMap<CameraId, CameraSample>> = BTreeMap::new();
    for row in cameras {
        let sample = CameraSample {
            reports: row.reports,
            streaming: row.streaming,
            last: timestamp(row.last_time),
            sampled: row.sampled,
            looked_at: row.looked_at,
        };
        of_start.entry(row.start).or_default().insert(parse("telemetry_camera.camera", &row.camera)?, sample);
    }
    let one = |row: BoxRow| {
        let [temperature, inference, load, queued, disk] = row.amounts;
        let sample = BoxSample {
            reports: row.reports,
            last: timestamp(row.last_time),
            boot: parse("telemetry_box.boot", &row.boot)?,
            uptime_ms: row.uptime_ms,
            temperature,
            inference,
            load,
            queued,
            disk,
            cameras: of_start.remove(&row.start).unwrap_or_default(),
        };
        Ok((timestamp(row.start), sample))
    };
    boxes.into_iter().map(one).collect()
}
