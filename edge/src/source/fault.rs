//! Why a camera gives no picture: of which kind that is, and in words for the person who must mend it.

use gatepost_wire::health::CameraFaultKind;
use gstreamer as gst;
use gstreamer::prelude::*;
use serde::{Deserialize, Serialize};

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fault {
    /// In what way.
    pub kind: CameraFaultKind,
    /// One sentence: what is wrong where, and what to look at. Never holds a secret.
    pub reason: String,
}

impl Fault {
    pub fn new(kind: CameraFaultKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }

    /// With the address it is about.
    pub fn at(self, address: impl std::fmt::Display) -> Self {
        Self { reason: format!("{address}: {}", self.reason), ..self }
    }
}

/// What GStreamer says when a source fails.
pub(super) fn explain(error: &gst::message::Error) -> Fault {
    let said = error.error();
    let (kind, advice) = if said.matches(gst::ResourceError::NotAuthorized) {
        (CameraFaultKind::LoginRefused, "the camera refuses the login: check `username` and `password_file`")
    } else if said.matches(gst::ResourceError::NotFound) {
        (CameraFaultKind::UnknownPath, "the camera does not know this path: check `url`")
    } else if said.matches(gst::ResourceError::Busy) {
        (CameraFaultKind::Busy, "another program uses it")
    } else if said.matches(gst::ResourceError::OpenRead)
        || said.matches(gst::ResourceError::OpenReadWrite)
        || said.matches(gst::ResourceError::OpenWrite)
    {
        (CameraFaultKind::Unreachable, "it cannot be reached: check `url`, the cable and the camera's power")
    } else if said.matches(gst::ResourceError::Read) || said.matches(gst::ResourceError::Write) {
        (CameraFaultKind::Ended, "the connection broke")
    } else if said.matches(gst::StreamError::TypeNotFound)
        || said.matches(gst::StreamError::CodecNotFound)
        || said.matches(gst::StreamError::WrongType)
        || said.matches(gst::CoreError::MissingPlugin)
    {
        (CameraFaultKind::Unsupported, "it is no video this box can decode (H.264, H.265 and MJPEG are)")
    } else if said.matches(gst::StreamError::Decode) || said.matches(gst::StreamError::Demux) {
        (CameraFaultKind::Undecodable, "the video is damaged")
    } else {
        (CameraFaultKind::Ended, "the video stopped")
    };
    // Not the element's own name: it counts up with each attempt, and the same fault would look new.
    let element = error.src().and_then(|source| source.downcast_ref::<gst::Element>()?.factory());
    let by = element.map_or_else(|| "pipeline".into(), |factory| factory.name());
    Fault::new(kind, format!("{advice} ({by}: {said})"))
}
