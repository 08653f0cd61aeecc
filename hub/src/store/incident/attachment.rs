//! Attachments: their rows, and the steps that tell of them. A row is written once its file is on disk, so none points to nothing; before a
//! file is written, and when one is withdrawn, it is noted as a stray, so none is left that nobody knows of.

mod over;

use gatepost_wire::Timestamp;
use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::step::{Taken, write};
use super::{IncidentError, Row, find, keep};
use crate::access::{Permission, Person, PersonName, TokenHash};
use crate::attachment::{Attachment, AttachmentId, Content, FileName, Folder, Format, Gone, MOST};
use crate::incident::{Actor, IncidentId, Kind};
use crate::retention::Cause;
use crate::store::column::{from_word, nanos, parse, plain, timestamp, word};
use crate::store::hold::HELD_INCIDENT;
use crate::store::{Store, StoreError};

/// What was attached.
#[derive(Debug, Clone, Copy)]
pub struct Attached {
    /// Its place among those of its incident.
    pub number: u32,
    /// The number of the change.
    pub change: i64,
}

/// An attachment whose bytes can be handed out.
#[derive(Debug, Clone)]
pub struct KeptAttachment {
    /// Its file.
    pub id: AttachmentId,
    /// Its place among those of its incident.
    pub number: u32,
    /// What it is called.
    pub name: FileName,
    /// What it is.
    pub format: Format,
    /// Of its bytes, lower-case hex.
    pub sha256: String,
}

#[derive(FromRow)]
struct AttachmentRow {
    number: i64,
    id: String,
    name: String,
    media_type: String,
    bytes: i64,
    sha256: String,
    time: i64,
    person: String,
    who: String,
    gone: Option<i64>,
    cause: Option<String>,
}

impl AttachmentRow {
    fn format(&self) -> Result<Format, StoreError> {
        Format::named(&self.media_type).ok_or_else(|| StoreError::Unreadable {
            column: "attachment.media_type",
            value: self.media_type.clone(),
        })
    }

    fn number(&self) -> u32 {
        u32::try_from(self.number).unwrap_or(u32::MAX)
    }

    fn gone(&self) -> Result<Option<Gone>, StoreError> {
        let (Some(time), Some(cause)) = (self.gone, &self.cause) else { return Ok(None) };
        let cause: Cause = from_word("attachment.cause", cause.clone())?;
        Ok(Some(Gone { time: timestamp(time), cause }))
    }

    fn told(self, person: &Person, held: bool) -> Result<Attachment, StoreError> {
        let gone = self.gone()?;
        let own = may_withdraw(&parse("attachment.person", &self.person)?, person);
        Ok(Attachment {
            number: self.number(),
            media_type: self.format()?.media_type(),
            bytes: u64::try_from(self.bytes).unwrap_or(0),
            name: FileName::kept(self.name),
            sha256: self.sha256,
            time: timestamp(self.time),
            who: self.who,
            held: held && gone.is_none(),
            may_withdraw: own && !held && gone.is_none(),
            gone,
        })
    }
}

/// Who attached it may, as long as their work has to do with incidents; and who answers for that work.
fn may_withdraw(by: &PersonName, person: &Person) -> bool {
    let works = Kind::Withdraw.permissions().iter().any(|permission| person.may(*permission));
    works && (*by == person.name || person.may(Permission::VerifyIncidents))
}

