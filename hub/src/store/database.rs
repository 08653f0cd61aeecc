//! Which database, and how it is reached: a SQLite file, or a PostgreSQL server that several hubs may share.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, ConnectOptions as _, Connection as _};
use url::{Host, Url};

use super::StoreError;
use super::readers::{self, Readers};

/// Whoever writes to a PostgreSQL database holds this lock of the server's for the length of its transaction, as SQLite has it for a
/// file: so the numbers of changes are committed in their order, and a page that knows one has seen all below it.
const WRITE_LOCK: i64 = 0x6761_7465_706f_7374; // "gatepost"

/// A server that gives no answer for so long is taken for gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that does not end within so long is dropped.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where the hub keeps what it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file, for one hub.
    File(PathBuf),
    /// A PostgreSQL database, for one hub or more.
    Server(Server),
}

/// A PostgreSQL database.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Server {
    /// Without a password.
    url: Url,
    password: Option<String>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => f.write_str(server.url.as_str()),
        }
    }
}

impl Server {
    /// Adds the password, which does not stand in the configuration.
    pub fn with_password(self, password: String) -> Self {
        Self { password: Some(password), ..self }
    }
}

impl TryFrom<String> for Server {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Server {
    type Err = String;

    /// A URL such as `postgres://gatepost@db.example/gatepost`. A server on another machine is reached by TLS only, and has to
    /// prove its name.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut url: Url = text.parse().map_err(|error| format!("{text:?} is no URL: {error}"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(format!("{text:?} does not begin with postgres://"));
        }
        let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        if url.password().is_some() || parameters.iter().any(|(key, _)| key == "password") {
            return Err(
                "a password does not belong here: put it into a file and name that as `password_file`".into(),
            );
        }
        // They would name another server than the one that is looked at here.
        for key in ["host", "hostaddr", "port"] {
            if parameters.iter().any(|(name, _)| name == key) {
                return Err(format!("`{key}` belongs before the path: postgres://user@host:port/database"));
            }
        }
        let mode = parameters.iter().find(|(key, _)| matches!(key.as_str(), "sslmode" | "ssl-mode"));
        match mode {
            _ if is_here(&url) => {}
            None => drop(url.query_pairs_mut().append_pair("sslmode", "verify-full")),
            Some((_, mode)) if mode == "verify-full" => {}
            Some((_, mode)) => {
                return Err(format!(
                    "sslmode={mode} does not make sure who the server is, and it is on another machine: leave it out, and name the \
                     authority of the server's certificate as sslrootcert=FILE if the system does not know it"
                ));
            }
        }
        Ok(Self { url, password: None })
    }
}

/// Is the server on this machine?
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // Of this scheme, IPv4 addresses are names too; one that begins with an escaped slash is the folder of a socket.
        Some(Host::Domain(name)) => {
            name == "localhost"
                || name.to_ascii_lowercase().starts_with("%2f")
                || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
        None => true,
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Looking.
    Read,
    /// Looking at what came last, as it comes.
    Follow,
    /// Changing.
    Write,
}

/// For connections to PostgreSQL that look rows up by their keys. Of a table that was small when it was last looked at, the planner would read
/// all of it, and a backlog that comes into a new database grows it faster than it is looked at.
const BY_KEYS: [&str; 3] = [
    "SET enable_seqscan = off",
    // What that makes dear on paper would be compiled first, or handed to processes that have to be started, which takes longer than all
    // of it.
    "SET jit = off",
    "SET max_parallel_workers_per_gather = 0",
];

/// For connections to PostgreSQL that only read.
const READING: [&str; 2] = ["SET default_transaction_read_only = on", "SET statement_timeout = '30s'"];

impl Database {
    /// A file is made if there is none, and so is its folder.
    pub(super) async fn prepare(&self) -> Result<(), StoreError> {
        // More than once is no harm.
        sqlx::any::install_default_drivers();
        if let Self::File(path) = self
            && let Some(directory) = path.parent()
        {
            std::fs::create_dir_all(directory)
                .map_err(|source| StoreError::Directory { path: directory.into(), source })?;
        }
        let mut connection = self.connect(Purpose::Write).await.map_err(|source| self.unreachable(source))?;
        let migrated = match self {
            Self::File(_) => sqlx::migrate!("./migrations/sqlite").run(&mut connection).await,
            Self::Server(_) => sqlx::migrate!("./migrations/postgres").run(&mut connection).await,
        };
        migrated.map_err(|source| StoreError::Migrate { database: self.to_string(), source })?;
        close(connection).await;
        Ok(())
    }

