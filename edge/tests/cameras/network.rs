//! What a camera and its network do to each other: hanging, dying, lying about the time, changing passwords.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use gatepost_testbed::rtsp_relay::{Packet, RtspRelay};

use super::*;

/// What loses a camera's picture is an alarm until it is back; the other camera goes on.
fn assert_lost_and_back(url: &str, lose: impl FnOnce(), mend: impl FnOnce()) {
    let other = pedestrians();
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port())
        .camera(CameraConfig::new("lost", url).extra("signal_lost_after_s = 3"))
        .camera(CameraConfig::new("other", &other.url()).extra("signal_lost_after_s = 60"));
    let mut edge = site.run();
    wait_for_frames(&listener, "lost", 3);
    wait_for_frames(&listener, "other", 3);
    lose();
    let lost = listener.wait("the alarm", |heard| heard.of("camera_tamper", Phase::Began).pop());
    let Happening::CameraTamper(tamper) = &lost.data.happening else { panic!("{lost:?}") };
    assert_eq!(tamper.camera.as_str(), "lost");
    assert!(tamper.detail.contains(url), "{tamper:?}");
    wait_for_frames(&listener, "other", 6);
    mend();
    let back = listener.wait("the end of the alarm", |heard| heard.of("camera_tamper", Phase::Ended).pop());
    assert_eq!(back.data.happening.alarm().unwrap().id, tamper.alarm.id);
    wait_for_frames(&listener, "lost", 1);
    assert_eq!(listener.heard().of("camera_tamper", Phase::Began).len(), 1);
    edge.terminate();
}

#[test]
fn a_camera_that_hangs() {
    let _turn = beside();
    let camera = camera(Options { max_frames: Some(100), ..Options::default() });
    assert_lost_and_back(&camera.url(), || camera.pause(), || camera.resume());
}

#[test]
fn a_network_that_dies() {
    let _turn = beside();
    let camera = camera(Options { max_frames: Some(100), ..Options::default() });
    let line = RtspRelay::to(&camera).unwrap();
    assert_lost_and_back(&line.url(), || line.set_dead(true), || line.set_dead(false));
}

/// What a camera says of the time: time stamps of its pictures, and the time of day in its sender reports.
#[derive(Default)]
struct CameraClock {
    jump: AtomicU32,
    ntp_seconds: AtomicU32,
    reports: AtomicU32,
}

impl CameraClock {
    const RTP_TICKS_A_SECOND: u32 = 90_000;

    fn set(&self, jump_s: i32, ntp_seconds: u32) {
        self.jump.store((jump_s as u32).wrapping_mul(Self::RTP_TICKS_A_SECOND), Ordering::Relaxed);
        self.ntp_seconds.store(ntp_seconds, Ordering::Relaxed);
    }

    fn falsify(&self, mut packet: Packet) -> Packet {
        const SENDER_REPORT: u8 = 200;
        let jump = |time: &mut [u8]| {
            let told = time.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte));
            time.copy_from_slice(&told.wrapping_add(self.jump.load(Ordering::Relaxed)).to_be_bytes());
        };
        if packet.is_rtp() {
            jump(&mut packet.data[4..8]);
        } else if packet.data[1] == SENDER_REPORT {
            packet.data[8..12].copy_from_slice(&self.ntp_seconds.load(Ordering::Relaxed).to_be_bytes());
            jump(&mut packet.data[16..20]);
            self.reports.fetch_add(1, Ordering::Relaxed);
        }
        packet
    }
}

