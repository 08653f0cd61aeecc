//! Sensors: fences, contacts, beams, smoke and water detectors. What each of them says becomes a [`Trip`].

mod trip;

pub use trip::{Change, Trip};
