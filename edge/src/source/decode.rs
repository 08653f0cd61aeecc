//! Decoding: encoded pictures in, pictures out, by whatever decoder this box has; its hardware's if there is one.

use std::path::Path;
use std::sync::{Arc, Mutex, Once, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};

use super::encoded::Encoded;
use super::pipeline::{Pipeline, PipelineError, link_when_added, to_element};

/// A decoder with more pictures than this before it is too slow for its camera: as many as a camera that wakes
/// brings along, and a second more.
const MOST_WAITING: u64 = 200;

/// Which decoders may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Whatever this box has, its hardware's first.
    Any,
    /// The hardware's has failed.
    Software,
}

/// A decoder with its pipeline, stopped when dropped.
struct Decoding {
    pipeline: Pipeline,
    sink: AppSink,
    decoder: Arc<Mutex<Option<gst::ElementFactory>>>,
}

impl Decoding {
    fn of(source: &gst::Element, choice: Choice) -> Result<Self, PipelineError> {
        static RANKED: Once = Once::new();
        RANKED.call_once(prefer_hardware);
        let pipeline = Pipeline::new();
        let decode = gst::ElementFactory::make("decodebin").build()?;
        if choice == Choice::Software {
            skip_hardware(&decode);
        }
        // No limit of size here: a decoder of GStreamer 1.22 that may not give what it has crashes. What a camera says is limited
        // before (`super::limits`).
        let pictures = gst::Caps::new_empty_simple("video/x-raw");
        let sink = AppSink::builder().caps(&pictures).sync(false).build();
        pipeline.bin().add_many([source, &decode, sink.upcast_ref()])?;
        source.link(&decode)?;
        link_when_added(&decode, to_element(sink.upcast_ref()));
        let decoder = Arc::new(Mutex::new(None));
        let found = Arc::clone(&decoder);
        pipeline.bin().connect_deep_element_added(move |_, _, element| {
            if let Some(factory) = prepare_decoder(element) {
                *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(factory);
            }
        });
        Ok(Self { pipeline, sink, decoder })
    }
}

/// Decodes what it is given, one picture after the other.
pub(super) struct LiveDecoder {
    decoding: Decoding,
    source: AppSrc,
}

impl LiveDecoder {
    /// A decoder that gives each picture to `take`, on GStreamer's thread, with the arrival of its access unit
    /// as its time stamp.
    pub fn start<F>(choice: Choice, take: F) -> Result<Self, PipelineError>
    where
        F: FnMut(gst::Sample) + Send + 'static,
    {
        let source = AppSrc::builder().format(gst::Format::Time).max_bytes(0).build();
        let decoding = Decoding::of(source.upcast_ref(), choice)?;
        let mut take = take;
        decoding.sink.set_callbacks(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    take(sink.pull_sample().map_err(|_| gst::FlowError::Eos)?);
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
        decoding.pipeline.play();
        Ok(Self { decoding, source })
    }

    /// Gives it a picture; false when it has more to do than it can and did not take it.
    pub fn push(&self, unit: &Encoded) -> bool {
        if self.source.current_level_buffers() > MOST_WAITING {
            return false;
        }
        // It refuses when its pipeline has failed, which is told on the bus.
        stamped(unit).is_some_and(|sample| self.source.push_sample(&sample).is_ok())
    }

    /// Waits for an error, at most for `timeout`.
    pub fn wait(&self, timeout: gst::ClockTime) -> Option<gst::Message> {
        self.decoding.pipeline.wait(timeout)
    }

    /// Name of the decoding element, once there is one.
    pub fn name(&self) -> Option<String> {
        self.factory().map(|factory| factory.name().into())
    }

    /// Is it this box's hardware that decodes?
    pub fn is_hardware(&self) -> bool {
        self.factory().is_some_and(|factory| is_hardware(&factory))
    }

    fn factory(&self) -> Option<gst::ElementFactory> {
        self.decoding.decoder.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The picture with its arrival as its time. Shares the bytes; only the times are ours.
fn stamped(unit: &Encoded) -> Option<gst::Sample> {
    let mut buffer = unit.buffer.copy();
    let times = buffer.get_mut()?;
    times.set_pts(gst::ClockTime::try_from(unit.at).ok());
    times.set_dts(None);
    Some(gst::Sample::builder().buffer(&buffer).caps(&unit.caps).build())
}

/// Decodes pictures that were kept, every one of them, as fast as they are pulled.
pub(super) struct KeptDecoder(Decoding);

impl KeptDecoder {
    /// The pictures must be of one format.
    pub fn start(units: &[Encoded]) -> Result<Self, PipelineError> {
        let source = AppSrc::builder().format(gst::Format::Time).max_bytes(0).build();
        let decoding = Decoding::of(source.upcast_ref(), Choice::Any)?;
        decoding.sink.set_max_buffers(2);
        decoding.pipeline.play();
        for sample in units.iter().filter_map(stamped) {
            // It refuses when its pipeline has failed, which is told on the bus.
            if source.push_sample(&sample).is_err() {
                break;
            }
        }
        let _ = source.end_of_stream();
        Ok(Self(decoding))
    }

    /// The next picture, if there is one within `timeout`.
    pub fn pull(&self, timeout: gst::ClockTime) -> Option<gst::Sample> {
        self.0.sink.try_pull_sample(timeout)
    }

    /// Waits for an error or the end, at most for `timeout`.
    pub fn wait(&self, timeout: gst::ClockTime) -> Option<gst::Message> {
        self.0.pipeline.wait(timeout)
    }
}

/// Decodes a file, every frame, as fast as it is pulled.
pub(super) struct FileDecoder(Decoding);

impl FileDecoder {
    pub fn start(file: &Path) -> Result<Self, PipelineError> {
        let source = gst::ElementFactory::make("filesrc").property("location", file).build()?;
        let decoding = Decoding::of(&source, Choice::Any)?;
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