#[test]
fn a_camera_whose_clock_is_years_off_and_jumps() {
    let _turn = beside();
    let camera = camera(Options { max_frames: Some(60), ..Options::default() });
    let (line, clock) = (RtspRelay::to(&camera).unwrap(), Arc::new(CameraClock::default()));
    let falsifier = Arc::clone(&clock);
    line.alter(move |packet| vec![falsifier.falsify(packet)]);
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let config = CameraConfig::new("gate", &line.url()).zone(EVERYWHERE).extra("signal_lost_after_s = 10");
    let mut edge = Site::new(broker.port()).camera(config).run();
    // NTP counts from 1900: 1970, 2035, back again; the pictures' own time stamps jump by an hour as well.
    for (jump_s, ntp_seconds) in [(0, 2_208_988_800), (3600, 4_260_000_000), (-7200, 1), (0, 2_208_988_800)] {
        clock.set(jump_s, ntp_seconds);
        let reports = clock.reports.load(Ordering::Relaxed);
        wait_for_frames(&listener, "gate", 10);
        listener.wait("a report with the wrong time", |_| {
            (clock.reports.load(Ordering::Relaxed) > reports).then_some(())
        });
        wait_for_frames(&listener, "gate", 10);
    }
    let now = gatepost_wire::Timestamp::now();
    let heard = listener.heard();
    let off = |time: gatepost_wire::Timestamp| now.duration_since(time).as_secs().abs();
    assert!(off(heard.camera("gate").unwrap().last_frame.unwrap()) < 600);
    assert!(!heard.events.is_empty() && heard.events.iter().all(|event| off(event.time) < 600));
    assert!(heard.of("camera_tamper", Phase::Began).is_empty());
    assert!(complaints(&edge, &line.url()).is_empty(), "{}", edge.log());
    edge.terminate();
}

#[test]
fn a_camera_that_sends_no_key_frame() {
    let _turn = beside();
    let camera = camera(Options { max_frames: Some(60), ..Options::default() });
    let (line, whole) = (RtspRelay::to(&camera).unwrap(), Arc::new(AtomicBool::new(false)));
    let sends_all = Arc::clone(&whole);
    line.alter(move |packet| {
        let is_key = packet.is_rtp() && carries_key_frame(&packet.data[12..]);
        if is_key && !sends_all.load(Ordering::Relaxed) { Vec::new() } else { vec![packet] }
    });
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let config = CameraConfig::new("gate", &line.url()).extra("signal_lost_after_s = 3");
    let mut edge = Site::new(broker.port()).camera(config).run();
    let lost = listener.wait("the alarm", |heard| heard.of("camera_tamper", Phase::Began).pop());
    let Happening::CameraTamper(tamper) = &lost.data.happening else { panic!("{lost:?}") };
    assert!(tamper.detail.contains("no key frame to begin with"), "{tamper:?}");
    whole.store(true, Ordering::Relaxed);
    listener.wait("the end of the alarm", |heard| heard.of("camera_tamper", Phase::Ended).pop());
    wait_for_frames(&listener, "gate", 5);
    edge.terminate();
}

/// A picture that stands alone, or its parameters: in a packet of its own, or a fragment (RFC 6184, 5.4 and 5.8).
fn carries_key_frame(payload: &[u8]) -> bool {
    const FRAGMENT: u8 = 28;
    let kind = |byte: u8| byte & 0x1f;
    let kind = if kind(payload[0]) == FRAGMENT { kind(payload[1]) } else { kind(payload[0]) };
    matches!(kind, 5 | 7 | 8)
}

#[test]
fn a_password_that_is_corrected() {
    let _turn = beside();
    let login = Login { user: "admin".into(), password: "right-secret".into() };
    let camera = camera(Options { login: Some(login), max_frames: Some(60), ..Options::default() });
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port());
    let file = site.write("password", "wrong-secret\n");
    let config = CameraConfig::new("gate", &camera.url());
    site.cameras.push(config.extra("username = \"admin\"").extra(&format!("password_file = {file:?}")));
    let mut edge = site.run();
    listener.wait("the refusal", |heard| match heard.camera("gate")?.state {
        CameraState::Faulted { reason } => reason.contains("refuses the login").then_some(()),
        _ => None,
    });
    site.write("password", "right-secret\n");
    wait_for_frames(&listener, "gate", 5);
    assert_said_once(&edge, &camera.url(), "refuses the login");
    edge.terminate();
    assert!(!edge.log().contains("-secret"), "a password in the log:\n{}", edge.log());
}
