//! A real hub for boxes that enrol.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use gatepost_testbed::account::Account;
use gatepost_testbed::daemon::{Daemon, binary};
use gatepost_testbed::{http, port};
use serde_json::Value;
use tempfile::TempDir;

use super::SOON;
use super::site::{PROGRAM, Site};

/// No camera, no model in the way: a box with one panel that tells by HTTP.
pub const PANEL: &str = r#"
[webhook]
listen = "127.0.0.1:0"
token_file = "panel.token"

[[sensor]]
id = "fence"
input = "fence"
[sensor.webhook]
alarm = { pointer = "/tripped", is = true }

[[area]]
id = "yard"
mode = "disarmed"
[[area.member]]
sensor = "fence"
role = "perimeter"
"#;

/// What that panel shows.
pub const PANEL_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A hub for boxes, in a folder of its own.
pub struct Hub {
    dir: TempDir,
    pub daemon: Daemon,
}

impl Hub {
    pub fn start(tls: &str) -> Self {
        let dir = TempDir::with_prefix("gatepost-hub-").unwrap();
        let text = format!(
            "data_dir = \"data\"\n[web]\nlisten = \"127.0.0.1:0\"\n[broker]\nlisten = \"127.0.0.1:0\"\n\
             tls_listen = \"127.0.0.1:0\"\n[enrolment]\nlisten = \"127.0.0.1:0\"\n\
             [tls]\nnames = [\"localhost\"]\n{tls}\n"
        );
        fs::write(dir.path().join("hub.toml"), text).unwrap();
        let config = dir.path().join("hub.toml");
        let arguments = ["run".as_ref(), "--config".as_ref(), config.as_os_str()];
        let daemon = Daemon::spawn(binary("gatepost-hub").unwrap(), arguments).unwrap();
        let hub = Self { dir, daemon };
        Account::everything(binary("gatepost-hub").unwrap(), &config, &hub.address("web listening")).unwrap();
        hub
    }

    pub fn address(&self, what: &str) -> String {
        let line = self.daemon.wait_for_line(SOON, |line| line.contains(what)).unwrap();
        line.split("address=").nth(1).unwrap().trim().to_owned()
    }

    /// By the name in its certificate.
    fn by_name(&self, what: &str) -> String {
        self.address(what).replace("127.0.0.1", "localhost")
    }

    pub fn call(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(binary("gatepost-hub").unwrap());
        command.args(arguments).arg("--config").arg(self.dir.path().join("hub.toml"));
        let done = command.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    pub fn get(&self, path: &str) -> Value {
        http::get_json(&format!("{}{path}", self.address("web listening"))).unwrap()
    }
}

/// The configuration of a box of this hub, whose key is in a file whatever machine this is.
pub fn config(site: &Site, hub: &Hub) -> String {
    site.write("panel.token", PANEL_TOKEN);
    let panel = format!("127.0.0.1:{}", port::free().unwrap());
    let text = site.config_text().replace("127.0.0.1:0", &panel);
    let (before, rest) = text.split_once("[uplink]\n").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    format!(
        "{before}[uplink]\nbroker = {:?}\nenrolment = {:?}\nhealth_every_s = 1\nkey_store = \"file\"\n\n{after}",
        hub.by_name("broker listening for boxes"),
        hub.by_name("enrolment listening")
    )
}

pub fn enrol(site: &Site, config: &str, code: &str) -> Output {
    let file = site.write("edge.toml", config);
    let mut child = Command::new(PROGRAM)
        .args(["enrol", "--config"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(code.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub fn refusal(done: &Output) -> String {
    assert!(!done.status.success(), "{done:?}");
    String::from_utf8(done.stderr.clone()).unwrap()
}

pub fn online(hub: &Hub) -> Option<()> {
    let devices = hub.get("/api/v1/devices");
    let device = devices["devices"].as_array()?.first()?.clone();
    (device["presence"] == "online").then_some(())
}
