//! The database that tests use.

use std::path::Path;

use gatepost_testbed::postgres::Postgres;

use super::Database;

/// One that nobody has used: a SQLite file in this folder, or with `GATEPOST_TEST_DATABASE=postgres` a database of a real server.
pub(crate) fn fresh(folder: &Path) -> Database {
    match Postgres::wanted().unwrap() {
        Some(url) => Database::Server(url.parse().unwrap()),
        None => Database::File(folder.join("hub.sqlite")),
    }
}
