//! RTP packets, as far as they must be looked at before GStreamer does: its depayloaders take a packet at its
//! word, and those of GStreamer 1.22 end the process over a fragment without content.

/// What a network camera may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// RFC 6184.
    H264,
    /// RFC 7798.
    H265,
    /// RFC 2435.
    Jpeg,
}

impl Codec {
    /// By its name in the camera's session description.
    pub fn named(encoding: &str) -> Option<Self> {
        match encoding {
            "H264" => Some(Self::H264),
            "H265" => Some(Self::H265),
            "JPEG" => Some(Self::Jpeg),
            _ => None,
        }
    }

    /// Element that makes a stream of packets.
    pub fn depayloader(self) -> &'static str {
        match self {
            Self::H264 => "rtph264depay",
            Self::H265 => "rtph265depay",
            Self::Jpeg => "rtpjpegdepay",
        }
    }

    /// Has a packet all the headers of its kind, and something behind them?
    pub fn is_whole(self, packet: &[u8]) -> bool {
        let Some(payload @ [first, ..]) = payload(packet) else { return false };
        let headers = match self {
            // Aggregates: their own header and a size. Fragments: indicator and header. A unit: its header, and
            // some units are nothing else.
            Self::H264 => match first & 0x1f {
                24 => 1 + 2,
                25..=27 => 1 + 2 + 2 + 4,
                28 => 2,
                29 => 2 + 2,
                _ => 0,
            },
            Self::H265 => match (first >> 1) & 0x3f {
                48 => 2 + 2,
                49 => 2 + 1,
                _ => 1,
            },
            Self::Jpeg => 8,
        };
        payload.len() > headers
    }
}

/// What a packet carries (RFC 3550, 5.1); none if it is cut off.
fn payload(packet: &[u8]) -> Option<&[u8]> {
    let first = *packet.first()?;
    let (padded, extended, sources) = (first & 0x20 != 0, first & 0x10 != 0, usize::from(first & 0x0f));
    let mut rest = packet.get(12 + 4 * sources..)?;
    if extended {
        let words = u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]);
        rest = rest.get(4 + 4 * usize::from(words)..)?;
    }
    let padding = if padded { usize::from(*rest.last()?) } else { 0 };
    rest.get(..rest.len().checked_sub(padding)?)
}

#[cfg(test)]
mod tests {
    use gstreamer as gst;
    use gstreamer::prelude::*;
    use gstreamer_app::AppSrc;
    use proptest::prelude::*;

    use super::*;

    fn packet(sequence: u16, marker: bool, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, 96 | u8::from(marker) << 7];
        packet.extend(sequence.to_be_bytes());
        packet.extend([0, 0, 0, 1, 0, 0, 0, 2]);
        packet.extend(payload);
        packet
    }

    #[test]
    fn a_payload_is_what_lies_between_headers_and_padding() {
        let plain = packet(1, false, &[1, 2, 3]);
        assert_eq!(payload(&plain), Some(&[1, 2, 3][..]));
        let mut padded = packet(1, false, &[1, 2, 0, 2]);
        padded[0] |= 0x20;
        assert_eq!(payload(&padded), Some(&[1, 2][..]));
        *padded.last_mut().unwrap() = 5;
        assert_eq!(payload(&padded), None, "more padding than packet");
        let mut extended = packet(1, false, &[0xbe, 0xde, 0, 1, 9, 9, 9, 9, 1]);
        extended[0] |= 0x10;
        assert_eq!(payload(&extended), Some(&[1][..]));
        extended[15] = 9;
        assert_eq!(payload(&extended), None, "a longer extension than packet");
        let mut mixed = packet(1, false, &[0, 0, 0, 7, 1]);
        mixed[0] |= 1;
        assert_eq!(payload(&mixed), Some(&[1][..]));
        assert_eq!(payload(&plain[..11]), None);
        assert_eq!(payload(&[]), None);
    }

    #[test]
    fn a_packet_has_its_headers_and_something_behind_them() {
        let whole = |codec: Codec, payload: &[u8]| codec.is_whole(&packet(1, true, payload));
        // A delimiter is a whole unit of two bytes, and cameras send it in a packet of its own.
        assert!(whole(Codec::H264, &[0x09, 0xf0]) && whole(Codec::H265, &[0x46, 0x01, 0x50]));
        assert!(!whole(Codec::H264, &[]) && !whole(Codec::H265, &[0x46]));
        assert!(!whole(Codec::H264, &[0x7c, 0x85]) && whole(Codec::H264, &[0x7c, 0x85, 1]));
        assert!(!whole(Codec::H265, &[0x62, 1, 0x93]) && whole(Codec::H265, &[0x62, 1, 0x93, 1]));
        assert!(!whole(Codec::Jpeg, &[0; 8]) && whole(Codec::Jpeg, &[0; 9]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// A depayloader that fails ends this test's process.
        #[test]
        fn no_packet_that_is_let_through_ends_the_process(
            codec in prop_oneof![Just(Codec::H264), Just(Codec::H265), Just(Codec::Jpeg)],
            packets in prop::collection::vec(
                (prop_oneof![any::<u8>(), Just(0x7cu8), Just(0x62), Just(0x78), Just(0x60)],
                 prop::collection::vec(any::<u8>(), 0..12), any::<bool>(), 1u16..3),
                1..200),
        ) {
            gst::init().unwrap();
            let encoding = match codec { Codec::H264 => "H264", Codec::H265 => "H265", Codec::Jpeg => "JPEG" };
            prop_assert_eq!(Codec::named(encoding), Some(codec));
            let pipeline = gst::parse::launch(&format!(
                "appsrc name=packets format=time max-bytes=0 caps=application/x-rtp,media=video,payload=96,\
                 clock-rate=90000,encoding-name={encoding} ! {} ! fakesink sync=false", codec.depayloader(),
            )).unwrap().downcast::<gst::Pipeline>().unwrap();
            let source = pipeline.by_name("packets").unwrap().downcast::<AppSrc>().unwrap();
            pipeline.set_state(gst::State::Playing).unwrap();
            let mut sequence = 0u16;
            for (first, rest, marker, step) in packets {
                sequence += step;
                let payload: Vec<u8> = std::iter::once(first).chain(rest).collect();
                let packet = packet(sequence, marker, &payload);
                if codec.is_whole(&packet) && source.push_buffer(gst::Buffer::from_slice(packet)).is_err() {
                    break;
                }
            }
            let _ = source.end_of_stream();
            let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
            let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &kinds);
            pipeline.set_state(gst::State::Null).unwrap();
            prop_assert!(end.is_some());
        }
    }
}
