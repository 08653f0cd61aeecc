//! The real hub as a process, real brokers, real MQTT, real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "all of it is test code, helpers too")]

mod access;
mod accessible;
mod api;
mod backup;
mod batch;
mod client;
mod clip;
mod command;
mod configuration;
mod deadline;
mod device;
mod disk;
mod edge;
mod events;
mod evidence;
mod export;
mod external;
mod hold;
mod hostile;
mod identity;
mod incident;
mod kill;
mod kinds;
mod live;
mod markup;
mod message;
mod metrics;
mod original;
mod page;
mod process;
mod refusal;
mod replicas;
mod telemetry;
mod viewing;
mod webhook;
