use gatepost_wire::command::{HoldEvidence, Order};
use jiff::SignedDuration;

use super::super::testing::fresh;
use super::*;
use crate::access::{Role, Roles};
use crate::hold::CustodyState;
use crate::store::Open;

const ALARM: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAX";
const UNTIL: i64 = 1000;

fn hour(number: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(number)
}

fn person(name: &str) -> Person {
    let roles = Roles::try_from(std::collections::BTreeSet::from([Role::Supervisor])).unwrap();
    Person::invited(name.parse().unwrap(), name.parse().unwrap(), roles, None)
}

fn said(text: &str) -> Statement {
    text.to_owned().try_into().unwrap()
}

struct Hub {
    store: Store,
    _dir: tempfile::TempDir,
}

impl Hub {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { store: Store::open(&fresh(dir.path())).await.unwrap(), _dir: dir }
    }

    async fn execute(&self, statement: String) {
        let mut change = self.store.begin().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut change.connection).await.unwrap();
        change.commit().await.unwrap();
    }

    /// One that wang.li proposed then.
    async fn proposed(&self, at: i64) -> HoldId {
        let (id, time, until) = (HoldId::new(), nanos(hour(at)), nanos(hour(UNTIL)));
        self.execute(format!(
            "INSERT INTO hold (id, alarm, edge, reason, until, time, person, who) \
             VALUES ('{id}', '{ALARM}', 'gate-1', 'report 17', {until}, {time}, 'wang.li', 'wang.li (wang.li)')"
        ))
        .await;
        id
    }

    async fn step(&self, hold: HoldId, step: HoldStep, name: &str, now: i64) -> Option<i64> {
        let words = step.needs_words().then(|| said("because"));
        self.store.step_hold(hold, step, words.as_ref(), &person(name), hour(now)).await.unwrap().1
    }

    async fn lift(&self, hold: HoldId, now: i64) -> Option<i64> {
        assert_eq!(self.step(hold, HoldStep::Lift, "li.na", now).await, None);
        self.step(hold, HoldStep::ConfirmLift, "wang.li", now).await
    }

    async fn tell(&self, now: i64) -> Option<i64> {
        self.store.tell_boxes_of_holds(hour(now)).await.unwrap()
    }

    /// What waits for its box.
    async fn open_at(&self, now: i64) -> Vec<(Open, Timestamp)> {
        let open = self.store.open_commands(hour(now)).await.unwrap();
        let until = |open: &Open| match &open.command.command.order {
            Order::HoldEvidence(HoldEvidence { alarm, until, .. }) => {
                assert_eq!(alarm.to_string(), ALARM);
                *until
            }
            other => panic!("{other:?}"),
        };
        open.into_iter().map(|open| (open.clone(), until(&open))).collect()
    }

    /// The box refuses everything that is open.
    async fn refuse(&self, reason: &str, now: i64) {
        for (open, _) in self.open_at(now).await {
            let (id, time) = (open.command.command.id, nanos(hour(now)));
            self.execute(format!(
                "INSERT INTO reply VALUES ('{id}', {time}, {time}, 'refused', '{reason}', 'no', '{{}}', 1)"
            ))
            .await;
        }
    }
}

#[tokio::test]
async fn the_two_who_hold_it_are_told_to_the_box_and_the_two_who_lift_it() {
    let hub = Hub::open().await;
    let hold = hub.proposed(0).await;
    assert_eq!(hub.tell(1).await, None, "it is only proposed");
    assert!(hub.step(hold, HoldStep::Confirm, "li.na", 1).await.is_some());
    let [(first, until)] = hub.open_at(1).await.try_into().unwrap();
    let command = &first.command.command;
    assert_eq!((until, command.expires, command.issued), (hour(UNTIL), hour(UNTIL), hour(1)));
    assert_eq!(command.who.as_str(), "wang.li (wang.li), approved by li.na (li.na)");
    assert_eq!((command.why.as_str(), command.edge.as_str()), ("report 17", "gate-1"));
    assert_eq!(hub.tell(2).await, None, "told already");
    assert_eq!(hub.open_at(UNTIL).await.len(), 0, "nobody has to be told what is over");

    assert!(hub.lift(hold, 5).await.is_some());
    let [_, (lifting, until)] = hub.open_at(5).await.try_into().unwrap();
    assert!(lifting.command.sequence > first.command.sequence);
    let command = &lifting.command.command;
    assert_eq!((until, command.expires, command.why.as_str()), (hour(5), hour(UNTIL), "because"));
    assert_eq!(command.who.as_str(), "li.na (li.na), approved by wang.li (wang.li)");
    assert_eq!(hub.tell(6).await, None);
}

