//! Key frames: where a decoder may begin, whatever came before.
//!
//! GStreamer's parsers call every picture of I slices a key frame. An encoder may send such a picture whenever much
//! changes, between those that really begin anew (instantaneous decoding refresh, H.264 3.69; intra random access
//! point, H.265 3.77). A decoder that gets it without its neighbours sorts it by their order of display, and may well
//! throw it away as too late.

use std::time::{Duration, Instant};

/// A camera that has not begun anew for so long is one that hardly ever does, and the decoder has to make do.
const REFRESHES_WITHIN: Duration = Duration::from_secs(10);

/// Tells the key frames of one stream.
#[derive(Debug, Default)]
pub(super) struct KeyFrames {
    last_refresh: Option<Instant>,
}

impl KeyFrames {
    /// May a decoder begin with this access unit (byte stream, Annex B), which the parser of `format` calls one?
    pub fn is_one(&mut self, format: &str, unit: &[u8], now: Instant) -> bool {
        let refreshes = match format {
            "video/x-h264" => first_slice(unit, |header| header & 0x1f, 1..=5) == Some(5),
            // Of 22 and 23 nobody knows yet what they will be, but they are reserved for this (table 7-1).
            "video/x-h265" => {
                first_slice(unit, |header| header >> 1 & 0x3f, 0..=31).is_some_and(|t| (16..=23).contains(&t))
            }
            _ => true,
        };
        if refreshes {
            self.last_refresh = Some(now);
        }
        refreshes || self.last_refresh.is_none_or(|last| now - last > REFRESHES_WITHIN)
    }
}

/// Type of the first NAL unit that is a slice: one of `slices`.
fn first_slice(unit: &[u8], kind: impl Fn(u8) -> u8, slices: std::ops::RangeInclusive<u8>) -> Option<u8> {
    let headers = unit.windows(4).filter(|bytes| bytes.starts_with(&[0, 0, 1])).map(|bytes| bytes[3]);
    headers.map(kind).find(|kind| slices.contains(kind))
}

#[cfg(test)]
mod tests {
    use gstreamer as gst;
    use gstreamer::prelude::*;
    use gstreamer_app::{AppSink, AppSrc};

    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn what_begins_anew_is_told_from_what_is_only_whole() {
        let h264 =
            |slice| [&[0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 5, 0, 0, 1, slice, 1, 0, 0, 1, 0x65][..]].concat();
        let now = Instant::now();
        let mut frames = KeyFrames::default();
        assert!(frames.is_one("video/x-h264", &h264(0x41), now), "nothing better is known yet");
        assert!(frames.is_one("video/x-h264", &h264(0x65), now));
        assert!(!frames.is_one("video/x-h264", &h264(0x41), now + S));
        assert!(frames.is_one("video/x-h264", &h264(0x41), now + 11 * S), "it hardly ever begins anew");
        assert!(frames.is_one("video/x-h264", &h264(0x25), now + 12 * S));
        assert!(!frames.is_one("video/x-h264", &[], now + 12 * S));

        let h265 = |slice: u8| [0, 0, 1, 0x46, 1, 0, 0, 1, 0x40, 1, 0, 0, 1, slice << 1, 1];
        let mut frames = KeyFrames::default();
        assert!([16, 19, 20, 21].iter().all(|slice| frames.is_one("video/x-h265", &h265(*slice), now)));
        assert!(!frames.is_one("video/x-h265", &h265(1), now));
        assert!(KeyFrames::default().is_one("image/jpeg", &[], now));
    }

    /// A scene so restless that the encoder makes whole pictures of nearly all.
    fn restless() -> Vec<gst::Sample> {
        let pipeline = gst::parse::launch(
            "videotestsrc pattern=snow num-buffers=100 ! video/x-raw,width=320,height=240,framerate=25/1 \
             ! x264enc tune=zerolatency bframes=0 threads=1 key-int-max=50 ! h264parse config-interval=-1 \
             ! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=units sync=false",
        );
        let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
        let units = pipeline.by_name("units").unwrap().downcast::<AppSink>().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let all = std::iter::from_fn(|| units.pull_sample().ok()).collect();
        pipeline.set_state(gst::State::Null).unwrap();
        all
    }

    fn pictures_of(units: &[&gst::Sample]) -> usize {
        let pipeline =
            "appsrc name=units format=time ! avdec_h264 max-threads=1 ! appsink name=pictures sync=false";
        let pipeline = gst::parse::launch(pipeline).unwrap().downcast::<gst::Pipeline>().unwrap();
        let source = pipeline.by_name("units").unwrap().downcast::<AppSrc>().unwrap();
        let sink = pipeline.by_name("pictures").unwrap().downcast::<AppSink>().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        for unit in units {
            source.push_sample(unit).unwrap();
        }
        source.end_of_stream().unwrap();
        let count = std::iter::from_fn(|| sink.pull_sample().ok()).count();
        pipeline.set_state(gst::State::Null).unwrap();
        count
    }

    #[test]
    fn every_key_frame_gives_a_picture_without_those_before_it() {
        gst::init().unwrap();
        let units = restless();
        let (mut frames, now) = (KeyFrames::default(), Instant::now());
        let mut is_one = |unit: &gst::Sample| {
            frames.is_one("video/x-h264", &unit.buffer().unwrap().map_readable().unwrap(), now)
        };
        let whole = units
            .iter()
            .filter(|unit| !unit.buffer().unwrap().flags().contains(gst::BufferFlags::DELTA_UNIT));
        let (key, other): (Vec<_>, Vec<_>) = whole.partition(|unit| is_one(unit));
        assert!(key.len() > 1);
        assert!(pictures_of(&other) < other.len(), "the parser's word would do");
        for step in 1..4 {
            let some: Vec<_> = key.iter().step_by(step).copied().collect();
            assert_eq!(pictures_of(&some), some.len());
        }
    }
}
