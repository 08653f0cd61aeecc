//! Statements put together from parts. SQLite and PostgreSQL both take numbered placeholders (`$1`), which `sqlx` does not number by
//! itself when it does not know which of the two it speaks to. SQLite takes them for names, and looks for each among all of them
//! whenever the statement runs; so a statement with many is [suited to](Sql::suited_to) the database.

use std::fmt::Display;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{Any, AnyConnection, AssertSqlSafe, Decode, FromRow, Type};

use super::column::plain;

/// SQL and the values of its placeholders.
#[derive(Debug)]
pub(super) struct Sql {
    /// With `?` for each placeholder; nothing else has one.
    sql: String,
    values: Vec<Value>,
    numbered: bool,
}

/// What a column can take.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(plain(text)))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(plain(&text)))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.as_deref().map(plain))
    }
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        Self::Text(text.as_deref().map(plain))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(plain))
    }
}

impl Sql {
    /// Begins with some SQL.
    pub fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), values: Vec::new(), numbered: true }
    }

    /// SQL, which never comes from outside.
    pub fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// A placeholder and its value.
    pub fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.push("?")
    }

    /// Placeholders and their values, with commas between them.
    pub fn push_values(&mut self, values: Vec<Value>) -> &mut Self {
        let mut row = Row { statement: self, empty: true };
        for value in values {
            row.bind(value);
        }
        self
    }

    /// All of another one.
    pub fn append(&mut self, other: &Self) -> &mut Self {
        self.sql.push_str(&other.sql);
        self.values.extend_from_slice(&other.values);
        self
    }

    /// `VALUES ($1, $2, …), …`, one row for each item.
    pub fn push_rows<T>(&mut self, items: &[T], mut bind: impl FnMut(&mut Row<'_>, &T)) -> &mut Self {
        self.push("VALUES ");
        for (index, item) in items.iter().enumerate() {
            self.push(if index == 0 { "(" } else { ", (" });
            bind(&mut Row { statement: self, empty: true }, item);
            self.push(")");
        }
        self
    }

    /// ` IN ($1, $2, …)`. The last value is said again until their number is a power of two, so that few different statements are
    /// ever prepared; among none there is nothing.
    pub fn push_in<T: Display>(&mut self, texts: impl IntoIterator<Item = T>) -> &mut Self {
        let mut texts: Vec<String> = texts.into_iter().map(|text| text.to_string()).collect();
        let Some(last) = texts.last().cloned() else { return self.push(" IN (NULL)") };
        texts.resize(texts.len().next_power_of_two(), last);
        self.push(" IN (");
        let mut row = Row { statement: self, empty: true };
        for text in texts {
            row.bind(text);
        }
        self.push(")")
    }

    /// With the placeholders that the database at the other end of this connection takes most easily.
    pub fn suited_to(self, connection: &AnyConnection) -> Self {
        Self { numbered: connection.backend_name() != "SQLite", ..self }
    }

    fn take(self) -> (String, Vec<Value>) {
        if !self.numbered {
            return (self.sql, self.values);
        }
        let mut parts = self.sql.split('?');
        let mut sql = parts.next().unwrap_or_default().to_owned();
        for (index, part) in parts.enumerate() {
            sql.push('$');
            sql.push_str(&(index + 1).to_string());
            sql.push_str(part);
        }
        (sql, self.values)
    }

    /// To be executed.
    pub fn build(self) -> Query<'static, Any, AnyArguments> {
        let (sql, values) = self.take();
        let query = sqlx::query(AssertSqlSafe(sql));
        values.into_iter().fold(query, |query, value| match value {
            Value::Integer(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
        })
    }

    /// To be read as rows.
    pub fn build_query_as<T: for<'r> FromRow<'r, AnyRow>>(self) -> QueryAs<'static, Any, T, AnyArguments> {
        let (sql, values) = self.take();
        let query = sqlx::query_as(AssertSqlSafe(sql));
        values.into_iter().fold(query, |query, value| match value {
            Value::Integer(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
        })
    }

    /// To be read as single values.
    pub fn build_query_scalar<T>(self) -> QueryScalar<'static, Any, T, AnyArguments>
    where
        T: for<'r> Decode<'r, Any> + Type<Any> + Send + Unpin,
        (T,): for<'r> FromRow<'r, AnyRow>,
    {
        let (sql, values) = self.take();
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        values.into_iter().fold(query, |query, value| match value {
            Value::Integer(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
        })
    }
}

/// One row of values.
pub(super) struct Row<'s> {
    statement: &'s mut Sql,
    empty: bool,
}

impl Row<'_> {
    /// The value of the next column.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        if !std::mem::take(&mut self.empty) {
            self.statement.push(", ");
        }
        self.statement.push_bind(value);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_through_all_parts() {
        let mut statement = Sql::new("SELECT * FROM t WHERE a = ");
        statement.push_bind(1).push(" AND b").push_in(["x", "y", "z"]).push(" AND c = ").push_bind("d");
        let (sql, values) = statement.take();
        assert_eq!(sql, "SELECT * FROM t WHERE a = $1 AND b IN ($2, $3, $4, $5) AND c = $6");
        assert_eq!(values.len(), 6);

        let mut statement = Sql::new("INSERT INTO t (a, b) ");
        statement.push_rows(&[1, 2], |row, number| {
            row.bind(*number).bind(None::<String>);
        });
        assert_eq!(statement.take().0, "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)");
    }

    #[test]
    fn among_none_there_is_nothing() {
        let mut statement = Sql::new("SELECT 1 WHERE a");
        statement.push_in(Vec::<String>::new());
        assert_eq!(statement.take().0, "SELECT 1 WHERE a IN (NULL)");
    }
}
