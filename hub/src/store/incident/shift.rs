//! What a shift's report asks of incidents.

use std::collections::HashMap;

use gatepost_wire::Timestamp;

use super::view::{SELECT, Shown};
use crate::access::Scope;
use crate::incident::timeline::Step;
use crate::incident::{Followed, Incident, Note};
use crate::store::access::within;
use crate::store::column::parse;
use crate::store::sql::Sql;
use crate::store::{Span, Store, StoreError, rows};

impl Store {
    /// How many incidents of a scope were opened.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn opened_within(&self, span: &Span, scope: &Scope) -> Result<i64, StoreError> {
        let mut query = Sql::new("SELECT count(*) FROM incident WHERE 1 = 1");
        span.limit(&mut query, "opened");
        within(&mut query, "incident.edge", scope);
        Ok(query.build_query_scalar().fetch_one(&self.readers).await?)
    }

    /// Incidents that were closed and were no false alarm, the latest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn dealt_with(
        &self,
        span: &Span,
        scope: &Scope,
        limit: u16,
        now: Timestamp,
    ) -> Result<Vec<Incident>, StoreError> {
        let mut query = Sql::new(SELECT);
        span.limit(&mut query, "incident.closed");
        query.push(" AND incident.reason IS NULL AND incident.merged_into IS NULL");
        within(&mut query, "incident.edge", scope);
        query.push(" ORDER BY incident.closed DESC, incident.number DESC LIMIT ").push_bind(i64::from(limit));
        let rows: Vec<Shown> = query.build_query_as().fetch_all(&self.readers).await?;
        rows.into_iter().map(|shown| shown.told(now, None)).collect()
    }

    /// Each with the last step of its timeline that has words.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn with_what_was_said(&self, incidents: Vec<Incident>) -> Result<Vec<Followed>, StoreError> {
        let ids: Vec<String> = incidents.iter().map(|incident| incident.id.to_string()).collect();
        let mut said: HashMap<String, Step> = HashMap::new();
        for some in rows::chunks(&ids) {
            let mut query = Sql::new(
                "SELECT incident, document, hash FROM incident_step WHERE actor IS NOT NULL AND incident",
            );
            query.push_in(some).push(" ORDER BY incident, version");
            let steps: Vec<(String, String, String)> =
                query.build_query_as().fetch_all(&self.readers).await?;
            for (incident, document, hash) in steps {
                let step = step(document, hash)?;
                if step.text.is_some() {
                    said.insert(incident, step);
                }
            }
        }
        let followed = |incident: Incident| {
            let said = said.remove(&incident.id.to_string());
            Followed { incident, said }
        };
        Ok(incidents.into_iter().map(followed).collect())
    }

    /// What people noted, the latest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn notes(&self, span: &Span, scope: &Scope, limit: u16) -> Result<Vec<Note>, StoreError> {
        let mut query = Sql::new(
            "SELECT incident.id, incident.number, incident_step.document, incident_step.hash FROM incident_step \
             JOIN incident ON incident.id = incident_step.incident \
             WHERE incident_step.action = 'note'",
        );
        span.limit(&mut query, "incident_step.time");
        within(&mut query, "incident.edge", scope);
        query
            .push(" ORDER BY incident_step.time DESC, incident_step.number DESC LIMIT ")
            .push_bind(i64::from(limit));
        let rows: Vec<(String, i64, String, String)> =
            query.build_query_as().fetch_all(&self.readers).await?;
        rows.into_iter()
            .map(|(id, number, document, hash)| {
                Ok(Note { incident: parse("incident.id", &id)?, number, step: step(document, hash)? })
            })
            .collect()
    }
}

fn step(document: String, hash: String) -> Result<Step, StoreError> {
    Step::of(&document, hash)
        .map_err(|_| StoreError::Unreadable { column: "incident_step.document", value: document })
}
