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

/// A decoder with its pipeline, stopped when dropped.
struct Decoding {
    pipeline: Pipeline,
    sink: AppSink,
    name: Arc<Mutex<Option<String>>>,
}

impl Decoding {
    fn of(source: &gst::Element) -> Result<Self, PipelineError> {
        static RANKED: Once = Once::new();
        RANKED.call_once(prefer_hardware);
        let pipeline = Pipeline::new();
        let decode = gst::ElementFactory::make("decodebin").build()?;
        let sink = AppSink::builder().caps(&gst::Caps::new_empty_simple("video/x-raw")).sync(false).build();
        pipeline.bin().add_many([source, &decode, sink.upcast_ref()])?;
        source.link(&decode)?;
        link_when_added(&decode, to_element(sink.upcast_ref()));
        let name = Arc::new(Mutex::new(None));
        let found = Arc::clone(&name);
        pipeline.bin().connect_deep_element_added(move |_, _, element| {
            if let Some(name) = prepare_decoder(element) {
                *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(name);
            }
        });
        Ok(Self { pipeline, sink, name })
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
    pub fn start<F>(take: F) -> Result<Self, PipelineError>
    where
        F: FnMut(gst::Sample) + Send + 'static,
    {
        let source = AppSrc::builder().format(gst::Format::Time).max_bytes(0).build();
        let decoding = Decoding::of(source.upcast_ref())?;
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
        self.decoding.name.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
        let decoding = Decoding::of(source.upcast_ref())?;
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
        let decoding = Decoding::of(&source)?;
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

/// Sets up a video decoder and returns its name; none for any other element.
fn prepare_decoder(element: &gst::Element) -> Option<String> {
    let factory = element.factory()?;
    if !is_decoder(&factory) {
        return None;
    }
    if factory.name().starts_with("avdec_") && element.has_property("max-threads") {
        // Frame threads would hold back as many pictures as there are threads, and cameras are many anyway.
        element.set_property("max-threads", 1i32);
    }
    Some(factory.name().into())
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
    let decoders =
        gst::ElementFactory::factories_with_type(gst::ElementFactoryType::DECODER, gst::Rank::NONE);
    for factory in decoders.iter().filter(|factory| is_decoder(factory)) {
        let named = chosen.split(',').any(|rule| rule.split(':').next() == Some(factory.name().as_str()));
        if let Some(rank) = hardware_rank(factory.klass(), factory.rank())
            && !named
        {
            factory.set_rank(rank);
        }
    }
}

/// The rank a decoder should have; none if the one it has is right.
fn hardware_rank(klass: &str, rank: gst::Rank) -> Option<gst::Rank> {
    let wanted = gst::Rank::PRIMARY + 64;
    (klass.split('/').any(|part| part == "Hardware") && rank < wanted).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_comes_first() {
        let avdec = gst::Rank::PRIMARY;
        let raised = hardware_rank("Codec/Decoder/Video/Hardware", gst::Rank::NONE).unwrap();
        assert!(raised > avdec);
        assert_eq!(hardware_rank("Codec/Decoder/Video", avdec), None);
        assert_eq!(hardware_rank("Codec/Decoder/Video/Hardware", gst::Rank::PRIMARY + 100), None);
    }
}
