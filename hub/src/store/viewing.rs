//! The viewing register, only added to, and which openings hold.

use std::collections::HashMap;

use gatepost_wire::{AlarmId, EventId, MediaType, Timestamp};
use sqlx::{AnyConnection, FromRow};

use super::access::within;
use super::column::{from_word, nanos, parse, parse_option, timestamp, word};
use super::incident::{Viewer, for_viewer};
use super::keyset::{Found, Keyset, List};
use super::sql::Sql;
use super::{Store, StoreError};
use crate::access::{PersonName, Scope, Session, TokenHash};
use crate::evidence::Format;
use crate::incident::IncidentId;
use crate::viewing::{LASTS, Purpose, ViewedAttachment, ViewedPiece, Viewing, ViewingId};

/// Pictures cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ViewingError {
    /// No such alarm, or not at a site of theirs.
    #[error("there is no alarm {0}")]
    UnknownAlarm(AlarmId),
    /// The incident gives no reason to look at this alarm.
    #[error(
        "incident {incident} is not open, is not yours to see, or does not have alarm {alarm}: state a reason instead"
    )]
    NoIncident {
        /// The incident.
        incident: IncidentId,
        /// The alarm.
        alarm: AlarmId,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ViewingError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Who wants to see an alarm's pictures, and from where.
#[derive(Debug)]
pub struct Opener<'a> {
    /// Who is signed in.
    pub session: &'a Session,
    /// Which incidents are their business.
    pub viewer: Viewer,
    /// From which address.
    pub address: &'a str,
}

/// Which lines of the register are asked for.
#[derive(Debug)]
pub struct ViewingFilter {
    /// Of these boxes only.
    pub scope: Scope,
    /// About this alarm only.
    pub alarm: Option<AlarmId>,
    /// Of this person only.
    pub person: Option<PersonName>,
    /// Before the one with this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u16,
}

/// An opening that was asked for.
#[derive(Debug)]
pub struct Opened {
    /// Its line in the register.
    pub viewing: Viewing,
    /// False: the same one held already.
    pub new: bool,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    id: String,
    time: i64,
    until: i64,
    person: String,
    display_name: String,
    roles: String,
    sites: Option<String>,
    address: String,
    edge: String,
    alarm: String,
    kind: String,
    camera: Option<String>,
    incident: Option<String>,
    reason: Option<String>,
    said: Option<String>,
}

impl Row {
    fn told(self, looked: LookedAt) -> Result<Viewing, StoreError> {
        let sites = self.sites.map(|sites| list("viewing.sites", &sites)).transpose()?;
        Ok(Viewing {
            number: self.number,
            id: parse("viewing.id", &self.id)?,
            time: timestamp(self.time),
            until: timestamp(self.until),
            person: parse("viewing.person", &self.person)?,
            display_name: parse("viewing.display_name", &self.display_name)?,
            roles: list("viewing.roles", &self.roles)?,
            sites,
            address: self.address,
            edge: parse("viewing.edge", &self.edge)?,
            alarm: parse("viewing.alarm", &self.alarm)?,
            kind: self.kind,
            camera: parse_option("viewing.camera", self.camera)?,
            incident: parse_option("viewing.incident", self.incident)?,
            reason: self.reason.map(|reason| from_word("viewing.reason", reason)).transpose()?,
            text: self.said,
            pieces: looked.pieces,
            attachments: looked.attachments,
        })
    }
}

/// Words or names with commas between them; neither holds one.
fn list<T: std::str::FromStr>(column: &'static str, text: &str) -> Result<Vec<T>, StoreError> {
    text.split(',').filter(|name| !name.is_empty()).map(|name| parse(column, name)).collect()
}

fn joined(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(",")
}

const REGISTER: List =
    List { table: "viewing", edge: "viewing.edge", place: &["number"], newest_first: true };

