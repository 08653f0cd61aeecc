//! What all GStreamer pipelines here have in common.

use gstreamer as gst;
use gstreamer::prelude::*;

/// How a pipeline ended.
pub(super) enum End<'m> {
    /// With a fault.
    Failed(&'m gst::message::Error),
    /// At the end of what it had to do.
    Reached,
}

/// A pipeline cannot be built: a plugin is not installed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("GStreamer: {0}; install its plugins with `setup/install.sh debian`")]
pub struct PipelineError(String);

impl From<gst::glib::BoolError> for PipelineError {
    fn from(error: gst::glib::BoolError) -> Self {
        Self(error.message.into_owned())
    }
}

/// A pipeline, stopped when dropped.
pub(crate) struct Pipeline(gst::Pipeline);

impl Pipeline {
    pub fn new() -> Self {
        Self(gst::Pipeline::new())
    }

    pub fn bin(&self) -> &gst::Bin {
        self.0.upcast_ref()
    }

    /// Starts it. A failure to start is told on the bus with its reason, where [`Pipeline::wait`] finds it.
    pub fn play(&self) {
        let _ = self.0.set_state(gst::State::Playing);
    }

    /// Calls `tell` at an error or the end of the stream, on the thread where it happens. Then there is nothing to wait for.
    pub(super) fn when_it_ends(&self, tell: impl Fn(End<'_>) + Send + Sync + 'static) {
        let Some(bus) = self.0.bus() else { return };
        bus.set_sync_handler(move |_, message| {
            match message.view() {
                gst::MessageView::Error(error) => tell(End::Failed(error)),
                gst::MessageView::Eos(_) => tell(End::Reached),
                _ => {}
            }
            // Nobody looks for it on the bus.
            gst::BusSyncReply::Drop
        });
    }

    /// Waits for an error or the end of the stream, at most for `timeout`.
    pub fn wait(&self, timeout: gst::ClockTime) -> Option<gst::Message> {
        self.0.bus()?.timed_pop_filtered(timeout, &[gst::MessageType::Error, gst::MessageType::Eos])
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Going to Null cannot fail in a way anything could be done about.
        let _ = self.0.set_state(gst::State::Null);
    }
}

/// Links the first video (or RTP) pad `from` grows to what `to` makes for it; others stay unlinked.
pub(super) fn link_when_added<F>(from: &gst::Element, to: F)
where
    F: Fn(&gst::CapsRef) -> Option<gst::Element> + Send + Sync + 'static,
{
    from.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let wanted = caps.iter().any(|s| {
            s.name().starts_with("video/")
                || s.name() == "image/jpeg"
                || s.get::<&str>("media").is_ok_and(|media| media == "video")
        });
        if !wanted {
            return;
        }
        let Some(target) = to(&caps).and_then(|element| element.static_pad("sink")) else { return };
        if !target.is_linked() {
            // A pad that does not fit ends in a not-linked or not-negotiated error on the bus.
            let _ = pad.link(&target);
        }
    });
}

/// Links to an element that is there already.
pub(super) fn to_element(to: &gst::Element) -> impl Fn(&gst::CapsRef) -> Option<gst::Element> + use<> {
    let to = to.downgrade();
    move |_| to.upgrade()
}
