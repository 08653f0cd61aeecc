//! What happens to the detectors of a running box: they fail, there is too much to look at, their model's file is
//! replaced. What can be seen is still seen, and people are told.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs;

use gatepost_testbed::footage;
use gatepost_testbed::mosquitto::{Mosquitto, Options as Broker};
use gatepost_testbed::rtsp_camera::{Options, RtspCamera};
use gatepost_wire::event::{FaultKind, Happening, Phase};
use gatepost_wire::health::{CameraHealth, CameraState, ModelFile};
use gatepost_wire::{Event, Health};
use support::listener::{Heard, Listener};
use support::model::{EVERY_PICTURE, copied, trapped};
use support::site::{CameraConfig, EVERYWHERE, Site};
use support::{camera, turn};
use tempfile::TempDir;

const LOOK_ALWAYS: &str = "motion = { gate = false }";

/// Device faults of a kind in a phase, with what was said of them.
fn faults(heard: &Heard, kind: FaultKind, phase: Phase) -> Vec<(Event, String)> {
    let of_kind = |event: Event| match &event.data.happening {
        Happening::DeviceFault(fault) if fault.fault == kind => Some((event.clone(), fault.detail.clone())),
        _ => None,
    };
    heard.of("device_fault", phase).into_iter().filter_map(of_kind).collect()
}

fn last(heard: &Heard) -> Option<Health> {
    heard.health.last().cloned()
}

/// A camera that shows pedestrians and then darkness, over and over, on a box whose model fails in the dark.
fn afraid_of_the_dark(broker: u16, folder: &TempDir, light: usize, dark: usize) -> Site {
    let clip = folder.path().join("lights.avi");
    footage::pedestrians_then_dark(&clip, light, dark).unwrap();
    let address = url::Url::from_file_path(&clip).unwrap();
    let mut site = Site::new(broker)
        .camera(CameraConfig::new("gate", address.as_str()).zone(EVERYWHERE).extra(LOOK_ALWAYS));
    site.manifest = trapped(&site.manifest, folder.path(), 30);
    site
}

#[test]
fn a_frame_that_cannot_be_looked_at_is_lost_and_nothing_else() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    // Of 3 frames a second apart by 0.1 s one is looked at, or two.
    let mut edge = afraid_of_the_dark(broker.port(), &folder, 40, 3).run();
    let health = listener.wait("failures in several rounds", |heard| {
        last(heard).filter(|health| health.inference.failures >= 3)
    });
    assert!(!health.inference.failing, "{health:?}");
    let seen = health.cameras[0].frames_analysed;
    assert!(seen > 3 * health.inference.failures, "{health:?}");
    listener
        .wait("frames afterwards", |heard| (heard.camera("gate")?.frames_analysed > seen + 8).then_some(()));
    listener.wait("alarms", |heard| (!heard.of("zone_intrusion", Phase::Began).is_empty()).then_some(()));
    assert_eq!(faults(&listener.heard(), FaultKind::InferenceFailed, Phase::Began), []);
    let said = edge.lines_with("a frame could not be looked at");
    assert!(said.iter().all(|line| line.field("camera").as_deref() == Some("gate")) && !said.is_empty());
    edge.assert_alive();
    edge.terminate();
}

#[test]
fn frames_that_fail_again_and_again_are_a_fault_until_they_can_be_looked_at() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut edge = afraid_of_the_dark(broker.port(), &folder, 50, 80).run();
    let (began, detail) =
        listener.wait("the fault", |heard| faults(heard, FaultKind::InferenceFailed, Phase::Began).pop());
    assert!(detail.contains("camera gate") && detail.contains("ONNX Runtime"), "{detail}");
    listener.wait("what health says", |heard| heard.health.iter().any(|h| h.inference.failing).then_some(()));
    let (ended, _) = listener
        .wait("the end of the fault", |heard| faults(heard, FaultKind::InferenceFailed, Phase::Ended).pop());
    assert_eq!(ended.data.happening.alarm().unwrap().id, began.data.happening.alarm().unwrap().id);
    edge.assert_alive();
    edge.terminate();
    listener.wait_for_all(&edge.recorded());
    listener.heard().assert_whole();
}

/// A camera, a broker, who listens there, and a box that looks at every frame of the camera.
fn pedestrians_at_the_gate() -> (RtspCamera, Mosquitto, Listener, Site) {
    let camera = camera(Options { max_frames: Some(60), ..Options::default() });
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port()).camera(CameraConfig::new("gate", &camera.url()).extra(LOOK_ALWAYS));
    (camera, broker, listener, site)
}

#[test]
fn a_model_that_always_fails_is_told_and_the_next_start_with_a_good_one_ends_it() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let (_camera, _broker, listener, mut site) = pedestrians_at_the_gate();
    let good = std::mem::replace(&mut site.manifest, folder.path().into());
    site.manifest = trapped(&good, folder.path(), EVERY_PICTURE);
    let mut edge = site.run();
    let health = listener.wait("many failures", |heard| {
        last(heard).filter(|health| health.inference.failing && health.inference.failures > 20)
    });
    assert_eq!((health.cameras[0].frames_analysed, health.inference.mean_ms), (0, None));
    assert_eq!(health.cameras[0].state, CameraState::Streaming);
    let (began, _) =
        listener.wait("the fault", |heard| faults(heard, FaultKind::InferenceFailed, Phase::Began).pop());
    assert_eq!(faults(&listener.heard(), FaultKind::InferenceFailed, Phase::Began).len(), 1, "told once");
    assert_eq!(edge.lines_with("the detector fails again and again").len(), 1);
    edge.assert_alive();
    edge.terminate();
    assert_eq!(faults(&listener.heard(), FaultKind::InferenceFailed, Phase::Ended), []);

    site.manifest = good;
    let mut edge = site.run();
    let (ended, _) = listener
        .wait("the end of the fault", |heard| faults(heard, FaultKind::InferenceFailed, Phase::Ended).pop());
    assert_eq!(ended.data.happening.alarm().unwrap().id, began.data.happening.alarm().unwrap().id);
    listener.wait("frames", |heard| (heard.camera("gate")?.frames_analysed > 2).then_some(()));
    edge.terminate();
}