impl Store {
    /// Opens what an alarm shows for a session. When the same opening holds already, that one is given and nothing is written.
    ///
    /// # Errors
    /// When there is no such alarm at a site of theirs, the incident is no reason to look at it, or the database cannot be written.
    pub async fn open_viewing(
        &self,
        alarm: AlarmId,
        purpose: &Purpose,
        opener: &Opener<'_>,
        now: Timestamp,
    ) -> Result<Opened, ViewingError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        let mut query = Sql::new("SELECT edge, kind, camera FROM alarm WHERE id = ");
        query.push_bind(alarm.to_string());
        within(&mut query, "edge", &opener.viewer.scope);
        let seen: Option<(String, String, Option<String>)> =
            query.build_query_as().fetch_optional(&mut *connection).await?;
        let Some((edge, kind, camera)) = seen else { return Err(ViewingError::UnknownAlarm(alarm)) };
        let (incident, reason, said) = match purpose {
            Purpose::Incident(id) => {
                if !is_reason(connection, *id, alarm, &opener.viewer).await? {
                    return Err(ViewingError::NoIncident { incident: *id, alarm });
                }
                (Some(id.to_string()), None, None)
            }
            Purpose::Stated { reason, text } => (None, Some(word(reason)), Some(text.as_str())),
        };
        let held: Option<Row> = sqlx::query_as(
            "SELECT viewing.* FROM opening JOIN viewing ON viewing.id = opening.viewing \
             WHERE opening.session = $1 AND opening.alarm = $2 AND opening.until > $3 \
               AND viewing.incident IS NOT DISTINCT FROM $4 AND viewing.reason IS NOT DISTINCT FROM $5 \
               AND viewing.said IS NOT DISTINCT FROM $6",
        )
        .bind(opener.session.hash.as_str())
        .bind(alarm.to_string())
        .bind(nanos(now))
        .bind(&incident)
        .bind(&reason)
        .bind(said)
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(row) = held {
            let mut looked = looked_at(connection, &[&row.id]).await?;
            let own = looked.remove(&row.id).unwrap_or_default();
            return Ok(Opened { viewing: row.told(own)?, new: false });
        }
        let until = now.saturating_add(LASTS).unwrap_or(now).min(opener.session.until);
        let person = &opener.session.person;
        let row: Row = sqlx::query_as(
            "INSERT INTO viewing (id, time, until, person, display_name, roles, sites, address, edge, alarm, kind, camera, incident, \
               reason, said) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING *",
        )
        .bind(ViewingId::new().to_string())
        .bind(nanos(now))
        .bind(nanos(until))
        .bind(person.name.as_str())
        .bind(person.display_name.as_str())
        .bind(joined(person.roles.iter().map(|role| role.name().to_owned())))
        .bind(person.sites.as_ref().map(|sites| joined(sites.iter().map(ToString::to_string))))
        .bind(opener.address)
        .bind(edge)
        .bind(alarm.to_string())
        .bind(kind)
        .bind(camera)
        .bind(incident)
        .bind(reason)
        .bind(said)
        .fetch_one(&mut *connection)
        .await?;
        sqlx::query("DELETE FROM opening WHERE until <= $1")
            .bind(nanos(now))
            .execute(&mut *connection)
            .await?;
        sqlx::query(
            "INSERT INTO opening (session, alarm, viewing, until) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (session, alarm) DO UPDATE SET viewing = excluded.viewing, until = excluded.until",
        )
        .bind(opener.session.hash.as_str())
        .bind(alarm.to_string())
        .bind(&row.id)
        .bind(nanos(until))
        .execute(&mut *connection)
        .await?;
        change.commit().await?;
        Ok(Opened { viewing: row.told(LookedAt::default())?, new: true })
    }

    /// May a session see a piece of an event now? What it sees is in the register when this returns.
    ///
    /// # Errors
    /// When the database cannot be read, or what is seen cannot be written down.
    pub async fn look(
        &self,
        session: &TokenHash,
        event: EventId,
        sha256: &str,
        format: Format,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let opening: Option<(String, i64)> = sqlx::query_as(
            "SELECT opening.viewing, (SELECT count(*) FROM viewed_piece p WHERE p.viewing = opening.viewing \
               AND p.event = event.id AND p.sha256 = $1) \
             FROM event JOIN opening ON opening.alarm = event.alarm \
             WHERE event.id = $2 AND opening.session = $3 AND opening.until > $4",
        )
        .bind(sha256)
        .bind(event.to_string())
        .bind(session.as_str())
        .bind(nanos(now))
        .fetch_optional(&self.readers)
        .await?;
        let Some((viewing, noted)) = opening else { return Ok(false) };
        if noted == 0 {
            let mut change = self.begin().await?;
            sqlx::query(
                "INSERT INTO viewed_piece (viewing, event, sha256, media_type, time) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(viewing)
            .bind(event.to_string())
            .bind(sha256)
            .bind(format.media_type())
            .bind(nanos(now))
            .execute(&mut change.connection)
            .await?;
            change.commit().await?;
        }
        Ok(true)
    }

    /// The register, the latest first, and the number to go on before when there may be more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn viewings(&self, filter: &ViewingFilter) -> Result<(Vec<Viewing>, Option<i64>), StoreError> {
        let mut conditions = Sql::new("");
        if let Some(alarm) = filter.alarm {
            conditions.push(" AND viewing.alarm = ").push_bind(alarm.to_string());
        }
        if let Some(person) = &filter.person {
            conditions.push(" AND viewing.person = ").push_bind(person.to_string());
        }
        let keyset = Keyset {
            found: match (filter.alarm, &filter.person) {
                (None, None) => Found::AllOfIt,
                _ => Found::ByIndex,
            },
            ..Keyset::of(&REGISTER, &filter.scope, filter.before.map(|number| (number,)), filter.limit)
        };
        let mut query = Sql::new("SELECT * FROM viewing WHERE 1 = 1");
        let last = keyset.complete(self, &mut query, &conditions).await?;
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.readers).await?;
        let next = keyset.next(&rows, |row| (row.number,), last).map(|(number,)| number);
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let mut looked = self.readers.ask(async |connection| looked_at(connection, &ids).await).await?;
        let viewings = rows
            .into_iter()
            .map(|row| {
                let own = looked.remove(&row.id).unwrap_or_default();
                row.told(own)
            })
            .collect::<Result<_, _>>()?;
        Ok((viewings, next))
    }
}

