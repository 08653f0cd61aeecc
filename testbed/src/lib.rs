//! Stand-ins of the outside world, for tests, benches and the demo: real servers and real processes, so
//! that what is tested is what runs on a site.
//!
//! - [`port`]: a free loopback port
//! - [`daemon`]: one of our daemons as a child process, with its log
//! - [`usage`]: what a process used of the machine
//! - [`mosquitto`]: a real mosquitto broker that can be killed and started again
//! - [`postgres`]: a real PostgreSQL server that can be killed and started again
//! - [`swtpm`]: a TPM made of software
//! - [`proxy`]: a network that can fail
//! - [`rtsp_camera`]: a real RTSP server that plays a clip
//! - [`rtsp_relay`]: the line to that camera, which can alter its packets or let nothing through
//! - [`rogue_camera`]: whoever answers at a camera's address and means harm
//! - [`modbus_device`]: a Modbus device that can do wrong
//! - [`onvif_camera`]: a camera that tells of its own inputs
//! - [`serial_line`]: a serial line whose adapter can be unplugged
//! - [`account`]: a person who may ask a hub something
//! - [`oidc_provider`]: who vouches for people
//! - [`browser`]: what a browser does with cookies, redirections and forms
//! - [`http`]: what a test needs of an HTTP client, and waiting with a deadline
//! - [`metrics`]: what a daemon tells Prometheus
//! - [`footage`]: where the test clip is
//! - [`corpus`]: what the fuzzer's targets are fed again
//!
//! Nothing here is linked into a daemon.

pub mod account;
pub mod browser;
pub mod corpus;
pub mod daemon;
pub mod error;
pub mod footage;
pub mod http;
mod log;
pub mod metrics;
pub mod modbus_device;
pub mod mosquitto;
pub mod oidc_provider;
pub mod onvif_camera;
pub mod port;
pub mod postgres;
mod program;
pub mod proxy;
pub mod rogue_camera;
pub mod rtsp_camera;
pub mod rtsp_relay;
pub mod serial_line;
mod server;
pub mod swtpm;
pub mod usage;

pub use error::{Error, Result};
