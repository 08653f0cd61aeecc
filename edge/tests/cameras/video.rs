//! What a camera's video may be: codecs, transports, sizes, damage.

use std::collections::HashSet;

use super::*;

#[test]
fn every_codec_gives_frames() {
    let _turn = beside();
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
fn damaged_video_hurts_only_its_camera() {
    let _turn = beside();
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
    let _turn = beside();
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
    let said = complaints(&edge, &camera.url());
    let different: HashSet<&String> = said.iter().collect();
    assert!(!said.is_empty() && different.len() == said.len(), "each reason once: {said:?}");
    edge.terminate();
}

#[test]
fn over_udp_and_from_a_file() {
    let _turn = beside();
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
    // Nothing moves in them, so after a while few are looked at.
    let sampled = || listener.heard().camera("clip").map_or(0, |camera| camera.frames_sampled);
    let (began, before) = (Instant::now(), sampled());
    listener.wait("several rounds", |_| (sampled() >= before + 24).then_some(()));
    assert!(began.elapsed() > Duration::from_secs(4), "{:?}", began.elapsed());
    let Some(CameraState::Faulted { reason }) = listener.heard().camera("gone").map(|camera| camera.state)
    else {
        panic!("{:?}", listener.heard().camera("gone"));
    };
    assert!(reason.starts_with("file:///nowhere/gone.avi: "), "{reason}");
    let gone = listener.heard().camera("gone").unwrap();
    assert_eq!(gone.faults[0].fault, CameraFaultKind::UnknownPath, "{gone:?}");
    assert!(listener.heard().camera("udp").unwrap().faults.is_empty(), "what is well has no faults");
    assert!(complaints(&edge, address.as_str()).is_empty(), "{}", edge.log());
    edge.terminate();
}

#[test]
fn empty_pictures_in_a_clip() {
    let _turn = beside();
    let folder = TempDir::new().unwrap();
    let clip = folder.path().join("gaps.avi");
    footage::nobody_with_empty_pictures(&clip, 3).unwrap();
    let address = url::Url::from_file_path(&clip).unwrap();
    let broker = Mosquitto::start(&Broker::default()).unwrap();
    let listener = Listener::start(broker.port());
    let config = CameraConfig::new("clip", address.as_str()).extra("quiet_s = 3600");
    let mut edge = Site::new(broker.port()).camera(config).run();
    let sampled = || listener.heard().camera("clip").map_or(0, |camera| camera.frames_sampled);
    listener.wait("several rounds", |_| (sampled() > 24).then_some(()));
    assert!(complaints(&edge, address.as_str()).is_empty(), "{}", edge.log());
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
