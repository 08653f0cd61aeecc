//! Decodes a clip and encodes it as a camera would, once, into memory.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use super::clip::{Clip, Codec, Recipe, Unit};
use crate::{Error, Result};

const KEY_FRAME_EVERY_S: f64 = 2.0;
const USUAL_FPS: f64 = 25.0;
// Encoding is much faster than the clip plays; this only ends a pipeline that hangs.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(900);

/// What the pipeline's threads collect.
#[derive(Default)]
struct Output {
    caps: Option<gst::Caps>,
    units: Vec<Unit>,
    fps: Option<f64>,
    problem: Option<String>,
}

pub(super) fn encode(path: &Path, recipe: &Recipe) -> Result<Clip> {
    let output = Arc::new(Mutex::new(Output::default()));
    let pipeline = gst::Pipeline::new();
    let failed = run(&pipeline, path, recipe, &output);
    let stopped = pipeline.set_state(gst::State::Null);
    failed?;
    stopped.map_err(|error| Error::camera("stopping the encoder", error))?;

    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(problem) = output.problem.take() {
        return Err(Error::camera("encoding the clip", problem));
    }
    let units = std::mem::take(&mut output.units);
    let (Some(caps), Some(last)) = (output.caps.take(), units.last()) else {
        return Err(not_video(path, "it has no picture"));
    };
    let frame = Duration::from_secs_f64(1.0 / output.fps.unwrap_or(USUAL_FPS));
    let length = last.at + frame;
    Ok(Clip { caps, units, length })
}

fn run(pipeline: &gst::Pipeline, path: &Path, recipe: &Recipe, output: &Arc<Mutex<Output>>) -> Result<()> {
    let source = gst::ElementFactory::make("filesrc").property("location", path).build();
    let source = source.map_err(|error| Error::camera("making filesrc", error))?;
    let decoder = gst::ElementFactory::make("decodebin").build();
    let decoder = decoder.map_err(|error| Error::camera("making decodebin", error))?;
    let built = pipeline.add_many([&source, &decoder]).and_then(|()| source.link(&decoder));
    built.map_err(|error| Error::camera("building the decoder", error))?;

    let weak = pipeline.downgrade();
    let (recipe, shared) = (recipe.clone(), output.clone());
    decoder.connect_pad_added(move |_, pad| {
        let Some(pipeline) = weak.upgrade() else { return };
        if let Err(problem) = take_stream(&pipeline, pad, &recipe, &shared) {
            locked(&shared).problem.get_or_insert(problem);
            // Without a taker the stream ends in an error, which ends the wait below.
        }
    });

    let bus = pipeline.bus().ok_or_else(|| Error::camera("encoding the clip", "no message bus"))?;
    let started = pipeline.set_state(gst::State::Playing);
    let kinds = [gst::MessageType::Eos, gst::MessageType::Application, gst::MessageType::Error];
    let message = match started {
        Ok(_) => bus.timed_pop_filtered(PATIENCE, &kinds),
        Err(_) => bus.pop_filtered(&kinds),
    };
    if locked(output).problem.is_some() {
        return Ok(());
    }
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Eos(_) | gst::MessageView::Application(_)) => Ok(()),
        Some(gst::MessageView::Error(error)) => Err(not_video(path, error.error())),
        _ => Err(Error::camera("encoding the clip", "GStreamer neither ended nor said why")),
    }
}

