//! A person with an account at a hub, so that a test may ask it something.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::{Error, Result, http};

/// Roles that together may do everything.
const EVERYTHING: [&str; 6] = ["--role", "supervisor", "--role", "administrator", "--role", "auditor"];

/// The password of every account made here.
pub const PASSWORD: &str = "a password of the tests";

/// Somebody who is signed in. The session outlives restarts of the hub.
#[derive(Clone, Debug)]
pub struct Account {
    cookie: String,
}

impl Account {
    /// Makes an account that may do everything, by the hub's own command, and signs in at `page`: whatever
    /// [`http`] asks of that address is then asked by this person.
    pub fn everything(hub: impl AsRef<OsStr>, config: &Path, page: &str) -> Result<Self> {
        let account = Self::new(hub, config, page, "tester", &EVERYTHING)?;
        account.use_at(page);
        Ok(account)
    }

    /// Makes an account, `arguments` says with which roles and sites, and signs in at `page`.
    pub fn new(
        hub: impl AsRef<OsStr>,
        config: &Path,
        page: &str,
        name: &str,
        arguments: &[&str],
    ) -> Result<Self> {
        let mut command = Command::new(hub.as_ref());
        command.args(["person", "add", name, "--display-name", name, "--config"]).arg(config).args(arguments);
        let io = |source| Error::Io { what: "gatepost-hub person add".into(), source };
        let done = command.output().map_err(io)?;
        let link = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        let token = link.rsplit_once(':').filter(|_| done.status.success()).map(|(_, token)| token);
        let Some(token) = token else {
            return Err(io(std::io::Error::other(String::from_utf8_lossy(&done.stderr).into_owned())));
        };
        let wanted = json!({ "token": token, "password": PASSWORD });
        let answer = http::post_json(&format!("{page}/api/v1/invitation"), &wanted)?.success()?;
        let cookie = answer.set_cookie.as_deref().and_then(|cookie| cookie.split(';').next());
        Ok(Self { cookie: cookie.unwrap_or_default().to_owned() })
    }

    /// From now on this person asks whatever [`http`] asks of this address, for example where the hub listens after
    /// a restart.
    pub fn use_at(&self, page: &str) {
        http::sign_in(page, &self.cookie);
    }

    /// Name and value of the session's cookie.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }
}
