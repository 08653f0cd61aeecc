//! What GStreamer says when a source fails, in words for the person who must mend it.

use gstreamer as gst;
use gstreamer::prelude::*;

/// One sentence: what is wrong at which address and what to look at.
pub(super) fn explain_at(address: &str, error: &gst::message::Error) -> String {
    format!("{address}: {}", explain(error))
}

/// The same where the address is known.
pub(super) fn explain(error: &gst::message::Error) -> String {
    let said = error.error();
    let advice = if said.matches(gst::ResourceError::NotAuthorized) {
        "the camera refuses the login: check `username` and `password_file`"
    } else if said.matches(gst::ResourceError::NotFound) {
        "the camera does not know this path: check `url`"
    } else if said.matches(gst::ResourceError::Busy) {
        "another program uses it"
    } else if said.matches(gst::ResourceError::OpenRead)
        || said.matches(gst::ResourceError::OpenReadWrite)
        || said.matches(gst::ResourceError::OpenWrite)
    {
        "it cannot be reached: check `url`, the cable and the camera's power"
    } else if said.matches(gst::ResourceError::Read) || said.matches(gst::ResourceError::Write) {
        "the connection broke"
    } else if said.matches(gst::StreamError::TypeNotFound)
        || said.matches(gst::StreamError::CodecNotFound)
        || said.matches(gst::StreamError::WrongType)
        || said.matches(gst::CoreError::MissingPlugin)
    {
        "it is no video this box can decode (H.264, H.265 and MJPEG are)"
    } else if said.matches(gst::StreamError::Decode) || said.matches(gst::StreamError::Demux) {
        "the video is damaged"
    } else {
        "the video stopped"
    };
    // Not the element's own name: it counts up with each attempt, and the same fault would look new.
    let element = error.src().and_then(|source| source.downcast_ref::<gst::Element>()?.factory());
    let by = element.map_or_else(|| "pipeline".into(), |factory| factory.name());
    format!("{advice} ({by}: {said})")
}
