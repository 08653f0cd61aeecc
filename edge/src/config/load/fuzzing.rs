//! What a fuzzer does with configurations.

use std::path::Path;

use super::{ConfigError, parse, profile};

/// A box's configuration.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    stands_in(text, parse(text, Path::new("edge.toml")).map(drop));
}

/// A Modbus device's profile.
pub fn profile(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    stands_in(text, profile::parse(text, Path::new("profile.toml")).map(drop));
}

/// A fault is told at a line that is there.
fn stands_in(text: &str, read: Result<(), ConfigError>) {
    if let Err(ConfigError::Invalid { line, message, .. }) = read {
        assert!((1..=text.matches('\n').count() + 1).contains(&line), "line {line}");
        assert!(!message.is_empty());
    }
}
