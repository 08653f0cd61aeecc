//! A stretch of time that a list is cut down to.

use super::column::nanos;
use super::sql::Sql;
use gatepost_wire::Timestamp;

/// From a moment on, up to another that is not in it any more.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

impl Span {
    /// Adds to a query that has a condition already.
    pub(super) fn limit(&self, query: &mut Sql, column: &'static str) {
        query.push(" AND ").push(column).push(" >= ").push_bind(nanos(self.from));
        query.push(" AND ").push(column).push(" < ").push_bind(nanos(self.until));
    }
}
