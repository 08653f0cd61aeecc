//! A whole site on loopback: camera, broker, hub and edge, each a real server or process.

// A test and a bench share this, and neither uses all of it.
#![allow(dead_code)]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_testbed::account::Account;
use gatepost_testbed::daemon::{Daemon, Launch, binary};
use gatepost_testbed::http::{self, Answer, wait_until};
use gatepost_testbed::mosquitto::Mosquitto;
use gatepost_testbed::rtsp_camera::{Options, RtspCamera};
use gatepost_testbed::{footage, port};
use serde::Deserialize;
use serde_json::json;

const START: Duration = Duration::from_secs(30);

/// An alert as the API tells it.
#[derive(Debug, Clone, Deserialize)]
pub struct Alert {
    pub id: String,
    pub kind: String,
    pub camera: Option<String>,
    pub camera_label: Option<String>,
    pub zone: Option<String>,
    pub snapshot: Option<String>,
}

/// An event as the API tells it.
#[derive(Debug, Clone, Deserialize)]
pub struct StoredEvent {
    pub id: String,
    pub boot: String,
    pub seq: u64,
}

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Events {
    events: Vec<StoredEvent>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Devices {
    devices: Vec<Device>,
}

#[derive(Deserialize)]
struct Device {
    missing: Vec<serde_json::Value>,
}

/// A site that runs; everything stops when it is dropped.
pub struct Site {
    pub edge: Daemon,
    _hub: Daemon,
    hub_url: String,
    edge_launch: Launch,
    /// Logs of edges that were killed.
    past_logs: Vec<String>,
    _camera: RtspCamera,
    _mosquitto: Option<Mosquitto>,
    _folder: tempfile::TempDir,
}

impl Site {
    /// The hub on its own broker; the edge logs in with the token the hub gave out.
    pub fn with_own_broker() -> Self {
        Self::with_sensors("")
    }

    /// The same, and these tables in the edge's configuration too.
    pub fn with_sensors(tables: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker_port = port::free().unwrap();
        let config = format!("[broker]\nmode = \"embedded\"\nlisten = \"127.0.0.1:{broker_port}\"\n");
        write_hub_config(folder.path(), &config);
        std::fs::write(folder.path().join("edge.password"), add_device(folder.path())).unwrap();
        Self::start(folder, broker_port, tables, None)
    }

    /// Hub and edge on a broker outside, each with a login of its own.
    pub fn with_mosquitto(mosquitto: Mosquitto) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker_port = mosquitto.port();
        let config = format!(
            "[broker]\nmode = \"external\"\nurl = \"mqtt://127.0.0.1:{broker_port}\"\n\
             username = \"hub\"\npassword_file = \"hub.password\"\n"
        );
        write_hub_config(folder.path(), &config);
        std::fs::write(folder.path().join("hub.password"), "hub-secret\n").unwrap();
        std::fs::write(folder.path().join("edge.password"), "edge-secret\n").unwrap();
        Self::start(folder, broker_port, "", Some(mosquitto))
    }

    fn start(
        folder: tempfile::TempDir,
        broker_port: u16,
        tables: &str,
        mosquitto: Option<Mosquitto>,
    ) -> Self {
        let camera = RtspCamera::serve(&footage::vtest().unwrap(), &Options::default()).unwrap();
        let hub = launch("gatepost-hub", &folder.path().join("hub.toml")).spawn().unwrap();
        let line = hub.wait_for_line(START, |line| line.contains("web listening")).unwrap();
        let hub_url = line.split("address=").nth(1).unwrap().trim().to_owned();
        let program = binary("gatepost-hub").unwrap();
        Account::everything(program, &folder.path().join("hub.toml"), &hub_url).unwrap();
        let config = edge_config(&camera.url(), broker_port) + tables;
        std::fs::write(folder.path().join("edge.toml"), config).unwrap();
        let edge_launch = launch("gatepost-edge", &folder.path().join("edge.toml"));
        let edge = edge_launch.spawn().unwrap();
        Self {
            edge,
            _hub: hub,
            hub_url,
            edge_launch,
            past_logs: Vec::new(),
            _camera: camera,
            _mosquitto: mosquitto,
            _folder: folder,
        }
    }

    pub fn restart_edge(&mut self) {
        self.past_logs.push(self.edge.log());
        self.edge = self.edge_launch.spawn().unwrap();
    }

    /// Address of the page.
    pub fn hub_url(&self) -> &str {
        &self.hub_url
    }

    /// Where the hub tells what happens as it happens.
    pub fn live_url(&self) -> String {
        format!("{}/api/v1/live", self.hub_url)
    }

    pub fn wait_for_alert(&self, timeout: Duration, wanted: impl Fn(&Alert) -> bool) -> Alert {
        let found = wait_until("an alert on the API", timeout, || {
            let Alerts { alerts } = http::get_json(&format!("{}/api/v1/alerts", self.hub_url)).ok()?;
            alerts.into_iter().find(&wanted)
        });
        found.unwrap_or_else(|e| panic!("{e}\nedge:\n{}", self.edge.log()))
    }

    pub fn snapshot(&self, alert: &Alert) -> Answer {
        let wanted = json!({ "alarm": alert.id, "reason": "check_alarm", "text": "the main job" });
        http::post_json(&format!("{}/api/v1/viewings", self.hub_url), &wanted).unwrap().success().unwrap();
        http::get(&format!("{}{}", self.hub_url, alert.snapshot.as_deref().unwrap()))
            .unwrap()
            .success()
            .unwrap()
    }

    /// Ids of all events the edge's logs call recorded, over all its runs, in order.
    pub fn recorded(&self) -> Vec<String> {
        let logs = self.past_logs.iter().cloned().chain([self.edge.log()]);
        logs.flat_map(|log| log.lines().filter_map(recorded_id).collect::<Vec<_>>()).collect()
    }

    pub fn wait_until_recorded(&self, count: usize, timeout: Duration) {
        wait_until("more recorded events", timeout, || (self.recorded().len() >= count).then_some(()))
            .unwrap();
    }

    /// Everything stored, once all of `recorded` is among it.
    pub fn wait_until_stored(&self, recorded: &[String], timeout: Duration) -> Vec<StoredEvent> {
        let stored = wait_until("every recorded event at the hub", timeout, || {
            let stored = self.stored();
            recorded.iter().all(|id| stored.iter().any(|event| event.id == *id)).then_some(stored)
        });
        stored.unwrap_or_else(|e| panic!("{e}\nedge:\n{}", self.edge.log()))
    }

    fn stored(&self) -> Vec<StoredEvent> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let url = format!("{}/api/v1/events?limit=100{after}", self.hub_url);
            let Events { events, next } = http::get_json(&url).unwrap();
            all.extend(events);
            match next {
                Some(cursor) => after = format!("&after={cursor}"),
                None => return all,
            }
        }
    }

    /// How many gaps the hub sees.
    pub fn missing(&self) -> usize {
        let Devices { devices } = http::get_json(&format!("{}/api/v1/devices", self.hub_url)).unwrap();
        devices.iter().map(|device| device.missing.len()).sum()
    }
}

