//! Receiving: what a camera sends becomes access units, still encoded, all in one form whatever the camera's.

use std::sync::Arc;
use std::time::Instant;

use gatepost_wire::health::CameraFaultKind;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks};

use super::fault::{Fault, explain};
use super::key_frame::KeyFrames;
use super::limits::Limits;
use super::pipeline::{End, Pipeline, PipelineError, link_when_added};
use super::process::{Report, Reports, Stream};
use super::rtsp::add_rtsp;
use crate::config::Address;

/// A running reception, stopped when dropped.
pub(super) struct Reception {
    _pipeline: Pipeline,
}

impl Reception {
    /// Begins; what comes and how it ends is told.
    pub fn begin(stream: &Stream, reports: &Arc<Reports>) -> Result<Self, PipelineError> {
        let pipeline = Pipeline::new();
        let (tell, url) = (Arc::clone(reports), stream.url.clone());
        pipeline.when_it_ends(move |end| {
            tell.tell(&match end {
                End::Failed(error) => Report::Failed(explain(error).at(&url)),
                End::Reached => Report::Ended,
            });
        });
        let (tell, url) = (Arc::clone(reports), stream.url.clone());
        let limits = Arc::new(Limits::new(move |excess| {
            let fault = Fault::new(CameraFaultKind::Excessive, excess.to_string());
            tell.tell(&Report::Failed(fault.at(&url)));
        }));
        let mut units = Units {
            key_frames: KeyFrames::default(),
            limits: Arc::clone(&limits),
            reports: Arc::clone(reports),
        };
        let sink = AppSink::builder()
            // A clip is played in real time; what comes from a camera comes when it comes.
            .sync(matches!(stream.url.address(), Address::Clip(_)))
            .callbacks(
                AppSinkCallbacks::builder()
                    .new_sample(move |sink| {
                        units.tell_of(&sink.pull_sample().map_err(|_| gst::FlowError::Eos)?);
                        Ok(gst::FlowSuccess::Ok)
                    })
                    .build(),
            )
            .build();
        let sink: gst::Element = sink.upcast();
        pipeline.bin().add(&sink)?;
        match stream.url.address() {
            Address::Rtsp => {
                let sink = sink.downgrade();
                let next = move |bin: &gst::Bin, format: &str| parser(bin, format, &sink.upgrade()?);
                add_rtsp(pipeline.bin(), stream, limits, next)?;
            }
            Address::Clip(file) => {
                let source = gst::ElementFactory::make("filesrc").property("location", file).build()?;
                let demux = demuxer(pipeline.bin(), &sink)?;
                pipeline.bin().add(&source)?;
                source.link(&demux)?;
            }
            Address::Device(device) => {
                let device = device.display().to_string();
                let source = gst::ElementFactory::make("v4l2src").property("device", device).build()?;
                pipeline.bin().add(&source)?;
                let formats = gst::Caps::builder_full()
                    .structure(gst::Structure::new_empty("image/jpeg"))
                    .structure(gst::Structure::new_empty("video/x-raw"))
                    .build();
                source.link_filtered(&sink, &formats)?;
            }
        }
        pipeline.play();
        Ok(Self { _pipeline: pipeline })
    }
}

/// Tells of the access units of one stream.
struct Units {
    key_frames: KeyFrames,
    limits: Arc<Limits>,
    reports: Arc<Reports>,
}

impl Units {
    /// Tells of one. One without a picture (some cameras at a box send empty ones now and then) or without a format
    /// is none.
    fn tell_of(&mut self, sample: &gst::Sample) {
        let buffer = sample.buffer().filter(|buffer| buffer.size() > 0);
        let (Some(buffer), Some(format)) = (buffer, sample.caps().and_then(|caps| caps.structure(0))) else {
            return;
        };
        let side = |name| format.get::<i32>(name).ok();
        if !self.limits.admits(side("width").zip(side("height"))) {
            return;
        }
        let Ok(picture) = buffer.map_readable() else { return };
        let key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT)
            && self.key_frames.is_one(format.name(), &picture, Instant::now());
        self.reports.tell_with(&Report::Unit { format: format.to_string(), key }, &picture);
    }
}

/// Takes a file apart into whole access units for `sink`.
fn demuxer(bin: &gst::Bin, sink: &gst::Element) -> Result<gst::Element, PipelineError> {
    let demux = gst::ElementFactory::make("parsebin").build()?;
    bin.add(&demux)?;
    let (bin, sink) = (bin.downgrade(), sink.downgrade());
    link_when_added(&demux, move |caps| parser(&bin.upgrade()?, caps.structure(0)?.name(), &sink.upgrade()?));
    Ok(demux)
}

/// What makes whole access units of `format` for `sink`; the sink itself where they are whole already.
fn parser(bin: &gst::Bin, format: &str, sink: &gst::Element) -> Option<gst::Element> {
    match format {
        "video/x-h264" => in_one_form(bin, "h264parse", format, sink),
        "video/x-h265" => in_one_form(bin, "h265parse", format, sink),
        _ => Some(sink.clone()),
    }
}

/// Every key frame gets its parameter sets: then it can be decoded, kept and sent without what came before.
fn in_one_form(bin: &gst::Bin, parser: &str, format: &str, sink: &gst::Element) -> Option<gst::Element> {
    let parse = gst::ElementFactory::make(parser).property("config-interval", -1i32).build().ok()?;
    bin.add(&parse).ok()?;
    let form =
        gst::Caps::builder(format).field("stream-format", "byte-stream").field("alignment", "au").build();
    parse.link_filtered(sink, &form).ok()?;
    for element in bin.children() {
        element.sync_state_with_parent().ok()?;
    }
    Some(parse)
}
