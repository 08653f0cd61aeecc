//! Pages of long lists by keyset: a page costs what is shown of it, however long the list is and however little of it is asked for.
//!
//! A list that is read in its order until a page is full is read to its end where little is asked for: the few incidents of a quiet
//! school took three seconds to find among a district's three million. So what is asked of few boxes is asked of each by itself, since each
//! has its stretch of an index; and otherwise only so many entries are looked at for one page, which then says where to go on
//! although it is not full.

use gatepost_wire::{EdgeId, Timestamp};
use sqlx::FromRow;
use sqlx::any::AnyRow;

use super::access::within;
use super::column::nanos;
use super::sql::{Sql, Value};
use super::{Store, StoreError};
use crate::access::{Scope, SiteId};

/// Entries that are looked at for one page: what is rare is answered as fast as what is frequent. Fewer would be asked for more often. Tests
/// get by with fewer rows.
const LOOK: i64 = if cfg!(test) { 10_000 } else { 30_000 };

/// More boxes than these are not asked each by itself.
const FEW: u8 = 64;

/// A list that has an index on its order, and one on the box and its order.
#[derive(Debug)]
pub(super) struct List {
    pub table: &'static str,
    /// The column of the box.
    pub edge: &'static str,
    /// What its order goes by; together they are of one row only, and the last one is by itself.
    pub place: &'static [&'static str],
    pub newest_first: bool,
}

impl List {
    fn columns(&self, query: &mut Sql, columns: &[&str]) {
        for (index, column) in columns.iter().enumerate() {
            query.push(if index == 0 { "" } else { ", " }).push(self.table).push(".").push(column);
        }
    }
}

/// Where a row stands in a list: what its order goes by.
pub(super) trait Place: for<'r> FromRow<'r, AnyRow> + Ord + Send + Unpin {
    fn values(&self) -> Vec<Value>;
}

impl Place for (i64,) {
    fn values(&self) -> Vec<Value> {
        vec![self.0.into()]
    }
}

impl Place for (i64, i64) {
    fn values(&self) -> Vec<Value> {
        vec![self.0.into(), self.1.into()]
    }
}

impl Place for (i64, String) {
    fn values(&self) -> Vec<Value> {
        vec![self.0.into(), self.1.as_str().into()]
    }
}

/// How what meets further conditions is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// There are no further conditions.
    AllOfIt,
    /// By an index of its own, among little else.
    ByIndex,
    /// By looking at one entry after the other.
    ByLooking,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Keyset<'f, P> {
    pub list: &'static List,
    /// Of these boxes,
    pub scope: &'f Scope,
    /// and of those of this site only,
    pub site: Option<&'f SiteId>,
    /// and of this one only.
    pub edge: Option<&'f EdgeId>,
    /// By what comes first in the order: this and later,
    pub from: Option<Timestamp>,
    /// and before this.
    pub until: Option<Timestamp>,
    /// Behind this one in the list.
    pub behind: Option<P>,
    pub found: Found,
    pub limit: u16,
}

/// Which boxes are asked.
enum Boxes {
    /// These, each by itself.
    Few(Vec<String>),
    /// All that are meant, at once.
    Many,
}

impl<'f, P: Place> Keyset<'f, P> {
    /// Everything within a scope.
    pub const fn of(list: &'static List, scope: &'f Scope, behind: Option<P>, limit: u16) -> Self {
        Self {
            list,
            scope,
            site: None,
            edge: None,
            from: None,
            until: None,
            behind,
            found: Found::AllOfIt,
            limit,
        }
    }

