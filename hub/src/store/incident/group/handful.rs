//! A handful of alarms and the incidents they belong to: what is known is read at once, decided in memory and written at once.

use std::collections::HashMap;

use gatepost_wire::{AlarmId, Severity, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::merge::{self, Meeting};
use super::table::{self, Sought};
use crate::incident::{Deadlines, IncidentId, Kind, Place, Report, State};
use crate::store::StoreError;
use crate::store::column::{NANOS_IN_SECOND, nanos, parse, text, word};
use crate::store::incident::deadline::DeadlinesAt;
use crate::store::incident::step::Chain;
use crate::store::incident::{Row, urged_columns};
use crate::store::rows::chunks;

/// Alarms of one place and kind that are no further apart are one incident.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// The same as the database counts time.
pub(super) const WINDOW_NS: i64 = WINDOW.as_secs() * NANOS_IN_SECOND;

/// An incident that nobody closes takes no more; the next alarm of its place opens another. Who never comes to an end is heard of again,
/// and what one incident is asked for, or deleted with, stays small whatever a camera does.
pub(super) const MOST_ALARMS: i64 = 10_000;

/// The incidents of some alarms, inside a transaction.
pub(super) struct Handful<'c> {
    connection: &'c mut AnyConnection,
    deadlines: DeadlinesAt<'c>,
    now: Timestamp,
    /// By id.
    incidents: HashMap<String, Held>,
    links: HashMap<AlarmId, Link>,
    chain: Chain,
    /// How many incidents it has opened.
    opened: i64,
    /// Incidents that an alarm is near to both of.
    meetings: Vec<Meeting>,
}

struct Held {
    row: Row,
    fate: Fate,
}

/// What is to be written of an incident.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Same,
    Changed,
    New,
}

/// Which incident an alarm belongs to.
struct Link {
    incident: String,
    /// The alarm goes on, as far as its incident has counted.
    ongoing: bool,
    written: bool,
}

impl<'c> Handful<'c> {
    /// Reads what is known of the alarms and of those they are fused with, and what those without an incident may join.
    pub async fn read(
        connection: &'c mut AnyConnection,
        reports: &[Report],
        deadlines: &'c Deadlines,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let alarms = reports.iter().flat_map(|report| report.fused_with.iter().chain([&report.alarm]));
        let links = table::links(connection, &alarms.collect::<Vec<_>>()).await?;
        let ids: Vec<&str> = links.iter().map(|link| link.incident.as_str()).collect();
        let mut incidents = table::with_ids(connection, &ids).await?;
        let links = links.into_iter().map(|table::Link { alarm, incident, ongoing }| {
            let link = Link { incident, ongoing: ongoing != 0, written: true };
            Ok((parse("incident_alarm.alarm", &alarm)?, link))
        });
        let links: HashMap<AlarmId, Link> = links.collect::<Result<_, StoreError>>()?;
        let without = reports.iter().filter(|report| !links.contains_key(&report.alarm));
        for sought in chunks(&sought(without)) {
            incidents.extend(table::open_at(connection, sought).await?);
        }
        let edges = reports.iter().map(|report| report.place.edge.as_str());
        Ok(Self {
            chain: Chain::read(connection).await?,
            deadlines: DeadlinesAt::read(connection, deadlines, edges).await?,
            connection,
            now,
            incidents: incidents
                .into_iter()
                .map(|row| (row.id.clone(), Held { row, fate: Fate::Same }))
                .collect(),
            links,
            opened: 0,
            meetings: Vec::new(),
        })
    }

    /// Gives an alarm its incident, or brings its incident up to date with it.
    pub fn take(&mut self, report: &Report) -> Result<(), StoreError> {
        if let Some(link) = self.links.get_mut(&report.alarm) {
            let was_ongoing = std::mem::replace(&mut link.ongoing, report.ongoing);
            link.written &= was_ongoing == report.ongoing;
            let incident = link.incident.clone();
            return self.update(&incident, report, Some(was_ongoing));
        }
        let incident = match self.fused(report)? {
            Some(incident) => Some(incident),
            None => {
                let near = self.near(report);
                for pair in near.windows(2) {
                    let meeting = Meeting([pair[0].clone(), pair[1].clone()]);
                    // Two that people have begun with meet at each alarm.
                    if !self.meetings.contains(&meeting) {
                        self.meetings.push(meeting);
                    }
                }
                near.into_iter().next_back()
            }
        };
        match incident {
            Some(incident) => {
                self.link(report, incident.clone());
                self.update(&incident, report, None)
            }
            None => self.open(report),
        }
    }