#[tokio::test]
async fn what_an_earlier_hub_held_is_told_once() {
    let hub = Hub::open().await;
    let hold = hub.proposed(0).await;
    let time = nanos(hour(1));
    hub.execute(format!(
        "INSERT INTO hold_step VALUES ('{hold}', 0, {time}, 'li.na', 'li.na (li.na)', 'confirm', NULL)"
    ))
    .await;
    assert!(hub.tell(50).await.is_some());
    assert_eq!((hub.tell(51).await, hub.open_at(51).await.len()), (None, 1));
    assert_eq!(hub.tell(UNTIL).await, None);
}

#[tokio::test]
async fn a_box_that_refused_is_told_again_a_day_later_and_then_about_the_latest_hold_only() {
    let hub = Hub::open().await;
    let hold = hub.proposed(0).await;
    hub.step(hold, HoldStep::Confirm, "li.na", 1).await;
    hub.refuse("unknown_order", 2).await;
    assert_eq!(hub.tell(25).await, None);
    assert!(hub.tell(26).await.is_some());
    hub.refuse("not_found", 27).await;
    assert_eq!(hub.tell(100).await, None, "nothing is there, and a day later neither");

    assert!(hub.lift(hold, 101).await.is_some());
    hub.refuse("failed", 102).await;
    let again = hub.proposed(103).await;
    assert!(hub.step(again, HoldStep::Confirm, "li.na", 103).await.is_some());
    let [(open, _)] = hub.open_at(103).await.try_into().unwrap();
    assert_eq!(hub.tell(200).await, None, "lifting the former would lift this one");
    let waiting = hub.open_at(200).await;
    assert_eq!(
        waiting.iter().map(|(open, _)| open.command.sequence).collect::<Vec<_>>(),
        [open.command.sequence]
    );
}

#[tokio::test]
async fn how_it_stands_at_the_box_is_said_with_the_hold() {
    let hub = Hub::open().await;
    let hold = hub.proposed(0).await;
    let state = async |now: i64| {
        let filter = HoldFilter { scope: Scope::All, alarm: None, before: None, limit: 1 };
        let (holds, _) = hub.store.holds(&filter, &person("wang.li").name, hour(now)).await.unwrap();
        holds[0].custody.as_ref().map(|custody| custody.state)
    };
    assert_eq!(state(1).await, None);
    hub.step(hold, HoldStep::Confirm, "li.na", 1).await;
    assert_eq!(state(1).await, Some(CustodyState::Waiting));
    hub.refuse("not_found", 2).await;
    assert_eq!(state(2).await, Some(CustodyState::Nothing));
    hub.lift(hold, 5).await;
    assert_eq!(
        (state(5).await, state(UNTIL).await),
        (Some(CustodyState::Lifting), Some(CustodyState::Released))
    );
}

#[tokio::test]
async fn what_stands_is_told_anew_and_what_was_lifted_is_not() {
    let hub = Hub::open().await;
    let anew = async |now: i64| hub.store.tell_boxes_of_holds_anew(hour(now)).await.unwrap();
    let hold = hub.proposed(0).await;
    assert_eq!(anew(1).await, 0, "it is only proposed");
    hub.step(hold, HoldStep::Confirm, "li.na", 1).await;
    assert_eq!((anew(2).await, anew(3).await), (1, 1), "whatever it was told");
    let untils: Vec<Timestamp> = hub.open_at(3).await.into_iter().map(|(_, until)| until).collect();
    assert_eq!(untils, [hour(UNTIL); 3]);
    hub.lift(hold, 5).await;
    assert_eq!(anew(6).await, 0, "it may have been put on again since");
}
