//! The database, and the hub that is started on it.

use std::path::PathBuf;
use std::time::Duration;

use gatepost_hub::evidence::Folder;
use gatepost_hub::store::Database;
use gatepost_testbed::account::Account;
use gatepost_testbed::daemon::Daemon;
use gatepost_testbed::postgres::Postgres;
use gatepost_wire::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
const PROGRAM: &str = env!("CARGO_BIN_EXE_gatepost-hub");

/// Where a hub keeps things.
pub struct Home {
    server: Option<(Postgres, String)>,
    account: std::cell::OnceCell<Account>,
    // Last, so that it is removed last.
    dir: TempDir,
}

/// A running hub; dropping kills it.
pub struct Hub {
    _daemon: Daemon,
    pub web: String,
}

impl Home {
    pub fn new() -> Self {
        sqlx::any::install_default_drivers();
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("gatepost-growth-");
        let dir = match std::env::var_os("GROWTH_FOLDER") {
            Some(folder) => builder.tempdir_in(folder),
            None => builder.tempdir(),
        };
        let dir = dir.unwrap();
        let server = match std::env::var("GROWTH_DATABASE").as_deref() {
            Ok("postgres") => {
                let server = Postgres::start().unwrap();
                let url = server.new_database().unwrap();
                Some((server, url))
            }
            Ok("sqlite") | Err(_) => None,
            Ok(other) => panic!("GROWTH_DATABASE={other}: sqlite or postgres is needed"),
        };
        let store = server.as_ref().map_or_else(String::new, |(_, url)| format!("[store]\nurl = {url:?}\n"));
        let text = format!(
            "data_dir = \"data\"\n[web]\nlisten = \"127.0.0.1:0\"\n{store}[broker]\nlisten = \"127.0.0.1:0\"\n"
        );
        std::fs::write(dir.path().join("hub.toml"), text).unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        Self { server, account: std::cell::OnceCell::new(), dir }
    }

    pub fn database(&self) -> Database {
        match &self.server {
            Some((_, url)) => Database::Server(url.parse().unwrap()),
            None => Database::File(self.file()),
        }
    }

    pub fn folder(&self) -> Folder {
        Folder::open(self.dir.path().join("data/evidence")).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("data/hub.sqlite")
    }

    /// Beside the hub's own.
    pub async fn connect(&self) -> AnyConnection {
        let url = match &self.server {
            Some((_, url)) => url.clone(),
            None => format!("sqlite://{}", self.file().display()),
        };
        AnyConnection::connect(&url).await.unwrap()
    }

    /// A school of one box, where nothing happens.
    pub async fn add_quiet_school(&self) {
        let mut database = self.connect().await;
        for sql in [
            "INSERT INTO site (site, label) VALUES ('quiet', 'Quiet')",
            "INSERT INTO site_edge (edge, site) VALUES ('quiet', 'quiet')",
        ] {
            sqlx::query(sql).execute(&mut database).await.unwrap();
        }
    }

    /// As people would have done; their steps are what another bench measures (`hub/ui/bench`).
    pub async fn close_incidents_but(&self, open: i64) {
        let sql = "UPDATE incident SET stage = 'closed', is_open = 0, outcome = 'real', due = NULL, closed = opened \
                   WHERE is_open = 1 AND number <= (SELECT max(number) FROM incident) - $1";
        sqlx::query(sql).bind(open).execute(&mut self.connect().await).await.unwrap();
    }

    /// Has incidents of alarms from before that moment end with them: grouping dates what it writes by today's clock, and nothing so young
    /// is ever deleted.
    pub async fn date_incidents(&self, before: Timestamp) {
        let mut database = self.connect().await;
        let (unlock, lock) = match &self.server {
            Some(_) => (
                "ALTER TABLE incident_step DISABLE TRIGGER incident_step_is_fixed".to_owned(),
                "ALTER TABLE incident_step ENABLE TRIGGER incident_step_is_fixed".to_owned(),
            ),
            None => {
                let sql = "SELECT sql FROM sqlite_master WHERE name = 'incident_step_is_fixed'";
                let trigger = sqlx::query_scalar(sql).fetch_one(&mut database).await.unwrap();
                ("DROP TRIGGER incident_step_is_fixed".to_owned(), trigger)
            }
        };
        let date = [
            "UPDATE incident_step SET time = $1 - 1 WHERE incident IN (SELECT id FROM incident WHERE last < $1)",
            "UPDATE incident SET closed = last WHERE last < $1",
        ];
        let before = i64::try_from(before.as_nanosecond()).unwrap();
        sqlx::query(AssertSqlSafe(unlock)).execute(&mut database).await.unwrap();
        for sql in date {
            sqlx::query(sql).bind(before).execute(&mut database).await.unwrap();
        }
        sqlx::query(AssertSqlSafe(lock)).execute(&mut database).await.unwrap();
    }

    /// Starts the hub, and signs in whoever may do everything.
    pub fn start(&self) -> Hub {
        let config = self.dir.path().join("hub.toml");
        let daemon =
            Daemon::spawn(PROGRAM, ["run".into(), "--config".into(), config.clone().into_os_string()])
                .unwrap();
        let line = daemon.wait_for_line(PATIENCE, |line| line.contains("web listening")).unwrap();
        let web = line.split("address=").nth(1).unwrap().trim().to_owned();
        let account = self.account.get_or_init(|| Account::everything(PROGRAM, &config, &web).unwrap());
        account.use_at(&web);
        Hub { _daemon: daemon, web }
    }

    pub fn database_bytes(&self) -> u64 {
        match &self.server {
            Some((server, url)) => {
                let name = url.rsplit('/').next().unwrap();
                let size = server.execute(name, "SELECT pg_database_size(current_database())").unwrap();
                size.trim().parse().unwrap()
            }
            None => std::fs::metadata(self.file()).unwrap().len(),
        }
    }
}

/// Whether each alarm is in its incident.
pub async fn all_are_grouped(database: &mut AnyConnection) -> bool {
    let sql = "SELECT count(*) FROM incident_position WHERE change < (SELECT max(change) FROM alarm)";
    let behind: i64 = sqlx::query_scalar(sql).fetch_one(database).await.unwrap();
    behind == 0
}
