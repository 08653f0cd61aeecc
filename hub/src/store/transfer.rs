//! From a SQLite file to a PostgreSQL database that nobody has used, in one transaction.
//!
//! The tables are the same in both ([`super::database`]), so it goes by what SQLite says of them: their columns, and which refers to which.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::StoreError;
use super::database::{Database, Purpose, close};

/// Values in one statement; PostgreSQL takes no more than 65,535.
const VALUES: usize = 8_192;

/// Of such a table the file has the one row that the new database begins with, too.
const ONLY_ROW: &str = "only_row";

/// Nothing was taken along.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no file to take from.
    #[error("{}: there is no such file", .0.display())]
    NoFile(PathBuf),
    /// The new database is a file, too.
    #[error("{0} is a file: name the PostgreSQL database as `store.url`")]
    NoServer(Database),
    /// Another version wrote the file last.
    #[error("{}: its tables are those of another version of the hub: start this version with it once, or take that version for this", .0.display())]
    OtherVersion(PathBuf),
    /// It would be mixed with what is there.
    #[error("{database}: there is something in `{table}`: name a database that nobody has used")]
    InUse {
        /// The new database.
        database: Database,
        /// One of its tables.
        table: String,
    },
}

impl From<sqlx::Error> for TransferError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What was taken along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transferred {
    /// Tables that hold anything.
    pub tables: usize,
    /// Their rows.
    pub rows: u64,
}

struct Table {
    name: String,
    columns: Vec<Column>,
    refers_to: Vec<String>,
}

struct Column {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Integer,
    Text,
    Blob,
}

/// Copies everything in `file` to the database `to`, which is made ready for it. Nobody writes to the file meanwhile.
///
/// # Errors
/// When something is wrong with one of them; then the new database holds nothing.
pub async fn transfer(file: &Path, to: &Database) -> Result<Transferred, TransferError> {
    if let Database::File(_) = to {
        return Err(TransferError::NoServer(to.clone()));
    }
    if !file.is_file() {
        return Err(TransferError::NoFile(file.to_owned()));
    }
    to.prepare().await?;
    let from = Database::File(file.to_owned());
    let mut source = from.connect(Purpose::Write).await.map_err(|error| from.unreachable(error))?;
    let mut target = to.connect(Purpose::Write).await.map_err(|error| to.unreachable(error))?;
    from.begin(&mut source).await?;
    let transferred = copy(&mut source, file, &mut target, to).await;
    // Without a commit a closed connection has changed nothing.
    close(source).await;
    close(target).await;
    transferred
}

async fn copy(
    source: &mut AnyConnection,
    file: &Path,
    target: &mut AnyConnection,
    to: &Database,
) -> Result<Transferred, TransferError> {
    if version(source).await? != version(target).await? {
        return Err(TransferError::OtherVersion(file.to_owned()));
    }
    let tables = in_order(tables(source).await?);
    to.begin(target).await?;
    for table in &tables {
        if !table.has_only_row() && !table.is_empty(target).await? {
            return Err(TransferError::InUse { database: to.clone(), table: table.name.clone() });
        }
    }
    let mut transferred = Transferred { tables: 0, rows: 0 };
    for table in &tables {
        let rows = table.copy(source, target).await?;
        transferred.tables += usize::from(rows > 0);
        transferred.rows += rows;
    }
    go_on_counting(source, target).await?;
    to.commit(target).await?;
    // What the planner knows of the tables; without it the first hours would be slow.
    sqlx::query("ANALYZE").execute(target).await?;
    Ok(transferred)
}

/// Of the tables' shape.
async fn version(connection: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(connection).await
}

async fn tables(source: &mut AnyConnection) -> Result<Vec<Table>, sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut *source)
    .await?;
    let mut tables = Vec::with_capacity(names.len());
    for name in names {
        let columns: Vec<(String, String)> =
            sqlx::query_as("SELECT CAST(name AS TEXT), CAST(type AS TEXT) FROM pragma_table_info($1)")
                .bind(&name)
                .fetch_all(&mut *source)
                .await?;
        let refers_to =
            sqlx::query_scalar("SELECT DISTINCT CAST(\"table\" AS TEXT) FROM pragma_foreign_key_list($1)")
                .bind(&name)
                .fetch_all(&mut *source)
                .await?;
        let columns = columns.into_iter().map(|(name, declared)| {
            // All tables are STRICT, so these are the only types there are.
            let kind = match declared.as_str() {
                "INTEGER" => Kind::Integer,
                "BLOB" => Kind::Blob,
                _ => Kind::Text,
            };
            Column { name, kind }
        });
        tables.push(Table { columns: columns.collect(), name, refers_to });
    }
    Ok(tables)
}

