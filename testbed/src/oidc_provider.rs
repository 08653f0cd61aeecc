//! A real OpenID Connect provider: the npm package `oidc-provider` as a process (`testbed/peers/oidc`).

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::daemon::{Daemon, Launch};
use crate::footage::workspace_root;
use crate::{Error, Result, port};

const PATIENCE: Duration = Duration::from_secs(30);

/// What a provider is to be.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where it sends people back.
    pub redirect_uri: String,
    /// None: the client is a public one.
    pub client_secret: Option<String>,
    /// It says in the ID token what it otherwise says at its userinfo endpoint alone.
    pub id_token_claims: bool,
}

/// A running provider, at which anybody signs in as who they type. Dropping kills it.
pub struct OidcProvider {
    port: u16,
    settings: Settings,
    running: Option<Daemon>,
}

impl OidcProvider {
    /// By what it knows the hub.
    pub const CLIENT_ID: &str = "gatepost";

    /// On a free loopback port.
    pub fn start(settings: Settings) -> Result<Self> {
        let mut provider = Self { port: port::free()?, settings, running: None };
        provider.restart()?;
        Ok(provider)
    }

    /// What it calls itself.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// SIGKILL: nobody listens any more.
    pub fn kill(&mut self) -> Result<()> {
        self.running.take().map_or(Ok(()), |mut daemon| daemon.kill())
    }

    /// Starts it anew on the same port, with a new key under a new name.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        let folder = workspace_root().join("testbed/peers/oidc");
        if !folder.join("node_modules").is_dir() {
            let missing =
                std::io::Error::other("its packages are missing: run `setup/install.sh oidc-provider`");
            return Err(Error::Io { what: folder.display().to_string(), source: missing });
        }
        let told = json!({
            "port": self.port,
            "client_id": Self::CLIENT_ID,
            "client_secret": self.settings.client_secret,
            "redirect_uri": self.settings.redirect_uri,
            "id_token_claims": self.settings.id_token_claims,
        });
        let launch = Launch::new(Path::new("node")).arg(folder.join("provider.mjs")).arg(told.to_string());
        let daemon = launch.spawn()?;
        daemon.wait_for_line(PATIENCE, |line| line == "listening")?;
        self.running = Some(daemon);
        Ok(())
    }
}
