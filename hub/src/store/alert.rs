//! Alarms as people are told of them, newest first or by change.

mod evidence;

use std::fmt;
use std::str::FromStr;

use gatepost_wire::{AlarmId, CameraId, EdgeId};
use sqlx::FromRow;

use super::access::within;
use super::column::timestamp;
use super::sql::Sql;
use super::{Span, Store, StoreError, alarm};
use crate::access::Scope;
use crate::alarm::Alarm;
use crate::alert::{Alert, Labels};

/// Where an alarm stands in the list; the text is a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    placed: i64,
    id: AlarmId,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.placed, self.id)
    }
}

/// A text is no cursor of this list.
#[derive(Debug, thiserror::Error)]
#[error("not a cursor: use `next` of the page before, unchanged")]
pub struct PlaceError;

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (placed, id) = text.split_once('.').ok_or(PlaceError)?;
        Ok(Self { placed: placed.parse().map_err(|_| PlaceError)?, id: id.parse().map_err(|_| PlaceError)? })
    }
}

/// Which alarms are asked for.
#[derive(Debug)]
pub struct AlertFilter {
    /// Of these boxes only.
    pub scope: Scope,
    /// Of this edge only.
    pub edge: Option<EdgeId>,
    /// Of this camera only.
    pub camera: Option<CameraId>,
    /// Older than the one here.
    pub before: Option<Place>,
    /// At most so many.
    pub limit: u16,
}

/// Some alarms, newest first.
#[derive(Debug)]
pub struct AlertPage {
    /// The alarms.
    pub alerts: Vec<Alert>,
    /// Where to go on, when there may be more.
    pub next: Option<Place>,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    alarm: alarm::Row,
    received: i64,
    placed: i64,
    change: i64,
    camera_label: Option<String>,
    zone_label: Option<String>,
    sensor_label: Option<String>,
}

impl Store {
    async fn told(&self, rows: Vec<Row>) -> Result<Vec<Alert>, StoreError> {
        let alarms: Vec<(Alarm, Labels, i64)> = rows
            .into_iter()
            .map(|row| {
                let (camera, zone, sensor) = (row.camera_label, row.zone_label, row.sensor_label);
                let labels = Labels { camera, zone, sensor };
                Ok((row.alarm.try_into()?, labels, row.received))
            })
            .collect::<Result<_, StoreError>>()?;
        let mut shown = evidence::of_alarms(&self.readers, alarms.iter().map(|(alarm, ..)| alarm.id)).await?;
        Ok(alarms
            .into_iter()
            .map(|(alarm, labels, received)| {
                let evidence = shown.remove(&alarm.id).unwrap_or_default();
                Alert::new(alarm, labels, timestamp(received), evidence)
            })
            .collect())
    }
}

const SELECT: &str = "SELECT alarm.*, c.label AS camera_label, z.label AS zone_label, \
    s.label AS sensor_label FROM alarm \
    LEFT JOIN label c ON c.edge = alarm.edge AND c.camera = alarm.camera AND c.zone = '' \
    LEFT JOIN label z ON z.edge = alarm.edge AND z.camera = alarm.camera AND z.zone = alarm.zone \
    LEFT JOIN sensor_label s ON s.edge = alarm.edge AND s.sensor = alarm.sensor";

impl Store {
    /// Alarms, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alerts(&self, filter: &AlertFilter) -> Result<AlertPage, StoreError> {
        let mut query = Sql::new(SELECT);
        query.push(" WHERE 1 = 1");
        within(&mut query, "alarm.edge", &filter.scope);
        if let Some(edge) = &filter.edge {
            query.push(" AND alarm.edge = ").push_bind(edge.to_string());
        }
        if let Some(camera) = &filter.camera {
            query.push(" AND alarm.camera = ").push_bind(camera.to_string());
        }
        self.page(query, filter.before, filter.limit).await
    }

    async fn page(&self, mut query: Sql, before: Option<Place>, limit: u16) -> Result<AlertPage, StoreError> {
        if let Some(before) = before {
            query.push(" AND (alarm.placed, alarm.id) < (").push_bind(before.placed);
            query.push(", ").push_bind(before.id.to_string()).push(")");
        }
        query.push(" ORDER BY alarm.placed DESC, alarm.id DESC LIMIT ").push_bind(i64::from(limit));
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        let full = rows.len() >= usize::from(limit);
        let last_placed = rows.last().map(|row| row.placed);
        let alerts = self.told(rows).await?;
        let next = match (alerts.last(), last_placed) {
            (Some(last), Some(placed)) if full => Some(Place { placed, id: last.id }),
            _ => None,
        };
        Ok(AlertPage { alerts, next })
    }

    /// Alarms that began (or came, if the box's clock was ahead) in a span of time, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alerts_within(
        &self,
        span: &Span,
        scope: &Scope,
        before: Option<Place>,
        limit: u16,
    ) -> Result<AlertPage, StoreError> {
        let mut query = Sql::new(SELECT);
        query.push(" WHERE 1 = 1");
        within(&mut query, "alarm.edge", scope);
        span.limit(&mut query, "alarm.placed");
        self.page(query, before, limit).await
    }

    /// These alarms, in the order they began.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) async fn alerts_by_id(&self, ids: &[String]) -> Result<Vec<Alert>, StoreError> {
        let mut query = Sql::new(SELECT);
        query.push(" WHERE alarm.id").push_in(ids);
        query.push(" ORDER BY alarm.first_time, alarm.id");
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        self.told(rows).await
    }

    /// Alarms that changed after a change number, in the order of their changes, with those numbers.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alerts_changed(&self, after: i64, limit: u16) -> Result<Vec<(i64, Alert)>, StoreError> {
        let mut query = Sql::new(SELECT);
        query.push(" WHERE alarm.change > ").push_bind(after);
        query.push(" ORDER BY alarm.change LIMIT ").push_bind(i64::from(limit));
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        let changes: Vec<i64> = rows.iter().map(|row| row.change).collect();
        Ok(changes.into_iter().zip(self.told(rows).await?).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_keeps_its_text() {
        let text = "-5.01ARZ3NDEKTSV4RRFFQ69G5FAV";
        assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        for bad in ["", "5", "5.x", "x.01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
