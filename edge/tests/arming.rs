//! Areas over kills of the box: delays go on, what waited becomes an alarm, orders are carried out and answered.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::time::Duration;

use gatepost_testbed::mosquitto::{Mosquitto, Options};
use gatepost_wire::arming::{ArmingChanged, Cause, Input, Mode, Stage};
use gatepost_wire::command::{Outcome, Reason};
use gatepost_wire::event::Happening;
use gatepost_wire::{Command, CommandId, Event, Severity, Timestamp, Topic};
use support::listener::{Heard, Listener};
use support::site::{CameraConfig, EDGE, EVERYWHERE, Site};
use support::{pedestrians, turn};
use ulid::Ulid;

fn changes(heard: &Heard) -> impl Iterator<Item = (&Event, &ArmingChanged)> {
    heard.events.iter().filter_map(|event| match &event.data.happening {
        Happening::ArmingChanged(changed) => Some((event, changed)),
        _ => None,
    })
}

fn wait_for_stage(listener: &Listener, mode: Mode, stage: Stage, cause: impl Fn(&Cause) -> bool) -> Event {
    listener.wait(&format!("{mode:?} {stage:?}"), |heard| {
        changes(heard)
            .find(|(_, it)| (it.mode, it.stage) == (mode, stage) && cause(&it.cause))
            .map(|(event, _)| event.clone())
    })
}

/// One camera before which people walk, whose whole picture belongs to an area.
fn site(broker: &Mosquitto, camera: &str, area: &str) -> Site {
    let site = Site::new(broker.port()).camera(CameraConfig::new("gate", camera).zone(EVERYWHERE));
    site.table(&format!("[[area]]\nid = \"school\"\nlabel = \"校园\"\n{area}"))
}

const ENTRY: &str = "mode = \"armed_away\"\nentry_delay_s = 45\n\
                     [[area.member]]\ncamera = \"gate\"\nzone = \"zone-0\"\nrole = \"entry\"\n";

#[test]
fn an_entry_delay_goes_on_over_a_kill_and_what_waited_is_an_alarm() {
    let _turn = turn();
    let camera = pedestrians();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = site(&broker, &camera.url(), ENTRY);
    let mut edge = site.run();
    wait_for_stage(&listener, Mode::ArmedAway, Stage::Set, |cause| *cause == Cause::Start);
    wait_for_stage(&listener, Mode::ArmedAway, Stage::EntryDelay, |cause| {
        matches!(cause, Cause::Input { .. })
    });
    let waiting = listener.wait("an alarm that waits", |heard| {
        heard.events.iter().find(|it| it.data.happening.kind() == "zone_intrusion").cloned()
    });
    assert_eq!(waiting.data.severity, Severity::LOW, "recorded at once, for the record");
    edge.kill();
    let mut edge = site.run();
    wait_for_stage(&listener, Mode::ArmedAway, Stage::EntryDelay, |cause| *cause == Cause::Start);
    wait_for_stage(&listener, Mode::ArmedAway, Stage::EntryExpired, |cause| *cause == Cause::Timer);
    let alarm = waiting.data.happening.alarm().unwrap().id;
    listener.wait("the alarm at its real grade", |heard| {
        let of_alarm = |event: &&Event| event.data.happening.alarm().is_some_and(|it| it.id == alarm);
        heard.events.iter().filter(of_alarm).any(|event| event.data.severity == Severity::HIGH).then_some(())
    });
    edge.terminate();
    listener.wait_for_all(&edge.recorded());
    listener.heard().assert_whole();
}

