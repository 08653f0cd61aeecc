//! Plans of sites, and their pictures.

use std::collections::BTreeSet;

use bytes::Bytes;
use gatepost_wire::{EdgeId, Timestamp};
use sqlx::{AnyConnection, FromRow};

use super::access::log_access;
use super::change::{Change, next_change};
use super::column::{from_word, nanos, parse, timestamp, word};
use super::sql::Sql;
use super::{Store, StoreError};
use crate::access::{Action, Entry, Scope, SiteId, SiteLabel};
use crate::plan::{Picture, PictureAbout, PictureKind, PictureSize, Placements, Plan, PlanVersion, Sha256};

/// A plan cannot become what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No such place.
    #[error("there is no site {0}")]
    UnknownSite(SiteId),
    /// Nothing can be placed on no picture.
    #[error("there is no plan of site {0}: begin with its picture")]
    NoPlan(SiteId),
    /// It is another plan than the one that was looked at.
    #[error("{by} changed the plan meanwhile, it is version {now} now: look at it, then change that one")]
    Changed {
        /// The version there is.
        now: i64,
        /// Who changed it last.
        by: String,
    },
    /// Something of another place.
    #[error("box {0} does not stand at this site: take what belongs to it off the plan")]
    NotOfSite(EdgeId),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for PlanError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A site that can have a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSite {
    /// Its name.
    pub site: SiteId,
    /// What people call it.
    pub label: SiteLabel,
    /// Its boxes: what belongs to them can be placed.
    pub edges: BTreeSet<EdgeId>,
    /// Its plan's version; none: it has no plan.
    pub version: Option<PlanVersion>,
}

/// A picture as it is kept.
#[derive(Debug, Clone)]
pub struct StoredPicture {
    /// What it is.
    pub kind: PictureKind,
    /// Of its bytes.
    pub sha256: Sha256,
    /// As they came.
    pub bytes: Bytes,
}

/// A plan and all but the bytes of its picture.
#[derive(FromRow)]
struct Row {
    site: String,
    label: String,
    version: i64,
    changed: i64,
    placed: String,
    kind: String,
    width_px: i64,
    height_px: i64,
    byte_count: i64,
    sha256: String,
}

impl TryFrom<Row> for Plan {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let side = |number: i64| {
            u32::try_from(number).map_err(|_| StoreError::Unreadable {
                column: "plan_picture.width_px, height_px",
                value: number.to_string(),
            })
        };
        let placed = serde_json::from_str(&row.placed)
            .map_err(|_| StoreError::Unreadable { column: "plan.placed", value: row.placed })?;
        Ok(Self {
            site: parse("plan.site", &row.site)?,
            label: label(row.label)?,
            version: version(row.version)?,
            changed: timestamp(row.changed),
            picture: PictureAbout {
                kind: from_word("plan_picture.kind", row.kind)?,
                size: PictureSize { width_px: side(row.width_px)?, height_px: side(row.height_px)? },
                bytes: row.byte_count.unsigned_abs(),
                sha256: parse("plan_picture.sha256", &row.sha256)?,
            },
            placed,
        })
    }
}

