//! What statistics ask of incidents.

use gatepost_wire::Timestamp;
use sqlx::FromRow;

use crate::access::Scope;
use crate::incident::Counted;
use crate::store::access::within;
use crate::store::column::{from_word, nanos, parse, parse_option, timestamp};
use crate::store::sql::Sql;
use crate::store::{Span, Store, StoreError};

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

const COUNTED: &str = "SELECT incident.edge, incident.camera, c.label AS camera_label, incident.rule, opened, acknowledged, closed, reason \
     FROM incident LEFT JOIN label c ON c.edge = incident.edge AND c.camera = incident.camera AND c.zone = '' WHERE ";

impl Store {
    /// Incidents of a scope that were opened since a moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn counted(&self, since: Timestamp, scope: &Scope) -> Result<Vec<Counted>, StoreError> {
        let mut query = Sql::new(COUNTED);
        query.push("opened >= ").push_bind(nanos(since));
        self.count(query, scope).await
    }

    /// Incidents of a scope that were closed between two moments.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn counted_closed(&self, span: &Span, scope: &Scope) -> Result<Vec<Counted>, StoreError> {
        let mut query = Sql::new(COUNTED);
        query.push("closed IS NOT NULL");
        span.limit(&mut query, "closed");
        self.count(query, scope).await
    }

    async fn count(&self, mut query: Sql, scope: &Scope) -> Result<Vec<Counted>, StoreError> {
        within(&mut query, "incident.edge", scope);
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// How many people have triaged incidents of a scope since a moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn operators(&self, since: Timestamp, scope: &Scope) -> Result<usize, StoreError> {
        let mut query = Sql::new("SELECT count(DISTINCT incident_step.actor) FROM incident_step");
        // Where it is asked for everywhere the index of steps says it all.
        if scope.sites().is_some() {
            query.push(" JOIN incident ON incident.id = incident_step.incident");
        }
        query
            .push(" WHERE incident_step.action = 'triage' AND incident_step.time >= ")
            .push_bind(nanos(since));
        within(&mut query, "incident.edge", scope);
        let count: i64 = query.build_query_scalar().fetch_one(&self.readers).await?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}
