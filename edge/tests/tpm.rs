//! A box whose key is in a TPM, against a real hub and a real software TPM: the key is of use to that TPM alone.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "all of it is test code, helpers too")]

mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Output;
use std::time::Duration;

use gatepost_testbed::http::wait_until;
use gatepost_testbed::swtpm::Swtpm;
use gatepost_wire::EventId;
use serde_json::Value;
use support::SOON;
use support::edge::Edge;
use support::hub::{Hub, PANEL, PANEL_TOKEN, config, enrol, online};
use support::site::{Site, only_complaint};

/// The same configuration with another place for the key.
fn with_key(config: &str, key_store: &str, tcti: &str) -> String {
    let there = "key_store = \"file\"\n";
    assert!(config.contains(there));
    config.replace(there, &format!("key_store = {key_store:?}\ntpm = {tcti:?}\n"))
}

fn kept_key(site: &Site) -> String {
    let text = fs::read_to_string(site.data_dir.join("identity.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["key"].as_str().unwrap().to_owned()
}

fn is_in_tpm(key: &str) -> bool {
    key.starts_with("-----BEGIN TSS2 PRIVATE KEY-----\n")
}

fn said(done: &Output) -> String {
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout.clone()).unwrap()
}

/// What the box recorded of the fence.
fn alarms(edge: &Edge) -> Vec<EventId> {
    let recorded = edge.lines_with("recorded");
    let alarms = recorded.iter().filter(|line| line.field("kind").as_deref() == Some("sensor_alarm"));
    alarms.map(|line| line.field("event").unwrap().parse().unwrap()).collect()
}

/// The fence is tripped, or no longer: what the box recorded of it.
fn fence(edge: &Edge, is_tripped: bool) -> EventId {
    let before = alarms(edge).len();
    let address = edge.wait_for("panels may tell").field("address").unwrap();
    let body = format!("{{\"tripped\": {is_tripped}}}");
    let request = format!(
        "POST /v1/sensors/fence HTTP/1.1\r\nHost: box\r\nAuthorization: Bearer {PANEL_TOKEN}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    wait_until("the alarm to be recorded", SOON, || alarms(edge).get(before).copied()).unwrap()
}

fn wait_for_event(hub: &Hub, event: EventId) {
    let is_there = || {
        let page = hub.get("/api/v1/events?limit=1000");
        let mut ids =
            page["events"].as_array()?.iter().filter_map(|it| it["id"].as_str()?.parse::<EventId>().ok());
        ids.any(|id| id == event).then_some(())
    };
    wait_until("the event to be at the hub", SOON, is_there).unwrap();
}

fn wait_until_online(hub: &Hub) {
    wait_until("the box to be online", SOON, || online(hub)).unwrap();
}

#[test]
fn a_key_of_the_tpm_enrols_brings_events_survives_restarts_and_is_renewed() {
    let hub = Hub::start("certificate_valid_s = 30");
    let mut tpm = Swtpm::start().unwrap();
    let site = Site::new(1).table(PANEL);
    let config = with_key(&config(&site, &hub), "auto", &tpm.tcti());
    assert!(
        said(&site.call_with("check", &config)).contains("enrolling makes the key of this box in the TPM")
    );
    let enrolled = said(&enrol(&site, &config, &hub.call(&["device", "enrol", "gate-1"])));
    assert!(enrolled.contains("the key of this box is in the TPM"), "{enrolled}");
    let first = kept_key(&site);
    assert!(is_in_tpm(&first), "{first}");

    let mut edge = site.run_with(&config);
    edge.wait_for("the key of this box is in the TPM");
    wait_until_online(&hub);
    wait_for_event(&hub, fence(&edge, true));
    let health = || (hub.get("/api/v1/devices")["devices"][0]["health"]["key"] == "tpm").then_some(());
    wait_until("the box's health to say where its key is", SOON, health).unwrap();
    edge.terminate();

    // Both are switched off and on.
    tpm.restart().unwrap();
    let mut edge = site.run_with(&config);
    wait_until_online(&hub);
    wait_for_event(&hub, fence(&edge, true));
    edge.wait_for("the certificate is renewed");
    let second = kept_key(&site);
    assert!(is_in_tpm(&second) && second != first, "{second}");
    hub.daemon
        .wait_for_line(Duration::from_secs(60), |line| line.contains("its certificate has ended"))
        .unwrap();
    wait_until_online(&hub);
    wait_for_event(&hub, fence(&edge, false));
    edge.terminate();
}

#[test]
fn a_copy_of_the_disk_is_of_no_use_beside_another_tpm() {
    let hub = Hub::start("");
    let (own, other) = (Swtpm::start().unwrap(), Swtpm::start().unwrap());
    let site = Site::new(1).table(PANEL);
    let config = config(&site, &hub);
    let (at_own, at_other) = (with_key(&config, "tpm", &own.tcti()), with_key(&config, "tpm", &other.tcti()));
    said(&enrol(&site, &at_own, &hub.call(&["device", "enrol", "gate-1"])));
    let why = "made by another TPM";
    let complaint = only_complaint(&site.call_with("check", &at_other));
    assert!(complaint.contains(why) && complaint.contains("enrol the box again"), "{complaint}");

    let mut edge = site.run_with(&at_other);
    edge.wait_for(&format!("{why} than the one at {}", other.tcti()));
    let event = fence(&edge, true);
    let failed = wait_until("the uplink to say why", SOON, || {
        edge.lines_with("events wait in the outbox").into_iter().find(|line| line.message().contains(why))
    });
    assert!(failed.is_ok(), "{}", edge.log());
    assert!(online(&hub).is_none());
    edge.terminate();

    let mut edge = site.run_with(&at_own);
    wait_until_online(&hub);
    wait_for_event(&hub, event);
    edge.terminate();
}

#[test]
fn a_tpm_that_fails_costs_no_event() {
    let hub = Hub::start("");
    let mut tpm = Swtpm::start().unwrap();
    let site = Site::new(1).table(PANEL);
    let config = with_key(&config(&site, &hub), "auto", &tpm.tcti());
    said(&enrol(&site, &config, &hub.call(&["device", "enrol", "gate-1"])));
    tpm.kill().unwrap();
    let mut edge = site.run_with(&config);
    edge.wait_for(&format!("no TPM can be used at {}", tpm.tcti()));
    let event = fence(&edge, true);
    edge.assert_alive();
    assert!(online(&hub).is_none());
    tpm.restart().unwrap();
    wait_until_online(&hub);
    wait_for_event(&hub, event);
    edge.terminate();
}

#[test]
fn a_key_in_a_file_is_used_until_the_next_renewal_makes_one_in_the_tpm() {
    let hub = Hub::start("certificate_valid_s = 30");
    let tpm = Swtpm::start().unwrap();
    let site = Site::new(1).table(PANEL);
    let config = config(&site, &hub);
    let enrolled = said(&enrol(&site, &config, &hub.call(&["device", "enrol", "gate-1"])));
    assert!(enrolled.contains("the key of this box is in a file\n"), "{enrolled}");
    let mut edge = site.run_with(&with_key(&config, "auto", &tpm.tcti()));
    edge.wait_for("is in a file; the next renewal makes one in the TPM");
    wait_until_online(&hub);
    assert!(!is_in_tpm(&kept_key(&site)));
    edge.wait_for("the certificate is renewed");
    assert!(is_in_tpm(&kept_key(&site)));
    hub.daemon
        .wait_for_line(Duration::from_secs(60), |line| line.contains("its certificate has ended"))
        .unwrap();
    wait_until_online(&hub);
    edge.terminate();
}

#[test]
fn without_a_tpm_the_key_is_in_a_file_unless_it_must_not_be() {
    let site = Site::new(1).table(PANEL);
    site.write("panel.token", PANEL_TOKEN);
    let uplink = "[uplink]\nkey_store = \"file\"\nenrolment = \"https://127.0.0.1:1\"\n";
    let config = site.config_text().replace("[uplink]\n", uplink);
    let check = |key_store: &str, tcti: &str| site.call_with("check", &with_key(&config, key_store, tcti));
    let (none, some) = ("device:/nowhere/tpmrm0", Swtpm::start().unwrap());
    assert!(said(&check("auto", none)).contains("enrolling makes the key of this box in a file\n"));
    assert!(said(&check("auto", &some.tcti())).contains("enrolling makes the key of this box in the TPM\n"));
    assert!(said(&check("file", &some.tcti())).contains("enrolling makes the key of this box in a file\n"));
    let fallen = said(&check("auto", "swtpm:host=127.0.0.1,port=1"));
    assert!(fallen.contains("in a file (no TPM can be used at swtpm:host=127.0.0.1,port=1"), "{fallen}");

    let must = with_key(&config, "tpm", none);
    for command in ["check", "run"] {
        let refused = only_complaint(&site.call_with(command, &must));
        assert!(
            refused.contains("`uplink.key_store`") && refused.contains("switched off in the firmware"),
            "{refused}"
        );
    }
}
