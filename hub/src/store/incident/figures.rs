//! What statistics ask of incidents: counted by the database, since there may be hundreds of thousands.

use gatepost_wire::Timestamp;
use sqlx::FromRow;

use crate::access::Scope;
use crate::incident::{Tally, Took, WorstPlace, WorstRule};
use crate::store::access::within;
use crate::store::column::{NANOS_IN_SECOND, from_word, nanos, parse, parse_option};
use crate::store::sql::Sql;
use crate::store::{Span, Store, StoreError};

/// So many places are named.
const WORST: i64 = 10;

const TEN_MINUTES: i64 = 600 * NANOS_IN_SECOND;

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
    camera_label: Option<String>,
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
        const COUNTED: &str =
            "SELECT count(*), count(incident.reason) FROM incident WHERE incident.merged_into IS NULL AND ";
        let mut query = Sql::new(COUNTED);
        Which::ClosedWithin(span).condition(&mut query);
        within(&mut query, "incident.edge", scope);
        let (all, wrong): (i64, i64) = query.build_query_as().fetch_one(&self.readers).await?;
        Ok((count(all), count(wrong)))
    }

    /// The cameras that most false alarms come from, at most ten.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn worst(&self, which: &Which<'_>, scope: &Scope) -> Result<Vec<WorstPlace>, StoreError> {
        let mut query = Sql::new(
            "SELECT most.*, label.label AS camera_label FROM (\
             SELECT incident.edge, incident.camera, count(*) AS incidents, count(incident.reason) AS wrong FROM incident WHERE ",
        );
        which.condition(&mut query);
        within(&mut query, "incident.edge", scope);
        query.push(
            " GROUP BY incident.edge, incident.camera HAVING count(incident.reason) > 0 \
             ORDER BY wrong DESC, incident.edge, incident.camera LIMIT ",
        );
        query.push_bind(WORST);
        query.push(
            ") AS most LEFT JOIN label ON label.edge = most.edge AND label.camera = most.camera AND label.zone = '' \
             ORDER BY most.wrong DESC, most.edge, most.camera",
        );
        let places: Vec<Place> = query.build_query_as().fetch_all(&self.readers).await?;
        let mut worst = Vec::with_capacity(places.len());
        for place in places {
            let rules = self.worst_rules(&place, which).await?;
            worst.push(WorstPlace {
                edge: parse("incident.edge", &place.edge)?,
                camera: parse_option("incident.camera", place.camera)?,
                camera_label: place.camera_label,
                incidents: count(place.incidents),
                false_alarms: count(place.wrong),
                rules,
            });
        }
        Ok(worst)
    }

    async fn worst_rules(&self, place: &Place, which: &Which<'_>) -> Result<Vec<WorstRule>, StoreError> {
        let mut query =
            Sql::new("SELECT incident.rule, incident.reason, count(*) FROM incident WHERE incident.edge = ");
        query.push_bind(place.edge.as_str());
        query.push(" AND incident.camera IS NOT DISTINCT FROM ").push_bind(&place.camera).push(" AND ");
        which.condition(&mut query);
        query.push(" GROUP BY incident.rule, incident.reason ORDER BY incident.rule");
        let rows: Vec<(Option<String>, Option<String>, i64)> =
            query.build_query_as().fetch_all(&self.readers).await?;
        let mut rules: Vec<WorstRule> = Vec::new();
        for (rule, reason, incidents) in rows {
            let rule = parse_option("incident.rule", rule)?;
            let reason = reason.map(|word| from_word("incident.reason", word)).transpose()?;
            if rules.last().is_none_or(|last| last.rule != rule) {
                rules.push(WorstRule::new(rule));
            }
            if let Some(last) = rules.last_mut() {
                last.add(count(incidents), reason);
            }
        }
        rules.retain(|rule| rule.false_alarms > 0);
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.false_alarms));
        Ok(rules)
    }

    /// How long it took from the opening to `moment`, of those that came to it.
    async fn took(
        &self,
        moment: &'static str,
        which: &Which<'_>,
        scope: &Scope,
    ) -> Result<Vec<Took>, StoreError> {
        let mut query = Sql::new("SELECT (");
        query.push(moment).push(" - incident.opened) / ").push_bind(NANOS_IN_SECOND);
        // What became part of another was not closed by anybody, and has no outcome.
        query.push(" AS seconds, count(*) FROM incident WHERE incident.outcome IS NOT NULL AND ");
        query.push(moment).push(" IS NOT NULL AND ");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::FalseReason;
    use crate::store::testing::fresh;

    /// Camera, rule, and why it was a false alarm if it was one.
    type Opened<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

    /// An incident that was opened so many seconds after 1970.
    async fn add(store: &Store, edge: &str, at_s: i64, (camera, rule, reason): Opened<'_>) {
        let mut change = store.begin().await.unwrap();
        sqlx::query(
            "INSERT INTO incident (id, edge, kind, camera, rule, severity, alarms, ongoing, first, last, opened, acknowledged, closed, \
               stage, is_open, outcome, reason, reminded, version, change) \
             VALUES ($1, $2, 'zone_intrusion', $3, $4, 2, 1, 0, $5, $5, $5, $6, $7, 'closed', 0, \
               CASE WHEN $8 IS NULL THEN 'real' ELSE 'false_alarm' END, $8, 0, 1, \
               (SELECT coalesce(max(change), 0) + 1 FROM incident))",
        )
        .bind(crate::incident::IncidentId::new().to_string())
        .bind(edge)
        .bind(camera)
        .bind(rule)
        .bind(at_s * NANOS_IN_SECOND)
        .bind((at_s + 20) * NANOS_IN_SECOND)
        .bind(reason.map(|_| (at_s + 90) * NANOS_IN_SECOND))
        .bind(reason)
        .execute(&mut change.connection)
        .await
        .unwrap();
        change.commit().await.unwrap();
    }

    fn rule(name: Option<&str>, incidents: usize, reasons: &[(FalseReason, usize)]) -> WorstRule {
        WorstRule {
            rule: name.map(|name| name.parse().unwrap()),
            incidents,
            false_alarms: reasons.iter().map(|(_, n)| n).sum(),
            reasons: reasons.iter().copied().collect(),
        }
    }

    #[tokio::test]
    async fn what_was_opened_is_counted_by_camera_and_by_rule() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        let (east, west) = (Some("east"), Some("west"));
        let (lawn, road) = (Some("lawn"), Some("road"));
        let (animal, light) = (Some("animal"), Some("light"));
        let opened: [(&str, i64, Opened<'_>); 12] = [
            // Before the time that is asked about.
            ("gate-1", 599, (east, lawn, animal)),
            ("gate-1", 600, (east, lawn, animal)),
            ("gate-1", 700, (east, lawn, light)),
            ("gate-1", 800, (east, lawn, animal)),
            ("gate-1", 900, (east, lawn, None)),
            ("gate-1", 1000, (east, road, None)),
            ("gate-1", 1300, (east, None, light)),
            // Each rule of it less than one of the other's, but together more.
            ("gate-1", 1301, (west, lawn, animal)),
            ("gate-1", 1302, (west, lawn, animal)),
            ("gate-1", 1303, (west, road, animal)),
            ("gate-1", 1304, (west, road, animal)),
            ("gate-2", 1305, (None, None, light)),
        ];
        for (edge, at_s, what) in opened {
            add(&store, edge, at_s, what).await;
        }
        for number in 0..12 {
            let camera = format!("c-{number}");
            add(&store, "gate-3", 5000, (Some(&camera), lawn, light)).await;
        }
        // What became part of another was opened, and nobody looked at it or closed it.
        add(&store, "gate-4", 6000, (east, lawn, None)).await;
        let mut change = store.begin().await.unwrap();
        let sql = "UPDATE incident SET merged_into = 1, outcome = NULL, acknowledged = NULL, closed = opened + 1000000000 WHERE edge = 'gate-4'";
        sqlx::query(sql).execute(&mut change.connection).await.unwrap();
        change.commit().await.unwrap();
        let since = Timestamp::from_second(600).unwrap();
        let tally = store.tally(since, &Scope::All).await.unwrap();
        assert_eq!((tally.opened, tally.busiest, tally.false_alarms), (24, 12, 21));
        assert_eq!(tally.acknowledge, [Took { seconds: 20, incidents: 23 }]);
        assert_eq!(tally.close, [Took { seconds: 90, incidents: 21 }]);

        let told: Vec<_> = tally
            .worst
            .iter()
            .map(|one| {
                let camera = one.camera.as_ref().map(ToString::to_string);
                (one.edge.to_string(), camera, one.incidents, one.false_alarms)
            })
            .collect();
        let place = |edge: &str, camera: Option<&str>, incidents, wrong| {
            (edge.to_owned(), camera.map(str::to_owned), incidents, wrong)
        };
        assert_eq!(told[..2], [place("gate-1", east, 6, 4), place("gate-1", west, 4, 4)]);
        assert_eq!((told.len(), &told[2]), (10, &place("gate-2", None, 1, 1)));
        let of_lawn = rule(lawn, 4, &[(FalseReason::Animal, 2), (FalseReason::Light, 1)]);
        assert_eq!(tally.worst[0].rules, [of_lawn, rule(None, 1, &[(FalseReason::Light, 1)])]);

        let mut change = store.begin().await.unwrap();
        for sql in [
            "INSERT INTO site (site, label) VALUES ('s', 's')",
            "INSERT INTO site_edge (edge, site) VALUES ('gate-2', 's')",
        ] {
            sqlx::query(sql).execute(&mut change.connection).await.unwrap();
        }
        change.commit().await.unwrap();
        let theirs = store.tally(since, &Scope::Sites(["s".parse().unwrap()].into())).await.unwrap();
        assert_eq!((theirs.opened, theirs.worst.len()), (1, 1));
    }
}