impl Store {
    /// Attaches a file that is on disk, and was [expected](Store::expect_attachment) before it was. Nothing else about the incident changes, so it may be in any stage, and has to be in no version.
    ///
    /// # Errors
    /// When the person may not, the incident has it already or has too many, or the database cannot be written.
    pub async fn attach(
        &self,
        incident: IncidentId,
        (id, name, content): (AttachmentId, &FileName, &Content),
        folder: &Folder,
        person: &Person,
        now: Timestamp,
    ) -> Result<Attached, IncidentError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        let row = find(connection, incident).await?.ok_or(IncidentError::Unknown(incident))?;
        let state = row.state()?;
        state.allows(Kind::Attach, &Actor::from(person), now)?;
        let number = place(connection, incident, content.sha256()).await?;
        // It is no stray any more; one that has been for too long is deleted.
        let known = sqlx::query("DELETE FROM attachment_stray WHERE id = $1").bind(id.to_string());
        let known = known.execute(&mut *connection).await.map_err(StoreError::from)?;
        if known.rows_affected() == 0 || !folder.holds(id).await {
            return Err(StoreError::EvidenceGone(id.to_string()).into());
        }
        let bytes = i64::try_from(content.bytes().len()).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO attachment (incident, number, id, name, media_type, bytes, sha256, time, person, who) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(incident.to_string())
        .bind(i64::from(number))
        .bind(id.to_string())
        .bind(plain(name.as_str()))
        .bind(content.format().media_type())
        .bind(bytes)
        .bind(content.sha256())
        .bind(nanos(now))
        .bind(person.name.as_str())
        .bind(person.signature())
        .execute(&mut *connection)
        .await
        .map_err(StoreError::from)?;
        let version = row.version().saturating_add(1);
        let taken = Taken {
            incident: &row.id,
            version,
            time: now,
            who: Some((&person.name, person.signature())),
            action: Kind::Attach,
            to: state.stage,
            text: None,
            detail: json!({
                "attachment": number, "name": name, "media_type": content.format().media_type(), "bytes": bytes,
                "sha256": content.sha256(),
            }),
        };
        write(connection, &taken).await?;
        let number_of_change = keep(connection, &row, &state, version, now).await?;
        change.commit().await?;
        Ok(Attached { number, change: number_of_change })
    }

    /// What was attached to an incident, the first first, with what `person` may do with each.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn attachments(
        &self,
        incident: IncidentId,
        person: &Person,
        now: Timestamp,
    ) -> Result<Vec<Attachment>, StoreError> {
        let read = async |connection: &mut AnyConnection| {
            let rows: Vec<AttachmentRow> =
                sqlx::query_as("SELECT * FROM attachment WHERE incident = $1 ORDER BY number")
                    .bind(incident.to_string())
                    .fetch_all(&mut *connection)
                    .await?;
            let held = !rows.is_empty() && is_held(connection, &incident.to_string(), now).await?;
            rows.into_iter().map(|row| row.told(person, held)).collect()
        };
        self.readers.ask(read).await
    }

    /// One of them; none if there never was such a one.
    ///
    /// # Errors
    /// Why its bytes are not here any more, or the database cannot be read.
    pub async fn attachment(
        &self,
        incident: IncidentId,
        number: u32,
    ) -> Result<Option<Result<KeptAttachment, Gone>>, StoreError> {
        let incident = incident.to_string();
        let row = self.readers.ask(async |connection| one(connection, &incident, number).await).await?;
        let Some(row) = row else { return Ok(None) };
        if let Some(gone) = row.gone()? {
            return Ok(Some(Err(gone)));
        }
        let (format, number) = (row.format()?, row.number());
        Ok(Some(Ok(KeptAttachment {
            id: parse("attachment.id", &row.id)?,
            number,
            name: FileName::kept(row.name),
            format,
            sha256: row.sha256,
        })))
    }

    /// May a session see an attachment now? It may while an alarm of the incident is open for it. What it sees is in the register when this
    /// returns.
    ///
    /// # Errors
    /// When the database cannot be read, or what is seen cannot be written down.
    pub async fn look_at_attachment(
        &self,
        session: &TokenHash,
        incident: IncidentId,
        attachment: &KeptAttachment,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let opening: Option<(String, i64)> = sqlx::query_as(
            "SELECT opening.viewing, (SELECT count(*) FROM viewed_attachment v WHERE v.viewing = opening.viewing \
               AND v.incident = $1 AND v.number = $2) AS noted \
             FROM incident_alarm JOIN opening ON opening.alarm = incident_alarm.alarm \
             WHERE incident_alarm.incident = $1 AND opening.session = $3 AND opening.until > $4 \
             ORDER BY noted DESC, opening.until DESC LIMIT 1",
        )
        .bind(incident.to_string())
        .bind(i64::from(attachment.number))
        .bind(session.as_str())
        .bind(nanos(now))
        .fetch_optional(&self.readers)
        .await?;
        let Some((viewing, noted)) = opening else { return Ok(false) };
        if noted == 0 {
            let mut change = self.begin().await?;
            sqlx::query(
                "INSERT INTO viewed_attachment (viewing, incident, number, sha256, media_type, time) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(viewing)
            .bind(incident.to_string())
            .bind(i64::from(attachment.number))
            .bind(&attachment.sha256)
            .bind(attachment.format.media_type())
            .bind(nanos(now))
            .execute(&mut change.connection)
            .await?;
            change.commit().await?;
        }
        Ok(true)
    }
}

