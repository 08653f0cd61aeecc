//! Receiving: what a camera sends becomes access units, still encoded, all in one form whatever the camera's.

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks};

use super::pipeline::{Pipeline, PipelineError, link_when_added, to_element};
use crate::config::{Address, Camera, Transport};

/// Who and which secret a camera asks for.
#[derive(Clone)]
pub(super) struct Login {
    pub username: String,
    pub password: String,
}

/// A running reception, stopped when dropped.
pub(super) struct Reception(Pipeline);

impl Reception {
    /// Begins; `take` gets each access unit on GStreamer's thread.
    pub fn begin<F>(camera: &Camera, login: Option<&Login>, take: F) -> Result<Self, PipelineError>
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
        let sink = sink.upcast();
        pipeline.bin().add(&sink)?;
        match camera.url.address() {
            Address::Rtsp => {
                let source = rtsp(camera, login)?;
                let parse = parser(pipeline.bin(), &sink)?;
                pipeline.bin().add(&source)?;
                link_when_added(&source, to_element(&parse));
            }
            Address::Clip(file) => {
                let source = gst::ElementFactory::make("filesrc").property("location", file).build()?;
                let parse = parser(pipeline.bin(), &sink)?;
                pipeline.bin().add(&source)?;
                source.link(&parse)?;
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
        Ok(Self(pipeline))
    }

    /// Waits for an error or the end of the stream, at most for `timeout`.
    pub fn wait(&self, timeout: gst::ClockTime) -> Option<gst::Message> {
        self.0.wait(timeout)
    }
}

fn rtsp(camera: &Camera, login: Option<&Login>) -> Result<gst::Element, PipelineError> {
    let protocols = match camera.transport {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    };
    let source = gst::ElementFactory::make("rtspsrc")
        .property("location", camera.url.as_str())
        .property_from_str("protocols", protocols)
        .property("latency", 200u32)
        .property("tcp-timeout", 5_000_000u64)
        .build()?;
    if let Some(login) = login {
        source.set_property("user-id", &login.username);
        source.set_property("user-pw", &login.password);
    }
    // Sound and metadata are never asked for.
    source.connect("select-stream", false, |values| {
        let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok());
        let video = caps.and_then(|caps| caps.structure(0)?.get::<String>("media").ok());
        Some((video.as_deref() == Some("video")).to_value())
    });
    Ok(source)
}

/// Takes packets or a file apart into whole access units for `sink`.
fn parser(bin: &gst::Bin, sink: &gst::Element) -> Result<gst::Element, PipelineError> {
    let parse = gst::ElementFactory::make("parsebin").build()?;
    bin.add(&parse)?;
    let (bin, sink) = (bin.downgrade(), sink.downgrade());
    link_when_added(&parse, move |caps| {
        let (bin, sink) = (bin.upgrade()?, sink.upgrade()?);
        match caps.structure(0)?.name().as_str() {
            "video/x-h264" => in_one_form(&bin, "h264parse", "video/x-h264", &sink),
            "video/x-h265" => in_one_form(&bin, "h265parse", "video/x-h265", &sink),
            _ => Some(sink),
        }
    });
    Ok(parse)
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
