//! Records whose time is over: deleted in transactions that are short, and counted in one line for each sweep. The database itself refuses to
//! delete what is younger than its horizon.

use gatepost_wire::Timestamp;
use serde::Serialize;
use sqlx::{AnyConnection, FromRow};
use utoipa::ToSchema;

use super::column::{nanos, timestamp};
use super::sql::Sql;
use super::{Store, StoreError};

/// Of each kind, deleted in one transaction: whoever else writes waits for no more than that.
const AT_ONCE: i64 = 200;

/// Alarms of the incidents that are deleted in one transaction; a larger incident goes alone, in several.
const ALARMS_AT_ONCE: i64 = 500;

/// Events of alarms, deleted in one transaction.
const EVENTS_AT_ONCE: i64 = 2000;

/// How many were deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Disposed {
    /// Alarms.
    #[schema(example = 120)]
    pub alarms: i64,
    /// Events, of alarms and of none.
    #[schema(example = 870)]
    pub events: i64,
    /// Incidents.
    #[schema(example = 94)]
    pub incidents: i64,
    /// Steps of their timelines; of each its number and hash stay.
    #[schema(example = 512)]
    pub steps: i64,
    /// Lines of the viewing register.
    #[schema(example = 61)]
    pub register: i64,
    /// Commands, with what was answered and who approved.
    #[schema(example = 14)]
    pub commands: i64,
    /// Legal holds.
    #[schema(example = 2)]
    pub holds: i64,
    /// Lines of the access log, and of what evidence was deleted.
    #[schema(example = 233)]
    pub records: i64,
}

/// What one sweep deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Disposal {
    /// Records from before this moment.
    #[schema(value_type = String, format = DateTime)]
    pub horizon: Timestamp,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub began: Timestamp,
    /// How many.
    #[serde(flatten)]
    pub disposed: Disposed,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    horizon: i64,
    began: i64,
    #[sqlx(flatten)]
    disposed: Disposed,
}

impl Store {
    /// Deletes some of the records from before `horizon`; nothing is left of them when it deletes none. What is still
    /// open, or has evidence that is kept, stays.
    ///
    /// # Errors
    /// When the database cannot be written, or `horizon` lies within the last 180 days.
    pub async fn dispose(&self, horizon: Timestamp, now: Timestamp) -> Result<Disposed, StoreError> {
        let mut change = self.begin().await?;
        let mut sweep = Sweep { connection: &mut change.connection, horizon: nanos(horizon) };
        sweep.raise_horizon().await?;
        let mut disposed = Disposed::default();
        sweep.incidents(&mut disposed).await?;
        // Looking for them passes all old alarms that are in one, so not while any of those are left.
        if disposed == Disposed::default() {
            sweep.alarms_without_incident(&mut disposed).await?;
        }
        sweep.events_without_alarm(&mut disposed).await?;
        disposed.register = sweep.register().await?;
        disposed.commands = sweep.commands().await?;
        disposed.holds = sweep.holds().await?;
        disposed.records = sweep.records().await?;
        if disposed != Disposed::default() {
            sweep.note(&disposed, now).await?;
        }
        change.commit().await?;
        Ok(disposed)
    }

    /// What was deleted, the latest first, and the number to go on before when there may be more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn disposals(
        &self,
        before: Option<i64>,
        limit: u16,
    ) -> Result<(Vec<Disposal>, Option<i64>), StoreError> {
        let mut query = Sql::new("SELECT * FROM disposal WHERE 1 = 1");
        if let Some(before) = before {
            query.push(" AND number < ").push_bind(before);
        }
        query.push(" ORDER BY number DESC LIMIT ").push_bind(i64::from(limit));
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        let next = super::rows::next(&rows, limit, |row| row.number);
        let read = |Row { horizon, began, disposed, .. }| Disposal {
            horizon: timestamp(horizon),
            began: timestamp(began),
            disposed,
        };
        Ok((rows.into_iter().map(read).collect(), next))
    }
}

/// One transaction of a sweep.
struct Sweep<'c> {
    connection: &'c mut AnyConnection,
    horizon: i64,
}

/// An event of `alarm` that keeps it: it came late, or there is evidence of it.
const KEEPS: &str = "SELECT 1 FROM event WHERE event.alarm = alarm.id AND (event.received >= ";
const OR_HAS_EVIDENCE: &str = " OR EXISTS (SELECT 1 FROM evidence WHERE evidence.event = event.id))";

