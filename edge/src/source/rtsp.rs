//! A camera in the network: its video is asked for over RTSP, and its packets are looked at before GStreamer
//! takes them apart.

use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;

use super::limits::Limits;
use super::pipeline::{PipelineError, link_when_added};
use super::process::Stream;
use super::rtp::Codec;
use crate::config::Transport;

/// How long a packet may wait for one that was sent before it.
const REORDERED_WITHIN_MS: u32 = 200;
/// Without an answer for so long, microseconds, a connection is given up.
const ANSWER_WITHIN_US: u64 = 5_000_000;
/// Sources of one stream (RFC 3550, SSRC): a camera that starts its encoder anew changes it. GStreamer starts
/// threads for each, and knows no limit by itself.
const MOST_SOURCES: u32 = 8;

/// Adds what receives a camera's video to `bin`; `next` is called with the format of the access units and makes
/// the element that takes them.
pub(super) fn add_rtsp<F>(
    bin: &gst::Bin,
    stream: &Stream,
    limits: Arc<Limits>,
    next: F,
) -> Result<(), PipelineError>
where
    F: Fn(&gst::Bin, &str) -> Option<gst::Element> + Send + Sync + 'static,
{
    let source = source(stream)?;
    bin.add(&source)?;
    watch_requests(&source, Arc::clone(&limits));
    watch_packets(&source, limits);
    let bin = bin.downgrade();
    link_when_added(&source, move |packets| {
        let bin = bin.upgrade()?;
        let depay = gst::ElementFactory::make(codec(packets)?.depayloader()).build().ok()?;
        let format = depay.static_pad("src")?.query_caps(None).structure(0)?.name().to_string();
        let next = next(&bin, &format)?;
        bin.add(&depay).ok()?;
        depay.link(&next).ok()?;
        depay.sync_state_with_parent().ok()?;
        Some(depay)
    });
    Ok(())
}

fn source(stream: &Stream) -> Result<gst::Element, PipelineError> {
    let (protocols, latency_ms) = match stream.transport {
        // In a connection nothing is reordered.
        Transport::Tcp => ("tcp", 0),
        Transport::Udp => ("udp", REORDERED_WITHIN_MS),
    };
    let source = gst::ElementFactory::make("rtspsrc")
        .property("location", stream.url.as_str())
        .property_from_str("protocols", protocols)
        .property("latency", latency_ms)
        .property("tcp-timeout", ANSWER_WITHIN_US)
        .build()?;
    if let Some(login) = &stream.login {
        source.set_property("user-id", &login.username);
        source.set_property("user-pw", &login.password.0);
    }
    source.connect("new-manager", false, |values| {
        let manager = values.get(1)?.get::<gst::Element>().ok()?;
        manager.set_property("max-streams", MOST_SOURCES);
        manager.connect("new-jitterbuffer", false, |values| {
            forget_announced_number(&values.get(1)?.get::<gst::Element>().ok()?);
            None
        });
        None
    });
    select_video(&source);
    Ok(source)
}

/// A camera announces the number of its first packet (RFC 2326, 12.33: RTP-Info). If it sends a smaller one, GStreamer drops
/// whatever comes before that number, which may be everything for hours; the first packet that comes is as good a beginning.
fn forget_announced_number(jitterbuffer: &gst::Element) {
    let Some(pad) = jitterbuffer.static_pad("sink") else { return };
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| {
        if let Some(gst::PadProbeData::Event(event)) = &mut info.data
            && let gst::EventView::Caps(announced) = event.view()
        {
            let mut caps = announced.caps_owned();
            if let Some(packets) = caps.make_mut().structure_mut(0) {
                packets.remove_field("seqnum-base");
            }
            *event = gst::event::Caps::new(&caps);
        }
        gst::PadProbeReturn::Ok
    });
}

/// One stream of video is asked for, however many the camera offers; sound and metadata never are.
fn select_video(source: &gst::Element) {
    let selected = Mutex::new(None);
    source.connect("select-stream", false, move |values| {
        let number = values.get(1)?.get::<u32>().ok()?;
        let offered = values.get(2)?.get::<gst::Caps>().ok()?;
        let mut selected = selected.lock().unwrap_or_else(PoisonError::into_inner);
        // It is asked again when the camera wants a login.
        let wanted = codec(&offered).is_some() && *selected.get_or_insert(number) == number;
        Some(wanted.to_value())
    });
}

/// What packets carry, if it is video this box understands.
fn codec(packets: &gst::CapsRef) -> Option<Codec> {
    let packets = packets.structure(0)?;
    let is_video = packets.get::<&str>("media").ok()? == "video";
    Codec::named(packets.get::<&str>("encoding-name").ok()?).filter(|_| is_video)
}

/// Counts what is asked: a camera may refer this box to another address, and that to the next one.
fn watch_requests(source: &gst::Element, limits: Arc<Limits>) {
    // What is not admitted is not sent.
    source.connect("before-send", false, move |_| Some(limits.admits_request().to_value()));
}

/// Drops what would end the process or eat its memory.
fn watch_packets(source: &gst::Element, limits: Arc<Limits>) {
    source.connect_pad_added(move |_, pad| {
        let Some(codec) = codec(&pad.current_caps().unwrap_or_else(|| pad.query_caps(None))) else { return };
        let limits = Arc::clone(&limits);
        let admits = move |buffer: &gst::BufferRef| {
            limits.admits_bytes(buffer.size())
                && buffer.map_readable().is_ok_and(|packet| codec.is_whole(&packet))
        };
        let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        pad.add_probe(kinds, move |_, info| {
            let admitted = match &info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => admits(buffer),
                Some(gst::PadProbeData::BufferList(list)) => list.iter().all(&admits),
                _ => true,
            };
            if admitted { gst::PadProbeReturn::Ok } else { gst::PadProbeReturn::Drop }
        });
    });
}