impl Store {
    /// The sites of a scope by name, with a plan or not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn planned_sites(&self, scope: &Scope) -> Result<Vec<PlannedSite>, StoreError> {
        let mut query = Sql::new(
            "SELECT s.site, s.label, p.version, e.edge FROM site s LEFT JOIN plan p ON p.site = s.site \
             LEFT JOIN site_edge e ON e.site = s.site WHERE 1 = 1",
        );
        if let Some(sites) = scope.sites() {
            query.push(" AND s.site").push_in(sites);
        }
        query.push(" ORDER BY s.site, e.edge");
        let rows: Vec<(String, String, Option<i64>, Option<String>)> =
            query.build_query_as().fetch_all(&self.readers).await?;
        let mut sites: Vec<PlannedSite> = Vec::new();
        for (name, text, number, edge) in rows {
            let edge = edge.map(|edge| parse("site_edge.edge", &edge)).transpose()?;
            match sites.last_mut() {
                Some(last) if last.site.as_str() == name => last.edges.extend(edge),
                _ => sites.push(PlannedSite {
                    site: parse("site.site", &name)?,
                    label: label(text)?,
                    edges: edge.into_iter().collect(),
                    version: number.map(version).transpose()?,
                }),
            }
        }
        Ok(sites)
    }

    /// The plan of a site, if it has one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn plan(&self, site: &SiteId) -> Result<Option<Plan>, StoreError> {
        self.readers.ask(async |connection| read(connection, site).await).await
    }

    /// The picture of a site's plan, if it has one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn plan_picture(&self, site: &SiteId) -> Result<Option<StoredPicture>, StoreError> {
        let row: Option<(String, String, Vec<u8>)> =
            sqlx::query_as("SELECT kind, sha256, content FROM plan_picture WHERE site = $1")
                .bind(site.as_str())
                .fetch_optional(&self.readers)
                .await?;
        row.map(|(kind, sha256, content)| {
            Ok(StoredPicture {
                kind: from_word("plan_picture.kind", kind)?,
                sha256: parse("plan_picture.sha256", &sha256)?,
                bytes: content.into(),
            })
        })
        .transpose()
    }

    /// Gives a plan a picture, or a site its plan; what is placed on it stays where it is.
    ///
    /// # Errors
    /// When there is no such site, the plan is no longer of this version, or the database cannot be written.
    pub async fn put_plan_picture(
        &self,
        site: &SiteId,
        version: PlanVersion,
        picture: &Picture,
        by: &str,
        now: Timestamp,
    ) -> Result<Plan, PlanError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        must_be(connection, site, version).await?;
        let number = next_change(connection).await?;
        let empty = written(&Placements::default())?;
        sqlx::query(
            "INSERT INTO plan (site, version, changed, person, placed) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (site) DO UPDATE SET version = excluded.version, changed = excluded.changed, person = excluded.person",
        )
        .bind(site.as_str())
        .bind(number)
        .bind(nanos(now))
        .bind(by)
        .bind(empty)
        .execute(&mut *connection)
        .await?;
        let size = picture.size();
        let byte_count = i64::try_from(picture.bytes().len()).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO plan_picture (site, kind, width_px, height_px, byte_count, sha256, content) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (site) DO UPDATE SET kind = excluded.kind, \
             width_px = excluded.width_px, height_px = excluded.height_px, byte_count = excluded.byte_count, \
             sha256 = excluded.sha256, content = excluded.content",
        )
        .bind(site.as_str())
        .bind(word(&picture.kind()))
        .bind(i64::from(size.width_px))
        .bind(i64::from(size.height_px))
        .bind(byte_count)
        .bind(picture.sha256().as_str())
        .bind(picture.bytes().to_vec())
        .execute(&mut *connection)
        .await?;
        let what = picture.kind().media_type();
        let detail = format!("{site}: a picture, {what}, {} × {} pixels", size.width_px, size.height_px);
        told(change, site, Action::PlanChanged, by, detail, now).await
    }

    /// Places these on the plan, and nothing else.
    ///
    /// # Errors
    /// When there is no such site or plan, it is no longer of this version, something belongs to a box that does not stand there, or the
    /// database cannot be written.
    pub async fn put_placements(
        &self,
        site: &SiteId,
        version: PlanVersion,
        placed: &Placements,
        by: &str,
        now: Timestamp,
    ) -> Result<Plan, PlanError> {
        let mut change = self.begin().await?;
        let connection = &mut change.connection;
        must_be_drawn(connection, site, version).await?;
        let boxes: Vec<String> = sqlx::query_scalar("SELECT edge FROM site_edge WHERE site = $1")
            .bind(site.as_str())
            .fetch_all(&mut *connection)
            .await?;
        if let Some(edge) =
            placed.edges().into_iter().find(|edge| !boxes.iter().any(|one| one == edge.as_str()))
        {
            return Err(PlanError::NotOfSite(edge.clone()));
        }
        let number = next_change(connection).await?;
        sqlx::query("UPDATE plan SET version = $1, changed = $2, person = $3, placed = $4 WHERE site = $5")
            .bind(number)
            .bind(nanos(now))
            .bind(by)
            .bind(written(placed)?)
            .bind(site.as_str())
            .execute(&mut *connection)
            .await?;
        let detail = format!("{site}: {}", placed.summary());
        told(change, site, Action::PlanChanged, by, detail, now).await
    }

    /// Removes a plan, its picture and what is on it.
    ///
    /// # Errors
    /// When there is no such site or plan, it is no longer of this version, or the database cannot be written.
    pub async fn remove_plan(
        &self,
        site: &SiteId,
        version: PlanVersion,
        by: &str,
        now: Timestamp,
    ) -> Result<(), PlanError> {
        let mut change = self.begin().await?;
        must_be_drawn(&mut change.connection, site, version).await?;
        delete(&mut change.connection, site).await?;
        let entry = Entry::done_by(by, Action::PlanRemoved, site.to_string());
        log_access(&mut change.connection, &entry, now).await?;
        Ok(change.commit().await?)
    }
}

