//! What statistics ask of incidents.

use gatepost_wire::Timestamp;
use sqlx::FromRow;

use crate::access::Scope;
use crate::incident::Counted;
use crate::store::access::within;
use crate::store::column::{from_word, nanos, parse, parse_option, timestamp};
use crate::store::statement::Statement;
use crate::store::{Store, StoreError};

#[derive(FromRow)]
struct Row {
    edge: String,
    camera: Option<String>,
    camera_label: Option<String>,
    rule: Option<String>,
    opened: i64,
    acknowledged: Option<i64>,
    closed: Option<i64>,
    reason: Option<String>,
}

impl TryFrom<Row> for Counted {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            edge: parse("incident.edge", &row.edge)?,
            camera: parse_option("incident.camera", row.camera)?,
            camera_label: row.camera_label,
            rule: parse_option("incident.rule", row.rule)?,
            opened: timestamp(row.opened),
            acknowledged: row.acknowledged.map(timestamp),
            closed: row.closed.map(timestamp),
            false_alarm: row.reason.map(|word| from_word("incident.reason", word)).transpose()?,
        })
    }
}

impl Store {
    /// Incidents of a scope that were opened since a moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn counted(&self, since: Timestamp, scope: &Scope) -> Result<Vec<Counted>, StoreError> {
        let mut query = Statement::new(
            "SELECT incident.edge, incident.camera, c.label AS camera_label, incident.rule, opened, acknowledged, closed, reason \
             FROM incident LEFT JOIN label c ON c.edge = incident.edge AND c.camera = incident.camera AND c.zone = '' \
             WHERE opened >= ",
        );
        query.push_bind(nanos(since));
        within(&mut query, "incident.edge", scope);
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// How many people triaged any of them since then.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn operators(&self, since: Timestamp, scope: &Scope) -> Result<usize, StoreError> {
        let mut query = Statement::new(
            "SELECT count(DISTINCT actor) FROM incident_step JOIN incident ON incident.id = incident_step.incident \
             WHERE action = 'triage' AND opened >= ",
        );
        query.push_bind(nanos(since));
        within(&mut query, "incident.edge", scope);
        let count: i64 = query.build_query_scalar().fetch_one(&self.readers).await?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}
