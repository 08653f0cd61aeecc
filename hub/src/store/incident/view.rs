//! Incidents as people are told of them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use gatepost_wire::{CameraId, EdgeId, Severity, Timestamp};
use sqlx::FromRow;

use super::Row;
use crate::access::{PersonName, Scope, SiteId};
use crate::alert::Alert;
use crate::incident::{
    Actor, AskedExtension, Assignee, FalseReason, Incident, IncidentId, Outcome, Stage, Told,
};
use crate::store::access::within;
use crate::store::column::{from_word, parse, timestamp, word};
use crate::store::keyset::{Found, Keyset, List};
use crate::store::sql::Sql;
use crate::store::{Store, StoreError};

/// Whose business an incident has to be.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The boxes they see.
    pub scope: Scope,
    /// Only what is or was theirs.
    pub only_of: Option<PersonName>,
}

/// Where an incident stands in the list; the text is a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedAt {
    at: i64,
    number: i64,
}

impl OpenedAt {
    /// When the incident there was opened.
    pub fn time(self) -> Timestamp {
        timestamp(self.at)
    }
}

impl fmt::Display for OpenedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.number)
    }
}

impl FromStr for OpenedAt {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let parts =
            text.split_once('.').and_then(|(at, number)| Some((at.parse().ok()?, number.parse().ok()?)));
        let (at, number) = parts.ok_or("not a cursor: use `next` of the page before, unchanged")?;
        Ok(Self { at, number })
    }
}

/// Which incidents are asked for.
#[derive(Debug)]
pub struct IncidentFilter {
    /// For whom.
    pub viewer: Viewer,
    /// Open ones, or closed ones.
    pub open: Option<bool>,
    /// Assigned to this person.
    pub assignee: Option<PersonName>,
    /// In this stage.
    pub stage: Option<Stage>,
    /// Of this box.
    pub edge: Option<EdgeId>,
    /// Of the boxes of this site.
    pub site: Option<SiteId>,
    /// Of cameras of this name.
    pub camera: Option<CameraId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// As grave as this.
    pub severity: Option<Severity>,
    /// Its stage has been escalated, or not.
    pub escalated: Option<bool>,
    /// Found to be this.
    pub outcome: Option<Outcome>,
    /// A false alarm for this reason.
    pub reason: Option<FalseReason>,
    /// What people call it by.
    pub number: Option<i64>,
    /// Opened then or later.
    pub from: Option<Timestamp>,
    /// Opened before.
    pub until: Option<Timestamp>,
    /// Older than the one here.
    pub before: Option<OpenedAt>,
    /// At most so many.
    pub limit: u16,
}

/// Some incidents, newest first.
#[derive(Debug)]
pub struct IncidentPage {
    /// The incidents.
    pub incidents: Vec<Incident>,
    /// Where to go on, when there may be more: behind the last of them, or, when few were found, behind the last that was looked at.
    pub next: Option<OpenedAt>,
}

impl IncidentFilter {
    /// Everything that is the viewer's business, the newest so many.
    pub const fn of(viewer: Viewer, limit: u16) -> Self {
        Self {
            viewer,
            open: None,
            assignee: None,
            stage: None,
            edge: None,
            site: None,
            camera: None,
            kind: None,
            severity: None,
            escalated: None,
            outcome: None,
            reason: None,
            number: None,
            from: None,
            until: None,
            before: None,
            limit,
        }
    }

    /// Only open ones can be meant: what only they can be is found among the few that are open.
    fn is_of_open_ones(&self) -> bool {
        let only_open = self.escalated == Some(true) || self.stage.is_some_and(Stage::is_open);
        self.open.unwrap_or(only_open)
    }

    /// Adds what is asked for as conditions, but for box, site and time. All of it but `number`, `assignee` and `escalated` is in the index
    /// `incident_history`, so what does not match costs an entry of the index and no row.
    fn conditions(&self, query: &mut Sql) {
        if self.is_of_open_ones() {
            // As the index has it.
            query.push(" AND incident.is_open = 1");
        } else if self.open == Some(false) {
            query.push(" AND incident.stage IN ('closed', 'evaluated')");
        }
        let words = [
            ("assignee", self.assignee.as_ref().map(ToString::to_string)),
            ("stage", self.stage.as_ref().map(word)),
            ("camera", self.camera.as_ref().map(ToString::to_string)),
            ("kind", self.kind.clone()),
            ("outcome", self.outcome.map(|outcome| outcome.name().to_owned())),
            ("reason", self.reason.as_ref().map(word)),
        ];
        for (column, value) in words {
            if let Some(value) = value {
                query.push(" AND incident.").push(column).push(" = ").push_bind(value);
            }
        }
        let numbers = [
            ("severity", self.severity.map(|severity| i64::from(severity.level()))),
            ("escalated", self.escalated.map(i64::from)),
            ("number", self.number),
        ];
        for (column, value) in numbers {
            if let Some(value) = value {
                query.push(" AND incident.").push(column).push(" = ").push_bind(value);
            }
        }
        // Whoever has it is among those who have or had it, which is an index.
        for person in self.assignee.iter().chain(&self.viewer.only_of) {
            is_or_was_of(query, person);
        }
    }

