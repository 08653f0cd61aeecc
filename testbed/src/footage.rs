//! Where the test clip is: `vtest.avi` of Debian's opencv-doc (PETS 2009 S2.L1, 795 frames, 768x576,
//! 10 frames a second).

use std::env;
use std::path::{Path, PathBuf};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use crate::{Error, Result};

/// Root of the workspace this crate was built in.
pub fn workspace_root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The pedestrian clip: `GATEPOST_FOOTAGE` if set, else what `setup/install.sh footage` fetched.
pub fn vtest() -> Result<PathBuf> {
    let path = match env::var_os("GATEPOST_FOOTAGE") {
        Some(named) => PathBuf::from(named),
        None => workspace_root().join(".fetched/footage/vtest.avi"),
    };
    if path.is_file() { Ok(path) } else { Err(Error::NoFootage(path)) }
}

const FORM: &str = "width=768,height=576,framerate=10/1,pixel-aspect-ratio=1/1";
/// Pictures a second of the clip, and of what is made to go before it.
const USUAL_FPS: u32 = 10;
/// Pictures a second of a camera as it is sold.
const CAMERA_FPS: u32 = 25;
// A clip takes seconds to write; this only ends a pipeline that hangs.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(60);

/// Writes to `file` what a camera sees that nobody passes for `seconds`.
pub fn nobody(file: &Path, seconds: u32) -> Result<()> {
    write(still(seconds)?, file, USUAL_FPS)
}

/// Writes to `file` what a camera sees that nobody passes for `seconds`, before the pedestrians come.
pub fn nobody_then_pedestrians(file: &Path, seconds: u32) -> Result<()> {
    let mut pictures = still(seconds)?;
    pictures.extend(pictures_of(&format!("filesrc location={:?} ! decodebin", vtest()?))?);
    write(pictures, file, USUAL_FPS)
}

/// The same, and every third picture is empty: what is written when a camera at a box gives none in time.
pub fn nobody_with_empty_pictures(file: &Path, seconds: u32) -> Result<()> {
    let mut pictures = still(seconds)?;
    pictures.iter_mut().skip(1).step_by(3).for_each(|picture| *picture = gst::Buffer::new());
    write(pictures, file, USUAL_FPS)
}

/// Writes to `file` what a camera of 25 pictures a second sees that nobody passes, with the noise of a sensor. Not a
/// picture of the pedestrian clip: there are people in each, and whoever stands there keeps a camera awake.
pub fn nothing_moves(file: &Path, seconds: u32) -> Result<()> {
    let count = seconds * CAMERA_FPS;
    let pictures = pictures_of(&format!(
        "compositor name=mix sink_1::alpha=0.03 videotestsrc pattern=smpte75 num-buffers={count} \
         ! video/x-raw,{FORM} ! mix.sink_0 videotestsrc pattern=snow num-buffers={count} \
         ! video/x-raw,{FORM} ! mix.sink_1 mix."
    ))?;
    write(pictures, file, CAMERA_FPS)
}

/// Writes to `file` the pedestrians as a camera of 25 pictures a second sees them, in a hurry.
pub fn pedestrians_in_a_hurry(file: &Path, seconds: u32) -> Result<()> {
    let mut pictures = pictures_of(&format!("filesrc location={:?} ! decodebin", vtest()?))?;
    pictures.truncate((seconds * CAMERA_FPS) as usize);
    write(pictures, file, CAMERA_FPS)
}

/// Writes to `file` the beginning of the pedestrian clip, `light` frames, and then `dark` frames in which all lights
/// are out. Ten frames are a second.
pub fn pedestrians_then_dark(file: &Path, light: usize, dark: usize) -> Result<()> {
    let mut pictures = pictures_of(&format!("filesrc location={:?} ! decodebin", vtest()?))?;
    pictures.truncate(light);
    pictures.extend(pictures_of(&format!("videotestsrc pattern=black num-buffers={dark}"))?);
    write(pictures, file, USUAL_FPS)
}

fn still(seconds: u32) -> Result<Vec<gst::Buffer>> {
    pictures_of(&format!("videotestsrc pattern=smpte75 num-buffers={}", seconds * USUAL_FPS))
}

/// Everything a source shows, as JPEGs.
fn pictures_of(source: &str) -> Result<Vec<gst::Buffer>> {
    let line = format!(
        "{source} ! videoconvert ! videoscale ! video/x-raw,format=I420,{FORM} ! jpegenc quality=90 \
         ! appsink name=pictures sync=false"
    );
    let pipeline = launch(&line)?;
    let sink = pipeline.by_name("pictures").and_then(|sink| sink.downcast::<gst_app::AppSink>().ok());
    let started = pipeline.set_state(gst::State::Playing).map_err(failed);
    let pictures = sink.map(|sink| {
        let samples = std::iter::from_fn(|| sink.try_pull_sample(PATIENCE));
        samples.filter_map(|sample| sample.buffer_owned()).collect()
    });
    pipeline.set_state(gst::State::Null).map_err(failed)?;
    started?;
    pictures.ok_or_else(|| failed("there is no appsink"))
}

/// Writes JPEGs as a clip.
fn write(pictures: Vec<gst::Buffer>, file: &Path, fps: u32) -> Result<()> {
    let pipeline = launch(&format!(
        "appsrc name=pictures format=time max-bytes=0 ! image/jpeg,width=768,height=576,framerate={fps}/1 \
         ! avimux ! filesink location={file:?}"
    ))?;
    let frame = gst::ClockTime::SECOND / u64::from(fps);
    let source = pipeline.by_name("pictures").and_then(|source| source.downcast::<gst_app::AppSrc>().ok());
    let source = source.ok_or_else(|| failed("there is no appsrc"))?;
    pipeline.set_state(gst::State::Playing).map_err(failed)?;
    for (number, picture) in (0u64..).zip(pictures) {
        let mut picture = picture.copy();
        if let Some(times) = picture.get_mut() {
            times.set_pts(frame * number);
            times.set_dts(frame * number);
            times.set_duration(frame);
        }
        source.push_buffer(picture).map_err(failed)?;
    }
    source.end_of_stream().map_err(failed)?;
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline.bus().and_then(|bus| bus.timed_pop_filtered(PATIENCE, &kinds));
    let stopped = pipeline.set_state(gst::State::Null).map_err(failed);
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Eos(_)) => stopped.map(drop),
        Some(gst::MessageView::Error(error)) => Err(failed(error.error())),
        _ => Err(failed("GStreamer neither ended nor said why")),
    }
}

fn launch(line: &str) -> Result<gst::Bin> {
    gst::init().map_err(failed)?;
    let pipeline = gst::parse::launch(line).map_err(failed)?;
    pipeline.downcast().map_err(|_| failed("it is no pipeline"))
}

fn failed(why: impl ToString) -> Error {
    Error::camera("writing a clip", why)
}