/// Is the incident open, the viewer's business, and the alarm one of its own?
async fn is_reason(
    connection: &mut AnyConnection,
    incident: IncidentId,
    alarm: AlarmId,
    viewer: &Viewer,
) -> Result<bool, StoreError> {
    let mut query = Sql::new(
        "SELECT incident.number FROM incident JOIN incident_alarm ON incident_alarm.incident = incident.id \
         WHERE incident.is_open = 1 AND incident.id = ",
    );
    query.push_bind(incident.to_string()).push(" AND incident_alarm.alarm = ").push_bind(alarm.to_string());
    for_viewer(&mut query, viewer);
    let found: Option<i64> = query.build_query_scalar().fetch_optional(connection).await?;
    Ok(found.is_some())
}

/// What was looked at in an opening, in that order.
#[derive(Default)]
struct LookedAt {
    pieces: Vec<ViewedPiece>,
    attachments: Vec<ViewedAttachment>,
}

/// What was looked at in these openings.
async fn looked_at(
    connection: &mut AnyConnection,
    viewings: &[&str],
) -> Result<HashMap<String, LookedAt>, StoreError> {
    let mut found: HashMap<String, LookedAt> = HashMap::new();
    if viewings.is_empty() {
        return Ok(found);
    }
    let mut query =
        Sql::new("SELECT viewing, event, sha256, media_type, time FROM viewed_piece WHERE viewing");
    query.push_in(viewings).push(" ORDER BY time, event, sha256");
    let rows: Vec<(String, String, String, String, i64)> =
        query.build_query_as().fetch_all(&mut *connection).await?;
    for (viewing, event, sha256, media_type, time) in rows {
        let event = parse("viewed_piece.event", &event)?;
        let (media_type, time) = (MediaType::from(media_type), timestamp(time));
        let piece = ViewedPiece { event, sha256, media_type, time };
        found.entry(viewing).or_default().pieces.push(piece);
    }
    let mut query = Sql::new(
        "SELECT viewing, incident, number, sha256, media_type, time FROM viewed_attachment WHERE viewing",
    );
    query.push_in(viewings).push(" ORDER BY time, incident, number");
    let rows: Vec<(String, String, i64, String, String, i64)> =
        query.build_query_as().fetch_all(connection).await?;
    for (viewing, incident, number, sha256, media_type, time) in rows {
        let incident = parse("viewed_attachment.incident", &incident)?;
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let attachment = ViewedAttachment { incident, number, sha256, media_type, time: timestamp(time) };
        found.entry(viewing).or_default().attachments.push(attachment);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