    /// Has it been made?
    pub fn exists(&self) -> bool {
        match self {
            Self::File(path) => path.exists(),
            // The server tells when it is asked.
            Self::Server(_) => true,
        }
    }

    pub(super) fn unreachable(&self, source: sqlx::Error) -> StoreError {
        StoreError::Open { database: self.to_string(), source }
    }

    pub(super) async fn connect(&self, purpose: Purpose) -> Result<AnyConnection, sqlx::Error> {
        let connecting = async {
            let mut connection = self.options(purpose)?.connect().await?;
            self.set_up(&mut connection, purpose).await?;
            Ok(connection)
        };
        within(PATIENCE, connecting).await
    }

    /// Connections that look.
    pub(super) async fn readers(&self, purpose: Purpose) -> Result<Readers, sqlx::Error> {
        let database = self.clone();
        let options = AnyPoolOptions::new()
            .max_connections(match (self, purpose) {
                (Self::File(_), _) => 4,
                (Self::Server(_), Purpose::Follow) => 2,
                (Self::Server(_), _) => 8,
            })
            // One stays open, so that the WAL's index exists while the writer reconnects on a full disk.
            .min_connections(1)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| {
                let database = database.clone();
                Box::pin(async move { database.set_up(connection, purpose).await })
            });
        let to = self.options(purpose)?;
        match self {
            Self::File(_) => Ok(Readers::of_file(options.connect_with(to).await?)),
            Self::Server(_) => Ok(Readers::of_server(readers::tested(options).connect_with(to).await?)),
        }
    }

    fn options(&self, purpose: Purpose) -> Result<AnyConnectOptions, sqlx::Error> {
        let url = match self {
            Self::File(path) => file_url(path, purpose)?,
            Self::Server(server) => {
                let mut url = server.url.clone();
                url.query_pairs_mut().append_pair("application_name", "gatepost-hub");
                if let Some(password) = &server.password {
                    url.set_password(Some(password))
                        .map_err(|()| sqlx::Error::Configuration("no host".into()))?;
                }
                url
            }
        };
        Ok(AnyConnectOptions::from_url(&url)?.disable_statement_logging())
    }

    async fn set_up(&self, connection: &mut AnyConnection, purpose: Purpose) -> Result<(), sqlx::Error> {
        let statements: &[&[&'static str]] = match (self, purpose) {
            // NORMAL would answer before the WAL is on disk: an acknowledged event could be lost with the power.
            (Self::File(_), Purpose::Write) => &[&["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"]],
            (Self::File(_), Purpose::Read | Purpose::Follow) => &[],
            (Self::Server(_), Purpose::Write) => &[
                &BY_KEYS,
                &[
                    // The same, where somebody has set it so for the whole server.
                    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
                    // There is one way to look up by keys, whatever they are: it is not planned anew each time. For the open incidents
                    // of 64 places that took four times as long as reading them. A partial index is found only if its condition
                    // stands in the statement and is not bound to it.
                    "SET plan_cache_mode = force_generic_plan",
                    "SET lock_timeout = '20s'",
                    "SET idle_in_transaction_session_timeout = '60s'",
                ],
            ],
            (Self::Server(_), Purpose::Read) => &[&READING],
            // What came last is found by the number of its change, in tables that may be new: a page would be seconds behind for the
            // first minute.
            (Self::Server(_), Purpose::Follow) => &[&READING, &BY_KEYS],
        };
        for statement in statements.concat() {
            sqlx::query(statement).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Where other hubs are heard of, if there can be any.
    pub(super) fn server_url(&self) -> Option<Url> {
        match self {
            Self::File(_) => None,
            Self::Server(_) => Some(self.options(Purpose::Read).ok()?.database_url),
        }
    }

    /// How a transaction that writes begins, on a connection for it. Returns when nobody else writes.
    pub(super) async fn begin(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::File(_) => sqlx::query("BEGIN IMMEDIATE").execute(connection).await?,
            Self::Server(_) => {
                sqlx::query("BEGIN").execute(&mut *connection).await?;
                sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(WRITE_LOCK).execute(connection).await?
            }
        };
        Ok(())
    }

    /// How it ends: what it did is on disk when this returns. Other hubs at the same server are told that there are changes.
    pub(super) async fn commit(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        if let Self::Server(_) = self {
            sqlx::query("SELECT pg_notify($1, last::text) FROM change_number")
                .bind(super::news::CHANNEL)
                .execute(&mut *connection)
                .await?;
        }
        sqlx::query("COMMIT").execute(connection).await?;
        Ok(())
    }

    /// How large it is, with what is still in its log.
    pub(super) async fn bytes(&self, readers: &Readers) -> Result<i64, sqlx::Error> {
        match self {
            Self::File(path) => {
                let size = |file: &Path| std::fs::metadata(file).map_or(0, |metadata| metadata.len());
                let bytes = size(path).saturating_add(size(Path::new(&format!("{}-wal", path.display()))));
                Ok(i64::try_from(bytes).unwrap_or(i64::MAX))
            }
            Self::Server(_) => {
                sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(readers).await
            }
        }
    }

    /// Gives up on a server that does not answer: a connection may stay half open for as long as it likes.
    pub(super) async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match self {
            // Whatever is cut off in the middle of a disk's work is none the quicker for it.
            Self::File(_) => work.await,
            Self::Server(_) => within(PATIENCE, work).await,
        }
    }
}

