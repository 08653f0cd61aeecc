//! Areas over kills of the box: delays go on, what waited becomes an alarm, orders are carried out and answered.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use gatepost_testbed::mosquitto::{Mosquitto, Options};
use gatepost_wire::arming::{ArmingChanged, Cause, Mode, Stage};
use gatepost_wire::event::Happening;
use gatepost_wire::{Event, Severity};
use support::listener::{Heard, Listener};
use support::site::{CameraConfig, EVERYWHERE, Site};
use support::{pedestrians, turn};

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