    fn found(&self) -> Found {
        let Self { open, stage, camera, kind, severity, escalated, outcome, reason, .. } = self;
        if self.is_of_open_ones()
            || self.number.is_some()
            || self.assignee.is_some()
            || self.viewer.only_of.is_some()
        {
            Found::ByIndex
        } else if open.is_some()
            || stage.is_some()
            || camera.is_some()
            || kind.is_some()
            || severity.is_some()
            || escalated.is_some()
            || outcome.is_some()
            || reason.is_some()
        {
            Found::ByLooking
        } else {
            Found::AllOfIt
        }
    }
}

/// Incidents, newest first.
pub(in crate::store) const INCIDENTS: List =
    List { table: "incident", edge: "incident.edge", place: &["opened", "number"], newest_first: true };

#[derive(FromRow)]
pub(super) struct Shown {
    #[sqlx(flatten)]
    row: Row,
    camera_label: Option<String>,
    zone_label: Option<String>,
    sensor_label: Option<String>,
    display_name: Option<String>,
    asker_name: Option<String>,
    attachments: i64,
}

impl Shown {
    pub(super) fn told(self, now: Timestamp, actor: Option<&Actor>) -> Result<Incident, StoreError> {
        let row = self.row;
        let state = row.state()?;
        let assignee = match (&state.assignee, self.display_name) {
            (Some(name), Some(display)) => {
                Some(Assignee { name: name.clone(), display_name: parse("person.display_name", &display)? })
            }
            _ => None,
        };
        // As it stands at this moment: what was asked for until a time that has come is over.
        let extension = match (state.extension_asked(now), self.asker_name) {
            (Some(asked), Some(display)) => Some(AskedExtension {
                by: Assignee {
                    name: asked.by.clone(),
                    display_name: parse("person.display_name", &display)?,
                },
                until: asked.until,
                reason: asked.reason.clone(),
            }),
            _ => None,
        };
        Ok(Incident {
            id: row.id()?,
            number: row.number,
            place: row.place()?,
            camera_label: self.camera_label,
            zone_label: self.zone_label,
            sensor_label: self.sensor_label,
            object: row.object.clone().map(|word| from_word("incident.object", word)).transpose()?,
            input: row.input.clone().map(|word| from_word("incident.input", word)).transpose()?,
            severity: row.severity()?,
            alarms: u32::try_from(row.alarms).unwrap_or(u32::MAX),
            attachments: u32::try_from(self.attachments).unwrap_or(u32::MAX),
            ongoing: row.ongoing > 0,
            first: timestamp(row.first),
            last: timestamp(row.last),
            opened: timestamp(row.opened),
            merged_into: row.merged_into,
            may: actor.map(|actor| state.choices(actor, now)),
            state: Told {
                stage: state.stage,
                outcome: state.outcome.map(|outcome| outcome.name()),
                reason: state.reason,
                assignee,
                shelved_until: state.shelved_until.filter(|until| now < *until),
                due: state.due,
                overdue: state.is_overdue(now),
                escalated: state.escalated,
                extension,
                version: row.version(),
            },
        })
    }
}

pub(super) const SELECT: &str = "SELECT incident.*, c.label AS camera_label, z.label AS zone_label, s.label AS sensor_label, \
      person.display_name, asker.display_name AS asker_name, \
      (SELECT count(*) FROM attachment WHERE attachment.incident = incident.id AND attachment.gone IS NULL) AS attachments \
    FROM incident \
    LEFT JOIN label c ON c.edge = incident.edge AND c.camera = incident.camera AND c.zone = '' \
    LEFT JOIN label z ON z.edge = incident.edge AND z.camera = incident.camera AND z.zone = incident.zone \
    LEFT JOIN sensor_label s ON s.edge = incident.edge AND s.sensor = incident.sensor \
    LEFT JOIN person ON person.name = incident.assignee \
    LEFT JOIN person asker ON asker.name = incident.extension_by WHERE 1 = 1";

