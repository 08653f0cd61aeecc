//! Stand-ins of the outside world, for tests, benches and the demo: real servers and real processes, so
//! that what is tested is what runs on a site.
//!
//! - [`port`]: a free loopback port
//! - [`daemon`]: one of our daemons as a child process, with its log
//! - [`mosquitto`]: a real mosquitto broker that can be killed and started again
//! - [`rtsp_camera`]: a real RTSP server that plays a clip
//! - [`http`]: what a test needs of an HTTP client, and waiting with a deadline
//! - [`footage`]: where the test clip is
//!
//! Nothing here is linked into a daemon.

pub mod daemon;
pub mod error;
pub mod footage;
pub mod http;
mod log;
pub mod mosquitto;
pub mod port;
pub mod rtsp_camera;

pub use error::{Error, Result};