    /// The open incident of an alarm that this one is fused with.
    fn fused(&self, report: &Report) -> Result<Option<String>, StoreError> {
        for other in &report.fused_with {
            if let Some(link) = self.links.get(other)
                && let Some(held) = self.incidents.get(&link.incident)
                && held.row.state()?.stage.is_open()
                && has_room(&held.row)
            {
                return Ok(Some(link.incident.clone()));
            }
        }
        Ok(None)
    }

    /// The open incidents of the same place and kind, not long before or after by the box's own clock; the latest comes last.
    fn near(&self, report: &Report) -> Vec<String> {
        let (from, until) = around(report);
        let near = self.incidents.values().map(|held| &held.row).filter(|row| {
            row.is_open != 0
                && has_room(row)
                && row.first <= until
                && row.last >= from
                && is_at(row, &report.place)
        });
        let mut near: Vec<&Row> = near.collect();
        near.sort_unstable_by_key(|row| row.number);
        near.into_iter().map(|row| row.id.clone()).collect()
    }

    fn link(&mut self, report: &Report, incident: String) {
        self.links.insert(report.alarm, Link { incident, ongoing: report.ongoing, written: false });
    }

    fn open(&mut self, report: &Report) -> Result<(), StoreError> {
        let (id, place) = (IncidentId::new().to_string(), &report.place);
        let state = State::reported(report.severity, self.deadlines.at(place.edge.as_str()), self.now);
        self.opened += 1;
        let row = Row {
            // Later than all that have a number. The database gives it one, in the same order.
            number: i64::MAX / 2 + self.opened,
            id: id.clone(),
            edge: place.edge.to_string(),
            kind: place.kind.clone(),
            camera: text(place.camera.as_ref()),
            zone: text(place.zone.as_ref()),
            sensor: text(place.sensor.as_ref()),
            cause: place.cause.clone(),
            object: report.object.as_ref().map(word),
            input: report.input.as_ref().map(word),
            rule: text(report.rule.as_ref()),
            severity: i64::from(report.severity.level()),
            alarms: 1,
            ongoing: i64::from(report.ongoing),
            first: nanos(report.first),
            last: nanos(report.last),
            opened: nanos(self.now),
            stage: word(&state.stage),
            is_open: 1,
            outcome: None,
            reason: None,
            assignee: None,
            shelved_until: None,
            due: state.due.map(nanos),
            reminded: 0,
            escalates: None,
            escalated: 0,
            extension_by: None,
            extension_until: None,
            extension_reason: None,
            merged_into: None,
            version: 1,
            change: 0,
        };
        let detail = json!({ "alarm": report.alarm, "severity": report.severity.level() });
        self.chain.add_own(&row, Kind::Open, state.stage, detail, self.now)?;
        self.link(report, id.clone());
        self.incidents.insert(id, Held { row, fate: Fate::New });
        Ok(())
    }

    /// Brings an incident up to date with one of its alarms. What does not change is not told again.
    fn update(&mut self, id: &str, report: &Report, was_ongoing: Option<bool>) -> Result<(), StoreError> {
        let Some(Held { row, fate }) = self.incidents.get_mut(id) else {
            return Err(StoreError::Unreadable { column: "incident_alarm.incident", value: id.to_owned() });
        };
        let joined = was_ongoing.is_none();
        let ongoing = row.ongoing + i64::from(report.ongoing) - i64::from(was_ongoing.unwrap_or(false));
        let (first, last) = (row.first.min(nanos(report.first)), row.last.max(nanos(report.last)));
        let before = row.severity()?;
        let severity = before.min(report.severity);
        let same = (row.first, row.last, row.ongoing, before) == (first, last, ongoing, severity);
        if same && !joined {
            return Ok(());
        }
        if severity.level() < before.level() {
            let detail = json!({ "alarm": report.alarm, "severity": report.severity.level() });
            let deadlines = self.deadlines.at(&row.edge);
            worsen(row, severity, detail, deadlines, &mut self.chain, self.now)?;
        }
        row.alarms += i64::from(joined);
        (row.ongoing, row.first, row.last) = (ongoing, first, last);
        if *fate == Fate::Same {
            *fate = Fate::Changed;
        }
        Ok(())
    }