/// The number a new attachment gets.
async fn place(
    connection: &mut AnyConnection,
    incident: IncidentId,
    sha256: &str,
) -> Result<u32, IncidentError> {
    let all: Vec<(i64, String, Option<i64>)> =
        sqlx::query_as("SELECT number, sha256, gone FROM attachment WHERE incident = $1 ORDER BY number")
            .bind(incident.to_string())
            .fetch_all(connection)
            .await
            .map_err(StoreError::from)?;
    let mut here = 0;
    for (number, known, gone) in &all {
        if gone.is_some() {
            continue;
        }
        if known == sha256 {
            return Err(IncidentError::AttachedAlready(u32::try_from(*number).unwrap_or(u32::MAX)));
        }
        here += 1;
    }
    if here >= MOST {
        return Err(IncidentError::TooManyAttachments);
    }
    let last = all.last().map_or(0, |(number, ..)| *number);
    Ok(u32::try_from(last).unwrap_or(u32::MAX).saturating_add(1))
}

/// Takes one back, inside the transaction of the step; what the step tells. Its file is a stray from then on.
pub(super) async fn withdraw(
    connection: &mut AnyConnection,
    incident: &Row,
    number: u32,
    person: &Person,
    now: Timestamp,
) -> Result<serde_json::Value, IncidentError> {
    let row = one(connection, &incident.id, number).await?;
    let row = row.filter(|row| row.gone.is_none()).ok_or(IncidentError::NoAttachment(number))?;
    if !may_withdraw(&parse("attachment.person", &row.person)?, person) {
        return Err(IncidentError::NotTheirAttachment);
    }
    if is_held(connection, &incident.id, now).await? {
        return Err(IncidentError::AttachmentHeld);
    }
    let id = parse("attachment.id", &row.id)?;
    forget(connection, id, Cause::Withdrawn, now).await?;
    over::stray(connection, id, now).await?;
    Ok(json!({ "attachment": number, "name": row.name, "sha256": row.sha256 }))
}

/// Notes that its bytes are deleted, and why.
async fn forget(
    connection: &mut AnyConnection,
    id: AttachmentId,
    cause: Cause,
    now: Timestamp,
) -> Result<(), StoreError> {
    for statement in [
        "INSERT INTO deletion (time, event, sha256, edge, media_type, bytes, received, cause, command, incident, attachment) \
         SELECT $2, NULL, a.sha256, incident.edge, a.media_type, a.bytes, a.time, $3, NULL, a.incident, a.number \
         FROM attachment a JOIN incident ON incident.id = a.incident WHERE a.id = $1",
        "UPDATE attachment SET gone = $2, cause = $3 WHERE id = $1",
    ] {
        sqlx::query(statement)
            .bind(id.to_string())
            .bind(nanos(now))
            .bind(word(&cause))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn one(
    connection: &mut AnyConnection,
    incident: &str,
    number: u32,
) -> Result<Option<AttachmentRow>, StoreError> {
    let row = sqlx::query_as("SELECT * FROM attachment WHERE incident = $1 AND number = $2");
    Ok(row.bind(incident).bind(i64::from(number)).fetch_optional(connection).await?)
}

/// Do two people want it kept?
async fn is_held(connection: &mut AnyConnection, incident: &str, now: Timestamp) -> Result<bool, StoreError> {
    let statement = format!(
        "SELECT 1 FROM attachment WHERE attachment.incident = $2 AND EXISTS ({HELD_INCIDENT}) LIMIT 1"
    );
    let held: Option<i64> = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(nanos(now))
        .bind(incident)
        .fetch_optional(connection)
        .await?;
    Ok(held.is_some())
}

#[cfg(test)]
mod tests;
