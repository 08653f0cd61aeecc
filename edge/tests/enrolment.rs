//! A box becomes known to a real hub: by a code, once; its events travel by TLS, its certificate is renewed, the hub's signed
//! orders are carried out, and a revocation shuts it out.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "all of it is test code, helpers too")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use gatepost_testbed::http::{self, wait_until};
use serde_json::{Value, json};
use support::SOON;
use support::hub::{Hub, PANEL, config, enrol, online, refusal};
use support::site::Site;

#[test]
fn a_box_enrols_once_renews_obeys_signed_orders_and_is_shut_out() {
    let hub = Hub::start("certificate_valid_s = 30");
    let site = Site::new(1).table(PANEL);
    let config = config(&site, &hub);
    let mut edge = site.run_with(&config);
    edge.wait_for("gatepost-hub device enrol gate-1");

    // While the daemon runs: a technician enrols when everything else works.
    let code = hub.call(&["device", "enrol", "gate-1"]);
    let done = enrol(&site, &config, &code);
    assert!(done.status.success(), "{done:?}");
    wait_until("the box to be online", SOON, || online(&hub)).unwrap();
    let identity = site.data_dir.join("identity.json");
    assert_eq!(fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    let first = fs::read(&identity).unwrap();
    assert!(refusal(&enrol(&site, &config, &code)).contains("already"));
    assert_eq!(fs::read(&identity).unwrap(), first, "a refusal costs nothing");

    let order = json!({
        "edge": "gate-1", "why": "evening",
        "order": { "kind": "set_mode", "area": "yard", "mode": { "name": "maintenance", "for_s": 60 } },
    });
    let url = format!("{}/api/v1/commands", hub.address("web listening"));
    let given: Value = http::post_json(&url, &order).unwrap().json().unwrap();
    let path = format!("/api/v1/commands/{}", given["id"].as_str().unwrap());
    wait_until("the order to be carried out", SOON, || (hub.get(&path)["state"] == "done").then_some(()))
        .unwrap();

    edge.wait_for("the certificate is renewed");
    assert_ne!(fs::read(&identity).unwrap(), first);
    // The first certificate ends, the box comes back by the second.
    hub.daemon
        .wait_for_line(Duration::from_secs(60), |line| line.contains("its certificate has ended"))
        .unwrap();
    wait_until("the box to be online again", SOON, || online(&hub)).unwrap();

    hub.call(&["device", "revoke", "gate-1"]);
    hub.daemon.wait_for_line(SOON, |line| line.contains("device refused")).unwrap();
    wait_until("the box to be offline", SOON, || online(&hub).is_none().then_some(())).unwrap();
    let again = enrol(&site, &config, &hub.call(&["device", "enrol", "gate-1"]));
    assert!(again.status.success(), "{again:?}");
    wait_until("the box to be back", SOON, || online(&hub)).unwrap();
    edge.terminate();
}

#[test]
fn a_code_is_brought_to_its_own_hub_or_nowhere() {
    let (hub, other) = (Hub::start(""), Hub::start(""));
    let site = Site::new(1).table(PANEL);
    let config = config(&site, &hub);
    let foreign = other.call(&["device", "enrol", "gate-1"]);
    let refused = refusal(&enrol(&site, &config, &foreign));
    assert!(refused.contains("not the hub the code comes from"), "{refused}");
    assert!(refusal(&enrol(&site, &config, "hunter2\n")).contains("26 letters and digits"));
    let others = hub.call(&["device", "enrol", "gate-2"]);
    assert!(refusal(&enrol(&site, &config, &others)).contains("no such code for gate-1"));
    let wrong_name = config.replace("https://localhost", "https://127.0.0.1");
    let code = hub.call(&["device", "enrol", "gate-1"]);
    let refused = refusal(&enrol(&site, &wrong_name, &code));
    assert!(refused.contains("127.0.0.1") && !refused.contains(code.trim()), "{refused}");
    assert!(!site.data_dir.join("identity.json").exists());
    assert!(enrol(&site, &config, &code).status.success(), "none of this has spent the code");
    let checked = site.call_with("check", &config);
    assert!(checked.status.success(), "{checked:?}");

    let renamed = config.replace("edge = \"gate-1\"", "edge = \"gate-9\"");
    let refused = refusal(&site.call_with("check", &renamed));
    assert!(refused.contains("identity of gate-1"), "{refused}");
}
