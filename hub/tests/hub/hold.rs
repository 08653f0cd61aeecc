//! Legal hold: two people keep an alarm's evidence, at the hub and at its box, and two let it go.

use gatepost_testbed::http::EventStream;
use gatepost_testbed::http::{self, Answer};
use gatepost_wire::command::{NumberedCommand, Order, Outcome, Reason};
use gatepost_wire::event::Phase;
use gatepost_wire::{AlarmId, Command, Timestamp};
use serde_json::{Value, json};

use crate::command::{come_online, reply};
use crate::edge::Edge;
use crate::message::{alarm, boot, evidence_topic, intrusion_of, picture, with_evidence};
use crate::process::{Home, Hub, PATIENCE, command};

fn post(hub: &Hub, cookie: &str, path: &str, body: &Value) -> Answer {
    http::send("POST", &hub.url(path), Some(cookie), Some(body)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_hold_an_alarm_and_two_lift_it() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let one = home.account(&hub, "wang.li", &["--role", "supervisor"]);
    let two = home.account(&hub, "sun.hao", &["--role", "auditor"]);
    let operator = home.account(&hub, "qin.lan", &["--role", "operator"]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let alarm = alarm();
    let event = with_evidence(intrusion_of("gate-1", boot(), 1, alarm, Phase::Began), &picture("x"));
    assert!(edge.send(&event).await.unwrap());
    edge.publish(&evidence_topic(&event), picture("x"), false).await.unwrap();

    let until = Timestamp::now() + jiff::SignedDuration::from_hours(200 * 24);
    let wanted = json!({ "alarm": alarm, "reason": "police report 17", "until": until });
    let with = |key: &str, value: Value| {
        let mut wanted = wanted.clone();
        wanted[key] = value;
        wanted
    };
    let far = Timestamp::now() + jiff::SignedDuration::from_hours(367 * 24);
    for (body, status, words) in [
        (with("until", json!("2020-01-01T00:00:00Z")), 400, "past"),
        (with("until", json!(far)), 400, "a year"),
        (with("reason", json!(" ")), 400, "1 to 200"),
        (with("alarm", json!("01ARZ3NDEKTSV4RRFFQ69G5FAV")), 404, "no alarm"),
    ] {
        let refused = post(&hub, &one, "/api/v1/holds", &body);
        assert!(refused.status == status && refused.text().contains(words), "{}", refused.text());
    }
    assert_eq!(post(&hub, &operator, "/api/v1/holds", &wanted).status, 403);
    let proposed = post(&hub, &one, "/api/v1/holds", &wanted);
    assert_eq!(proposed.status, 201, "{}", proposed.text());
    let hold: Value = proposed.json().unwrap();
    assert_eq!((&hold["state"], &hold["may"]), (&json!("proposed"), &json!(["decline"])));
    assert_eq!(post(&hub, &two, "/api/v1/holds", &wanted).status, 409, "one is proposed already");

    let path = format!("/api/v1/holds/{}/steps", hold["id"].as_str().unwrap());
    let step = |cookie: &str, step: &str, text: Option<&str>| {
        let body = match text {
            Some(text) => json!({ "step": step, "text": text }),
            None => json!({ "step": step }),
        };
        post(&hub, cookie, &path, &body)
    };
    let own = step(&one, "confirm", None);
    assert!(own.status == 403 && own.text().contains("another person"), "{}", own.text());
    let held: Value = step(&two, "confirm", None).json().unwrap();
    assert_eq!((&held["state"], &held["steps"][0]["who"]), (&json!("held"), &json!("sun.hao (sun.hao)")));
    assert_eq!(step(&two, "confirm", None).status, 409, "it is held already");
    assert_eq!(step(&two, "lift", None).status, 400, "it has to be said why");
    assert_eq!(step(&two, "lift", Some("the case is closed")).status, 200);
    assert_eq!(step(&two, "confirm_lift", None).status, 403);

    drop(hub);
    let hub = home.start();
    let list = |query: &str| {
        let url = hub.url(&format!("/api/v1/holds{query}"));
        http::send("GET", &url, Some(&one), None::<&()>).unwrap().json::<Value>().unwrap()["holds"].clone()
    };
    assert_eq!(list("")[0]["state"], "lift_proposed");
    assert_eq!(list("")[0]["may"], json!(["confirm_lift", "keep"]));
    assert_eq!(list("?alarm=01ARZ3NDEKTSV4RRFFQ69G5FAV"), json!([]));
    let lifted = post(&hub, &one, &path, &json!({ "step": "confirm_lift" }));
    assert_eq!(lifted.json::<Value>().unwrap()["state"], "lifted");
    assert_eq!(list("")[0]["steps"].as_array().unwrap().len(), 3);
    assert_eq!(post(&hub, &one, "/api/v1/holds", &wanted).status, 201, "and may be held again");
}

/// Two who hold an alarm and let it go, as they ask.
pub struct Keepers {
    one: String,
    two: String,
    pub alarm: AlarmId,
}

impl Keepers {
    pub fn of(home: &Home, hub: &Hub, alarm: AlarmId) -> Self {
        let one = home.account(hub, "wang.li", &["--role", "supervisor"]);
        let two = home.account(hub, "sun.hao", &["--role", "auditor"]);
        Self { one, two, alarm }
    }

    /// Puts the alarm on hold; until when.
    pub fn hold(&self, hub: &Hub) -> Timestamp {
        let until = Timestamp::now() + jiff::SignedDuration::from_hours(200 * 24);
        let wanted = json!({ "alarm": self.alarm, "reason": "police report 17", "until": until });
        assert_eq!(post(hub, &self.one, "/api/v1/holds", &wanted).status, 201);
        self.step(hub, &self.two, &json!({ "step": "confirm" }));
        until
    }

    pub fn lift(&self, hub: &Hub) {
        self.step(hub, &self.one, &json!({ "step": "lift", "text": "the case is closed" }));
        self.step(hub, &self.two, &json!({ "step": "confirm_lift" }));
    }

    fn step(&self, hub: &Hub, cookie: &str, step: &Value) {
        let path = format!("/api/v1/holds/{}/steps", self.latest(hub)["id"].as_str().unwrap());
        let taken = post(hub, cookie, &path, step);
        assert_eq!(taken.status, 200, "{}", taken.text());
    }

    pub fn latest(&self, hub: &Hub) -> Value {
        let list = http::send("GET", &hub.url("/api/v1/holds"), Some(&self.one), None::<&()>).unwrap();
        list.json::<Value>().unwrap()["holds"][0].clone()
    }

    /// How the latest stands at the box, once the box has answered.
    pub fn custody(&self, hub: &Hub, state: &str) -> Value {
        let custody =
            || Some(self.latest(hub)["custody"].clone()).filter(|custody| custody["state"] == state);
        http::wait_until(state, PATIENCE, custody).unwrap()
    }
}

/// The next command, which has to be about a hold; with the end it says.
pub async fn told(edge: &mut Edge, home: &Home, alarm: AlarmId) -> (Command, Timestamp) {
    let command = edge.command(home.hub_key()).await;
    let Order::HoldEvidence(hold) = &command.order else { panic!("{command:?}") };
    assert_eq!(hold.alarm, alarm);
    let until = hold.until;
    (command, until)
}

pub async fn answer(edge: &mut Edge, command: &Command, outcome: Outcome) {
    edge.publish("gp/v1/gate-1/command/reply", reply(command, outcome), false).await.unwrap();
}

fn refused(reason: Reason) -> Outcome {
    Outcome::Refused { reason, detail: "because".into(), highest: None }
}

/// What a box goes by: the last order about its alarm.
struct Custodian {
    edge: Edge,
    sequence: u64,
    until: Timestamp,
}

impl Custodian {
    /// Online, after an alarm of its own.
    async fn with_alarm(hub: &Hub, token: &str, alarm: AlarmId) -> Self {
        let mut edge = Edge::connect(hub.broker_port(), "gate-1", token).await.unwrap();
        assert!(edge.send(&intrusion_of("gate-1", boot(), 1, alarm, Phase::Began)).await.unwrap());
        come_online(&mut edge).await;
        Self { edge, sequence: 0, until: Timestamp::UNIX_EPOCH }
    }

    async fn reconnect(&mut self, hub: &Hub, token: &str) {
        self.edge = Edge::connect(hub.broker_port(), "gate-1", token).await.unwrap();
        come_online(&mut self.edge).await;
    }

    /// The next order, answered as a box does.
    async fn obey(&mut self, home: &Home) -> (NumberedCommand, Outcome) {
        let numbered = home.hub_key().open(&self.edge.received().await.payload).unwrap();
        let Order::HoldEvidence(order) = &numbered.command.order else { panic!("{numbered:?}") };
        let outcome = if numbered.sequence > self.sequence {
            (self.sequence, self.until) = (numbered.sequence, order.until);
            Outcome::Done
        } else {
            let detail = "a later command about this alarm was carried out before".into();
            Outcome::Refused { reason: Reason::Superseded, detail, highest: Some(self.sequence) }
        };
        answer(&mut self.edge, &numbered.command, outcome.clone()).await;
        (numbered, outcome)
    }

    fn holds(&self) -> bool {
        self.until > Timestamp::now()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_reaches_its_box_when_it_is_back_and_what_it_answers_is_shown() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let alarm = alarm();
    let keepers = Keepers::of(&home, &hub, alarm);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let event = with_evidence(intrusion_of("gate-1", boot(), 1, alarm, Phase::Began), &picture("x"));
    assert!(edge.send(&event).await.unwrap());
    drop(edge);
    let until = keepers.hold(&hub);
    assert_eq!(
        keepers.latest(&hub)["custody"],
        json!({ "state": "waiting", "answered": null, "reason": null, "detail": null })
    );

    drop(hub);
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let (put_on, end) = told(&mut edge, &home, alarm).await;
    assert_eq!((end, put_on.expires), (until, until), "for as long as it is of any use");
    assert_eq!(put_on.who.as_str(), "wang.li (wang.li), approved by sun.hao (sun.hao)");
    assert_eq!(put_on.why.as_str(), "police report 17");
    let stream = EventStream::open(&hub.url("/api/v1/live")).unwrap();
    answer(&mut edge, &put_on, Outcome::Done).await;
    assert!(keepers.custody(&hub, "held")["answered"].is_string());
    let heard = loop {
        let event = stream.next(PATIENCE).unwrap();
        if event.event == "command" {
            break serde_json::from_str::<Value>(&event.data).unwrap();
        }
    };
    assert_eq!((&heard["order"]["kind"], &heard["alarm"]), (&json!("hold_evidence"), &json!(alarm)));

    keepers.lift(&hub);
    assert_eq!(keepers.latest(&hub)["custody"]["state"], "lifting");
    let (lift, end) = told(&mut edge, &home, alarm).await;
    assert!(end <= lift.issued && lift.expires == until, "{lift:?}");
    assert_eq!(lift.why.as_str(), "the case is closed");
    answer(&mut edge, &lift, Outcome::Done).await;
    keepers.custody(&hub, "released");

    keepers.hold(&hub);
    let (again, _) = told(&mut edge, &home, alarm).await;
    answer(&mut edge, &again, refused(Reason::UnknownOrder)).await;
    assert_eq!(keepers.custody(&hub, "outdated")["detail"], "because");
    keepers.lift(&hub);
    assert_eq!(keepers.latest(&hub)["custody"]["state"], "released", "it held nothing");
    keepers.hold(&hub);
    let (last, end) = told(&mut edge, &home, alarm).await;
    assert!(end > last.issued, "the box was not told to lift what it did not hold");
    answer(&mut edge, &last, refused(Reason::NotFound)).await;
    assert_eq!(keepers.custody(&hub, "nothing")["reason"], "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_about_holds_are_given_by_two_people_and_shown_to_whom_holds_are() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let alarm = alarm();
    let keepers = Keepers::of(&home, &hub, alarm);
    let operator = home.account(&hub, "qin.lan", &["--role", "operator"]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    assert!(edge.send(&intrusion_of("gate-1", boot(), 1, alarm, Phase::Began)).await.unwrap());
    let until = keepers.hold(&hub);
    let get =
        |cookie: &str, path: &str| http::send("GET", &hub.url(path), Some(cookie), None::<&()>).unwrap();
    let list =
        |cookie: &str| get(cookie, &format!("/api/v1/commands?alarm={alarm}")).json::<Value>().unwrap();
    let shown = list(&keepers.one)["commands"].clone();
    assert_eq!((&shown[0]["state"], &shown[0]["person"]), (&json!("waiting"), &json!("wang.li")));
    assert_eq!((&shown[0]["approval"]["who"], &shown[1]), (&json!("sun.hao (sun.hao)"), &Value::Null));
    assert_eq!(list(&operator)["commands"], json!([]));
    let one = format!("/api/v1/commands/{}", shown[0]["id"].as_str().unwrap());
    assert_eq!((get(&keepers.one, &one).status, get(&operator, &one).status), (200, 404));

    let order = json!({ "kind": "hold_evidence", "alarm": alarm, "until": until });
    let alone = json!({ "edge": "gate-1", "why": "report 18", "order": order });
    let refused = post(&hub, &keepers.one, "/api/v1/commands", &alone);
    assert!(refused.status == 400 && refused.text().contains("two people"), "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_a_box_knows_a_later_one_of_is_numbered_above_that_once() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let keepers = Keepers::of(&home, &hub, alarm());
    let mut custodian = Custodian::with_alarm(&hub, &token, keepers.alarm).await;
    custodian.sequence = 500;
    let until = keepers.hold(&hub);
    let (first, refused) = custodian.obey(&home).await;
    assert!(first.sequence < 500 && refused != Outcome::Done, "{first:?}");
    let (second, done) = custodian.obey(&home).await;
    assert_eq!((second.sequence, done, custodian.until), (501, Outcome::Done, until));
    assert_eq!((second.command.who, second.command.why), (first.command.who, first.command.why));
    keepers.custody(&hub, "held");

    // Another hub that gives it orders, too, and always later ones.
    custodian.sequence = 700;
    keepers.lift(&hub);
    let (lifting, _) = custodian.obey(&home).await;
    custodian.sequence = 800;
    let (again, refused) = custodian.obey(&home).await;
    assert_eq!((lifting.sequence, again.sequence), (502, 701));
    assert_ne!(refused, Outcome::Done);
    let custody = keepers.custody(&hub, "refused");
    assert_eq!(custody["reason"], "superseded", "{custody}");
    // What comes next is what people do, and not a third try.
    keepers.hold(&hub);
    let (held, done) = custodian.obey(&home).await;
    assert_eq!((held.sequence, done, custodian.holds()), (801, Outcome::Done, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_put_back_to_a_backup_has_the_last_word_all_the_same() {
    let home = Home::embedded().with_store("");
    let token = home.add("gate-1");
    let hub = home.start();
    let keepers = Keepers::of(&home, &hub, alarm());
    let mut custodian = Custodian::with_alarm(&hub, &token, keepers.alarm).await;
    keepers.hold(&hub);
    custodian.obey(&home).await;
    keepers.custody(&hub, "held");
    let dir = tempfile::tempdir().unwrap();
    let backup = dir.path().join("backup");
    home.call(&["backup", &backup.display().to_string()]);
    // What the backup does not know: three more orders.
    keepers.lift(&hub);
    custodian.obey(&home).await;
    keepers.hold(&hub);
    custodian.obey(&home).await;
    keepers.lift(&hub);
    let (last, _) = custodian.obey(&home).await;
    keepers.custody(&hub, "released");
    assert!(!custodian.holds());
    drop(hub);

    let data = dir.path().join("data");
    let restored = command(&["restore", &backup.display().to_string(), "--to", &data.display().to_string()]);
    assert!(restored.status.success(), "{restored:?}");
    let home = home.with_data(data);
    let hub = home.start();
    custodian.reconnect(&hub, &token).await;
    assert_eq!(keepers.latest(&hub)["state"], "held", "as it was");
    // Nobody has to do anything for it to be so at the box.
    let (_, refused) = custodian.obey(&home).await;
    assert_ne!(refused, Outcome::Done, "it knows a later order");
    let (again, done) = custodian.obey(&home).await;
    assert!(done == Outcome::Done && again.sequence > last.sequence && custodian.holds(), "{again:?}");
    keepers.custody(&hub, "held");
    // And what is said now holds at once.
    keepers.lift(&hub);
    keepers.hold(&hub);
    for holds in [false, true] {
        assert_eq!((custodian.obey(&home).await.1, custodian.holds()), (Outcome::Done, holds));
    }
    assert_eq!(keepers.custody(&hub, "held")["reason"], Value::Null);
}

/// As after a database in PostgreSQL was put back, of which no command of the hub knows.
#[tokio::test(flavor = "multi_thread")]
async fn boxes_are_told_anew_of_what_stands_when_an_administrator_says_so() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let keepers = Keepers::of(&home, &hub, alarm());
    let mut custodian = Custodian::with_alarm(&hub, &token, keepers.alarm).await;
    let until = keepers.hold(&hub);
    let (first, _) = custodian.obey(&home).await;
    keepers.custody(&hub, "held");
    drop(hub);
    // It was told to let go since.
    (custodian.sequence, custodian.until) = (40, Timestamp::UNIX_EPOCH);
    let said = home.call(&["hold", "tell"]);
    assert!(said.starts_with("1 legal hold"), "{said}");
    let hub = home.start();
    custodian.reconnect(&hub, &token).await;
    let (again, refused) = custodian.obey(&home).await;
    assert!(again.sequence > first.sequence && refused != Outcome::Done, "{again:?}");
    let (last, done) = custodian.obey(&home).await;
    assert_eq!((last.sequence, done, custodian.until), (41, Outcome::Done, until));
    keepers.custody(&hub, "held");
}
