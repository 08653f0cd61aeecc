//! What the edge's integration tests share: a box with its configuration, a listener on the broker, and
//! ways to look at pictures.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

pub mod edge;
pub mod hub;
pub mod listener;
pub mod model;
pub mod picture;
pub mod site;
pub mod small_disk;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use gatepost_testbed::footage;
use gatepost_testbed::rtsp_camera::{Join, Options, RtspCamera};

/// What should come soon; long, because test machines are small and busy.
pub const SOON: Duration = Duration::from_secs(60);
/// What takes a round of the clip or several reconnections.
pub const LATER: Duration = Duration::from_secs(180);

static MACHINE: RwLock<()> = RwLock::new(());

/// Alone on the machine, for a test that measures how soon something happens: several detectors at once starve
/// each other on a small one.
pub fn turn() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

/// Beside others that only wait for things to happen.
pub fn beside() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// The pedestrian clip as a camera, from its beginning for each client.
pub fn pedestrians() -> RtspCamera {
    camera(Options::default())
}

/// The pedestrian clip as a camera of other options.
pub fn camera(options: Options) -> RtspCamera {
    let clip = footage::vtest().expect("run `setup/install.sh all` first");
    RtspCamera::serve(&clip, &Options { join: Join::Beginning, ..options }).unwrap()
}
