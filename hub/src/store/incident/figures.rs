//! What statistics ask of incidents: counted by the database, since there may be hundreds of thousands.

use gatepost_wire::Timestamp;
use sqlx::FromRow;

use crate::access::Scope;
use crate::incident::{Tally, Took, WorstPlace};
use crate::store::access::within;
use crate::store::column::{from_word, nanos, parse, parse_option};
use crate::store::sql::Sql;
use crate::store::{Span, Store, StoreError};

/// So many places are named.
const WORST: i64 = 10;

const SECOND: i64 = 1_000_000_000;
const TEN_MINUTES: i64 = 600 * SECOND;

/// Which incidents are counted.
#[derive(Debug)]
pub enum Which<'s> {
    /// Those that were opened since then.
    OpenedSince(Timestamp),
    /// Those that were closed then.
    ClosedWithin(&'s Span),
}

impl Which<'_> {
    fn condition(&self, query: &mut Sql) {
        match self {
            Self::OpenedSince(since) => drop(query.push("incident.opened >= ").push_bind(nanos(*since))),
            Self::ClosedWithin(span) => {
                query.push("incident.closed IS NOT NULL");
                span.limit(query, "incident.closed");
            }
        }
    }
}

#[derive(FromRow)]
struct Place {
    edge: String,
    camera: Option<String>,
    rule: Option<String>,
    incidents: i64,
    wrong: i64,
}

impl Store {
    /// Incidents of a scope that were opened since a moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tally(&self, since: Timestamp, scope: &Scope) -> Result<Tally, StoreError> {
        let which = Which::OpenedSince(since);
        let mut query = Sql::new("SELECT incident.opened / ");
        query.push_bind(TEN_MINUTES).push(" AS slot, count(*), count(incident.reason) FROM incident WHERE ");
        which.condition(&mut query);
        within(&mut query, "incident.edge", scope);
        query.push(" GROUP BY slot");
        let slots: Vec<(i64, i64, i64)> = query.build_query_as().fetch_all(&self.readers).await?;
        Ok(Tally {
            opened: count(slots.iter().map(|(_, all, _)| all).sum()),
            busiest: slots
                .iter()
                .map(|(_, all, _)| u32::try_from(*all).unwrap_or(u32::MAX))
                .max()
                .unwrap_or(0),
            false_alarms: count(slots.iter().map(|(.., wrong)| wrong).sum()),
            acknowledge: self.took("incident.acknowledged", &which, scope).await?,
            close: self.took("incident.closed", &which, scope).await?,
            worst: self.worst(&which, scope).await?,
        })
    }

    /// How many incidents of a scope were closed, and how many of them as false alarms.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn closed_within(&self, span: &Span, scope: &Scope) -> Result<(usize, usize), StoreError> {
        let mut query = Sql::new("SELECT count(*), count(incident.reason) FROM incident WHERE ");
        Which::ClosedWithin(span).condition(&mut query);
        within(&mut query, "incident.edge", scope);
        let (all, wrong): (i64, i64) = query.build_query_as().fetch_one(&self.readers).await?;
        Ok((count(all), count(wrong)))
    }

    /// The rules of cameras that most false alarms come from, at most ten.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn worst(&self, which: &Which<'_>, scope: &Scope) -> Result<Vec<WorstPlace>, StoreError> {
        let mut query = Sql::new(
            "SELECT incident.edge, incident.camera, incident.rule, count(*) AS incidents, count(incident.reason) AS wrong \
             FROM incident WHERE ",
        );
        which.condition(&mut query);
        within(&mut query, "incident.edge", scope);
        query.push(
            " GROUP BY incident.edge, incident.camera, incident.rule HAVING count(incident.reason) > 0 \
             ORDER BY wrong DESC, incident.edge, incident.camera, incident.rule LIMIT ",
        );
        query.push_bind(WORST);
        let places: Vec<Place> = query.build_query_as().fetch_all(&self.readers).await?;
        let mut worst = Vec::with_capacity(places.len());
        for place in places {
            let mut query = Sql::new("SELECT incident.reason, count(*) FROM incident WHERE incident.edge = ");
            query
                .push_bind(place.edge.as_str())
                .push(" AND incident.camera IS NOT DISTINCT FROM ")
                .push_bind(&place.camera);
            query.push(" AND incident.rule IS NOT DISTINCT FROM ").push_bind(&place.rule);
            query.push(" AND incident.reason IS NOT NULL AND ");
            which.condition(&mut query);
            query.push(" GROUP BY incident.reason");
            let reasons: Vec<(String, i64)> = query.build_query_as().fetch_all(&self.readers).await?;
            let reasons =
                reasons.into_iter().map(|(word, n)| Ok((from_word("incident.reason", word)?, count(n))));
            let label =
                sqlx::query_scalar("SELECT label FROM label WHERE edge = $1 AND camera = $2 AND zone = ''")
                    .bind(&place.edge)
                    .bind(&place.camera)
                    .fetch_optional(&self.readers)
                    .await?;
            worst.push(WorstPlace {
                edge: parse("incident.edge", &place.edge)?,
                camera: parse_option("incident.camera", place.camera)?,
                camera_label: label,
                rule: parse_option("incident.rule", place.rule)?,
                incidents: count(place.incidents),
                false_alarms: count(place.wrong),
                reasons: reasons.collect::<Result<_, StoreError>>()?,
            });
        }
        Ok(worst)
    }

    /// How long it took from the opening to `moment`, of those that came to it.
    async fn took(
        &self,
        moment: &'static str,
        which: &Which<'_>,
        scope: &Scope,
    ) -> Result<Vec<Took>, StoreError> {
        let mut query = Sql::new("SELECT (");
        query.push(moment).push(" - incident.opened) / ").push_bind(SECOND);
        query.push(" AS seconds, count(*) FROM incident WHERE ").push(moment).push(" IS NOT NULL AND ");
        which.condition(&mut query);
        within(&mut query, "incident.edge", scope);
        query.push(" GROUP BY seconds");
        let rows: Vec<(i64, i64)> = query.build_query_as().fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(|(seconds, n)| Took { seconds, incidents: count(n) }).collect())
    }

    /// How many people have triaged or assigned incidents of a scope since a moment: either way they had looked.
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
            .push(" WHERE incident_step.action IN ('triage', 'assign') AND incident_step.time >= ")
            .push_bind(nanos(since));
        within(&mut query, "incident.edge", scope);
        Ok(count(query.build_query_scalar().fetch_one(&self.readers).await?))
    }
}

/// As it is told.
pub(super) fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
