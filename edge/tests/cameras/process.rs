//! Each camera's video is taken apart in a process of its own: whatever becomes of that, the others go on.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// The process of one camera.
fn process_of(edge: &Edge, camera: &str) -> Option<u32> {
    let is_of = |pid: &u32| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split('\0').eq(["gatepost-edge", "camera", camera, ""])
    };
    edge.family().into_iter().find(is_of)
}

fn signal(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(process as i32).unwrap(), signal).unwrap();
}

fn is_gone(process: u32) -> bool {
    // One that has ended and is not yet waited for has no command line any more.
    fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default().is_empty()
}

fn wait_until_gone(listener: &Listener, process: u32) {
    listener.wait("the end of a camera's process", |_| is_gone(process).then_some(()));
}

#[test]
fn one_that_ends_costs_its_own_camera_a_moment() {
    let _turn = beside();
    let (ill, well) = (pedestrians(), pedestrians());
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port())
        .camera(CameraConfig::new("ill", &ill.url()).extra("signal_lost_after_s = 3"))
        .camera(CameraConfig::new("well", &well.url()));
    let mut edge = site.run();
    wait_for_frames(&listener, "ill", 3);
    wait_for_frames(&listener, "well", 3);

    // What a decoder does that meets what its makers never thought of.
    signal(process_of(&edge, "ill").unwrap(), Signal::ABORT);
    wait_for_frames(&listener, "ill", 10);
    assert_said_once(&edge, &ill.url(), "what it sends ended the process that takes it apart (signal: 6");

    // Or it goes on for ever.
    let stuck = process_of(&edge, "ill").unwrap();
    signal(stuck, Signal::STOP);
    let began = listener.wait("the alarm", |heard| heard.of("camera_tamper", Phase::Began).pop());
    let Happening::CameraTamper(tamper) = &began.data.happening else { panic!("{began:?}") };
    assert_eq!(tamper.camera.as_str(), "ill");
    listener.wait("the end of the alarm", |heard| heard.of("camera_tamper", Phase::Ended).pop());
    wait_until_gone(&listener, stuck);
    wait_for_frames(&listener, "ill", 10);

    wait_for_frames(&listener, "well", 10);
    assert!(complaints(&edge, &well.url()).is_empty(), "{}", edge.log());
    edge.terminate();
}

#[test]
fn none_outlives_its_daemon() {
    let _turn = beside();
    let camera = pedestrians();
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port()).camera(CameraConfig::new("gate", &camera.url()));
    for kill in [Edge::kill, Edge::terminate] {
        let mut edge = site.run();
        wait_for_frames(&listener, "gate", 3);
        let process = process_of(&edge, "gate").unwrap();
        kill(&mut edge);
        wait_until_gone(&listener, process);
    }
}
