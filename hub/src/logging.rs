//! Log lines on standard error, for eyes or for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat, LogLevel};

/// Begins to log.
pub fn start(log: &Log) {
    let level = match log.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    // Libraries speak up only when something is wrong; what they say of a client is debug for an operator.
    let others = match log.level {
        LogLevel::Debug => "info",
        LogLevel::Trace => "debug",
        _ => "error",
    };
    let filter = EnvFilter::new(format!("{others},gatepost_hub={level}"));
    let lines = tracing_subscriber::fmt()
        // It would complain of a log nobody reads any more to stderr, which is that log, and panic.
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Human => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().init(),
    }
}
