//! Gatepost's hub: takes events from edges over MQTT, keeps each exactly once, shows live alerts.
//!
//! The rooms in the order a message passes them: [`config`], [`broker`], [`intake`], [`store`] with [`alarm`],
//! [`device`] and [`evidence`], beside it [`attachment`], both [`durable`], [`live`], [`web`] with [`export`]; [`command`] goes the other way, [`authority`], [`tls`] and [`enrolment`] say
//! who may come in, [`oidc`] asks a provider who somebody is, [`webhook`] tells other programs, both through [`outbound`]; [`retention`] takes away what is over unless it is on [`hold`], [`viewing`] says why pictures are looked at;
//! [`plan`] shows where things are; [`telemetry`] remembers how boxes fare, [`metrics`] and [`traces`] say how all of it fares; [`backup`] keeps a copy; [`daemon`] wires them. A library, so that benches and fuzz targets reach the rooms; `main.rs` is its command line.

pub mod access;
pub mod alarm;
pub mod alert;
pub mod attachment;
pub mod authority;
pub mod backup;
pub mod broker;
pub mod command;
pub mod config;
pub mod daemon;
pub mod device;
pub mod durable;
pub mod enrolment;
pub mod evidence;
pub mod export;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod hold;
pub mod incident;
pub mod intake;
pub mod limits;
pub mod live;
pub mod logging;
pub mod metrics;
pub mod oidc;
pub mod outbound;
pub mod plan;
pub mod retention;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod traces;
pub mod viewing;
pub mod web;
pub mod webhook;