/// What is referred to comes first.
fn in_order(mut tables: Vec<Table>) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let known =
            |name: &String, table: &Table| *name == table.name || ordered.iter().any(|one| one.name == *name);
        // Tables that refer to each other in a circle would go last; the server would refuse their rows.
        let next = tables.iter().position(|table| table.refers_to.iter().all(|name| known(name, table)));
        ordered.push(tables.swap_remove(next.unwrap_or(0)));
    }
    ordered
}

impl Table {
    fn has_only_row(&self) -> bool {
        self.columns.iter().any(|column| column.name == ONLY_ROW)
    }

    async fn is_empty(&self, target: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1) AS one", self.name);
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(target).await?;
        Ok(rows == 0)
    }

    fn list(&self) -> String {
        self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    async fn copy(&self, source: &mut AnyConnection, target: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        // A row with a picture goes alone.
        let has_bytes = self.columns.iter().any(|column| matches!(column.kind, Kind::Blob));
        let most = if has_bytes { 1 } else { VALUES / self.columns.len() };
        let mut stream =
            sqlx::query(AssertSqlSafe(format!("SELECT {} FROM {}", self.list(), self.name))).fetch(source);
        let (mut rows, mut count) = (Vec::with_capacity(most), 0);
        loop {
            let row = stream.try_next().await?;
            let over = row.is_none();
            rows.extend(row);
            if rows.len() == most || over && !rows.is_empty() {
                count += rows.len() as u64;
                self.insert(&rows, target).await?;
                rows.clear();
            }
            if over {
                return Ok(count);
            }
        }
    }

    async fn insert(&self, rows: &[AnyRow], target: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let width = self.columns.len();
        let places = (0..rows.len()).map(|row| {
            let places: Vec<String> =
                (1..=width).map(|column| format!("${}", row * width + column)).collect();
            format!("({})", places.join(", "))
        });
        let mut sql = format!(
            "INSERT INTO {} ({}) VALUES {}",
            self.name,
            self.list(),
            places.collect::<Vec<_>>().join(", ")
        );
        if self.has_only_row() {
            let others = self.columns.iter().filter(|column| column.name != ONLY_ROW);
            let set: Vec<String> = others.map(|column| format!("{0} = excluded.{0}", column.name)).collect();
            sql.push_str(&format!(" ON CONFLICT ({ONLY_ROW}) DO UPDATE SET {}", set.join(", ")));
        }
        let mut insert = sqlx::query(AssertSqlSafe(sql));
        for row in rows {
            for (at, column) in self.columns.iter().enumerate() {
                insert = match column.kind {
                    Kind::Integer => insert.bind(row.try_get::<Option<i64>, _>(at)?),
                    Kind::Text => insert.bind(row.try_get::<Option<String>, _>(at)?),
                    Kind::Blob => insert.bind(row.try_get::<Option<Vec<u8>>, _>(at)?),
                };
            }
        }
        insert.execute(target).await?;
        Ok(())
    }
}

/// Numbers are never given twice, not even those of rows that are deleted by now.
async fn go_on_counting(source: &mut AnyConnection, target: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let last: Vec<(String, i64)> =
        sqlx::query_as("SELECT CAST(name AS TEXT), CAST(seq AS INTEGER) FROM sqlite_sequence")
            .fetch_all(source)
            .await?;
    for (table, last) in last.into_iter().filter(|(_, last)| *last > 0) {
        sqlx::query("SELECT setval(pg_get_serial_sequence($1, 'number'), $2)")
            .bind(table)
            .bind(last)
            .execute(&mut *target)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_referred_to_comes_first() {
        let table = |name: &str, refers_to: &[&str]| Table {
            name: name.into(),
            columns: Vec::new(),
            refers_to: refers_to.iter().map(|name| (*name).to_owned()).collect(),
        };
        let tables = vec![
            table("viewed_piece", &["viewing"]),
            table("person_site", &["person", "site"]),
            table("person", &["person"]),
            table("viewing", &[]),
            table("site", &[]),
        ];
        let ordered = in_order(tables);
        let at = |name: &str| ordered.iter().position(|table| table.name == name).unwrap();
        assert!(at("person") < at("person_site") && at("site") < at("person_site"));
        assert!(at("viewing") < at("viewed_piece") && ordered.len() == 5);
    }

    #[tokio::test]
    async fn a_file_is_no_server_and_has_to_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hub.sqlite");
        let error = transfer(&file, &Database::File(file.clone())).await.unwrap_err().to_string();
        assert!(error.contains("store.url"), "{error}");
        let server = Database::Server("postgres://gatepost@127.0.0.1:1/gatepost".parse().unwrap());
        let error = transfer(&file, &server).await.unwrap_err().to_string();
        assert!(error.contains("no such file") && !file.exists(), "{error}");
    }
}