#[test]
fn an_exit_delay_goes_on_over_a_kill_and_ends_armed() {
    let _turn = turn();
    let camera = pedestrians();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let members = "exit_delay_s = 40\n[[area.member]]\ncamera = \"gate\"\nrole = \"interior\"\n";
    let day = site(&broker, &camera.url(), &format!("mode = \"disarmed\"\ntimetable = [{{ schedule = \"never\", mode = \"armed_away\" }}]\n{members}"))
        .table("[[schedule]]\nid = \"never\"\nterms = [{ from = \"2000-01-01\", to = \"2100-01-01\" }]\nweekdays = []\n");
    let mut edge = day.run();
    wait_for_stage(&listener, Mode::Disarmed, Stage::Set, |cause| *cause == Cause::Start);
    edge.kill();
    // The hour has come while the box was off.
    let night = day.config_text().replace("weekdays = []", "");
    let mut edge = day.run_with(&night);
    wait_for_stage(&listener, Mode::ArmedAway, Stage::ExitDelay, |cause| *cause == Cause::Timetable);
    edge.kill();
    let mut edge = day.run_with(&night);
    wait_for_stage(&listener, Mode::ArmedAway, Stage::ExitDelay, |cause| *cause == Cause::Start);
    // Whoever walks before the camera then should have left, and is taken for who came in.
    listener.wait("the end of the exit delay", |heard| {
        let ended = |it: &ArmingChanged| {
            it.cause == Cause::Timer
                || matches!(it.cause, Cause::Input { .. }) && it.stage == Stage::EntryDelay
        };
        changes(heard).any(|(_, it)| ended(it)).then_some(())
    });
    let health = listener.wait("health that tells of the area", |heard| {
        heard.health.last().filter(|health| health.areas.len() == 1).cloned()
    });
    assert_eq!(health.areas[0].label.as_deref(), Some("校园"));
    edge.terminate();
    listener.wait_for_all(&edge.recorded());
}

#[test]
fn an_order_from_the_hub_is_carried_out_once_and_answered_with_who_and_why() {
    let _turn = turn();
    let camera = pedestrians();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let area =
        "mode = \"disarmed\"\nexit_delay_s = 0\n[[area.member]]\ncamera = \"gate\"\nrole = \"interior\"\n";
    let site = site(&broker, &camera.url(), area);
    let mut edge = site.run();
    wait_for_stage(&listener, Mode::Disarmed, Stage::Set, |cause| *cause == Cause::Start);
    listener.wait("an alarm for the record", |heard| {
        let mut alarms = heard.events.iter().filter(|event| event.data.happening.kind() == "zone_intrusion");
        alarms.any(|event| event.data.severity == Severity::LOW).then_some(())
    });
    // Nobody may stand before the camera when it is armed, or it is decided to go without it.
    let away = serde_json::json!({ "name": "armed_away", "bypass": [{ "camera": "gate" }] });
    let refused = order(&site, &listener, "hall", serde_json::json!({ "name": "disarmed" }));
    assert!(matches!(&refused, Outcome::Refused { reason: Reason::NotFound, .. }), "{refused:?}");
    assert_eq!(order(&site, &listener, "school", away), Outcome::Done);
    let armed = wait_for_stage(&listener, Mode::ArmedAway, Stage::Set, |cause| {
        *cause == Cause::Command { who: "王丽".into(), why: "evening".into() }
    });
    let Happening::ArmingChanged(changed) = &armed.data.happening else { panic!("{armed:?}") };
    assert_eq!(changed.bypassed, [Input::Camera { camera: "gate".parse().unwrap() }]);
    edge.kill();
    let mut edge = site.run();
    let back = wait_for_stage(&listener, Mode::ArmedAway, Stage::Set, |cause| *cause == Cause::Start);
    assert_ne!(back.boot, armed.boot, "it is what it was");
    edge.terminate();
    listener.wait_for_all(&edge.recorded());
    listener.heard().assert_whole();
}

/// Gives an order and waits for the answer.
fn order(site: &Site, listener: &Listener, area: &str, mode: serde_json::Value) -> Outcome {
    let now = Timestamp::now();
    let command = Command {
        id: CommandId::from_ulid(Ulid::generate()),
        edge: EDGE.parse().unwrap(),
        who: "王丽".parse().unwrap(),
        why: "evening".parse().unwrap(),
        issued: now,
        expires: now + Duration::from_secs(600),
        order: serde_json::from_value(serde_json::json!({ "kind": "set_mode", "area": area, "mode": mode }))
            .unwrap(),
        extra: Default::default(),
    };
    // The box may not have subscribed yet; a hub sends until it is answered, and so does this.
    listener.wait("the answer to an order", |heard| {
        let answer = heard.replies.iter().find(|reply| reply.command == command.id);
        if answer.is_none() {
            listener.say(&Topic::Command(command.edge.clone()), site.signed(command.clone()));
        }
        answer.map(|reply| reply.outcome.clone())
    })
}
