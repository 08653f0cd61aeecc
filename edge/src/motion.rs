//! Motion: what changes in a camera's picture, seen on a small grey copy of it that costs almost nothing.
//! While nothing moves the detector is spared.

mod background;
mod blobs;
mod gate;
mod left;
mod pace;
mod thumbnail;

pub use gate::{Gate, Motion};
pub use left::Left;
pub use pace::{Look, Pace};
pub use thumbnail::{Thumbnail, ThumbnailError, Thumbnailer};

/// OpenCV refused a picture.
#[derive(Debug, thiserror::Error)]
#[error("motion cannot be judged: {0}")]
pub struct MotionError(#[from] opencv::Error);

#[cfg(test)]
pub(crate) mod footage;
#[cfg(test)]
mod tests;
