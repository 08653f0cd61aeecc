//! An incident is given to a handler, who may give it back.

use gatepost_wire::Severity;
use serde_json::{Value, json};

use crate::deadline::open;
use crate::incident::Person;
use crate::process::Home;

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_gives_it_back_and_says_why() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let operator = Person::new(&home, &hub, "wang", &["--role", "operator"]);
    let handler = Person::new(&home, &hub, "zhao", &["--role", "handler"]);
    let id = open(&hub, "gate-1", &token, Severity::HIGH, 1).await;
    let assign = json!({ "action": "assign", "to": "zhao" });
    operator.takes(&id, assign.clone());
    assert_eq!(operator.step(&id, json!({ "action": "return", "text": "x" })).status, 403);
    let silent = handler.step(&id, json!({ "action": "return" }));
    assert!(silent.status == 400 && silent.text().contains("text"), "{}", silent.text());
    let back = handler.takes(&id, json!({ "action": "return", "text": "不是我的片区 <b>" }));
    assert_eq!((&back["stage"], &back["assignee"]), (&json!("triaged"), &Value::Null));
    assert_eq!(handler.list("mine=true"), Vec::<Value>::new());
    // Also after it was accepted, but not once it is being handled.
    operator.takes(&id, assign.clone());
    handler.takes(&id, json!({ "action": "accept" }));
    handler.takes(&id, json!({ "action": "return", "text": "the car is broken" }));
    operator.takes(&id, assign);
    handler.takes(&id, json!({ "action": "accept" }));
    handler.takes(&id, json!({ "action": "begin" }));
    assert_eq!(handler.step(&id, json!({ "action": "return", "text": "x" })).status, 409);
    let timeline: Value = operator.get(&format!("/api/v1/incidents/{id}/timeline")).json().unwrap();
    let said: Vec<(&Value, &Value)> = timeline["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["action"] == "return")
        .map(|step| (&step["who"], &step["text"]))
        .collect();
    let who = json!("zhao (zhao)");
    assert_eq!(said, [(&who, &json!("不是我的片区 <b>")), (&who, &json!("the car is broken"))]);
    // Nobody triaged it: who assigned it had looked.
    let figures: Value = operator.get("/api/v1/incident-figures?days=1").json().unwrap();
    assert_eq!(figures["per_operator_10_min"]["operators"], 1);
}
