//! What cameras do to a box: each fault is said once with the address, and hurts only its own camera.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use gatepost_testbed::mosquitto::{Mosquitto, Options as Broker};
use gatepost_testbed::rtsp_camera::{Codec, Damage, Login, Options, RtspCamera};
use gatepost_testbed::{footage, port};
use gatepost_wire::event::{Happening, Phase};
use gatepost_wire::health::{Attention, CameraState};
use support::edge::Edge;
use support::listener::Listener;
use support::site::{CameraConfig, EVERYWHERE, PROGRAM, Site, only_complaint, run_to_its_end};
use support::{camera, pedestrians, turn};
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

/// Waits until a camera has shown the detector `count` more frames.
fn wait_for_frames(listener: &Listener, id: &str, count: u64) {
    let analysed = || listener.heard().camera(id).map_or(0, |camera| camera.frames_analysed);
    let before = analysed();
    listener.wait(&format!("{count} frames of {id}"), |_| (analysed() >= before + count).then_some(()));
}

#[test]
fn damaged_video_hurts_only_its_camera() {
    let _turn = turn();
    let codecs = [("h264", Codec::H264), ("h265", Codec::H265), ("mjpeg", Codec::Mjpeg)];
    let damaged =
        codecs.map(|(id, codec)| (id, camera(Options { codec, max_frames: Some(60), ..Options::default() })));
    let good = pedestrians();
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port()).camera(CameraConfig::new("good", &good.url()));
    for (id, camera) in &damaged {
        site.cameras.push(CameraConfig::new(id, &camera.url()).extra("signal_lost_after_s = 3"));
    }
    let mut edge = site.run();
    codecs.iter().for_each(|(id, _)| wait_for_frames(&listener, id, 3));
    // First so that most pictures have a fault, then so that none is a picture any more.
    for one_bit_in in [50_000, 5_000, 40] {
        for (seed, (_, camera)) in damaged.iter().enumerate() {
            camera.damage(Some(Damage { seed: seed as u64, one_bit_in }));
        }
        wait_for_frames(&listener, "good", 20);
        edge.assert_alive();
    }
    for (id, _) in &codecs {
        listener.wait(&format!("what health says of {id}"), |heard| {
            matches!(heard.camera(id)?.state, CameraState::Faulted { .. }).then_some(())
        });
    }
    damaged.iter().for_each(|(_, camera)| camera.damage(None));
    for (id, _) in &codecs {
        wait_for_frames(&listener, id, 10);
        listener.wait(&format!("the picture of {id}"), |heard| {
            (heard.camera(id)?.state == CameraState::Streaming).then_some(())
        });
    }
    assert!(complaints(&edge, &good.url()).is_empty());
    edge.assert_alive();
    edge.terminate();
}

#[test]
fn a_camera_may_change_its_size() {
    let _turn = turn();
    let mut camera = camera(Options { max_frames: Some(60), ..Options::default() });
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port()).camera(CameraConfig::new("gate", &camera.url()));
    let mut edge = site.run();
    wait_for_frames(&listener, "gate", 10);
    // While it sends.
    for (width, height) in [(320, 240), (640, 480), (768, 576)] {
        camera.resize(width, height).unwrap();
        wait_for_frames(&listener, "gate", 10);
    }
    assert!(complaints(&edge, &camera.url()).is_empty(), "{}", edge.log());
    // While it is out.
    camera.stop();
    camera.resize(320, 240).unwrap();
    camera.start().unwrap();
    wait_for_frames(&listener, "gate", 10);
    assert_eq!(complaints(&edge, &camera.url()).len(), 1, "{}", edge.log());
    edge.terminate();
}

#[test]
fn over_udp_and_from_a_file() {
    let _turn = turn();
    let udp = camera(Options { max_frames: Some(60), ..Options::default() });
    let folder = TempDir::new().unwrap();
    let clip = folder.path().join("two seconds.avi");
    footage::nobody(&clip, 2).unwrap();
    let address = url::Url::from_file_path(&clip).unwrap();
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port())
        .camera(CameraConfig::new("udp", &udp.url()).extra("transport = \"udp\""))
        .camera(CameraConfig::new("clip", address.as_str()).extra("quiet_s = 3600"))
        .camera(CameraConfig::new("gone", "file:///nowhere/gone.avi"));
    let mut edge = site.run();
    wait_for_frames(&listener, "udp", 20);
    // Several rounds, in real time: 4 frames a second.
    let began = Instant::now();
    wait_for_frames(&listener, "clip", 24);
    assert!(began.elapsed() > Duration::from_secs(4), "{:?}", began.elapsed());
    let Some(CameraState::Faulted { reason }) = listener.heard().camera("gone").map(|camera| camera.state)
    else {
        panic!("{:?}", listener.heard().camera("gone"));
    };
    assert!(reason.starts_with("file:///nowhere/gone.avi: "), "{reason}");
    assert!(complaints(&edge, address.as_str()).is_empty(), "{}", edge.log());
    edge.terminate();
}

