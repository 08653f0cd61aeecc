//! Pictures become an MP4: H.264 by OpenH264, whose licence (BSD) lets a program use it as it is, with the index in
//! front, so that it plays while it loads. All of it in memory: nothing here touches the disk.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gatepost_wire::evidence::MAX_EVIDENCE_BYTES;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use gstreamer_video::{VideoFormat, VideoInfo};

use crate::source::{Pipeline, PipelineError, RgbPicture};

/// Pictures a second.
pub const FPS: u32 = 10;
/// Sought by the encoder; what hardly moves takes less.
const BITS_PER_SECOND: u32 = 1_000_000;
/// A key frame every two seconds: whoever jumps in a clip sees something soon.
const KEY_FRAME_EVERY: u32 = 2 * FPS;
/// Quantisers: finer is not seen at this size, coarser is ugly.
const QUANTISERS: (u32, u32) = (24, 42);
/// Longer than the encoder takes for what waits before it, on a machine that has other work.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(120);
const A_MOMENT: gst::ClockTime = gst::ClockTime::from_mseconds(1);

/// No film can be made.
#[derive(Debug, thiserror::Error)]
pub enum FilmError {
    /// A plugin is missing.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The encoder or the muxer failed.
    #[error("the clip cannot be encoded: {0}")]
    Encoder(String),
    /// It is larger than may be sent.
    #[error("the clip is larger than {MAX_EVIDENCE_BYTES} bytes, which is the most that may be sent")]
    TooLarge,
}

/// Is everything installed that films are made with?
///
/// # Errors
/// [`FilmError`] names what is missing.
pub fn check_encoder() -> Result<(), FilmError> {
    Film::begin(160, 120).map(drop)
}

type Bytes = Arc<Mutex<Vec<u8>>>;

/// An MP4 that is being made.
pub struct Film {
    pipeline: Pipeline,
    source: AppSrc,
    size: (u32, u32),
    bytes: Bytes,
    /// Where the muxer keeps the pictures until it knows the index; a file in memory, which goes with this.
    _interim: File,
}

impl Film {
    /// Begins a film of `width` times `height` pixels, both even.
    ///
    /// # Errors
    /// [`FilmError`].
    pub fn begin(width: u32, height: u32) -> Result<Self, FilmError> {
        let broken = |e: &dyn std::fmt::Display| FilmError::Encoder(e.to_string());
        let info = VideoInfo::builder(VideoFormat::Rgb, width, height)
            .fps(gst::Fraction::new(FPS as i32, 1))
            .build()
            .map_err(|e| broken(&e))?;
        let caps = info.to_caps().map_err(|e| broken(&e))?;
        let source = AppSrc::builder().caps(&caps).format(gst::Format::Time).max_bytes(0).build();
        let interim = rustix::fs::memfd_create("gatepost-clip", rustix::fs::MemfdFlags::CLOEXEC)
            .map(File::from)
            .map_err(|e| broken(&e))?;
        let (pipeline, bytes) = build(&source, &interim)?;
        pipeline.play();
        Ok(Self { pipeline, source, size: (width, height), bytes, _interim: interim })
    }

    /// Pixels across and down.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Adds a picture at a time since the beginning; times only grow.
    ///
    /// # Errors
    /// [`FilmError`].
    pub fn push(&mut self, picture: RgbPicture, at: Duration) -> Result<(), FilmError> {
        self.wait_for_room()?;
        let mut buffer = packed(picture);
        if let Some(times) = buffer.get_mut() {
            times.set_pts(gst::ClockTime::try_from(at).ok());
            times.set_duration(gst::ClockTime::from_seconds(1) / u64::from(FPS));
        }
        self.source.push_buffer(buffer).map(drop).map_err(|_| self.failure())
    }

    /// The whole MP4.
    ///
    /// # Errors
    /// [`FilmError`].
    pub fn finish(self) -> Result<Vec<u8>, FilmError> {
        self.source.end_of_stream().map_err(|_| self.failure())?;
        match self.pipeline.wait(PATIENCE).as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Eos(_)) => {}
            Some(gst::MessageView::Error(error)) => {
                return Err(FilmError::Encoder(error.error().to_string()));
            }
            _ => return Err(FilmError::Encoder("it neither ends nor says why".into())),
        }
        let bytes = std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner));
        if bytes.len() > MAX_EVIDENCE_BYTES { Err(FilmError::TooLarge) } else { Ok(bytes) }
    }

    /// Whoever pushes waits for the encoder, so that encoding goes on at their priority and in little memory. Not by
    /// letting the source block: it would go on doing so after a failure.
    fn wait_for_room(&self) -> Result<(), FilmError> {
        let asked = Instant::now();
        while self.source.current_level_buffers() > 1 {
            if asked.elapsed() > Duration::from(PATIENCE) {
                return Err(FilmError::Encoder("the encoder hangs".into()));
            }
            if let Some(message) = self.pipeline.wait(A_MOMENT) {
                return Err(why(Some(message)));
            }
        }
        Ok(())
    }

    fn failure(&self) -> FilmError {
        why(self.pipeline.wait(A_MOMENT))
    }
}

fn why(message: Option<gst::Message>) -> FilmError {
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => FilmError::Encoder(error.error().to_string()),
        _ => FilmError::Encoder("the encoder takes no more pictures".into()),
    }
}

