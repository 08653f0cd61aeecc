//! A real RTSP client watches the camera: codecs, the loop point, login, hanging, unplugging.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use gatepost_testbed::daemon::Daemon;
use gatepost_testbed::http::wait_until;
use gatepost_testbed::rtsp_camera::{Codec, Join, Login, Options, RtspCamera};
use gatepost_testbed::{footage, port};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

const ROUND: u32 = 15;
const SOON: Duration = Duration::from_secs(20);

struct Frame {
    pts: Duration,
    size: (i32, i32),
    looks: u64,
}

/// An RTSP client over TCP that decodes.
struct Viewer {
    pipeline: gst::Pipeline,
    frames: Receiver<Frame>,
}

impl Viewer {
    fn watch(url: &str, login: Option<(&str, &str)>) -> Self {
        gst::init().unwrap();
        // Without buffering, time stamps are the camera's and not evened out.
        let line = format!(
            "rtspsrc name=source location={url} protocols=tcp latency=0 buffer-mode=none retry=0 \
             ! decodebin ! videoconvert ! video/x-raw,format=I420 ! appsink name=frames sync=false"
        );
        let pipeline = gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap();
        if let Some((user, password)) = login {
            let source = pipeline.by_name("source").unwrap();
            source.set_property("user-id", user);
            source.set_property("user-pw", password);
        }
        let (sender, frames) = mpsc::channel();
        let sink = pipeline.by_name("frames").unwrap().downcast::<gst_app::AppSink>().unwrap();
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let (buffer, caps) = (sample.buffer().unwrap(), sample.caps().unwrap());
            let field = |name| caps.structure(0).unwrap().get::<i32>(name).unwrap();
            let mut hasher = DefaultHasher::new();
            buffer.map_readable().unwrap().as_slice().hash(&mut hasher);
            let looks = hasher.finish();
            let pts = buffer.pts().unwrap().into();
            let _ = sender.send(Frame { pts, size: (field("width"), field("height")), looks });
            Ok(gst::FlowSuccess::Ok)
        });
        sink.set_callbacks(callbacks.build());
        pipeline.set_state(gst::State::Playing).unwrap();
        Viewer { pipeline, frames }
    }

    fn take(&self, count: usize) -> Vec<Frame> {
        (0..count)
            .map(|index| match self.frames.recv_timeout(SOON) {
                Ok(frame) => frame,
                Err(_) => panic!("frame {index} did not come: {:?}", self.error(Duration::ZERO)),
            })
            .collect()
    }

    fn error(&self, timeout: Duration) -> Option<String> {
        let timeout = gst::ClockTime::try_from(timeout).unwrap();
        let kinds = [gst::MessageType::Error, gst::MessageType::Eos];
        let message = self.pipeline.bus().unwrap().timed_pop_filtered(timeout, &kinds)?;
        Some(match message.view() {
            gst::MessageView::Error(error) => error.error().to_string(),
            _ => "end of stream".into(),
        })
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn camera(options: Options) -> RtspCamera {
    let max_frames = Some(ROUND);
    RtspCamera::serve(&footage::vtest().unwrap(), &Options { max_frames, ..options }).unwrap()
}

fn loops_without_a_seam(codec: Codec) {
    let camera = camera(Options { codec, join: Join::Beginning, ..Options::default() });
    assert_eq!(camera.frames_per_round(), ROUND as usize);
    let viewer = Viewer::watch(&camera.url(), None);
    let started = Instant::now();
    let frames = viewer.take(40);
    let took = started.elapsed();

    let tenth = Duration::from_millis(100);
    for (index, pair) in frames.windows(2).enumerate() {
        let step = pair[1].pts.checked_sub(pair[0].pts).unwrap();
        assert!(step.abs_diff(tenth) < Duration::from_millis(2), "after frame {index}: {step:?}");
    }
    for (index, (one, again)) in frames.iter().zip(&frames[ROUND as usize..]).enumerate() {
        assert_eq!(one.looks, again.looks, "frame {index} looks different in the next round");
        assert_ne!(one.looks, frames[index + 1].looks, "frame {index} is repeated");
    }
    assert!(took > tenth * 36, "faster than real time: {took:?}");
    assert_eq!(frames[0].size, (768, 576));
    assert!(camera.frames_served() >= 40);
}

#[test]
fn h264_loops_without_a_seam() {
    loops_without_a_seam(Codec::H264);
}

#[test]
fn h265_loops_without_a_seam() {
    loops_without_a_seam(Codec::H265);
}

#[test]
fn mjpeg_loops_without_a_seam() {
    loops_without_a_seam(Codec::Mjpeg);
}

#[test]
fn two_cameras_and_a_late_joiner() {
    let (one, two) = (camera(Options::default()), camera(Options::default()));
    assert_ne!(one.url(), two.url());
    let (first, other) = (Viewer::watch(&one.url(), None), Viewer::watch(&two.url(), None));
    first.take(7);
    other.take(7);
    let late = Viewer::watch(&one.url(), None);
    late.take(5);
    first.take(5);
}

#[test]
fn frames_are_scaled() {
    let camera = camera(Options { width: Some(320), ..Options::default() });
    assert_eq!(Viewer::watch(&camera.url(), None).take(1)[0].size, (320, 240));
}

#[test]
fn a_wrong_password_is_refused() {
    let login = Login { user: "gate".into(), password: "right".into() };
    let camera = camera(Options { login: Some(login), ..Options::default() });
    for login in [None, Some(("gate", "wrong")), Some(("other", "right"))] {
        let error = Viewer::watch(&camera.url(), login).error(SOON).unwrap();
        assert!(error.contains("Unauthorized") || error.contains("Not authorized"), "{login:?}: {error}");
    }
    assert_eq!(camera.frames_served(), 0);
    Viewer::watch(&camera.url(), Some(("gate", "right"))).take(3);
}

#[test]
fn a_paused_camera_hangs_and_goes_on() {
    let camera = camera(Options::default());
    let viewer = Viewer::watch(&camera.url(), None);
    let before = viewer.take(5).pop().unwrap();
    camera.pause();
    // What is on its way still comes.
    while viewer.frames.recv_timeout(Duration::from_millis(700)).is_ok() {}
    let served = camera.frames_served();
    assert!(viewer.frames.recv_timeout(Duration::from_millis(1500)).is_err());
    assert_eq!(viewer.error(Duration::ZERO), None);
    assert_eq!(camera.frames_served(), served);

    camera.resume();
    let after = viewer.take(5);
    assert!(after[0].pts > before.pts + Duration::from_millis(2000), "the clock stood still");
    let step = after[4].pts - after[0].pts;
    assert!(step.abs_diff(Duration::from_millis(400)) < Duration::from_millis(5), "{step:?}");
}

#[test]
fn an_unplugged_camera_drops_its_clients_and_returns() {
    let mut camera = camera(Options::default());
    let url = camera.url();
    let viewer = Viewer::watch(&url, None);
    viewer.take(3);
    camera.stop();
    assert!(viewer.error(SOON).is_some());
    assert!(TcpStream::connect(camera.addr()).is_err(), "it still listens");

    camera.start().unwrap();
    assert_eq!(camera.url(), url);
    Viewer::watch(&url, None).take(3);
}

#[test]
fn a_clients_end_ends_its_feeding() {
    let camera = camera(Options::default());
    Viewer::watch(&camera.url(), None).take(3);
    wait_until("the end of feeding", SOON, || {
        let served = camera.frames_served();
        std::thread::sleep(Duration::from_millis(400));
        (served == camera.frames_served()).then_some(())
    })
    .unwrap();
}

/// An mp4 with B-frames and a sound track, 25 frames a second.
fn mp4(dir: &Path) -> PathBuf {
    gst::init().unwrap();
    let path = dir.join("clip.mp4");
    let line = format!(
        "videotestsrc num-buffers=30 pattern=ball ! video/x-raw,width=322,height=240,framerate=25/1 \
         ! x264enc bframes=2 ! h264parse ! queue ! mp4mux name=mux ! filesink location={} \
         audiotestsrc num-buffers=50 ! audioconvert ! avenc_aac ! aacparse ! queue ! mux.",
        path.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let kinds = [gst::MessageType::Error, gst::MessageType::Eos];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(30), &kinds);
    assert_eq!(end.unwrap().type_(), gst::MessageType::Eos);
    pipeline.set_state(gst::State::Null).unwrap();
    path
}

#[test]
fn an_mp4_with_sound_is_served_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let camera = RtspCamera::serve(&mp4(dir.path()), &Options::default()).unwrap();
    assert_eq!(camera.frames_per_round(), 30);
    let frames = Viewer::watch(&camera.url(), None).take(40);
    let span = frames[39].pts - frames[0].pts;
    assert!(span.abs_diff(Duration::from_millis(39 * 40)) < Duration::from_millis(5), "{span:?}");
    assert_eq!(frames[0].size, (322, 240));
}

