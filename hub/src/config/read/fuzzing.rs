//! What a fuzzer does with configurations.

use std::path::Path;

use super::{ConfigError, parse, read_toml};
use crate::config::{Broker, DevicesFile};

/// A hub's configuration, or its list of devices. No file that it names is looked at.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = parse(text, Path::new("hub.toml"), |_| Ok("a secret\n".into()));
    if let Ok(config) = &read
        && let Broker::External(broker) = &config.broker
    {
        assert!(!format!("{broker:?}").contains("a secret"));
    }
    stands_in(text, read.map(drop));
    stands_in(text, read_toml::<DevicesFile>(Path::new("devices.toml"), text).map(drop));
}

/// A fault is told at a line that is there.
fn stands_in(text: &str, read: Result<(), ConfigError>) {
    if let Err(ConfigError::Wrong { line, problem, .. }) = read {
        assert!((1..=text.matches('\n').count() + 1).contains(&line), "line {line}");
        assert!(!problem.is_empty());
    }
}
