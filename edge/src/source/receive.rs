//! Receiving: what a camera sends becomes access units, still encoded, all in one form whatever the camera's.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks};

use super::hang_up::hang_up;
use super::limits::Limits;
use super::pipeline::{Pipeline, PipelineError, link_when_added};
use super::rtsp::{Login, add_rtsp};
use crate::config::{Address, Camera};

/// A connection that has not closed after so long is held by the camera.
const CLOSES_WITHIN: Duration = Duration::from_secs(3);

/// A running reception, stopped when dropped.
pub(super) struct Reception {
    /// Taken when it is dropped.
    pipeline: Option<Pipeline>,
    address: Address,
}

impl Reception {
    /// Begins; `take` gets each access unit on GStreamer's thread.
    pub fn begin<F>(
        camera: &Camera,
        login: Option<&Login>,
        limits: Arc<Limits>,
        take: F,
    ) -> Result<Self, PipelineError>
    where
        F: Fn(&gst::Sample) + Send + 'static,
    {
        let pipeline = Pipeline::new();
        let sink = AppSink::builder()
            // A clip is played in real time; what comes from a camera comes when it comes.
            .sync(matches!(camera.url.address(), Address::Clip(_)))
            .callbacks(
                AppSinkCallbacks::builder()
                    .new_sample(move |sink| {
                        take(&sink.pull_sample().map_err(|_| gst::FlowError::Eos)?);
                        Ok(gst::FlowSuccess::Ok)
                    })
                    .build(),
            )
            .build();
        let sink: gst::Element = sink.upcast();
        pipeline.bin().add(&sink)?;
        match camera.url.address() {
            Address::Rtsp { .. } => {
                let sink = sink.downgrade();
                let next = move |bin: &gst::Bin, format: &str| parser(bin, format, &sink.upgrade()?);
                add_rtsp(pipeline.bin(), camera, login, limits, next)?;
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
        Ok(Self { pipeline: Some(pipeline), address: camera.url.address().clone() })
    }

    /// Waits for an error or the end of the stream, at most for `timeout`.
    pub fn wait(&self, timeout: gst::ClockTime) -> Option<gst::Message> {
        self.pipeline.as_ref()?.wait(timeout)
    }
}

impl Drop for Reception {
    fn drop(&mut self) {
        let pipeline = self.pipeline.take();
        // A file or a device holds nobody.
        let Address::Rtsp { host, port } = &self.address else { return };
        let (closing, closed) = mpsc::channel::<()>();
        let close = move || {
            drop(pipeline);
            drop(closing);
        };
        // Where there is no thread for it, it is closed here, by dropping what could not be moved there.
        let thread = std::thread::Builder::new().name("close".into()).spawn(close);
        let is_open = || closed.recv_timeout(CLOSES_WITHIN) == Err(mpsc::RecvTimeoutError::Timeout);
        if thread.is_err() || !is_open() {
            return;
        }
        if let Err(error) = hang_up(host, *port) {
            tracing::warn!("rtsp://{host}:{port}: the connection cannot be ended: {error}");
        }
        if is_open() {
            tracing::warn!("rtsp://{host}:{port}: the connection does not end and is left behind");
        }
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
