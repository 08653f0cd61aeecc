//! An incident is put aside until a moment: nobody is reminded of it meanwhile, and then it waits again.

use gatepost_testbed::http;
use gatepost_wire::{Severity, Timestamp};
use serde_json::{Value, json};

use crate::deadline::open;
use crate::incident::Person;
use crate::process::{Home, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shelved_rests_until_its_end_and_then_somebody_is_reminded() {
    let home = Home::with_broker(
        "[broker]\nlisten = \"127.0.0.1:0\"\n[incident_deadlines]\nreported_s = [4, 4, 4, 4]\n",
    );
    let token = home.add("gate-1");
    let hub = home.start();
    let operator = Person::new(&home, &hub, "wang", &["--role", "operator"]);
    let handler = Person::new(&home, &hub, "zhao", &["--role", "handler"]);
    let id = open(&hub, "gate-1", &token, Severity::HIGH, 1).await;
    let due: Timestamp = operator.incident(&id)["due"].as_str().unwrap().parse().unwrap();
    let until = due + jiff::SignedDuration::from_secs(3);
    let shelve = |until: Timestamp| json!({ "action": "shelve", "until": until, "text": "油漆工到中午" });
    for (step, status, parameter) in [
        (shelve(Timestamp::now() - jiff::SignedDuration::from_secs(1)), 400, "until"),
        (shelve(Timestamp::now() + jiff::SignedDuration::from_hours(24 * 365)), 400, "until"),
        (json!({ "action": "shelve", "until": until }), 400, "text"),
        (json!({ "action": "unshelve" }), 409, "stage"),
    ] {
        let answer = operator.step(&id, step.clone());
        assert_eq!(answer.status, status, "{step}: {}", answer.text());
        assert!(answer.text().contains(parameter), "{step}: {}", answer.text());
    }
    assert_eq!(handler.step(&id, shelve(until)).status, 404, "it is not theirs");
    let shelved = operator.takes(&id, shelve(until));
    assert_eq!((&shelved["shelved_until"], &shelved["stage"]), (&json!(until), &json!("reported")));
    let may = shelved["may"].as_array().unwrap();
    assert!(may.contains(&json!("unshelve")) && !may.contains(&json!("shelve")), "{may:?}");
    assert_eq!(operator.step(&id, shelve(until)).status, 409, "once");

    let reminded = http::wait_until("the reminder", PATIENCE, || {
        let incident = operator.incident(&id);
        let overdue = incident["overdue"] == true;
        assert!(!overdue || Timestamp::now() >= until, "it is late only when it is taken up again");
        (overdue && incident["version"] == 3).then_some(incident)
    });
    assert_eq!(reminded.unwrap()["shelved_until"], Value::Null);
    // Put aside again, and taken up by hand.
    let later = Timestamp::now() + jiff::SignedDuration::from_hours(1);
    assert_eq!(operator.takes(&id, shelve(later))["overdue"], false);
    assert_eq!(operator.takes(&id, json!({ "action": "unshelve" }))["overdue"], true);
    let timeline: Value = operator.get(&format!("/api/v1/incidents/{id}/timeline")).json().unwrap();
    let steps = timeline["steps"].as_array().unwrap();
    let actions: Vec<&Value> = steps.iter().map(|step| &step["action"]).collect();
    assert_eq!(actions, ["open", "shelve", "remind", "shelve", "unshelve"]);
    assert_eq!(
        (&steps[1]["detail"], &steps[1]["text"]),
        (&json!({ "until": until }), &json!("油漆工到中午"))
    );
    let at: Timestamp = steps[2]["time"].as_str().unwrap().parse().unwrap();
    assert!(at >= until, "{timeline}");
}
