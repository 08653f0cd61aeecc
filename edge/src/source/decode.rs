//! Decoding: encoded pictures in, pictures out, by whatever decoder this box has; its hardware's if there is one.

use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use gstreamer_video::{VideoFrame, VideoInfo};

use super::Rate;
use super::fault::explain;
use super::layout::Layout;
use super::pipeline::{End, Pipeline, PipelineError, link_when_added, to_element};
use super::process::{Decoders, Report, Reports, Wanted};

/// A decoder with more pictures than this before it is too slow for its camera: as many as a camera that wakes
/// brings along, and a second more.
const MOST_WAITING: u64 = 200;
/// The same in bytes, and the largest picture beside it.
const MOST_WAITING_BYTES: u64 = 32 << 20;

/// A decoder with its pipeline, stopped when dropped.
struct Decoding {
    pipeline: Pipeline,
    sink: AppSink,
}

impl Decoding {
    fn of<F>(source: &gst::Element, decoders: Decoders, found: F) -> Result<Self, PipelineError>
    where
        F: Fn(&gst::ElementFactory) + Send + Sync + 'static,
    {
        static RANKED: Once = Once::new();
        RANKED.call_once(prefer_hardware);
        let pipeline = Pipeline::new();
        let decode = gst::ElementFactory::make("decodebin").build()?;
        if decoders == Decoders::Software {
            skip_hardware(&decode);
        }
        // No limit of size here: a decoder of GStreamer 1.22 that may not give what it has crashes. What a camera says is limited
        // before (`super::limits`).
        let pictures = gst::Caps::new_empty_simple("video/x-raw");
        let sink = AppSink::builder().caps(&pictures).sync(false).build();
        pipeline.bin().add_many([source, &decode, sink.upcast_ref()])?;
        source.link(&decode)?;
        link_when_added(&decode, to_element(sink.upcast_ref()));
        pipeline.bin().connect_deep_element_added(move |_, _, element| {
            if let Some(factory) = prepare_decoder(element) {
                found(&factory);
            }
        });
        Ok(Self { pipeline, sink })
    }
}

/// Decodes encoded pictures one after the other and tells what comes out, with the arrival of its access unit as each
/// picture's time.
pub(super) struct LiveDecoder {
    /// Runs for as long as this lives.
    _decoding: Decoding,
    source: AppSrc,
    wanted: Wanted,
    reports: Arc<Reports>,
    /// Of the last picture.
    caps: Option<(String, gst::Caps)>,
    /// Has left out something that what follows depends on.
    behind: bool,
}

impl LiveDecoder {
    pub fn start(wanted: Wanted, reports: &Arc<Reports>) -> Result<Self, PipelineError> {
        let source = AppSrc::builder().format(gst::Format::Time).max_bytes(0).build();
        let decoders = match wanted {
            Wanted::Live { decoders, .. } => decoders,
            Wanted::Kept => Decoders::Any,
        };
        let tell = Arc::clone(reports);
        let decoding = Decoding::of(source.upcast_ref(), decoders, move |factory| {
            let (name, hardware) = (factory.name().into(), is_hardware(factory));
            tell.tell(&Report::DecoderIs { name, hardware });
        })?;
        let tell = Arc::clone(reports);
        decoding.pipeline.when_it_ends(move |end| {
            tell.tell(&match end {
                End::Failed(error) => Report::DecoderFailed(explain(error)),
                End::Reached => Report::DecoderEnded,
            });
        });
        let mut pictures = Pictures::of(wanted, Arc::clone(reports));
        decoding.sink.set_callbacks(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    pictures.take(&sink.pull_sample().map_err(|_| gst::FlowError::Eos)?);
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
        decoding.pipeline.play();
        Ok(Self {
            _decoding: decoding,
            source,
            wanted,
            reports: Arc::clone(reports),
            caps: None,
            behind: false,
        })
    }

    /// Gives it a picture. A live decoder that has more to do than it can leaves it out, and what depends on it.
    pub fn push(&mut self, format: &str, key: bool, at: Duration, picture: Vec<u8>) {
        let too_much = self.source.current_level_buffers() > MOST_WAITING
            || self.source.current_level_bytes() > MOST_WAITING_BYTES;
        if too_much && self.wanted != Wanted::Kept {
            self.behind = true;
            self.reports.tell(&Report::Behind);
        }
        self.behind &= !key;
        if self.behind {
            return;
        }
        // It refuses when its pipeline has failed, which is told already.
        if let Some(sample) = self.sample(format, key, at, picture) {
            let _ = self.source.push_sample(&sample);
        }
    }

    fn sample(&mut self, format: &str, key: bool, at: Duration, picture: Vec<u8>) -> Option<gst::Sample> {
        if self.caps.as_ref().is_none_or(|(last, _)| last != format) {
            self.caps = Some((format.to_owned(), format.parse().ok()?));
        }
        let (_, caps) = self.caps.as_ref()?;
        let mut buffer = gst::Buffer::from_mut_slice(picture);
        let head = buffer.get_mut()?;
        head.set_pts(gst::ClockTime::try_from(at).ok());
        if !key {
            head.set_flags(gst::BufferFlags::DELTA_UNIT);
        }
        Some(gst::Sample::builder().buffer(&buffer).caps(caps).build())
    }

    /// That was the last picture.
    pub fn end(&self) {
        // It refuses when its pipeline has failed, which is told already.
        let _ = self.source.end_of_stream();
    }
}

/// Tells of decoded pictures, and shows those that are wanted.
struct Pictures {
    rate: Rate,
    last: Duration,
    reports: Arc<Reports>,
    /// Of the last one, in case the next is like it.
    spare: Option<gst::Buffer>,
}

impl Pictures {
    fn of(wanted: Wanted, reports: Arc<Reports>) -> Self {
        let rate = match wanted {
            Wanted::Live { every, .. } => Rate::of_arrivals(every),
            Wanted::Kept => Rate::of_clip(Duration::ZERO),
        };
        Self { rate, last: Duration::ZERO, reports, spare: None }
    }