/// Adds the condition that an incident is the viewer's business.
pub(in crate::store) fn for_viewer(query: &mut Sql, viewer: &Viewer) {
    within(query, "incident.edge", &viewer.scope);
    if let Some(name) = &viewer.only_of {
        is_or_was_of(query, name);
    }
}

fn is_or_was_of(query: &mut Sql, person: &PersonName) {
    query
        .push(" AND incident.id IN (SELECT incident FROM incident_assignee WHERE person = ")
        .push_bind(person.to_string())
        .push(")");
}

impl Store {
    /// Incidents, newest first, with what `actor` may do with each, if somebody is to do something.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn incidents(
        &self,
        filter: &IncidentFilter,
        actor: Option<&Actor>,
        now: Timestamp,
    ) -> Result<IncidentPage, StoreError> {
        let mut conditions = Sql::new("");
        filter.conditions(&mut conditions);
        let behind = filter.before.map(|OpenedAt { at, number }| (at, number));
        let keyset = Keyset {
            site: filter.site.as_ref(),
            edge: filter.edge.as_ref(),
            from: filter.from,
            until: filter.until,
            found: filter.found(),
            ..Keyset::of(&INCIDENTS, &filter.viewer.scope, behind, filter.limit)
        };
        let mut query = Sql::new(SELECT);
        let last = keyset.complete(self, &mut query, &conditions).await?;
        let rows: Vec<Shown> = query.build_query_as().fetch_all(&self.readers).await?;
        let next = keyset.next(&rows, |Shown { row, .. }| (row.opened, row.number), last);
        let next = next.map(|(at, number)| OpenedAt { at, number });
        let incidents = rows.into_iter().map(|shown| shown.told(now, actor)).collect::<Result<_, _>>()?;
        Ok(IncidentPage { incidents, next })
    }

    /// One incident, if it is the viewer's business.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn incident(
        &self,
        id: IncidentId,
        viewer: &Viewer,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<Incident>, StoreError> {
        let mut query = Sql::new(SELECT);
        query.push(" AND incident.id = ").push_bind(id.to_string());
        for_viewer(&mut query, viewer);
        let row: Option<Shown> = query.build_query_as().fetch_optional(&self.readers).await?;
        row.map(|shown| shown.told(now, Some(actor))).transpose()
    }

    /// Incidents that changed after a change number, in that order, with those numbers and the people who handle or handled them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn incidents_changed(
        &self,
        after: i64,
        limit: u16,
        now: Timestamp,
    ) -> Result<Vec<(i64, Incident, BTreeSet<PersonName>)>, StoreError> {
        let mut query = Sql::new(SELECT);
        query.push(" AND incident.change > ").push_bind(after);
        query.push(" ORDER BY incident.change LIMIT ").push_bind(i64::from(limit));
        let rows: Vec<Shown> = query.build_query_as().fetch_all(&self.readers).await?;
        let mut changed = Vec::with_capacity(rows.len());
        for shown in rows {
            let names: Vec<String> = match shown.row.assignee {
                // Who never was anybody's has none.
                None if shown.row.version <= 1 => Vec::new(),
                _ => {
                    sqlx::query_scalar("SELECT person FROM incident_assignee WHERE incident = $1")
                        .bind(&shown.row.id)
                        .fetch_all(&self.readers)
                        .await?
                }
            };
            let people = names.iter().map(|name| parse("incident_assignee.person", name));
            let people = people.collect::<Result<_, StoreError>>()?;
            changed.push((shown.row.change, shown.told(now, None)?, people));
        }
        Ok(changed)
    }

    /// The first `count` alarms of an incident and the last, the first first. Which they are is told by their ids, which are ULIDs of the
    /// moment each began.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alerts_of(&self, id: IncidentId, count: u16) -> Result<Vec<Alert>, StoreError> {
        let alarms: Vec<String> = sqlx::query_scalar(
            "SELECT alarm FROM (SELECT alarm FROM incident_alarm WHERE incident = $1 ORDER BY alarm LIMIT $2) AS first \
             UNION SELECT alarm FROM (SELECT alarm FROM incident_alarm WHERE incident = $1 ORDER BY alarm DESC LIMIT $2) AS last",
        )
        .bind(id.to_string())
        .bind(i64::from(count))
        .fetch_all(&self.readers)
        .await?;
        self.alerts_by_id(&alarms).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_keeps_its_text() {
        let text = "-5.17";
        assert_eq!(text.parse::<OpenedAt>().unwrap().to_string(), text);
        for bad in ["", "5", "5.", "x.5", "5.5.5"] {
            assert!(bad.parse::<OpenedAt>().is_err(), "{bad}");
        }
    }
}