/// The first video stream goes to the encoder, any other nowhere.
fn take_stream(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    recipe: &Recipe,
    output: &Arc<Mutex<Output>>,
) -> Result<(), String> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let structure = caps.structure(0);
    let is_video = structure.is_some_and(|structure| structure.name().starts_with("video/"));
    let mut out = locked(output);
    let element = if is_video && out.fps.is_none() {
        let rate = structure.and_then(|structure| structure.get::<gst::Fraction>("framerate").ok());
        let fps = rate
            .filter(|rate| rate.numer() > 0)
            .map(|rate| f64::from(rate.numer()) / f64::from(rate.denom()));
        let fps = fps.unwrap_or(USUAL_FPS);
        out.fps = Some(fps);
        drop(out);
        let bin = gst::parse::bin_from_description(&description(recipe, fps), true)
            .map_err(|error| error.to_string())?;
        collect(&bin, recipe.max_frames, output)?;
        bin.upcast()
    } else {
        drop(out);
        gst::ElementFactory::make("fakesink").build().map_err(|error| error.to_string())?
    };
    let sink = pipeline
        .add(&element)
        .and_then(|()| element.sync_state_with_parent())
        .map(|()| element.static_pad("sink"))
        .map_err(|error| error.to_string())?;
    let sink = sink.ok_or("an element without an input")?;
    pad.link(&sink).map(drop).map_err(|error| error.to_string())
}

fn description(recipe: &Recipe, fps: f64) -> String {
    let mut size = String::new();
    for (key, value) in [("width", recipe.width), ("height", recipe.height)] {
        if let Some(value) = value {
            // Chroma is halved, so sizes are even.
            size.push_str(&format!(",{key}={}", value & !1));
        }
    }
    // The most x264 and x265 know is more than any clip has.
    let gop = if recipe.one_key_frame { 100_000.0 } else { (KEY_FRAME_EVERY_S * fps).round().max(1.0) };
    // One thread gives the same stream on every machine. The parsers repeat the headers at key frames.
    let encoder = match recipe.codec {
        Codec::H264 => format!(
            "x264enc tune=zerolatency speed-preset=veryfast bframes=0 threads=1 pass=qual quantizer=23 \
             key-int-max={gop} ! h264parse config-interval=-1 \
             ! video/x-h264,stream-format=byte-stream,alignment=au"
        ),
        Codec::H265 => format!(
            "x265enc tune=zerolatency speed-preset=ultrafast key-int-max={gop} \
             option-string=\"crf=24:bframes=0:log-level=none\" ! h265parse config-interval=-1 \
             ! video/x-h265,stream-format=byte-stream,alignment=au"
        ),
        Codec::Mjpeg => "jpegenc quality=80".to_owned(),
    };
    format!(
        "videoconvert ! videoscale ! video/x-raw,format=I420,pixel-aspect-ratio=1/1{size} \
         ! {encoder} ! appsink name=units sync=false max-buffers=8"
    )
}

/// Gathers what the encoder gives, and says on the bus when it is enough.
fn collect(bin: &gst::Bin, max_frames: Option<u32>, output: &Arc<Mutex<Output>>) -> Result<(), String> {
    let sink = bin.by_name("units").and_then(|element| element.downcast::<gst_app::AppSink>().ok());
    let sink = sink.ok_or("the encoder has no output")?;
    let output = output.clone();
    let mut first = None;
    let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let buffer = sample.buffer_owned().ok_or(gst::FlowError::Error)?;
        // Without B-frames the order of encoding is the order of showing.
        let at = buffer.pts().ok_or(gst::FlowError::Error)?;
        let first = *first.get_or_insert(at);
        let mut output = locked(&output);
        if max_frames.is_some_and(|max| output.units.len() >= max as usize) {
            let enough = gst::message::Application::new(gst::Structure::new_empty("enough"));
            let _ = sink.post_message(enough);
            return Err(gst::FlowError::Eos);
        }
        if output.caps.is_none() {
            output.caps = sample.caps_owned();
        }
        output.units.push(Unit {
            at: at.saturating_sub(first).into(),
            key: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
            data: buffer,
        });
        Ok(gst::FlowSuccess::Ok)
    });
    sink.set_callbacks(callbacks.build());
    Ok(())
}

// A panic while the lock is held leaves a valid Output, so poisoning is ignored.
fn locked(output: &Mutex<Output>) -> std::sync::MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_video(path: &Path, why: impl ToString) -> Error {
    Error::NotVideo { clip: path.into(), why: why.to_string() }
}
