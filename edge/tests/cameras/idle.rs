//! How closely a camera is watched.

use super::*;

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
    let _turn = beside();
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