/// Rows as GStreamer wants them: padded to four bytes.
fn packed(picture: RgbPicture) -> gst::Buffer {
    let row = 3 * picture.width;
    let padded = row.next_multiple_of(4);
    if row == padded {
        return gst::Buffer::from_mut_slice(picture.pixels);
    }
    let mut pixels = vec![0; padded * picture.height];
    for (to, from) in pixels.chunks_exact_mut(padded).zip(picture.pixels.chunks_exact(row)) {
        to[..row].copy_from_slice(from);
    }
    gst::Buffer::from_mut_slice(pixels)
}

fn build(source: &AppSrc, interim: &File) -> Result<(Pipeline, Bytes), PipelineError> {
    let pipeline = Pipeline::new();
    let convert = gst::ElementFactory::make("videoconvert").build()?;
    let encode = gst::ElementFactory::make("openh264enc")
        .property("bitrate", BITS_PER_SECOND)
        .property("gop-size", KEY_FRAME_EVERY)
        .property("qp-min", QUANTISERS.0)
        .property("qp-max", QUANTISERS.1)
        .property("multi-thread", 1u32)
        .property_from_str("rate-control", "bitrate")
        .property_from_str("complexity", "low")
        .build()?;
    spare_the_last_call(&encode);
    let parse = gst::ElementFactory::make("h264parse").build()?;
    let mux = gst::ElementFactory::make("mp4mux")
        .property("faststart", true)
        .property("faststart-file", format!("/proc/self/fd/{}", interim.as_raw_fd()))
        .build()?;
    let bytes = Bytes::default();
    let sink = collecting(&bytes);
    let elements = [source.upcast_ref(), &convert, &encode, &parse, &mux, sink.upcast_ref()];
    pipeline.bin().add_many(elements)?;
    gst::Element::link_many(elements)?;
    Ok((pipeline, bytes))
}

fn collecting(bytes: &Bytes) -> AppSink {
    let bytes = Arc::clone(bytes);
    let callbacks = AppSinkCallbacks::builder().new_sample(move |sink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let buffer = sample.buffer().ok_or(gst::FlowError::Error)?;
        let data = buffer.map_readable().map_err(|_| gst::FlowError::Error)?;
        bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&data);
        Ok(gst::FlowSuccess::Ok)
    });
    AppSink::builder().sync(false).callbacks(callbacks.build()).build()
}

/// At the end GStreamer's element asks OpenH264 for pictures it held back, which it never does, and OpenH264 writes an
/// error about that call on the daemon's log. The end goes around it.
fn spare_the_last_call(encode: &gst::Element) {
    let (Some(sink), Some(source)) = (encode.static_pad("sink"), encode.static_pad("src")) else { return };
    let source = source.downgrade();
    sink.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let ends = info.event().is_some_and(|event| event.type_() == gst::EventType::Eos);
        match source.upgrade().filter(|_| ends) {
            Some(source) => {
                source.push_event(gst::event::Eos::new());
                gst::PadProbeReturn::Handled
            }
            None => gst::PadProbeReturn::Ok,
        }
    });
}

#[cfg(test)]
mod tests {
    use gatepost_wire::Timestamp;

    use super::*;
    use crate::source::Clip;

    #[test]
    fn a_film_plays_shows_what_it_was_given_and_has_its_index_in_front() {
        gst::init().unwrap();
        let (width, height) = (98usize, 62usize);
        let mut film = Film::begin(width as u32, height as u32).unwrap();
        for i in 0..25u32 {
            let pixels = vec![(40 + 6 * i) as u8; 3 * width * height];
            film.push(RgbPicture { width, height, pixels }, i * Duration::from_millis(100)).unwrap();
        }
        let mp4 = film.finish().unwrap();
        let place = |kind: &[u8]| mp4.windows(4).position(|bytes| bytes == kind).unwrap();
        assert!(place(b"ftyp") < place(b"moov") && place(b"moov") < place(b"mdat"));
        let file = tempfile::Builder::new().suffix(".mp4").tempfile().unwrap();
        std::fs::write(file.path(), &mp4).unwrap();
        let mut clip = Clip::open(file.path(), Timestamp::UNIX_EPOCH).unwrap();
        let mut seen = 0u32;
        while let Some(frame) = clip.next_frame().unwrap() {
            assert_eq!((frame.width(), frame.height()), (width as u32, height as u32));
            assert_eq!(frame.at.as_millis().abs_diff(u128::from(100 * seen)) / 10, 0, "{:?}", frame.at);
            let value = frame.to_rgb().unwrap().pixels[3 * (width * height / 2)];
            assert!(value.abs_diff((40 + 6 * seen) as u8) < 8, "picture {seen}: {value}");
            seen += 1;
        }
        assert_eq!(seen, 25);
    }

    #[test]
    fn an_impossible_size_is_an_error_and_no_panic() {
        gst::init().unwrap();
        let mut film = Film::begin(2, 2).unwrap();
        let pushed = (0..20).try_for_each(|i| {
            let picture = RgbPicture { width: 2, height: 2, pixels: vec![0; 12] };
            film.push(picture, i * Duration::from_millis(100))
        });
        assert!(pushed.and_then(|()| film.finish()).is_err());
    }
}
