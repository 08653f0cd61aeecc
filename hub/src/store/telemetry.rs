//! How boxes fared: samples of five minutes and of hours, and how boxes and cameras stand.

mod read;
mod row;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use gatepost_wire::{CameraId, EdgeId, Timestamp};
use sqlx::AnyConnection;

use super::column::{nanos, parse, plain, word};
use super::rows::chunks;
use super::sql::Sql;
use super::{Store, StoreError};
use crate::telemetry::{BoxSample, Change, Standing, Width};

/// How long samples and changes are kept.
#[derive(Debug, Clone, Copy)]
pub struct TelemetryEnds {
    /// Five minutes that began before then are over.
    pub fine: Timestamp,
    /// And so are hours, and changes.
    pub coarse: Timestamp,
}

/// The box, how long, and when it began.
type Key = (EdgeId, Width, Timestamp);

impl Store {
    /// Adds what five minutes of boxes say, each to its five minutes and to its hour.
    ///
    /// # Errors
    /// When the database cannot be written; nothing is added then.
    pub async fn record_samples(&self, closed: &[(EdgeId, Timestamp, BoxSample)]) -> Result<(), StoreError> {
        // PostgreSQL takes a row once in a statement, and an hour may get more than one of its parts.
        let mut samples: BTreeMap<Key, BoxSample> = BTreeMap::new();
        for (edge, start, sample) in closed {
            for width in Width::ALL {
                let key = (edge.clone(), width, width.start_of(*start));
                match samples.get_mut(&key) {
                    Some(known) => known.merge(sample),
                    None => drop(samples.insert(key, sample.clone())),
                }
            }
        }
        let boxes: Vec<(&Key, &BoxSample)> = samples.iter().collect();
        let mut change = self.begin().await?;
        for rows in chunks(&boxes) {
            row::add_boxes(rows)
                .suited_to(&change.connection)
                .build()
                .execute(&mut change.connection)
                .await?;
        }
        let cameras: Vec<row::CameraRow<'_>> = boxes
            .iter()
            .flat_map(|(key, sample)| {
                sample.cameras.iter().map(move |(camera, sample)| (*key, camera, sample))
            })
            .collect();
        for rows in chunks(&cameras) {
            row::add_cameras(rows)
                .suited_to(&change.connection)
                .build()
                .execute(&mut change.connection)
                .await?;
        }
        change.commit().await
    }

    /// Notes what is new of how boxes and cameras stand.
    ///
    /// # Errors
    /// When the database cannot be written; nothing is noted then.
    pub async fn record_changes(&self, told: &[Change]) -> Result<(), StoreError> {
        let edges: BTreeSet<&EdgeId> = told.iter().map(|change| &change.edge).collect();
        let known = self.readers.ask(async |connection| read::standing(&edges, connection).await).await?;
        // Mostly nothing is new, and then nobody has to wait for this.
        if news(told, known).is_empty() {
            return Ok(());
        }
        let mut change = self.begin().await?;
        let known = read::standing(&edges, &mut change.connection).await?;
        for new in news(told, known) {
            note(new, &mut change.connection).await?;
        }
        change.commit().await
    }

    /// Deletes what is over of the boxes that follow this one, so many of them; the last of these, or none when there are no more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_telemetry(
        &self,
        after: Option<&EdgeId>,
        ends: &TelemetryEnds,
        boxes: u16,
    ) -> Result<Option<EdgeId>, StoreError> {
        let edges: Vec<String> =
            sqlx::query_scalar("SELECT edge FROM device WHERE edge > $1 ORDER BY edge LIMIT $2")
                .bind(after.map_or("", EdgeId::as_str))
                .bind(i64::from(boxes))
                .fetch_all(&self.readers)
                .await?;
        let Some(last) = edges.last() else { return Ok(None) };
        let mut change = self.begin().await?;
        for table in ["telemetry_box", "telemetry_camera"] {
            for (width, end) in [(Width::Fine, ends.fine), (Width::Coarse, ends.coarse)] {
                let mut query = Sql::new("DELETE FROM ");
                query.push(table).push(" WHERE edge").push_in(&edges);
                query
                    .push(" AND width_s = ")
                    .push_bind(width.seconds())
                    .push(" AND start < ")
                    .push_bind(nanos(end));
                query.build().execute(&mut change.connection).await?;
            }
        }
        let mut query = Sql::new("DELETE FROM telemetry_change WHERE edge");
        query.push_in(&edges).push(" AND time < ").push_bind(nanos(ends.coarse));
        query.build().execute(&mut change.connection).await?;
        change.commit().await?;
        Ok(Some(parse("device.edge", last)?))
    }
}

/// What of this is new to who knows that.
fn news(told: &[Change], known: Vec<Change>) -> Vec<&Change> {
    let mut known: BTreeMap<(EdgeId, Option<CameraId>), Standing> =
        known.into_iter().map(|Change { edge, camera, standing }| ((edge, camera), standing)).collect();
    let mut new = Vec::new();
    for change in told {
        let place = (change.edge.clone(), change.camera.clone());
        if known.get(&place).is_none_or(|known| change.standing.follows(known)) {
            known.insert(place, change.standing.clone());
            new.push(change);
        }
    }
    new
}

/// A change, and how it stands from then on.
async fn note(change: &Change, connection: &mut AnyConnection) -> Result<(), StoreError> {
    let Change { edge, camera, standing } = change;
    let camera = camera.as_ref().map_or("", CameraId::as_str);
    for statement in [
        "INSERT INTO telemetry_change (edge, camera, state, reason, time) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (edge, time, camera) DO NOTHING",
        "INSERT INTO telemetry_standing (edge, camera, state, reason, since) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (edge, camera) DO UPDATE SET \
           state = excluded.state, reason = excluded.reason, since = excluded.since",
    ] {
        sqlx::query(statement)
            .bind(edge.as_str())
            .bind(camera)
            .bind(word(&standing.state))
            .bind(standing.reason.as_deref().map(plain))
            .bind(nanos(standing.since))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
