//! `gatepost-hub device add`

use crate::process::{Home, command};

#[test]
fn a_token_is_shown_once_and_kept_as_a_hash() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    assert!(token.len() == 64 && token.chars().all(|c| c.is_ascii_hexdigit()), "{token}");
    let file = std::fs::read_to_string(home.data().join("devices.toml")).unwrap();
    assert!(file.contains("gate-1 = \"sha256:") && !file.contains(&token), "{file}");
    assert_ne!(home.add("gate-2"), token);

    let again = command(&["device", "add", "gate-1", "--config", &home.config()]);
    assert!(!again.status.success());
    let error = String::from_utf8(again.stderr).unwrap();
    assert!(error.contains("devices.toml") && error.contains("gate-1 is already there"), "{error}");
    let bad_name = command(&["device", "add", "Gate 1", "--config", &home.config()]);
    assert!(String::from_utf8(bad_name.stderr).unwrap().contains("not allowed in a name"));
}

#[test]
fn with_an_external_broker_devices_are_made_there() {
    let home = Home::with_broker("[broker]\nmode = \"external\"\nurl = \"mqtt://127.0.0.1:1883\"\n");
    let refused = command(&["device", "add", "gate-1", "--config", &home.config()]);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("broker.mode is \"external\""));
}
