//! A box: its folder, its configuration, and the ways to call the program on it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::process::{Output, Stdio};

use gatepost_testbed::footage::workspace_root;
use gatepost_testbed::http::wait_until;
use gatepost_wire::Command;
use gatepost_wire::command::{NumberedCommand, SigningKey};
use tempfile::TempDir;

use super::SOON;
use super::edge::Edge;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_gatepost-edge");
/// Name of the box.
pub const EDGE: &str = "gate-1";
/// Nearly the whole picture.
pub const EVERYWHERE: [f32; 4] = [0.01, 0.01, 0.99, 0.99];

/// One `[[camera]]`, with a zone and a rule for each rectangle (left, top, right, bottom).
pub struct CameraConfig {
    pub id: String,
    pub url: String,
    pub zones: Vec<[f32; 4]>,
    /// Further keys of the camera, as TOML lines.
    pub extra: String,
}

impl CameraConfig {
    pub fn new(id: &str, url: &str) -> Self {
        Self { id: id.into(), url: url.into(), zones: Vec::new(), extra: String::new() }
    }

    pub fn zone(mut self, zone: [f32; 4]) -> Self {
        self.zones.push(zone);
        self
    }

    /// The picture cut into `across` times `down` zones: many short alarms.
    pub fn grid(mut self, across: u8, down: u8) -> Self {
        let (width, height) = (1.0 / f32::from(across), 1.0 / f32::from(down));
        for (x, y) in (0..down).flat_map(|y| (0..across).map(move |x| (x, y))) {
            let (left, top) = (f32::from(x) * width, f32::from(y) * height);
            self.zones.push([left, top, (left + width).min(1.0), (top + height).min(1.0)]);
        }
        self
    }

    pub fn extra(mut self, line: &str) -> Self {
        self.extra.push_str(line);
        self.extra.push('\n');
        self
    }

    fn write(&self, text: &mut String, dwell_ms: u64, clear_ms: u64) {
        let Self { id, url, zones, extra } = self;
        writeln!(text, "\n[[camera]]\nid = {id:?}\nurl = {url:?}\nanalysis_fps = 4\n{extra}").unwrap();
        for (number, [left, top, right, bottom]) in zones.iter().enumerate() {
            writeln!(
                text,
                "[[camera.zone]]\nid = \"zone-{number}\"\n\
                 polygon = [[{left}, {top}], [{right}, {top}], [{right}, {bottom}], [{left}, {bottom}]]\n\
                 [[camera.rule]]\nid = \"rule-{number}\"\nkind = \"zone_intrusion\"\nzone = \"zone-{number}\"\n\
                 dwell_ms = {dwell_ms}\nclear_ms = {clear_ms}"
            )
            .unwrap();
        }
    }
}

/// A box in a folder of its own, which is removed with it.
pub struct Site {
    dir: TempDir,
    pub broker: u16,
    pub cameras: Vec<CameraConfig>,
    pub data_dir: PathBuf,
    pub manifest: PathBuf,
    pub runtime: PathBuf,
    /// Further keys of `[model]`, as TOML lines.
    pub model: String,
    pub disk_reserve_mib: u64,
    pub dwell_ms: u64,
    pub clear_ms: u64,
    /// Keys of `[clips]` and whatever tables follow; no clips unless a test wants some.
    pub clips: String,
    /// Written into the password file; no password file if none.
    pub password: Option<String>,
    /// Further tables, as TOML.
    pub tables: String,
    /// What the hub of this box signs with.
    hub: SigningKey,
}

impl Site {
    /// A box that speaks to the broker on a loopback port.
    pub fn new(broker: u16) -> Self {
        let root = workspace_root();
        let manifest = root.join("models/centernet-320.toml");
        installed(manifest.with_file_name(manifest_value(&manifest, "file")));
        let dir = TempDir::with_prefix("gatepost-edge-").unwrap();
        let hub = SigningKey::from_pkcs8(&SigningKey::generate_pkcs8().unwrap()).unwrap();
        fs::write(dir.path().join("hub.key"), format!("{}\n", hub.verifying_key())).unwrap();
        Self {
            broker,
            cameras: Vec::new(),
            data_dir: dir.path().join("data"),
            manifest,
            runtime: installed(root.join(runtime())),
            model: String::new(),
            disk_reserve_mib: 1,
            dwell_ms: 500,
            clear_ms: 1000,
            clips: "enabled = false".into(),
            password: None,
            tables: String::new(),
            hub,
            dir,
        }
    }

