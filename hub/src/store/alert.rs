//! Alarms as people are told of them, newest first or by change.

mod evidence;

use std::fmt;
use std::str::FromStr;

use gatepost_wire::{AlarmId, CameraId, EdgeId};
use sqlx::FromRow;

use super::column::{parse, timestamp};
use super::keyset::{Found, Keyset, List};
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

/// Alarms, newest first.
pub(super) const ALARMS: List =
    List { table: "alarm", edge: "alarm.edge", place: &["placed", "id"], newest_first: true };

/// All alarms within a scope.
fn all(scope: &Scope, before: Option<Place>, limit: u16) -> Keyset<'_, (i64, String)> {
    let behind = before.map(|Place { placed, id }| (placed, id.to_string()));
    Keyset::of(&ALARMS, scope, behind, limit)
}

impl Store {
    /// Alarms, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alerts(&self, filter: &AlertFilter) -> Result<AlertPage, StoreError> {
        let mut conditions = Sql::new("");
        let found = match &filter.camera {
            None => Found::AllOfIt,
            // All cameras of a name have an index.
            Some(_) if filter.edge.is_none() && filter.scope == Scope::All => Found::ByIndex,
            Some(_) => Found::ByLooking,
        };
        if let Some(camera) = &filter.camera {
            conditions.push(" AND alarm.camera = ").push_bind(camera.to_string());
        }
        let all = all(&filter.scope, filter.before, filter.limit);
        let keyset = Keyset { edge: filter.edge.as_ref(), found, ..all };
        self.page(&keyset, &conditions).await
    }

    async fn page(
        &self,
        keyset: &Keyset<'_, (i64, String)>,
        conditions: &Sql,
    ) -> Result<AlertPage, StoreError> {
        let mut query = Sql::new(SELECT);
        query.push(" WHERE 1 = 1");
        let last = keyset.complete(self, &mut query, conditions).await?;
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        let next = keyset.next(&rows, |row| (row.placed, row.alarm.id.clone()), last);
        let next =
            next.map(|(placed, id)| Ok::<_, StoreError>(Place { placed, id: parse("alarm.id", &id)? }));
        Ok(AlertPage { alerts: self.told(rows).await?, next: next.transpose()? })
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
        let keyset = Keyset { from: Some(span.from), until: Some(span.until), ..all(scope, before, limit) };
        self.page(&keyset, &Sql::new("")).await
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