    fn take(&mut self, sample: &gst::Sample) {
        let came = sample.buffer().and_then(|buffer| buffer.pts()).map(Duration::from);
        // Pictures that were sent in another order than they are shown came in another order too.
        self.last = came.map_or(self.last, |came| came.max(self.last));
        if !self.rate.takes(self.last) || self.show(sample).is_none() {
            self.reports.tell(&Report::Decoded { at: self.last });
        }
    }

    /// Decoders leave gaps between rows; without them a picture's format says all there is to know.
    fn show(&mut self, sample: &gst::Sample) -> Option<()> {
        let (came, buffer) = (VideoInfo::from_caps(sample.caps()?).ok()?, sample.buffer_owned()?);
        let layout = Layout::of(&came);
        let info = layout.info().ok()?;
        let spare = self.spare.take().filter(|spare| spare.size() == info.size());
        let packed = spare.map_or_else(|| gst::Buffer::with_size(info.size()), Ok).ok()?;
        let mut packed = VideoFrame::from_buffer_writable(packed, &info).ok()?;
        VideoFrame::from_buffer_readable(buffer, &came).ok()?.copy(&mut packed).ok()?;
        let packed = packed.into_buffer();
        let report = Report::Picture { layout, at: self.last };
        self.reports.tell_with(&report, &packed.map_readable().ok()?);
        self.spare = Some(packed);
        Some(())
    }
}

/// Decodes a file, every frame, as fast as it is pulled.
pub(super) struct FileDecoder(Decoding);

impl FileDecoder {
    pub fn start(file: &Path) -> Result<Self, PipelineError> {
        let source = gst::ElementFactory::make("filesrc").property("location", file).build()?;
        let decoding = Decoding::of(&source, Decoders::Any, |_| ())?;
        decoding.sink.set_max_buffers(4);
        decoding.pipeline.play();
        Ok(Self(decoding))
    }

    /// The next picture, if there is one within `timeout`.
    pub fn pull(&self, timeout: gst::ClockTime) -> Option<gst::Sample> {
        self.0.sink.try_pull_sample(timeout)
    }

    /// Waits for an error or the end of the file, at most for `timeout`.
    pub fn wait(&self, timeout: gst::ClockTime) -> Option<gst::Message> {
        self.0.pipeline.wait(timeout)
    }
}

/// Lets decodebin pass over the hardware's decoders.
fn skip_hardware(decode: &gst::Element) {
    decode.connect("autoplug-select", false, |values| {
        let factory = values.get(3)?.get::<gst::ElementFactory>().ok()?;
        let answer = if is_decoder(&factory) && is_hardware(&factory) { "skip" } else { "try" };
        let answers = gst::glib::Type::from_name("GstAutoplugSelectResult")?;
        gst::glib::EnumClass::with_type(answers)?.to_value_by_nick(answer)
    });
}

/// Sets up a video decoder and returns what it is; none for any other element.
fn prepare_decoder(element: &gst::Element) -> Option<gst::ElementFactory> {
    let factory = element.factory()?;
    if !is_decoder(&factory) {
        return None;
    }
    if factory.name().starts_with("avdec_") && element.has_property("max-threads") {
        // Frame threads would hold back as many pictures as there are threads, and cameras are many anyway.
        element.set_property("max-threads", 1i32);
    }
    Some(factory)
}

fn is_decoder(factory: &gst::ElementFactory) -> bool {
    // Decoders of JPEG call themselves decoders of images.
    let pictures = gst::ElementFactoryType::MEDIA_VIDEO | gst::ElementFactoryType::MEDIA_IMAGE;
    factory.has_type(gst::ElementFactoryType::DECODER | pictures)
}

/// Lets hardware decoders be tried before all others: some plugins leave themselves behind the software.
/// `GST_PLUGIN_FEATURE_RANK` still has the last word, for a board whose decoder is broken.
fn prefer_hardware() {
    let chosen = std::env::var("GST_PLUGIN_FEATURE_RANK").unwrap_or_default();
    let first = gst::Rank::PRIMARY + 64;
    let decoders =
        gst::ElementFactory::factories_with_type(gst::ElementFactoryType::DECODER, gst::Rank::NONE);
    for factory in decoders.iter().filter(|factory| is_decoder(factory)) {
        let named = chosen.split(',').any(|rule| rule.split(':').next() == Some(factory.name().as_str()));
        if is_hardware(factory) && factory.rank() < first && !named {
            factory.set_rank(first);
        }
    }
}

fn is_hardware(factory: &gst::ElementFactory) -> bool {
    is_of_hardware(&factory.name(), factory.klass())
}

/// By its name or what it says it is: Rockchip's keep it to themselves.
fn is_of_hardware(name: &str, klass: &str) -> bool {
    klass.split('/').any(|part| part == "Hardware") || name.starts_with("mpp")
}

#[cfg(test)]
mod broken;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_is_known() {
        assert!(is_of_hardware("v4l2slh264dec", "Codec/Decoder/Video/Hardware"));
        assert!(is_of_hardware("mpph264dec", "Codec/Decoder/Video"));
        assert!(!is_of_hardware("avdec_h264", "Codec/Decoder/Video"));
    }
}
