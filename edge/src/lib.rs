//! The edge daemon's rooms, in the order data flows.
pub mod backoff;
pub mod clock;
pub mod config;
pub mod detect;
pub mod event;
pub mod evidence;
pub mod outbox;
pub mod privacy;
pub mod rule;
pub mod scene;
pub mod secret;
pub mod source;
pub mod track;
