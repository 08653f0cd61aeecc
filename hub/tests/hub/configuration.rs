//! A wrong configuration: one sentence with file, line and key, and nothing is started.

use crate::process::{Home, PATIENCE, PROGRAM, command};

#[test]
fn errors_name_file_line_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hub.toml");
    let path = file.display().to_string();
    for (text, line, key, problem) in [
        ("[web]\nlisen = \"127.0.0.1:80\"\n", 2, "web.lisen", "unknown field `lisen`, expected"),
        ("[log]\nlevel = \"loud\"\n", 2, "log.level", "unknown variant `loud`, expected one of `error`"),
        ("[web]\n\nlisten = \"0.0.0.0:80\"\n", 3, "web.listen", "people by `web.tls_listen`"),
        ("[broker]\nlisten = \"[::]:1883\"\n", 2, "broker.listen", "listen on 127.0.0.1"),
        (
            "[broker]\nmode = \"external\"\nurl = \"tcp://x\"\n",
            3,
            "broker.url",
            "mqtts://hub.example:8883 is needed",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        for verb in ["check", "run"] {
            let done = command(&[verb, "--config", &path]);
            let error = String::from_utf8(done.stderr).unwrap();
            assert!(!done.status.success());
            assert!(error.starts_with(&format!("gatepost-hub: {path}:{line}: `{key}`: ")), "{error}");
            assert!(error.contains(problem), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
    let missing = command(&["check", "--config", "/nowhere/hub.toml"]);
    assert!(
        String::from_utf8(missing.stderr)
            .unwrap()
            .starts_with("gatepost-hub: /nowhere/hub.toml: No such file")
    );
    let home = Home::embedded();
    std::fs::create_dir(home.data()).unwrap();
    std::fs::write(home.data().join("devices.toml"), "[devices]\n\"Gate 1\" = \"sha256:00\"\n").unwrap();
    let done = command(&["check", "--config", &home.config()]);
    let error = String::from_utf8(done.stderr).unwrap();
    assert!(error.contains("devices.toml:2:") && error.contains("not allowed in a name"), "{error}");
}

#[test]
fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let home = Home::with_broker(&format!("[broker]\nlisten = \"{address}\"\n"));
    let config = home.config();
    let mut hub =
        gatepost_testbed::daemon::Daemon::spawn(PROGRAM, ["run", "--config", config.as_str()]).unwrap();
    let status = hub.wait(PATIENCE).unwrap();
    assert!(!status.success());
    let log = hub.log();
    assert!(log.contains(&format!("broker.listen {address}: ")) && log.contains("in use"), "{log}");
}

#[test]
fn the_example_and_an_empty_file_are_good_and_mean_the_same() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/hub.example.toml");
    assert!(command(&["check", "--config", example]).status.success());
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("hub.toml");
    std::fs::write(&empty, "").unwrap();
    assert!(command(&["check", "--config", &empty.display().to_string()]).status.success());
}

#[test]
fn the_schema_knows_every_key_of_the_example() {
    let schema: serde_json::Value = serde_json::from_slice(&command(&["schema"]).stdout).unwrap();
    let example = include_str!("../../../config/hub.example.toml");
    let uncommented: String = example
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.contains(" = ") || rest.starts_with('['))
                .unwrap_or(line)
        })
        .filter(|line| !line.starts_with("mode = \"embedded\""))
        .map(|line| format!("{line}\n"))
        .collect();
    let table: toml::Table = uncommented.parse().unwrap();
    for (name, value) in &table {
        let one = &schema["properties"][name];
        let (keys, place) = match value {
            toml::Value::Table(keys) => (keys, one),
            toml::Value::Array(all) if all[0].is_table() => (all[0].as_table().unwrap(), &one["items"]),
            _ => {
                assert!(one.is_object(), "{name}");
                continue;
            }
        };
        // A table that may be missing is one of two things.
        let reference = place["$ref"].as_str().or_else(|| place["anyOf"][0]["$ref"].as_str());
        let reference = reference.unwrap().trim_start_matches('#');
        let properties = &schema.pointer(reference).unwrap()["properties"];
        for key in keys.keys() {
            assert!(properties[key].is_object(), "{name}.{key}");
        }
        assert_eq!(
            properties.as_object().unwrap().len(),
            keys.len(),
            "the example shows every key of [{name}]"
        );
    }
}