/// Takes a server that is not done within so long for gone.
pub(super) async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(gone().into()))
}

pub(super) fn gone() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the server does not answer"))
}

/// Ends a connection, or drops it when the other side does not say goodbye.
pub(super) async fn close(connection: AnyConnection) {
    match tokio::time::timeout(FAREWELL, connection.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "closing a connection to the database"),
        Err(_) => tracing::debug!("the database did not close a connection in time"),
    }
}

fn file_url(path: &Path, purpose: Purpose) -> Result<Url, sqlx::Error> {
    let wrong = |error: String| sqlx::Error::Configuration(format!("{}: {error}", path.display()).into());
    let path = std::path::absolute(path).map_err(|error| wrong(error.to_string()))?;
    // Escapes whatever a path may hold that a URL may not.
    let escaped = Url::from_file_path(&path).map_err(|()| wrong("no path".into()))?;
    let mode = match purpose {
        Purpose::Read | Purpose::Follow => "ro",
        Purpose::Write => "rwc",
    };
    format!("sqlite://{}?mode={mode}", escaped.path())
        .parse()
        .map_err(|error: url::ParseError| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_has_to_prove_its_name() {
        let here: Server = "postgres://gatepost@127.0.0.1:5433/gatepost".parse().unwrap();
        assert_eq!(here.url.query(), None);
        assert!("postgres://gatepost@%2Fvar%2Frun%2Fpostgresql/gatepost".parse::<Server>().is_ok());
        let there: Server = "postgres://gatepost@db.example/gatepost".parse().unwrap();
        assert_eq!(there.url.query(), Some("sslmode=verify-full"));
        for bad in [
            "postgres://gatepost@db.example/gatepost?sslmode=prefer",
            "postgres://gatepost@db.example/gatepost?sslmode=disable",
            "postgres://gatepost@10.0.0.7/gatepost?sslmode=require",
            "postgres://gatepost@127.0.0.1/gatepost?host=db.example&sslmode=disable",
            "postgres://gatepost:secret@127.0.0.1/gatepost",
            "mysql://gatepost@127.0.0.1/gatepost",
            "/var/lib/gatepost-hub/hub.sqlite",
        ] {
            assert!(bad.parse::<Server>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let server: Server = "postgres://gatepost@127.0.0.1/gatepost".parse().unwrap();
        let server = server.with_password("very secret".into());
        let database = Database::Server(server);
        for shown in [format!("{database:?}"), database.to_string()] {
            assert!(!shown.contains("secret") && shown.contains("127.0.0.1"), "{shown}");
        }
    }

    #[tokio::test]
    async fn a_path_may_hold_whatever_a_path_may_hold() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("50% of #1? 校门").join("hub.sqlite");
        Database::File(path.clone()).prepare().await.unwrap();
        assert!(path.is_file());
    }
}