    pub fn camera(mut self, camera: CameraConfig) -> Self {
        self.cameras.push(camera);
        self
    }

    /// With a further table.
    pub fn table(mut self, toml: &str) -> Self {
        self.tables.push_str(toml);
        self
    }

    /// A file in the box's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file into the box's folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A command as this box's hub sends it.
    pub fn signed(&self, command: Command) -> Vec<u8> {
        self.signed_as(1, command)
    }

    /// The same with its place among all the hub gave.
    pub fn signed_as(&self, sequence: u64, command: Command) -> Vec<u8> {
        self.hub.sign(&NumberedCommand { sequence, command }).unwrap()
    }

    pub fn config_text(&self) -> String {
        let mut text = format!(
            "edge = \"{EDGE}\"\ndata_dir = {:?}\ndisk_reserve_mib = {}\n\n[log]\nformat = \"json\"\n\n\
             [model]\nmanifest = {:?}\nruntime = {:?}\n{}\n\
             [uplink]\nbroker = \"mqtt://127.0.0.1:{}\"\nhealth_every_s = 1\nhub_key_file = \"hub.key\"\n",
            self.data_dir, self.disk_reserve_mib, self.manifest, self.runtime, self.model, self.broker
        );
        if let Some(password) = &self.password {
            let file = self.write("uplink.password", &format!("{password}\n"));
            writeln!(text, "password_file = {file:?}").unwrap();
        }
        writeln!(text, "\n[clips]\n{}", self.clips).unwrap();
        for camera in &self.cameras {
            camera.write(&mut text, self.dwell_ms, self.clear_ms);
        }
        text + &self.tables
    }

    /// Starts the daemon and waits until it has started.
    pub fn run(&self) -> Edge {
        let config = self.write("edge.toml", &self.config_text());
        Edge::start(&config)
    }

    /// Starts the daemon with another text as configuration and waits until it has started.
    pub fn run_with(&self, config: &str) -> Edge {
        Edge::start(&self.write("edge.toml", config))
    }

    /// Starts the daemon, which may refuse.
    pub fn launch(&self) -> Edge {
        let config = self.write("edge.toml", &self.config_text());
        Edge::launch(&config)
    }

    /// Calls `gatepost-edge <command> --config` on this box and waits for its end.
    pub fn call(&self, command: &str) -> Output {
        self.call_with(command, &self.config_text())
    }

    /// The same with another text as configuration.
    pub fn call_with(&self, command: &str, config: &str) -> Output {
        let config = self.write("edge.toml", config);
        run_to_its_end(process::Command::new(PROGRAM).args([command, "--config"]).arg(config))
    }
}

/// Where `setup/install.sh` puts ONNX Runtime, from the root of the workspace.
fn runtime() -> String {
    format!(".fetched/onnxruntime/{}/libonnxruntime.so", std::env::consts::ARCH)
}

/// A file that set-up brings.
pub fn installed(path: PathBuf) -> PathBuf {
    assert!(path.is_file(), "{} is not there: run `setup/install.sh all` first", path.display());
    path
}

/// A value of a manifest's top.
pub fn manifest_value(manifest: &Path, key: &str) -> String {
    let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
    manifest[key].as_str().unwrap().to_owned()
}

/// Runs a command that must end by itself; what it says must fit into a pipe.
pub fn run_to_its_end(command: &mut process::Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let ended = wait_until("the end of the program", SOON, || child.try_wait().unwrap());
    if ended.is_err() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(ended.is_ok(), "it did not end by itself: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The one line on stderr of a call that must fail.
pub fn only_complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert_eq!(output.status.code(), Some(1), "exit status of: {said}");
    assert_eq!(said.lines().count(), 1, "one message, not:\n{said}");
    said
}

/// Copies a model's manifest into `folder` with `from` replaced by `to`; the weights stay where they are.
pub fn changed_manifest(manifest: &Path, folder: &Path, from: &str, to: &str) -> PathBuf {
    let text = fs::read_to_string(manifest).unwrap();
    assert!(text.contains(from), "{from:?} is not in {}", manifest.display());
    let weights = manifest.with_file_name("weights");
    let text = text.replace(from, to).replace("weights/", &format!("{}/", weights.display()));
    let changed = folder.join("model.toml");
    fs::write(&changed, text).unwrap();
    changed
}