    /// Writes what has changed; gives the number of the last change.
    pub async fn write(self) -> Result<Option<i64>, StoreError> {
        let connection = self.connection;
        let mut told: Vec<Held> =
            self.incidents.into_values().filter(|held| held.fate != Fate::Same).collect();
        told.sort_unstable_by_key(|held| held.row.number);
        let mut change: i64 =
            sqlx::query_scalar("SELECT last FROM change_number").fetch_one(&mut *connection).await?;
        for held in &mut told {
            change += 1;
            held.row.change = change;
        }
        let (opened, changed): (Vec<Held>, Vec<Held>) =
            told.into_iter().partition(|held| held.fate == Fate::New);
        for held in &changed {
            table::update(connection, &held.row).await?;
        }
        let opened: Vec<Row> = opened.into_iter().map(|held| held.row).collect();
        for opened in chunks(&opened) {
            table::insert(connection, opened).await?;
        }
        let new = self.links.into_iter().filter(|(_, link)| !link.written);
        let new = new.map(|(alarm, Link { incident, ongoing, .. })| table::Link {
            alarm: alarm.to_string(),
            incident,
            ongoing: i64::from(ongoing),
        });
        for links in chunks(&new.collect::<Vec<_>>()) {
            table::link(connection, links).await?;
        }
        self.chain.write(connection).await?;
        if opened.is_empty() && changed.is_empty() {
            return Ok(None);
        }
        sqlx::query("UPDATE change_number SET last = $1").bind(change).execute(&mut *connection).await?;
        let merged = merge::merge(connection, &self.meetings, &self.deadlines, self.now).await?;
        Ok(Some(merged.unwrap_or(change)))
    }
}

/// An incident becomes graver.
pub(super) fn worsen(
    row: &mut Row,
    severity: Severity,
    detail: Value,
    deadlines: &Deadlines,
    chain: &mut Chain,
    now: Timestamp,
) -> Result<(), StoreError> {
    let state = row.state()?.once_worse(severity, deadlines, now);
    row.version += 1;
    chain.add_own(row, Kind::Worsen, state.stage, detail, now)?;
    row.severity = i64::from(severity.level());
    row.due = state.due.map(nanos);
    (_, row.escalates) = urged_columns(state.urged);
    Ok(())
}

/// From when to when an incident lies that this alarm joins.
fn around(report: &Report) -> (i64, i64) {
    (moved(report.first, -WINDOW), moved(report.last, WINDOW))
}

/// What is looked for, once for all alarms of a place that are close to each other.
fn sought<'r>(reports: impl Iterator<Item = &'r Report>) -> Vec<Sought<'r>> {
    let mut times: HashMap<&Place, Vec<(i64, i64)>> = HashMap::new();
    for report in reports {
        times.entry(&report.place).or_default().push(around(report));
    }
    let mut sought: Vec<Sought<'_>> = Vec::new();
    for (place, mut times) in times {
        times.sort_unstable();
        for (from, until) in times {
            match sought.last_mut() {
                Some(last) if last.place == place && from <= last.until => last.until = last.until.max(until),
                _ => sought.push(Sought { place, from, until }),
            }
        }
    }
    sought
}

fn moved(time: Timestamp, by: SignedDuration) -> i64 {
    nanos(time.saturating_add(by).unwrap_or(time))
}

fn has_room(row: &Row) -> bool {
    row.alarms < MOST_ALARMS
}

fn is_at(row: &Row, place: &Place) -> bool {
    let at = |column: &Option<String>, name: Option<&str>| column.as_deref() == name;
    row.edge == place.edge.as_str()
        && row.kind == place.kind
        && at(&row.camera, place.camera.as_ref().map(|id| id.as_str()))
        && at(&row.zone, place.zone.as_ref().map(|id| id.as_str()))
        && at(&row.sensor, place.sensor.as_ref().map(|id| id.as_str()))
        && row.cause == place.cause
}
