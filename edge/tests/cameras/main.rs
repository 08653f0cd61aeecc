//! What cameras do to a box: each fault is said once with the address, and hurts only its own camera.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod hostile;
mod idle;
mod network;
mod process;
#[path = "../support/mod.rs"]
mod support;
mod video;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use gatepost_testbed::mosquitto::{Mosquitto, Options as Broker};
use gatepost_testbed::rtsp_camera::{Codec, Damage, Login, Options, RtspCamera};
use gatepost_testbed::{footage, port};
use gatepost_wire::event::{Happening, Phase};
use gatepost_wire::health::{Attention, CameraFaultKind, CameraState};
use support::edge::Edge;
use support::listener::Listener;
use support::site::{CameraConfig, EVERYWHERE, PROGRAM, Site, only_complaint, run_to_its_end};
use support::{beside, camera, pedestrians, turn};
use tempfile::TempDir;

/// What the daemon says of an address, in lines for the technician.
fn complaints(edge: &Edge, url: &str) -> Vec<String> {
    edge.lines_with(url)
        .iter()
        .filter(|line| line.level() == "WARN")
        .map(|l| l.message().to_owned())
        .collect()
}

/// One warning that names the address, however often it is tried again.
fn assert_said_once(edge: &Edge, url: &str, reason: &str) {
    let said = complaints(edge, url);
    assert_eq!(said.len(), 1, "{url}: {said:?}");
    assert!(
        said[0].starts_with(&format!("{url}: ")) && said[0].contains(reason),
        "{said:?} must say {reason}"
    );
}

/// Waits until a camera has shown the detector `count` more frames.
fn wait_for_frames(listener: &Listener, id: &str, count: u64) {
    let analysed = || listener.heard().camera(id).map_or(0, |camera| camera.frames_analysed);
    let before = analysed();
    listener.wait(&format!("{count} frames of {id}"), |_| (analysed() >= before + count).then_some(()));
}

#[test]
fn cameras_that_cannot_be_watched() {
    let _turn = beside();
    let good = pedestrians();
    let login = Login { user: "admin".into(), password: "right-secret".into() };
    let locked = camera(Options { login: Some(login), max_frames: Some(60), ..Options::default() });
    let babbler = babbler();
    let urls = [
        ("good", good.url()),
        ("refuses", format!("rtsp://127.0.0.1:{}/stream", port::free().unwrap())),
        ("lost", format!("rtsp://{}/nowhere", good.addr())),
        ("babbles", format!("rtsp://127.0.0.1:{babbler}/stream")),
        ("nobody", format!("{}?nobody", locked.url())),
        ("wrong", format!("{}?wrong", locked.url())),
        ("right", locked.url()),
    ];
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port());
    for (id, url) in &urls {
        let config = CameraConfig::new(id, url);
        site.cameras.push(match *id {
            "wrong" | "right" => {
                let file = site.write(id, &format!("{id}-secret\n"));
                config.extra("username = \"admin\"").extra(&format!("password_file = {file:?}"))
            }
            _ => config,
        });
    }
    let mut edge = site.run();
    let faulted = ["refuses", "lost", "babbles", "nobody", "wrong"];
    listener.wait("the states of all cameras", |heard| {
        let state = |id: &str| heard.camera(id).map(|camera| camera.state);
        let bad = faulted.iter().all(|id| matches!(state(id), Some(CameraState::Faulted { .. })));
        let good = ["good", "right"].iter().all(|id| state(id) == Some(CameraState::Streaming));
        (bad && good).then_some(())
    });
    // Until each has been tried several times.
    let before = listener.heard().camera("good").unwrap().frames_analysed;
    listener.wait("frames of the good camera meanwhile", |heard| {
        (heard.camera("good")?.frames_analysed > before + 40).then_some(())
    });
    let url = |wanted: &str| &urls.iter().find(|(id, _)| *id == wanted).unwrap().1;
    assert_said_once(&edge, url("refuses"), "it cannot be reached: check `url`");
    assert_said_once(&edge, url("lost"), "the camera does not know this path: check `url`");
    assert_said_once(&edge, url("wrong"), "refuses the login: check `username` and `password_file`");
    let said = complaints(&edge, url("babbles"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(complaints(&edge, url("good")).is_empty());
    let kind =
        |id: &str| listener.heard().camera(id).unwrap().faults.first().map(|illness| illness.fault.clone());
    assert_eq!(kind("good"), None, "what is well has no faults");
    assert_eq!(kind("refuses"), Some(CameraFaultKind::Unreachable));
    assert_eq!(kind("lost"), Some(CameraFaultKind::UnknownPath));
    assert_eq!(kind("nobody"), Some(CameraFaultKind::LoginRefused));
    assert_eq!(kind("wrong"), Some(CameraFaultKind::LoginRefused));
    let nobody = edge
        .lines_with("refuses the login")
        .iter()
        .filter(|l| l.field("camera").as_deref() == Some("nobody"))
        .count();
    assert_eq!(nobody, 1, "{}", edge.log());
    edge.assert_alive();
    edge.terminate();
    assert!(!edge.log().contains("-secret"), "a password in the log:\n{}", edge.log());
}

/// A server that takes connections and says what is no RTSP.
fn babbler() -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            // Whether the other side still listens does not matter.
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(&b"\x00\xffSSH-2.0-garbage\r\n\r\n".repeat(50));
        }
    });
    port
}

/// A process that is killed when dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_nobody_reads_any_more() {
    let _turn = beside();
    let mut camera = camera(Options { max_frames: Some(60), ..Options::default() });
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port()).camera(CameraConfig::new("gate", &camera.url()));
    let config = site.write("edge.toml", &site.config_text());
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["run", "--config"]).arg(config).stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut edge = Killed(command.spawn().unwrap());
    wait_for_frames(&listener, "gate", 3);
    drop(reader);
    camera.stop();
    listener.wait("the fault", |heard| {
        matches!(heard.camera("gate")?.state, CameraState::Faulted { .. }).then_some(())
    });
    camera.start().unwrap();
    wait_for_frames(&listener, "gate", 3);
    assert!(edge.0.try_wait().unwrap().is_none(), "the daemon has ended");
}
