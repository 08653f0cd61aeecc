//! A restart of all hubs, one after the other, while boxes go on.

use serde_json::json;

use crate::district::{District, Storm, wait_for_events};
use crate::external::connected;
use crate::process::{Hub, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn both_are_restarted_one_after_the_other_under_load_and_nothing_is_lost_or_doubled() {
    let boxes = ["gate-1", "gate-2", "gate-3", "gate-4"];
    let district = District::new();
    let [mut one, mut two] = district.start();
    let storm = Storm::of(&district.broker, &boxes);
    one.wait_for_log(&["stored", "/event"]);
    two.wait_for_log(&["stored", "/event"]);
    for _ in 0..2 {
        one = restart(one, || district.homes[0].start());
        two = restart(two, || district.homes[1].start_beside(&district.homes[0]));
    }
    one.wait_for_log(&["stored", "/event"]);
    two.wait_for_log(&["stored", "/event"]);
    let sent = storm.end().await;
    wait_for_events(&one, &sent);
    wait_for_events(&two, &sent);
    for name in boxes {
        assert_eq!(two.device(name).unwrap()["missing"], json!([]));
    }
    let grouped =
        || (district.query("SELECT count(*) FROM incident_alarm") == sent.len().to_string()).then_some(());
    gatepost_testbed::http::wait_until("all alarms in incidents", PATIENCE, grouped).unwrap();
    assert_eq!(
        district.query("SELECT count(*) FROM incident"),
        boxes.len().to_string(),
        "one place, one incident"
    );
    district.verify_timeline();
}

/// As a supervisor of services does it: SIGTERM, an end by itself, and a start.
fn restart(mut hub: Hub, start: impl FnOnce() -> Hub) -> Hub {
    assert!(hub.daemon.terminate(PATIENCE).unwrap().success());
    let hub = start();
    connected(&hub);
    hub
}