const CLIP_CAMERA: &str = env!("CARGO_BIN_EXE_gatepost-clip-camera");

#[test]
fn the_program_serves_until_interrupted() {
    let clip = footage::vtest().unwrap();
    let listen = format!("127.0.0.1:{}", port::free().unwrap());
    let args = ["--clip", clip.to_str().unwrap(), "--listen", &listen, "--codec", "mjpeg"];
    let mut program = Daemon::spawn(CLIP_CAMERA, args).unwrap();
    let url = format!("rtsp://{listen}/clip");
    program.wait_for_line(Duration::from_secs(60), |line| line == format!("serving {url}")).unwrap();
    let viewer = Viewer::watch(&url, None);
    viewer.take(3);
    let clash = Command::new(CLIP_CAMERA).args(args).output().unwrap();
    let said = String::from_utf8(clash.stderr).unwrap();
    assert!(said.contains(&listen) && said.lines().count() == 1, "{said}");
    assert!(program.interrupt(SOON).unwrap().success(), "{}", program.log());
}

#[test]
fn a_clip_that_is_no_video_gets_one_sentence() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for clip in [manifest, env!("CARGO_MANIFEST_DIR"), "/nowhere.avi", "/dev/null"] {
        let run = Command::new(CLIP_CAMERA).args(["--clip", clip]).output().unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(1), "{clip}: {said}");
        assert!(said.starts_with(clip) && said.lines().count() == 1, "{clip}: {said}");
    }
}