/// Takes a site's plan away, if it has one.
pub(super) async fn delete(connection: &mut AnyConnection, site: &SiteId) -> Result<(), StoreError> {
    for statement in ["DELETE FROM plan_picture WHERE site = $1", "DELETE FROM plan WHERE site = $1"] {
        sqlx::query(statement).bind(site.as_str()).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn read(connection: &mut AnyConnection, site: &SiteId) -> Result<Option<Plan>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT s.site, s.label, p.version, p.changed, p.placed, i.kind, i.width_px, i.height_px, i.byte_count, i.sha256 \
         FROM plan p JOIN site s ON s.site = p.site JOIN plan_picture i ON i.site = p.site WHERE p.site = $1",
    )
    .bind(site.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// Writes down what was done, and gives the plan as it is then.
async fn told(
    mut change: Change<'_>,
    site: &SiteId,
    action: Action,
    by: &str,
    detail: String,
    now: Timestamp,
) -> Result<Plan, PlanError> {
    log_access(&mut change.connection, &Entry::done_by(by, action, detail), now).await?;
    let plan = read(&mut change.connection, site).await?;
    change.commit().await?;
    plan.ok_or_else(|| PlanError::NoPlan(site.clone()))
}

/// The site is there and has a plan of this version, or none for [`PlanVersion::NONE`].
async fn must_be(
    connection: &mut AnyConnection,
    site: &SiteId,
    version: PlanVersion,
) -> Result<(), PlanError> {
    let found: Option<(Option<i64>, Option<String>)> = sqlx::query_as(
        "SELECT p.version, p.person FROM site s LEFT JOIN plan p ON p.site = s.site WHERE s.site = $1",
    )
    .bind(site.as_str())
    .fetch_optional(connection)
    .await?;
    match found {
        None => Err(PlanError::UnknownSite(site.clone())),
        Some((None, _)) if version == PlanVersion::NONE => Ok(()),
        Some((None, _)) => Err(PlanError::NoPlan(site.clone())),
        Some((Some(now), _)) if now == version.get() => Ok(()),
        Some((Some(now), by)) => Err(PlanError::Changed { now, by: by.unwrap_or_default() }),
    }
}

/// The same, and there is a plan.
async fn must_be_drawn(
    connection: &mut AnyConnection,
    site: &SiteId,
    version: PlanVersion,
) -> Result<(), PlanError> {
    must_be(connection, site, version).await?;
    if version == PlanVersion::NONE { Err(PlanError::NoPlan(site.clone())) } else { Ok(()) }
}

fn written(placed: &Placements) -> Result<String, StoreError> {
    serde_json::to_string(placed)
        .map_err(|error| StoreError::Unreadable { column: "plan.placed", value: error.to_string() })
}

fn version(number: i64) -> Result<PlanVersion, StoreError> {
    PlanVersion::try_from(number)
        .map_err(|_| StoreError::Unreadable { column: "plan.version", value: number.to_string() })
}

fn label(text: String) -> Result<SiteLabel, StoreError> {
    SiteLabel::try_from(text.clone())
        .map_err(|_| StoreError::Unreadable { column: "site.label", value: text })
}

#[cfg(test)]
mod tests;
