//! What a fuzzer does with what comes of cameras: their packets, and what the process says that takes them apart.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use gatepost_wire::Timestamp;
use gstreamer as gst;

use super::frame::Packed;
use super::key_frame::KeyFrames;
use super::process::{Report, read, write};
use super::rtp::Codec;

/// No picture of more pixels is converted here: that is GStreamer's work, and takes long.
const MOST_PIXELS: u32 = 1 << 16;

static GSTREAMER: LazyLock<bool> = LazyLock::new(|| gst::init().is_ok());

/// What a camera's process says, up to the picture the rest of the daemon sees.
pub fn camera_message(mut bytes: &[u8]) {
    assert!(*GSTREAMER, "GStreamer does not start");
    let mut packed = Packed::default();
    while let Ok(Some((report, data))) = read::<Report>(&mut bytes) {
        let mut written = Vec::new();
        assert!(write(&mut written, &report, &data).is_ok());
        let again = read::<Report>(&mut &written[..]).ok().flatten();
        assert_eq!(again.as_ref().map(|(again, data)| (again, &data[..])), Some((&report, &data[..])));
        let Report::Picture { layout, at } = report else { continue };
        let Ok(frame) = packed.frame(data, layout, at, Timestamp::UNIX_EPOCH) else { continue };
        if frame.width().saturating_mul(frame.height()) <= MOST_PIXELS
            && let Ok(picture) = frame.to_rgb()
        {
            assert_eq!(picture.pixels.len(), 3 * picture.width * picture.height);
        }
    }
}

/// A packet of a camera's, or an access unit.
pub fn rtp_packet(packet: &[u8]) {
    for codec in [Codec::H264, Codec::H265, Codec::Jpeg] {
        let whole = codec.is_whole(packet);
        // Twelve bytes of RTP's own header.
        assert!(!whole || packet.len() > 12);
    }
    let now = Instant::now();
    for format in ["video/x-h264", "video/x-h265"] {
        let mut frames = KeyFrames::default();
        let first = frames.is_one(format, packet, now);
        assert!(first, "before anything better is known a decoder begins anywhere");
        let _ = frames.is_one(format, packet, now + Duration::from_secs(1));
    }
}