impl Sweep<'_> {
    async fn run(&mut self, query: Sql) -> Result<i64, StoreError> {
        let done = query.suited_to(self.connection).build().execute(&mut *self.connection).await?;
        Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
    }

    async fn ids(&mut self, query: Sql) -> Result<Vec<String>, StoreError> {
        Ok(query.build_query_scalar().fetch_all(&mut *self.connection).await?)
    }

    /// `DELETE FROM` or `UPDATE`, of rows whose `column` is among these.
    async fn among(&mut self, statement: &str, column: &str, ids: &[String]) -> Result<i64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        let mut query = Sql::new(statement);
        query.push(" WHERE ").push(column).push_in(ids);
        self.run(query).await
    }

    async fn raise_horizon(&mut self) -> Result<(), StoreError> {
        let mut query = Sql::new("UPDATE record_horizon SET moment = ");
        query.push_bind(self.horizon).push(" WHERE moment < ").push_bind(self.horizon);
        self.run(query).await.map(drop)
    }

    /// Closed ones of which nothing happened since, all of whose alarms are over, and all of whose attachments are gone.
    async fn incidents(&mut self, disposed: &mut Disposed) -> Result<(), StoreError> {
        let mut query =
            Sql::new("SELECT incident.id, incident.alarms FROM incident WHERE incident.closed < ");
        query.push_bind(self.horizon).push(" AND incident.is_open = 0 AND NOT EXISTS (");
        query.push("SELECT 1 FROM incident_step WHERE incident_step.incident = incident.id AND incident_step.time >= ");
        query
            .push_bind(self.horizon)
            .push(") AND NOT EXISTS (SELECT 1 FROM attachment WHERE attachment.incident = incident.id ");
        query.push("AND attachment.gone IS NULL) AND NOT EXISTS (SELECT 1 FROM incident_alarm ");
        query.push(
            "JOIN alarm ON alarm.id = incident_alarm.alarm WHERE incident_alarm.incident = incident.id ",
        );
        query.push("AND EXISTS (").push(KEEPS).push_bind(self.horizon).push(OR_HAS_EVIDENCE);
        query.push(")) ORDER BY incident.closed LIMIT ").push_bind(AT_ONCE);
        let due: Vec<(String, i64)> = query.build_query_as().fetch_all(&mut *self.connection).await?;
        let mut alarms = 0;
        let few = due.into_iter().enumerate().take_while(|(index, (_, count))| {
            alarms += count;
            *index == 0 || alarms <= ALARMS_AT_ONCE
        });
        let incidents: Vec<String> = few.map(|(_, (id, _))| id).collect();
        if incidents.is_empty() {
            return Ok(());
        }
        let mut query = Sql::new("SELECT alarm FROM incident_alarm WHERE incident");
        query.push_in(&incidents);
        let alarms = self.ids(query).await?;
        if !self.alarms(&alarms, disposed).await? {
            return Ok(());
        }
        self.among("DELETE FROM incident_assignee", "incident", &incidents).await?;
        self.among("DELETE FROM attachment", "incident", &incidents).await?;
        disposed.steps += self
            .among(
                "UPDATE incident_step SET incident = NULL, version = NULL, time = NULL, actor = NULL, action = NULL, \
                 document = NULL",
                "incident",
                &incidents,
            )
            .await?;
        disposed.incidents += self.among("DELETE FROM incident", "id", &incidents).await?;
        Ok(())
    }

    /// Those from before there were incidents.
    async fn alarms_without_incident(&mut self, disposed: &mut Disposed) -> Result<(), StoreError> {
        let mut query = Sql::new("SELECT alarm.id FROM alarm WHERE alarm.placed < ");
        query.push_bind(self.horizon).push(" AND alarm.received < ").push_bind(self.horizon);
        query.push(" AND NOT EXISTS (SELECT 1 FROM incident_alarm WHERE incident_alarm.alarm = alarm.id)");
        query.push(" AND NOT EXISTS (").push(KEEPS).push_bind(self.horizon).push(OR_HAS_EVIDENCE);
        query.push(") ORDER BY alarm.placed LIMIT ").push_bind(AT_ONCE);
        let alarms = self.ids(query).await?;
        self.alarms(&alarms, disposed).await.map(drop)
    }

    /// These alarms, their events, and what those named as evidence; `false` where there are more events than go at once, and some of the
    /// alarms are left.
    async fn alarms(&mut self, alarms: &[String], disposed: &mut Disposed) -> Result<bool, StoreError> {
        let mut left = EVENTS_AT_ONCE;
        // More in one statement than a database takes placeholders.
        for some in alarms.chunks(ALARMS_AT_ONCE as usize) {
            let mut query = Sql::new("DELETE FROM event WHERE id IN (SELECT id FROM event WHERE alarm");
            query.push_in(some).push(" LIMIT ").push_bind(left).push(")");
            let events = self.run(query).await?;
            disposed.events += events;
            left -= events;
            if left == 0 {
                return Ok(false);
            }
            self.among("DELETE FROM named_evidence", "alarm", some).await?;
            self.among("DELETE FROM incident_alarm", "alarm", some).await?;
            disposed.alarms += self.among("DELETE FROM alarm", "id", some).await?;
        }
        Ok(true)
    }

    async fn events_without_alarm(&mut self, disposed: &mut Disposed) -> Result<(), StoreError> {
        let mut query =
            Sql::new("SELECT event.id FROM event WHERE event.alarm IS NULL AND event.received < ");
        query.push_bind(self.horizon);
        query.push(" AND NOT EXISTS (SELECT 1 FROM evidence WHERE evidence.event = event.id)");
        query.push(" ORDER BY event.received LIMIT ").push_bind(AT_ONCE);
        let events = self.ids(query).await?;
        self.among("DELETE FROM named_evidence", "event", &events).await?;
        disposed.events += self.among("DELETE FROM event", "id", &events).await?;
        Ok(())
    }

    async fn register(&mut self) -> Result<i64, StoreError> {
        let mut query = Sql::new("SELECT id FROM viewing WHERE time < ");
        query.push_bind(self.horizon).push(" AND until < ").push_bind(self.horizon);
        query.push(" ORDER BY number LIMIT ").push_bind(AT_ONCE);
        let viewings = self.ids(query).await?;
        self.among("DELETE FROM opening", "viewing", &viewings).await?;
        self.among("DELETE FROM viewed_piece", "viewing", &viewings).await?;
        self.among("DELETE FROM viewed_attachment", "viewing", &viewings).await?;
        self.among("DELETE FROM viewing", "id", &viewings).await
    }

    async fn commands(&mut self) -> Result<i64, StoreError> {
        let mut query = Sql::new("SELECT command.id FROM command WHERE command.expires < ");
        query
            .push_bind(self.horizon)
            .push(" AND NOT EXISTS (SELECT 1 FROM reply WHERE reply.command = command.id AND ");
        query
            .push("reply.received >= ")
            .push_bind(self.horizon)
            .push(") AND NOT EXISTS (SELECT 1 FROM approval ");
        query.push("WHERE approval.command = command.id AND approval.time >= ").push_bind(self.horizon);
        query.push(") ORDER BY command.expires LIMIT ").push_bind(AT_ONCE);
        let commands = self.ids(query).await?;
        self.among("DELETE FROM reply", "command", &commands).await?;
        self.among("DELETE FROM approval", "command", &commands).await?;
        self.among("DELETE FROM command", "id", &commands).await
    }

    async fn holds(&mut self) -> Result<i64, StoreError> {
        let mut query = Sql::new("SELECT hold.id FROM hold WHERE hold.until < ");
        query
            .push_bind(self.horizon)
            .push(" AND NOT EXISTS (SELECT 1 FROM hold_step WHERE hold_step.hold = hold.id AND ");
        query.push("hold_step.time >= ").push_bind(self.horizon).push(") ORDER BY hold.number LIMIT ");
        query.push_bind(AT_ONCE);
        let holds = self.ids(query).await?;
        self.among("DELETE FROM hold_step", "hold", &holds).await?;
        self.among("DELETE FROM hold", "id", &holds).await
    }

    async fn records(&mut self) -> Result<i64, StoreError> {
        let mut count = 0;
        for table in ["access_record", "deletion"] {
            let mut query = Sql::new("DELETE FROM ");
            query
                .push(table)
                .push(" WHERE number IN (SELECT number FROM ")
                .push(table)
                .push(" WHERE time < ");
            query.push_bind(self.horizon).push(" ORDER BY number LIMIT ").push_bind(AT_ONCE).push(")");
            count += self.run(query).await?;
        }
        // Somebody may have had it sent again since; but nothing can be told of a step that is gone.
        let mut query = Sql::new("DELETE FROM webhook_dead WHERE time < ");
        query.push_bind(self.horizon).push(
            " OR NOT EXISTS (SELECT 1 FROM incident_step WHERE incident_step.number = webhook_dead.step)",
        );
        self.run(query).await?;
        Ok(count)
    }

    /// One line for each horizon, however many transactions it takes.
    async fn note(&mut self, disposed: &Disposed, now: Timestamp) -> Result<(), StoreError> {
        let Disposed { alarms, events, incidents, steps, register, commands, holds, records } = *disposed;
        let mut query = Sql::new(
            "INSERT INTO disposal (horizon, began, alarms, events, incidents, steps, register, commands, holds, records) ",
        );
        query.push_rows(&[()], |row, ()| {
            row.bind(self.horizon).bind(nanos(now));
            for count in [alarms, events, incidents, steps, register, commands, holds, records] {
                row.bind(count);
            }
        });
        query.push(
            " ON CONFLICT (horizon) DO UPDATE SET alarms = disposal.alarms + excluded.alarms, \
             events = disposal.events + excluded.events, incidents = disposal.incidents + excluded.incidents, \
             steps = disposal.steps + excluded.steps, register = disposal.register + excluded.register, \
             commands = disposal.commands + excluded.commands, holds = disposal.holds + excluded.holds, \
             records = disposal.records + excluded.records",
        );
        self.run(query).await.map(drop)
    }
}

#[cfg(test)]
mod tests;