    /// Completes a statement over the list, which has a condition already. Gives the last entry that is looked at for the page, unless the
    /// list ends before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn complete(
        &self,
        store: &Store,
        query: &mut Sql,
        conditions: &Sql,
    ) -> Result<Option<P>, StoreError> {
        let boxes = match self.found {
            Found::ByIndex => Boxes::Many,
            Found::AllOfIt | Found::ByLooking => self.boxes(store).await?,
        };
        let last = match (self.found, &boxes) {
            (Found::ByIndex, _) | (Found::AllOfIt, Boxes::Few(_)) => None,
            (Found::AllOfIt, Boxes::Many) if self.is_of_all() => None,
            _ => self.last(store, &boxes).await?,
        };
        match &boxes {
            Boxes::Few(boxes) => {
                let key = &self.list.place[self.list.place.len() - 1..];
                query.push(" AND ");
                self.list.columns(query, key);
                query.push(" IN (");
                self.each(query, boxes, key, |query| {
                    query.append(conditions);
                    self.up_to(query, last.as_ref());
                    self.first(query, i64::from(self.limit), 0);
                });
                query.push(")");
            }
            Boxes::Many => {
                self.of_boxes(query, self.list.edge);
                self.range(query);
                query.append(conditions);
                self.up_to(query, last.as_ref());
            }
        }
        self.first(query, i64::from(self.limit), 0);
        Ok(last)
    }

    /// Where to go on behind a page, when there may be more. `last`: what [`Self::complete`] gave.
    pub fn next<R>(&self, rows: &[R], place: impl Fn(&R) -> P, last: Option<P>) -> Option<P> {
        rows.last().filter(|_| rows.len() >= usize::from(self.limit)).map(place).or(last)
    }

    const fn is_of_all(&self) -> bool {
        matches!(self.scope, Scope::All) && self.site.is_none()
    }

    async fn boxes(&self, store: &Store) -> Result<Boxes, StoreError> {
        if self.is_of_all() {
            return Ok(self.edge.map_or(Boxes::Many, |edge| Boxes::Few(vec![edge.to_string()])));
        }
        let mut query = Sql::new("SELECT edge FROM site_edge WHERE 1 = 1");
        self.of_boxes(&mut query, "site_edge.edge");
        query.push(" LIMIT ").push_bind(i64::from(FEW) + 1);
        let boxes: Vec<String> = query.build_query_scalar().fetch_all(&store.readers).await?;
        Ok(if boxes.len() > usize::from(FEW) { Boxes::Many } else { Boxes::Few(boxes) })
    }

    /// The last entry that is looked at: of each of few boxes equally many.
    async fn last(&self, store: &Store, boxes: &Boxes) -> Result<Option<P>, StoreError> {
        let mut query = Sql::new("");
        match boxes {
            Boxes::Few(boxes) => {
                let share = LOOK / i64::try_from(boxes.len()).unwrap_or(LOOK).max(1);
                self.each(&mut query, boxes, self.list.place, |query| self.first(query, 1, share));
            }
            Boxes::Many => {
                query.push("SELECT ");
                self.list.columns(&mut query, self.list.place);
                query.push(" FROM ").push(self.list.table).push(" WHERE 1 = 1");
                self.range(&mut query);
                self.first(&mut query, 1, LOOK);
            }
        }
        let lasts: Vec<P> = query.build_query_as().fetch_all(&store.readers).await?;
        let lasts = lasts.into_iter();
        Ok(if self.list.newest_first { lasts.max() } else { lasts.min() })
    }

    /// Some columns of those rows of each box that are in the range, further conditions, order and number being told by `rest`.
    fn each(&self, query: &mut Sql, boxes: &[String], columns: &[&'static str], rest: impl Fn(&mut Sql)) {
        // No box has an empty name. With those there are few different statements to prepare.
        let nobody = boxes.len()..boxes.len().next_power_of_two();
        for (index, edge) in boxes.iter().map(String::as_str).chain(nobody.map(|_| "")).enumerate() {
            query.push(if index == 0 {
                "SELECT * FROM (SELECT "
            } else {
                " UNION ALL SELECT * FROM (SELECT "
            });
            self.list.columns(query, columns);
            query
                .push(" FROM ")
                .push(self.list.table)
                .push(" WHERE ")
                .push(self.list.edge)
                .push(" = ")
                .push_bind(edge);
            self.range(query);
            rest(query);
            query.push(") AS box");
        }
    }

    fn of_boxes(&self, query: &mut Sql, column: &'static str) {
        within(query, column, self.scope);
        if let Some(site) = self.site {
            query.push(" AND ").push(column).push(" IN (SELECT edge FROM site_edge WHERE site = ");
            query.push_bind(site.to_string()).push(")");
        }
        if let Some(edge) = self.edge {
            query.push(" AND ").push(column).push(" = ").push_bind(edge.to_string());
        }
    }

    fn range(&self, query: &mut Sql) {
        for (limit, comparison) in [(self.from, " >= "), (self.until, " < ")] {
            if let Some(limit) = limit {
                query.push(" AND ");
                self.list.columns(query, &self.list.place[..1]);
                query.push(comparison).push_bind(nanos(limit));
            }
        }
        if let Some(behind) = &self.behind {
            self.compare(query, if self.list.newest_first { " < " } else { " > " }, behind);
        }
    }

    fn up_to(&self, query: &mut Sql, last: Option<&P>) {
        if let Some(last) = last {
            self.compare(query, if self.list.newest_first { " >= " } else { " <= " }, last);
        }
    }

    fn compare(&self, query: &mut Sql, comparison: &str, place: &P) {
        query.push(" AND (");
        self.list.columns(query, self.list.place);
        query.push(")").push(comparison).push("(");
        query.push_values(place.values()).push(")");
    }

    /// The first so many in the order of the list, after the first `skipped`.
    fn first(&self, query: &mut Sql, count: i64, skipped: i64) {
        for (index, column) in self.list.place.iter().enumerate() {
            query.push(if index == 0 { " ORDER BY " } else { ", " });
            self.list.columns(query, &[column]);
            query.push(if self.list.newest_first { " DESC" } else { "" });
        }
        query.push(" LIMIT ").push_bind(count);
        if skipped > 0 {
            query.push(" OFFSET ").push_bind(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::store::alert::ALARMS;
    use crate::store::event::EVENTS;
    use crate::store::incident::INCIDENTS;
    use crate::store::testing::fresh;

    /// More than are looked at for two pages.
    const ROWS: i64 = 25_000;

    /// For a page.
    const LIMIT: u16 = 200;

    /// Three of everything each millisecond, of eighty boxes in turn; but the first twenty are of a box that has had none since. Each
    /// 5,000th is of the east camera.
    async fn district(store: &Store) {
        const TOLD: &str = "WITH RECURSIVE counted (n) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT n - 1 FROM counted WHERE n > 1), \
            told (n, id, edge, camera, at) AS (SELECT n, 'id-' || CAST(n + 100000 AS TEXT), \
              CASE WHEN n <= 20 THEN 'quiet' ELSE 'box-' || CAST(n % 80 AS TEXT) END, \
              CASE WHEN n % 5000 = 0 THEN 'east' ELSE 'west' END, n / 3 * 1000000 FROM counted)";
        let into = [
            "INSERT INTO incident (number, id, edge, kind, camera, severity, alarms, ongoing, first, last, opened, stage, is_open, \
               reminded, version, change) \
             SELECT n, id, edge, 'zone_intrusion', camera, 2, 1, 0, at, at, at, 'closed', 0, 0, 1, n FROM told",
            "INSERT INTO alarm (id, edge, kind, camera, severity, events, first_phase, first_time, first_event, latest_phase, \
               latest_time, latest_event, received, placed, change) \
             SELECT id, edge, 'zone_intrusion', camera, 2, 1, 'began', at, id, 'began', at, id, at, at, n FROM told",
            "INSERT INTO event (number, id, edge, boot, seq, time, received, kind, severity, sequence_conflict, envelope) \
             SELECT n, id, edge, camera, n, at, at, 'zone_intrusion', 2, 0, '{}' FROM told",
        ];
        let mut change = store.begin().await.unwrap();
        let connection = &mut change.connection;
        for into in into {
            let query = sqlx::query(AssertSqlSafe(format!("{TOLD} {into}"))).bind(ROWS);
            query.execute(&mut *connection).await.unwrap();
        }
        for site in ["quiet", "few", "many", "empty"] {
            let query = sqlx::query("INSERT INTO site (site, label) VALUES ($1, $1)").bind(site);
            query.execute(&mut *connection).await.unwrap();
        }
        let boxes = (0..80).map(|number| (format!("box-{number}"), if number < 10 { "few" } else { "many" }));
        for (edge, site) in boxes.chain([("quiet".to_owned(), "quiet")]) {
            let query =
                sqlx::query("INSERT INTO site_edge (edge, site) VALUES ($1, $2)").bind(edge).bind(site);
            query.execute(&mut *connection).await.unwrap();
        }
        change.commit().await.unwrap();
    }

    fn select(list: &List) -> Sql {
        let mut query = Sql::new("SELECT ");
        list.columns(&mut query, list.place);
        query.push(" FROM ").push(list.table).push(" WHERE 1 = 1");
        query
    }

    /// Takes all pages, which have to be what a plain statement says of the same. Gives how many there were, and how much was on them.
    async fn walk<P: Place + Clone + Debug>(
        store: &Store,
        mut keyset: Keyset<'_, P>,
        conditions: &Sql,
    ) -> (usize, usize) {
        let mut plain = select(keyset.list);
        keyset.of_boxes(&mut plain, keyset.list.edge);
        keyset.range(&mut plain);
        plain.append(conditions);
        keyset.first(&mut plain, ROWS, 0);
        let expected: Vec<P> = plain.build_query_as().fetch_all(&store.readers).await.unwrap();
        let (mut pages, mut found) = (0, Vec::new());
        loop {
            let mut query = select(keyset.list);
            let last = keyset.complete(store, &mut query, conditions).await.unwrap();
            let rows: Vec<P> = query.build_query_as().fetch_all(&store.readers).await.unwrap();
            keyset.behind = keyset.next(&rows, P::clone, last);
            pages += 1;
            found.extend(rows);
            if keyset.behind.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{keyset:?}");
        (pages, found.len())
    }

    /// Whatever is asked for, and of whomever.
    async fn lists<P: Place + Clone + Debug>(store: &Store, list: &'static List, start: Option<P>) {
        let (none, mut east) = (Sql::new(""), Sql::new(" AND "));
        let camera = if list.table == "event" { "boot" } else { "camera" };
        list.columns(&mut east, &[camera]);
        east.push(" = 'east'");
        let sites = |names: &[&str]| Scope::Sites(names.iter().map(|name| name.parse().unwrap()).collect());
        let (quiet, few, empty) = (sites(&["quiet"]), sites(&["quiet", "few"]), sites(&["empty"]));
        let many = sites(&["few", "many"]);
        let of = |scope| Keyset::of(list, scope, start.clone(), LIMIT);
        let looking = |scope| Keyset { found: Found::ByLooking, ..of(scope) };
        let all = usize::try_from(ROWS).unwrap();

        assert_eq!(walk(store, of(&Scope::All), &none).await, (all / usize::from(LIMIT) + 1, all));
        assert_eq!(walk(store, of(&quiet), &none).await, (1, 20));
        assert_eq!(walk(store, of(&empty), &none).await, (1, 0));
        walk(store, of(&few), &none).await;
        walk(store, of(&many), &none).await;
        // Five in three looks.
        assert_eq!(walk(store, looking(&Scope::All), &east).await, (3, 5));
        assert_eq!(walk(store, looking(&many), &east).await, (3, 5));
        assert_eq!(walk(store, looking(&few), &east).await.1, 2);
        assert_eq!(walk(store, Keyset { found: Found::ByIndex, ..of(&many) }, &east).await, (1, 5));

        let (site, edge) = ("few".parse().unwrap(), "box-7".parse().unwrap());
        let site = Keyset { site: Some(&site), ..of(&Scope::All) };
        assert!(walk(store, site, &none).await.1 > 0);
        let of_box = |scope| Keyset { edge: Some(&edge), ..of(scope) };
        assert_eq!(walk(store, of_box(&Scope::All), &none).await.1, walk(store, of_box(&few), &none).await.1);
        assert_eq!(walk(store, of_box(&quiet), &none).await, (1, 0));
        assert_eq!(walk(store, Keyset { found: Found::ByLooking, ..of_box(&few) }, &east).await, (1, 0));
    }

    #[tokio::test]
    async fn every_page_is_there_however_little_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&fresh(dir.path())).await.unwrap();
        district(&store).await;
        lists::<(i64, i64)>(&store, &INCIDENTS, None).await;
        lists::<(i64, String)>(&store, &ALARMS, None).await;
        lists(&store, &EVENTS, Some((0,))).await;

        let (from, until) = [1, 2].map(|s| Timestamp::from_second(s).unwrap()).into();
        let span = Keyset {
            from: Some(from),
            until: Some(until),
            ..Keyset::<(i64, i64)>::of(&INCIDENTS, &Scope::All, None, LIMIT)
        };
        assert_eq!(walk(&store, span, &Sql::new("")).await, (16, 3000));
    }
}