fn recorded_id(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(": recorded event=")?;
    rest.split_whitespace().next().map(str::to_owned)
}

fn launch(program: &str, config: &Path) -> Launch {
    Launch::new(binary(program).unwrap()).args(["run", "--config"]).arg(config)
}

fn write_hub_config(folder: &Path, broker: &str) {
    let text = format!("data_dir = \"hub\"\n[web]\nlisten = \"127.0.0.1:0\"\n{broker}");
    std::fs::write(folder.join("hub.toml"), text).unwrap();
}

/// Registers the edge at the hub and gives its token.
fn add_device(folder: &Path) -> Vec<u8> {
    let output = std::process::Command::new(binary("gatepost-hub").unwrap())
        .args(["device", "add", "gate-1", "--config"])
        .arg(folder.join("hub.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn edge_config(camera_url: &str, broker_port: u16) -> String {
    let root: PathBuf = footage::workspace_root().to_owned();
    let manifest = root.join("models/centernet-320.toml");
    let runtime = root.join(format!(".fetched/onnxruntime/{}/libonnxruntime.so", std::env::consts::ARCH));
    format!(
        r#"
edge = "gate-1"
data_dir = "edge"
[model]
manifest = "{manifest}"
runtime = "{runtime}"
[uplink]
broker = "mqtt://127.0.0.1:{broker_port}"
password_file = "edge.password"
[[camera]]
id = "east-gate"
label = "东门"
url = "{camera_url}"
[[camera.zone]]
id = "lawn"
label = "草坪"
polygon = [[0.05, 0.2], [0.95, 0.2], [0.95, 0.98], [0.05, 0.98]]
[[camera.rule]]
id = "lawn-closed"
kind = "zone_intrusion"
zone = "lawn"
dwell_ms = 600
"#,
        manifest = manifest.display(),
        runtime = runtime.display(),
    )
}
