//! The hub's PostgreSQL server and the network before it, each to be broken (`GATEPOST_TEST_DATABASE=postgres`).

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use gatepost_testbed::postgres::{self, Postgres};
use gatepost_testbed::proxy::{Network, Proxy};

const NAME: &str = "hub";

/// A server whose files lie on the hub's disk.
pub struct Database {
    server: Postgres,
    network: Proxy,
    password_file: PathBuf,
}

impl Database {
    /// Starts one with a folder of its own on `disk`, a folder in the site's `dir`.
    pub fn start(dir: &Path, disk: &Path) -> anyhow::Result<Self> {
        let folder = disk.join("postgres");
        fs::create_dir(&folder)?;
        // Root's server runs as another user, who has to find its folder.
        for way in [dir, disk] {
            fs::set_permissions(way, Permissions::from_mode(0o711))?;
        }
        let server = Postgres::start_on_a_small_disk(folder)?;
        server.execute("postgres", &format!("CREATE DATABASE {NAME}"))?;
        let network = Proxy::before(server.port())?;
        let password_file = dir.join("database-password");
        fs::write(&password_file, postgres::PASSWORD)?;
        fs::set_permissions(&password_file, Permissions::from_mode(0o600))?;
        Ok(Self { server, network, password_file })
    }

    /// The hub's `[store]`.
    pub fn config(&self) -> String {
        let (user, port, file) = (postgres::USER, self.network.port(), &self.password_file);
        format!("[store]\nurl = \"postgres://{user}@127.0.0.1:{port}/{NAME}\"\npassword_file = {file:?}\n")
    }

    /// SIGKILL to the server; it stays dead until it is mended.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.server.kill()?)
    }

    /// What lies between it and the hub does this.
    pub fn set_network(&self, network: Network) {
        self.network.set(network);
    }

    /// It runs, and on a whole network. A full disk may have ended it.
    pub fn mend(&mut self) -> anyhow::Result<()> {
        self.network.set(Network::Whole);
        if self.server.answers() { Ok(()) } else { Ok(self.server.restart()?) }
    }
}
