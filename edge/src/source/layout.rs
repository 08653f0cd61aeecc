//! How the pixels of a decoded picture lie in memory, as a camera's process says it to the daemon.

use gstreamer_video::{
    VideoChromaSite, VideoColorMatrix, VideoColorPrimaries, VideoColorRange, VideoColorimetry, VideoFormat,
    VideoInfo, VideoTransferFunction,
};
use serde::{Deserialize, Serialize};

/// Rows one after the other, with the gaps between them that GStreamer leaves where nothing else is said.
///
/// What is read here is not given to GStreamer to read: whoever has taken over a camera's process may send many of them, and GLib keeps
/// every name it has met for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    /// As GStreamer names it: `I420`.
    pixels: String,
    width: u32,
    height: u32,
    /// Which colours the numbers mean, as GStreamer names them: `bt709`.
    colorimetry: String,
    /// Between which rows and columns of brightness those of colour lie: the bits of `GstVideoChromaSite`.
    chroma_site: u32,
}

impl Layout {
    /// The same picture without gaps of a decoder's own.
    ///
    /// Interlaced ones (576i of an analogue camera behind an encoder) become whole pictures: their two fields are 20 ms apart, which is less
    /// than matters here, and converters refuse to make anything else of them.
    pub fn of(info: &VideoInfo) -> Self {
        Self {
            pixels: info.format().to_str().to_string(),
            width: info.width(),
            height: info.height(),
            colorimetry: info.colorimetry().to_string(),
            chroma_site: info.chroma_site().bits(),
        }
    }

    /// What GStreamer makes of it.
    ///
    /// # Errors
    /// [`NoLayout`].
    pub fn info(&self) -> Result<VideoInfo, NoLayout> {
        self.read().ok_or_else(|| NoLayout {
            pixels: self.pixels.chars().take(20).collect(),
            width: self.width,
            height: self.height,
        })
    }

    fn read(&self) -> Option<VideoInfo> {
        let words = [&self.pixels, &self.colorimetry];
        // A byte of nothing would end the daemon: GStreamer's strings end there.
        words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_graphic())).then_some(())?;
        let pixels = self.pixels.parse().ok().filter(|&pixels| pixels != VideoFormat::Encoded)?;
        VideoInfo::builder(pixels, self.width, self.height)
            .colorimetry(&self.colorimetry.parse().ok().filter(is_known)?)
            .chroma_site(VideoChromaSite::from_bits(self.chroma_site)?)
            .build()
            .ok()
    }
}

/// GStreamer also reads numbers, of which it knows what some mean.
fn is_known(colorimetry: &VideoColorimetry) -> bool {
    !matches!(colorimetry.range(), VideoColorRange::__Unknown(_))
        && !matches!(colorimetry.matrix(), VideoColorMatrix::__Unknown(_))
        && !matches!(colorimetry.transfer(), VideoTransferFunction::__Unknown(_))
        && !matches!(colorimetry.primaries(), VideoColorPrimaries::__Unknown(_))
}

/// No picture lies so in memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no picture is {width}x{height} of {pixels}")]
pub(super) struct NoLayout {
    pixels: String,
    width: u32,
    height: u32,
}

#[cfg(test)]
mod tests {
    use gst::glib::translate::IntoGlib as _;
    use gstreamer as gst;
    use gstreamer_video::VideoInterlaceMode;

    use super::*;

    fn info(caps: &str) -> VideoInfo {
        VideoInfo::from_caps(&caps.parse::<gst::Caps>().unwrap()).unwrap()
    }

    fn i420(width: u32, height: u32) -> Layout {
        let pixels = "I420".into();
        Layout { pixels, width, height, colorimetry: "bt601".into(), chroma_site: 0 }
    }

    #[test]
    fn a_layout_survives_the_way_to_the_daemon() {
        gst::init().unwrap();
        for caps in [
            "video/x-raw, format=I420, width=1920, height=1080, colorimetry=bt709, chroma-site=mpeg2",
            "video/x-raw, format=NV12, width=640, height=360, colorimetry=2:3:5:1, chroma-site=jpeg",
            "video/x-raw, format=GRAY8, width=10, height=6",
            "video/x-raw, format=Y444, width=10, height=6, framerate=25/1, pixel-aspect-ratio=16/11",
        ] {
            let info = info(caps);
            let told = serde_json::to_string(&Layout::of(&info)).unwrap();
            let heard = serde_json::from_str::<Layout>(&told).unwrap().info().unwrap();
            let means = |info: &VideoInfo| {
                let colours = (info.colorimetry(), info.chroma_site());
                (info.format(), info.width(), info.height(), info.size(), info.stride().to_vec(), colours)
            };
            assert_eq!(means(&heard), means(&info), "{caps}");
        }
    }

    #[test]
    fn two_fields_are_one_picture() {
        gst::init().unwrap();
        let info = info(
            "video/x-raw, format=I420, width=704, height=576, interlace-mode=interleaved, \
                         field-order=top-field-first",
        );
        assert!(info.is_interlaced());
        let whole = Layout::of(&info).info().unwrap();
        assert_eq!((whole.interlace_mode(), whole.height()), (VideoInterlaceMode::Progressive, 576));
        assert_eq!(whole.size(), info.size());
    }

    #[test]
    fn glib_keeps_no_name_a_process_makes_up() {
        gst::init().unwrap();
        // GLib numbers the names it keeps.
        let kept = |name: &str| gst::glib::Quark::from_str(name).into_glib();
        let before = kept("layout: before");
        for n in 0..20_000 {
            let made_up = format!("I420, name-{n}=1");
            let fine = i420(10, 6);
            assert!(Layout { pixels: made_up.clone(), ..fine.clone() }.info().is_err());
            assert!(Layout { colorimetry: made_up, ..fine }.info().is_err());
        }
        // Tests beside this one have names of their own kept.
        assert!(kept("layout: after") - before < 10_000);
    }

    #[test]
    fn what_is_no_layout_is_refused() {
        gst::init().unwrap();
        let fine = i420(10, 6);
        assert!(fine.info().is_ok());
        for no_layout in [
            Layout { pixels: "MadeUp".into(), ..fine.clone() },
            Layout { pixels: "ENCODED".into(), ..fine.clone() },
            Layout { pixels: "UNKNOWN".into(), ..fine.clone() },
            Layout { pixels: "I420\0".into(), ..fine.clone() },
            Layout { colorimetry: "\0bt601".into(), ..fine.clone() },
            Layout { colorimetry: "made-up".into(), ..fine.clone() },
            Layout { colorimetry: "1:2:3:400".into(), ..fine.clone() },
            Layout { chroma_site: 1 << 20, ..fine.clone() },
            i420(u32::MAX, 6),
            i420(0, 6),
            i420(i32::MAX as u32, i32::MAX as u32),
        ] {
            assert!(no_layout.info().is_err(), "{no_layout:?}");
        }
        let long = Layout { pixels: "x".repeat(60_000), ..fine };
        assert!(long.info().unwrap_err().to_string().len() < 60);
        for more in ["\"views\":1", "\"width\":10"] {
            let text =
                format!("{}, {more}}}", serde_json::to_string(&i420(10, 6)).unwrap().trim_end_matches('}'));
            assert!(serde_json::from_str::<Layout>(&text).is_err(), "{text}");
        }
    }
}
