//! What cameras do to a box: each fault is said once with the address, and hurts only its own camera.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use gatepost_testbed::mosquitto::{Mosquitto, Options as Broker};
use gatepost_testbed::port;
use gatepost_testbed::rtsp_camera::{Codec, Login, Options};
use gatepost_wire::event::{Happening, Phase};
use gatepost_wire::health::CameraState;
use support::edge::Edge;
use support::listener::Listener;
use support::site::{CameraConfig, PROGRAM, Site, only_complaint, run_to_its_end};
use support::{camera, pedestrians, turn};

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

#[test]
fn cameras_that_cannot_be_watched() {
    let _turn = turn();
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

#[test]
fn a_camera_that_hangs_is_an_alarm_until_it_is_back_and_the_other_goes_on() {
    let _turn = turn();
    let (hangs, other) = (camera(Options { max_frames: Some(100), ..Options::default() }), pedestrians());
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port())
        .camera(CameraConfig::new("hangs", &hangs.url()).extra("signal_lost_after_s = 3"))
        .camera(CameraConfig::new("other", &other.url()).extra("signal_lost_after_s = 60"));
    let mut edge = site.run();
    let analysed = |id: &str| listener.heard().camera(id).map_or(0, |camera| camera.frames_analysed);
    listener.wait("frames of both", |_| (analysed("hangs") > 2 && analysed("other") > 2).then_some(()));
    hangs.pause();
    let lost = listener.wait("the alarm", |heard| heard.of("camera_tamper", Phase::Began).pop());
    let Happening::CameraTamper(tamper) = &lost.data.happening else { panic!("{lost:?}") };
    assert_eq!(tamper.camera.as_str(), "hangs");
    assert!(tamper.detail.contains(&hangs.url()), "{tamper:?}");
    let before = analysed("other");
    listener.wait("frames of the other camera meanwhile", |_| (analysed("other") > before + 5).then_some(()));
    hangs.resume();
    let back = listener.wait("the end of the alarm", |heard| heard.of("camera_tamper", Phase::Ended).pop());
    assert_eq!(back.data.happening.alarm().unwrap().id, tamper.alarm.id);
    let before = analysed("hangs");
    listener.wait("frames of the camera again", |_| (analysed("hangs") > before).then_some(()));
    assert_eq!(listener.heard().of("camera_tamper", Phase::Began).len(), 1);
    edge.terminate();
}

#[test]
fn every_codec_gives_frames() {
    let _turn = turn();
    let codecs = [("h264", Codec::H264), ("h265", Codec::H265), ("mjpeg", Codec::Mjpeg)];
    let cameras =
        codecs.map(|(id, codec)| (id, camera(Options { codec, max_frames: Some(60), ..Options::default() })));
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port());
    site.cameras = cameras.iter().map(|(id, camera)| CameraConfig::new(id, &camera.url())).collect();
    let mut edge = site.run();
    for (id, decoder) in [("h264", "264"), ("h265", "265"), ("mjpeg", "jpeg")] {
        let health = listener.wait(&format!("frames in {id}"), |heard| {
            heard.camera(id).filter(|camera| camera.frames_analysed > 5 && camera.decoder.is_some())
        });
        assert_eq!(health.state, CameraState::Streaming);
        assert!(health.last_frame.is_some());
        assert!(health.decoder.as_ref().unwrap().contains(decoder), "{id}: {:?}", health.decoder);
    }
    edge.terminate();
}

#[test]
fn a_clip_that_is_no_video() {
    let site = Site::new(9);
    let analyse = |clip: &std::path::Path| {
        let mut command = Command::new(PROGRAM);
        command.arg("analyse").arg("--input").arg(clip).arg("--model").arg(&site.manifest);
        only_complaint(&run_to_its_end(command.arg("--onnxruntime").arg(&site.runtime)))
    };
    let notes = site.write("notes.txt", "Nothing moves here.\n");
    let said = analyse(&notes);
    assert!(said.contains("notes.txt: it is no video this box can decode"), "{said}");
    let said = analyse(&site.path("nowhere.avi"));
    assert!(said.contains("nowhere.avi: cannot be read"), "{said}");
    let said = analyse(&site.write("empty.avi", ""));
    assert!(said.contains("empty.avi: "), "{said}");
}
