//! Sources: where frames come from. A live camera over RTSP or a clip in a file, both decoded by GStreamer
//! into [`Frame`]s. Frames meet the detector in [`Latest`], which keeps only the newest of each camera.

mod camera;
mod clip;
mod fault;
mod frame;
mod latest;
mod pipeline;

pub use camera::{CameraGauge, SignalChange, Watch, watch};
pub use clip::{Clip, ClipError};
pub use frame::{Frame, FrameError, RgbPicture};
pub use latest::Latest;
