//! A hardware decoder that fails, as far as decodebin can tell: the camera must be seen all the same.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use gatepost_testbed::footage;
use gatepost_testbed::rtsp_camera::{Options, RtspCamera};
use gst::glib;
use gst::subclass::prelude::*;

use super::*;
use crate::clock::Clock;
use crate::source::{Attention, CameraGauge, Ring, RingLimits, Watch, watch};

const NAME: &str = "brokenh264dec";
/// Whatever else is decoded in this program at the same time has other sides: it must not meet the broken decoder.
const SIDES: (u32, u32) = (334, 250);

mod imp {
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// How many there ever were.
    pub static MADE: AtomicUsize = AtomicUsize::new(0);

    #[derive(Default)]
    pub struct Broken;

    #[glib::object_subclass]
    impl ObjectSubclass for Broken {
        const NAME: &'static str = "GatepostBrokenDecoder";
        type Type = super::Broken;
        type ParentType = gst::Element;
    }

    impl ObjectImpl for Broken {
        fn constructed(&self) {
            self.parent_constructed();
            MADE.fetch_add(1, Ordering::Relaxed);
            let [sink, source] = Self::pad_templates() else { unreachable!("two pads") };
            let sink = gst::Pad::builder_from_template(sink)
                .chain_function(|_, _, _| Err(gst::FlowError::Error))
                .build();
            let source = gst::Pad::from_template(source);
            self.obj().add_pad(&sink).unwrap();
            self.obj().add_pad(&source).unwrap();
        }
    }

    impl GstObjectImpl for Broken {}

    impl ElementImpl for Broken {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: OnceLock<gst::subclass::ElementMetadata> = OnceLock::new();
            Some(METADATA.get_or_init(|| {
                let klass = "Codec/Decoder/Video/Hardware";
                gst::subclass::ElementMetadata::new("Broken decoder", klass, "Fails", "Gatepost")
            }))
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: OnceLock<Vec<gst::PadTemplate>> = OnceLock::new();
            TEMPLATES.get_or_init(|| {
                let template = |name, direction, format: &str| {
                    let caps = gst::Caps::builder(format)
                        .field("width", SIDES.0 as i32)
                        .field("height", SIDES.1 as i32)
                        .build();
                    gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps).unwrap()
                };
                let sink = template("sink", gst::PadDirection::Sink, "video/x-h264");
                vec![sink, template("src", gst::PadDirection::Src, "video/x-raw")]
            })
        }
    }
}

glib::wrapper! {
    pub struct Broken(ObjectSubclass<imp::Broken>) @extends gst::Element, gst::Object;
}

#[test]
fn software_takes_over_from_hardware_that_fails() {
    gst::init().unwrap();
    gst::Element::register(None, NAME, gst::Rank::PRIMARY + 1000, Broken::static_type()).unwrap();
    let served = RtspCamera::serve(
        &footage::vtest().unwrap(),
        &Options { max_frames: Some(60), width: Some(SIDES.0), height: Some(SIDES.1), ..Options::default() },
    )
    .unwrap();
    let camera = toml::from_str(&format!("id = \"gate\"\nurl = {:?}", served.url())).unwrap();
    let gauge = Arc::new(CameraGauge::default());
    let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::clone(&gauge));
    let (frames, came) = mpsc::channel();
    let stopped = Arc::clone(&stop);
    let watching = std::thread::spawn(move || {
        watch(Watch {
            camera,
            gauge,
            attention: Arc::new(Attention::new(Duration::from_secs(10))),
            ring: Arc::new(Ring::new(RingLimits { span: Duration::from_secs(1), bytes: 1 << 20 })),
            clock: Arc::new(Clock::default()),
            stop: stopped,
            on_frame: move |_| {
                // Nobody waits for more than the first.
                let _ = frames.send(());
            },
            on_signal: |_| (),
        });
    });
    came.recv_timeout(Duration::from_secs(180)).expect("pictures, by software");
    assert!(imp::MADE.load(Ordering::Relaxed) > 1, "the hardware was tried first, and more than once");
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while seen.seen().decoder.is_none_or(|name| !name.contains("264") || name == NAME) {
        assert!(std::time::Instant::now() < deadline, "{:?}", seen.seen().decoder);
        std::thread::sleep(Duration::from_millis(20));
    }
    stop.store(true, Ordering::Relaxed);
    watching.join().unwrap();
}
