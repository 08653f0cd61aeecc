//! Sites, and which boxes a person sees.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_wire::{EdgeId, Timestamp};
use sqlx::AnyConnection;

use super::log;
use crate::access::{Action, Entry, Scope, Site, SiteId, SiteLabel};
use crate::incident::SiteDeadlines;
use crate::store::column::parse;
use crate::store::sql::Sql;
use crate::store::{Store, StoreError, plan};

/// A site cannot become what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// No such place.
    #[error("there is no site {0}")]
    Unknown(SiteId),
    /// Somebody would be left without a place.
    #[error("{person} is limited to site {site}: change that first")]
    InUse {
        /// The site.
        site: SiteId,
        /// Somebody who is limited to it.
        person: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SiteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Adds the condition that a box lies in a scope; `column` names the box.
pub(in crate::store) fn within(query: &mut Sql, column: &'static str, scope: &Scope) {
    let Some(sites) = scope.sites() else { return };
    query
        .push(" AND ")
        .push(column)
        .push(" IN (SELECT edge FROM site_edge WHERE site")
        .push_in(sites)
        .push(")");
}

impl Store {
    /// All sites by name, and boxes that belong to none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sites(&self) -> Result<(Vec<Site>, BTreeSet<EdgeId>), StoreError> {
        let rows: Vec<(String, String, Option<String>)> =
            sqlx::query_as("SELECT site, label, deadlines FROM site ORDER BY site")
                .fetch_all(&self.readers)
                .await?;
        let boxes: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT edge, site FROM site_edge UNION ALL \
             SELECT edge, NULL FROM device WHERE edge NOT IN (SELECT edge FROM site_edge)",
        )
        .fetch_all(&self.readers)
        .await?;
        let mut of_site: BTreeMap<Option<String>, BTreeSet<EdgeId>> = BTreeMap::new();
        for (edge, site) in boxes {
            of_site.entry(site).or_default().insert(parse("site_edge.edge", &edge)?);
        }
        let sites = rows
            .into_iter()
            .map(|(site, text, deadlines)| {
                let unreadable = |_| StoreError::Unreadable { column: "site.label", value: text.clone() };
                let label = SiteLabel::try_from(text.clone()).map_err(unreadable)?;
                let edges = of_site.remove(&Some(site.clone())).unwrap_or_default();
                let deadlines = deadlines.as_deref().map(own_deadlines).transpose()?.unwrap_or_default();
                Ok(Site { site: parse("site.site", &site)?, label, edges, deadlines })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok((sites, of_site.remove(&None).unwrap_or_default()))
    }

    /// Makes or replaces a site. Its boxes leave the sites they belonged to.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_site(&self, site: &Site, by: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        let deadlines = (!site.deadlines.is_empty())
            .then(|| serde_json::to_string(&site.deadlines))
            .transpose()
            .map_err(|error| StoreError::Unreadable { column: "site.deadlines", value: error.to_string() })?;
        sqlx::query(
            "INSERT INTO site (site, label, deadlines) VALUES ($1, $2, $3) \
             ON CONFLICT (site) DO UPDATE SET label = excluded.label, deadlines = excluded.deadlines",
        )
        .bind(site.site.as_str())
        .bind(site.label.as_str())
        .bind(deadlines)
        .execute(&mut change.connection)
        .await?;
        sqlx::query("DELETE FROM site_edge WHERE site = $1")
            .bind(site.site.as_str())
            .execute(&mut change.connection)
            .await?;
        for edge in &site.edges {
            sqlx::query(
                "INSERT INTO site_edge (edge, site) VALUES ($1, $2) ON CONFLICT (edge) DO UPDATE SET site = excluded.site",
            )
            .bind(edge.as_str())
            .bind(site.site.as_str())
            .execute(&mut change.connection)
            .await?;
        }
        let boxes = site.edges.iter().map(EdgeId::as_str).collect::<Vec<_>>().join(", ");
        let mut detail = format!("{} {}: {boxes}", site.site, site.label.as_str());
        if !site.deadlines.is_empty() {
            detail.push_str(&format!("; {}", site.deadlines));
        }
        log::write(&mut change.connection, &Entry::done_by(by, Action::SiteChanged, detail), now).await?;
        change.commit().await
    }

    /// Removes a site and its plan; its boxes belong to none then.
    ///
    /// # Errors
    /// When there is none of the name, somebody is limited to it, or the database cannot be written.
    pub async fn remove_site(&self, site: &SiteId, by: &str, now: Timestamp) -> Result<(), SiteError> {
        let mut change = self.begin().await?;
        let person: Option<String> =
            sqlx::query_scalar("SELECT person FROM person_site WHERE site = $1 LIMIT 1")
                .bind(site.as_str())
                .fetch_optional(&mut change.connection)
                .await?;
        if let Some(person) = person {
            return Err(SiteError::InUse { site: site.clone(), person });
        }
        sqlx::query("DELETE FROM site_edge WHERE site = $1")
            .bind(site.as_str())
            .execute(&mut change.connection)
            .await?;
        plan::delete(&mut change.connection, site).await?;
        let removed = sqlx::query("DELETE FROM site WHERE site = $1")
            .bind(site.as_str())
            .execute(&mut change.connection)
            .await?;
        if removed.rows_affected() == 0 {
            return Err(SiteError::Unknown(site.clone()));
        }
        let entry = Entry::done_by(by, Action::SiteRemoved, site.to_string());
        log::write(&mut change.connection, &entry, now).await?;
        Ok(change.commit().await?)
    }

    /// The boxes of a scope; none when it holds for all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn edges_within(&self, scope: &Scope) -> Result<Option<BTreeSet<EdgeId>>, StoreError> {
        if *scope == Scope::All {
            return Ok(None);
        }
        let mut query = Sql::new("SELECT edge FROM site_edge WHERE 1 = 1");
        within(&mut query, "edge", scope);
        let edges: Vec<String> = query.build_query_scalar().fetch_all(&self.readers).await?;
        edges.iter().map(|edge| parse("site_edge.edge", edge)).collect::<Result<_, _>>().map(Some)
    }

    /// Does a box lie in a scope?
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn scope_holds(&self, scope: &Scope, edge: &EdgeId) -> Result<bool, StoreError> {
        self.readers.ask(async |connection| holds(connection, scope, edge).await).await
    }
}

/// The deadlines a site has of its own.
pub(in crate::store) fn own_deadlines(json: &str) -> Result<SiteDeadlines, StoreError> {
    serde_json::from_str(json)
        .map_err(|_| StoreError::Unreadable { column: "site.deadlines", value: json.to_owned() })
}

/// Does the box lie in the scope?
pub(in crate::store) async fn holds(
    connection: &mut AnyConnection,
    scope: &Scope,
    edge: &EdgeId,
) -> Result<bool, StoreError> {
    if *scope == Scope::All {
        return Ok(true);
    }
    let mut query = Sql::new("SELECT 1 FROM site_edge WHERE edge = ");
    query.push_bind(edge.to_string());
    within(&mut query, "edge", scope);
    let found: Option<i64> = query.build_query_scalar().fetch_optional(connection).await?;
    Ok(found.is_some())
}
