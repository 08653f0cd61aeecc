//! The GStreamer pipelines: a source, whatever depayloads and decodes it, an optional limit on the rate, and
//! an appsink that hands out frames.

use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;

/// A pipeline cannot be built: a plugin is not installed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("GStreamer: {0}; install its plugins with `setup/install.sh debian`")]
pub struct PipelineError(String);

impl From<gst::glib::BoolError> for PipelineError {
    fn from(error: gst::glib::BoolError) -> Self {
        Self(error.message.into_owned())
    }
}

/// A decoding pipeline, stopped when dropped.
pub(super) struct DecodePipeline {
    pipeline: gst::Pipeline,
    pub sink: AppSink,
    decoder: Arc<Mutex<Option<String>>>,
}

/// Who and which secret a camera asks for.
#[derive(Clone)]
pub(super) struct Login {
    pub username: String,
    pub password: String,
}

impl DecodePipeline {
    /// A live camera by RTSP over TCP; at most `fps` pictures a second reach the sink, which drops when the
    /// application is slow.
    pub fn rtsp(url: &str, login: Option<&Login>, fps: u32) -> Result<Self, PipelineError> {
        let source = gst::ElementFactory::make("rtspsrc")
            .property("location", url)
            .property_from_str("protocols", "tcp")
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
        let this = Self::new(source, Some(fps))?;
        this.sink.set_max_buffers(1);
        this.sink.set_drop(true);
        Ok(this)
    }

    /// A file, every frame, as fast as it is pulled.
    pub fn file(path: &str) -> Result<Self, PipelineError> {
        let source = gst::ElementFactory::make("filesrc").property("location", path).build()?;
        let this = Self::new(source, None)?;
        this.sink.set_max_buffers(4);
        Ok(this)
    }

    fn new(source: gst::Element, max_fps: Option<u32>) -> Result<Self, PipelineError> {
        let pipeline = gst::Pipeline::new();
        let decode = gst::ElementFactory::make("decodebin").build()?;
        let sink = AppSink::builder().caps(&gst::Caps::new_empty_simple("video/x-raw")).sync(false).build();
        pipeline.add_many([&source, &decode, sink.upcast_ref()])?;

        let decoded = match max_fps {
            Some(fps) => {
                let rate = gst::ElementFactory::make("videorate")
                    .property("drop-only", true)
                    .property("max-rate", fps as i32)
                    .build()?;
                pipeline.add(&rate)?;
                rate.link(&sink)?;
                rate
            }
            None => sink.clone().upcast(),
        };
        if source.static_pad("src").is_some() {
            source.link(&decode)?;
        } else {
            link_when_added(&source, &decode);
        }
        link_when_added(&decode, &decoded);

        let decoder = Arc::new(Mutex::new(None));
        let found = Arc::clone(&decoder);
        pipeline.connect_deep_element_added(move |_, _, element| {
            if let Some(name) = prepare_decoder(element) {
                *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(name);
            }
        });
        Ok(Self { pipeline, sink, decoder })
    }

    pub fn play(&self) -> Result<(), gst::StateChangeError> {
        self.pipeline.set_state(gst::State::Playing).map(|_| ())
    }

    /// Waits for an error or the end of the stream, at most for `timeout`.
    pub fn wait(&self, timeout: gst::ClockTime) -> Option<gst::Message> {
        self.pipeline.bus()?.timed_pop_filtered(timeout, &[gst::MessageType::Error, gst::MessageType::Eos])
    }

    /// Name of the decoding element, once there is one.
    pub fn decoder(&self) -> Option<String> {
        self.decoder.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for DecodePipeline {
    fn drop(&mut self) {
        // Going to Null cannot fail in a way anything could be done about.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Links the first video (or RTP) pad `from` grows to `to`; others stay unlinked.
fn link_when_added(from: &gst::Element, to: &gst::Element) {
    let to = to.downgrade();
    from.connect_pad_added(move |_, pad| {
        let Some(target) = to.upgrade().and_then(|to| to.static_pad("sink")) else { return };
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let wanted = caps.iter().any(|s| {
            s.name().starts_with("video/") || s.get::<&str>("media").is_ok_and(|media| media == "video")
        });
        if wanted && !target.is_linked() {
            // A pad that does not fit ends in a not-linked or not-negotiated error on the bus.
            let _ = pad.link(&target);
        }
    });
}

/// Sets up a video decoder and returns its name; none for any other element.
fn prepare_decoder(element: &gst::Element) -> Option<String> {
    let factory = element.factory()?;
    // Decoders of JPEG call themselves decoders of images.
    let pictures = gst::ElementFactoryType::MEDIA_VIDEO | gst::ElementFactoryType::MEDIA_IMAGE;
    if !factory.has_type(gst::ElementFactoryType::DECODER | pictures) {
        return None;
    }
    if factory.name().starts_with("avdec_") && element.has_property("max-threads") {
        // Frame threads would hold back as many pictures as there are threads, and cameras are many anyway.
        element.set_property("max-threads", 1i32);
    }
    Some(factory.name().into())
}