/// Frames a second a camera gave over the last reports that span at least `window`.
fn sampled_per_second(listener: &Listener, id: &str, window: Duration) -> Option<f64> {
    let reports = listener.heard().health;
    let sampled = |report: &gatepost_wire::Health| {
        report.cameras.iter().find(|camera| camera.camera.as_str() == id).map(|camera| camera.frames_sampled)
    };
    let last = reports.last()?;
    let first = reports.iter().rev().find(|r| last.uptime_ms - r.uptime_ms >= window.as_millis() as u64)?;
    let frames = sampled(last)? - sampled(first)?;
    Some(frames as f64 * 1000.0 / (last.uptime_ms - first.uptime_ms) as f64)
}

fn camera_where_nobody_is(folder: &TempDir, still_s: u32, options: Options) -> RtspCamera {
    let clip = folder.path().join("nobody.avi");
    footage::nobody_then_pedestrians(&clip, still_s).unwrap();
    RtspCamera::serve(&clip, &options).unwrap()
}

#[test]
fn an_idle_camera_decodes_key_frames_and_wakes_when_somebody_comes() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let still_s = 24;
    let join = gatepost_testbed::rtsp_camera::Join::Beginning;
    let camera = camera_where_nobody_is(&folder, still_s, Options { join, ..Options::default() });
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let config = CameraConfig::new("gate", &camera.url()).zone(EVERYWHERE);
    let site = Site::new(broker.port()).camera(config.extra("quiet_s = 3").extra("signal_lost_after_s = 3"));
    let mut edge = site.run();
    let attention = || listener.heard().camera("gate").and_then(|camera| camera.attention);
    listener.wait("the first pictures", |_| (attention() == Some(Attention::Awake)).then_some(()));
    listener.wait("the camera falling asleep", |_| (attention() == Some(Attention::Idle)).then_some(()));
    let since = Instant::now();
    let rate = listener.wait("some time asleep", |_| {
        (since.elapsed() > Duration::from_secs(9)).then_some(())?;
        sampled_per_second(&listener, "gate", Duration::from_secs(6))
    });
    assert!(camera.frames_served() < u64::from(still_s) * 10, "the machine is too slow for this clip");
    assert!((0.3..=0.8).contains(&rate), "a key frame every 2 s, not {rate} frames a second");
    assert!(listener.heard().of("camera_tamper", Phase::Began).is_empty(), "an idle camera is not lost");

    listener.wait("the pedestrians", |_| (camera.frames_served() > u64::from(still_s) * 10).then_some(()));
    let came = gatepost_wire::Timestamp::now();
    let alarm = listener.wait("the alarm", |heard| heard.of("zone_intrusion", Phase::Began).first().cloned());
    let after = alarm.time.duration_since(came);
    assert!(after.as_millis() < 3000, "{after:?} after they came: it woke too late");
    listener.wait("every frame that is wanted", |_| {
        (sampled_per_second(&listener, "gate", Duration::from_secs(4))? > 3.0).then_some(())
    });
    assert_eq!(attention(), Some(Attention::Awake));
    edge.terminate();
}

#[test]
fn a_camera_without_key_frames_is_decoded_whole() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let options = Options { one_key_frame: true, max_frames: Some(290), ..Options::default() };
    let camera = camera_where_nobody_is(&folder, 30, options);
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port()).camera(CameraConfig::new("gate", &camera.url()).extra("quiet_s = 1"));
    let mut edge = site.run();
    let began = Instant::now();
    let rate = listener.wait("some time in which nothing happens", |_| {
        (began.elapsed() > Duration::from_secs(15)).then_some(())?;
        sampled_per_second(&listener, "gate", Duration::from_secs(8))
    });
    assert!(rate > 3.0, "{rate} frames a second of 4");
    let health = listener.heard().camera("gate").unwrap();
    assert_eq!((health.state, health.attention), (CameraState::Streaming, Some(Attention::Awake)));
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