/// What a camera got in the time between two reports.
#[derive(Debug)]
struct Got {
    wanted: u64,
    analysed: u64,
    dropped: u64,
}

fn got(before: &CameraHealth, after: &CameraHealth) -> Got {
    Got {
        wanted: after.frames_sampled - before.frames_sampled,
        analysed: after.frames_analysed - before.frames_analysed,
        dropped: after.frames_dropped - before.frames_dropped,
    }
}

#[test]
fn forty_cameras_on_two_detectors_get_less_each_and_alike() {
    const CAMERAS: usize = 40;
    let _turn = turn();
    let camera =
        camera(Options { width: Some(320), height: Some(240), max_frames: Some(100), ..Options::default() });
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port());
    site.model = "workers = 2\n".into();
    site.manifest.set_file_name("centernet-512.toml");
    for number in 0..CAMERAS {
        site.cameras.push(CameraConfig::new(&format!("c{number}"), &camera.url()).extra(LOOK_ALWAYS));
    }
    let mut edge = site.run();
    let all_stream = |heard: &Heard| {
        let health = last(heard)?;
        health
            .cameras
            .iter()
            .all(|c| c.state == CameraState::Streaming && c.frames_sampled > 0)
            .then_some(health)
    };
    let before = listener.wait("pictures of all cameras", all_stream);
    let after = listener.wait("some rounds of all cameras", |heard| {
        let health = all_stream(heard)?;
        let analysed = |c: &Health| c.cameras.iter().map(|c| c.frames_analysed).sum::<u64>();
        (analysed(&health) > analysed(&before) + 12 * CAMERAS as u64).then_some(health)
    });
    let got: Vec<Got> = before.cameras.iter().zip(&after.cameras).map(|(b, a)| got(b, a)).collect();
    let sum = |of: &dyn Fn(&Got) -> u64| got.iter().map(of).sum::<u64>();
    let (wanted, analysed, dropped) = (sum(&|g| g.wanted), sum(&|g| g.analysed), sum(&|g| g.dropped));
    let (least, most) =
        (got.iter().map(|g| g.analysed).min().unwrap(), got.iter().map(|g| g.analysed).max().unwrap());
    println!("{wanted} wanted, {analysed} looked at, {dropped} dropped; each {least} to {most}");
    // It is too much for two detectors, and health says so.
    assert!(dropped > 0 && got.iter().all(|g| g.dropped > 0), "{got:?}");
    assert!(after.inference.load.unwrap() > 0.9, "{:?}", after.inference);
    assert_eq!(after.inference.workers, Some(2));
    // Nothing is unaccounted for: what was wanted was looked at, was dropped, or waits or is looked at now.
    assert!(analysed + dropped <= wanted + 2 * CAMERAS as u64, "{got:?}");
    assert!(analysed + dropped + 2 * CAMERAS as u64 >= wanted, "{got:?}");
    // Alike: in turn, so nobody gets half of what another gets.
    assert!(least * 2 > most, "{got:?}");
    edge.assert_alive();
    edge.terminate();
}

#[test]
fn a_model_file_that_is_replaced_is_told_and_changes_nothing_until_the_restart() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let (_camera, _broker, listener, mut site) = pedestrians_at_the_gate();
    site.manifest = copied(&site.manifest, folder.path());
    let model = folder.path().join("model.onnx");
    let old = fs::read(&model).unwrap();
    let mut edge = site.run();
    listener.wait("frames", |heard| (heard.camera("gate")?.frames_analysed > 2).then_some(()));
    assert_eq!(last(&listener.heard()).unwrap().inference.model_file, Some(ModelFile::AsLoaded));

    fs::write(folder.path().join("new"), b"another model").unwrap();
    fs::rename(folder.path().join("new"), &model).unwrap();
    let health = listener.wait("what health says", |heard| {
        last(heard).filter(|health| health.inference.model_file == Some(ModelFile::Replaced))
    });
    let (began, detail) =
        listener.wait("the fault", |heard| faults(heard, FaultKind::ModelReplaced, Phase::Began).pop());
    assert!(detail.contains("model.onnx") && detail.contains("model.toml"), "{detail}");
    assert!(detail.contains("put the old file back"), "{detail}");
    let before = health.cameras[0].frames_analysed;
    listener
        .wait("frames meanwhile", |heard| (heard.camera("gate")?.frames_analysed > before + 8).then_some(()));

    // A second box with this file is refused.
    let refused = site.call("check");
    let said = support::site::only_complaint(&refused);
    assert!(said.contains("model.toml: `sha256`") && said.contains("the manifest names"), "{said}");

    fs::write(&model, old).unwrap();
    let (ended, _) = listener
        .wait("the end of the fault", |heard| faults(heard, FaultKind::ModelReplaced, Phase::Ended).pop());
    assert_eq!(ended.data.happening.alarm().unwrap().id, began.data.happening.alarm().unwrap().id);
    edge.assert_alive();
    edge.terminate();
    assert!(listener.heard().health.iter().all(|health| health.inference.failures == 0));
}
