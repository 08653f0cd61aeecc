//! A camera that speaks ONVIF: the mock of the crate `oxvif` as a process (`testbed/peers/onvif`).

use std::time::Duration;

use crate::daemon::{Daemon, Launch};
use crate::footage::workspace_root;
use crate::http::post_json;
use crate::{Error, Result, port};

const PATIENCE: Duration = Duration::from_secs(30);
const PROGRAM: &str = "gatepost-onvif-camera";

/// How a camera wants to know who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// By WS-Security's token.
    Token,
    /// By that and by HTTP's digest.
    Digest,
}

/// A running camera with the login admin/admin and two inputs. Dropping kills it.
pub struct OnvifCamera {
    port: u16,
    login: Login,
    running: Option<Daemon>,
}

impl OnvifCamera {
    /// A camera on a free loopback port.
    pub fn start(login: Login) -> Result<Self> {
        let mut camera = Self { port: port::free()?, login, running: None };
        camera.restart()?;
        Ok(camera)
    }

    /// Its port, the same over restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// SIGKILL: nobody listens any more.
    pub fn kill(&mut self) -> Result<()> {
        self.running.take().map_or(Ok(()), |mut daemon| daemon.kill())
    }

    /// Starts it anew on the same port.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        let folder = workspace_root().join("target/peers/debug");
        let program = folder.join(PROGRAM);
        if !program.is_file() {
            return Err(Error::NotBuilt { name: PROGRAM.into(), looked_in: folder });
        }
        let mut args = vec![self.port.to_string()];
        args.extend((self.login == Login::Digest).then(|| "digest".to_owned()));
        let daemon = Launch::new(program).args(args).spawn()?;
        daemon.wait_for_line(PATIENCE, |line| line == "serving")?;
        self.running = Some(daemon);
        Ok(())
    }

    /// Closes (`true`) or opens the contact at its first input.
    pub fn close_input(&self, closed: bool) -> Result<()> {
        let state = if closed { "active" } else { "inactive" };
        let path = format!("mock/digital-input/DigitalInput_1/set?state={state}");
        post_json(&format!("http://127.0.0.1:{}/{path}", self.port), &())?.success().map(drop)
    }
}
