//! Sources: where frames come from. A live camera or a clip in a file, both decoded by GStreamer into
//! [`Frame`]s. Frames meet the detector in [`Latest`], which keeps only the newest of each camera.
//!
//! A live camera's GStreamer runs in a process of its own, and so does that of clips of what a camera sent.
//!
//! A camera's pictures are received encoded, all of them; between receiving and decoding it is decided what is
//! worth decoding ([`Attention`]).

mod attention;
mod camera;
mod clip;
mod connection;
mod decode;
mod encoded;
mod fault;
mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gauge;
mod hint;
mod key_frame;
mod latest;
mod layout;
mod limits;
mod pipeline;
mod process;
mod rate;
mod receive;
mod replay;
mod ring;
mod rtp;
mod rtsp;
mod selection;

pub use attention::Attention;
pub use camera::{SignalChange, Watch, watch};
pub use clip::{Clip, ClipError};
pub use frame::{Frame, FrameError, RgbPicture};
pub use gauge::{CameraGauge, Seen};
pub use latest::Latest;
pub(crate) use pipeline::Pipeline;
pub use pipeline::PipelineError;
pub use process::run as run_process;
pub use rate::Rate;
pub use replay::{Replay, ReplayError};
pub use ring::{Cut, Ring, RingLimits};
