//! Modbus devices, played by pymodbus's server: alarms and faults, everything a device can do wrong, and its return.

use gatepost_testbed::footage::workspace_root;
use gatepost_testbed::modbus_device::{Mischief, ModbusDevice};
use gatepost_testbed::mosquitto::{Mosquitto, Options};
use gatepost_wire::event::{InputKind, Measurement, Phase, SensorFaultKind};
use gatepost_wire::health::SensorState;
use gatepost_wire::{MediaType, Severity};

use super::support::listener::Listener;
use super::support::site::{CameraConfig, EVERYWHERE, Site};
use super::support::{beside, pedestrians, turn};
use super::{Place, alarms, health};

/// A line to a device, and keys of its sensors.
fn line(device: &ModbusDevice) -> String {
    format!("[[modbus]]\nid = \"shed\"\nurl = {:?}\ntimeout_ms = 300\n", device.url())
}

pub(super) fn sensor(id: &str, input: &str, profile: &str, point: &str, keys: &str) -> String {
    let profile = workspace_root().join("sensors").join(profile);
    format!(
        "[[sensor]]\nid = \"{id}\"\ninput = \"{input}\"\ncomms_after_s = 1\n\
         modbus = {{ line = \"shed\", profile = {profile:?}, point = \"{point}\"{keys} }}\n"
    )
}

#[test]
fn a_leak_is_an_alarm_and_a_broken_cable_a_fault() {
    let _beside = beside();
    let device = ModbusDevice::start().unwrap();
    let area = "[[area]]\nid = \"cellar\"\nmode = \"disarmed\"\n[[area.member]]\nsensor = \"leak\"\nrole = \"always\"\n";
    let place =
        Place::new().table(&line(&device)).table(&sensor("leak", "water", "rle-ld1500.toml", "leak", ""));
    let place = place.table(area);
    let mut edge = place.site.run();
    place.wait_for_health("leak", |it| {
        it.state == SensorState::Rest && it.readings > 1 && it.last_seen.is_some()
    });
    device.set(1, "input", 0, &[0b01, 42]).unwrap();
    let began = place.wait_for_alarm("leak", Phase::Began);
    assert_eq!(began.data.severity, Severity::HIGH, "water counts in every mode");
    assert_eq!(began.data.happening.input(), Some(InputKind::Water));
    assert_eq!(began.data.happening.area().unwrap().as_str(), "cellar");
    assert_eq!(began.data.happening.measured(), Some(Measurement { value: 42.0, unit: String::new() }));
    device.set(1, "input", 0, &[0b11]).unwrap();
    let open = place.wait_for_fault("leak", SensorFaultKind::Open, "cable is broken");
    let ill = place.wait_for_health("leak", |it| it.faults.len() == 1);
    assert_eq!((ill.state, ill.faults[0].fault), (SensorState::Tripped, SensorFaultKind::Open));
    device.set(1, "input", 0, &[0]).unwrap();
    place.wait_for_end("leak", SensorFaultKind::Open, open);
    let ended = place.wait_for_alarm("leak", Phase::Ended);
    assert_eq!(ended.data.happening.alarm().unwrap().id, began.data.happening.alarm().unwrap().id);
    edge.terminate();
    place.listener.wait_for_all(&edge.recorded());
    place.listener.heard().assert_whole();
}

#[test]
fn whatever_a_device_does_wrong_is_a_fault_and_ends_no_alarm() {
    let _beside = beside();
    let device = ModbusDevice::start().unwrap();
    let place = Place::new().table(&line(&device));
    let place = place.table(&sensor("beam", "beam", "waveshare-io-8ch.toml", "di3", ", unit = 2"));
    device.set(2, "discrete", 2, &[1]).unwrap();
    let mut edge = place.site.run();
    place.wait_for_alarm("beam", Phase::Began);
    for (mischief, reason) in [
        (Mischief::Exception, "refuses to read 1 discrete inputs from 2"),
        (Mischief::OtherUnit, "of another unit"),
        (Mischief::Half, "no answer within 300ms"),
        (Mischief::Silent, "no answer within 300ms"),
    ] {
        device.misbehave(Some(mischief)).unwrap();
        let fault = place.wait_for_fault("beam", SensorFaultKind::Comms, reason);
        let ill = place.wait_for_health("beam", |it| !it.faults.is_empty());
        assert_eq!(ill.state, SensorState::Tripped, "what it said last");
        assert!(ill.errors > 0 && ill.errors < ill.readings, "{ill:?}");
        device.misbehave(None).unwrap();
        place.wait_for_end("beam", SensorFaultKind::Comms, fault);
        place.wait_for_health("beam", |it| it.faults.is_empty());
    }
    assert_eq!(alarms(&place.listener.heard(), "beam", Phase::Ended), []);
    device.set(2, "discrete", 2, &[0]).unwrap();
    place.wait_for_alarm("beam", Phase::Ended);
    edge.assert_alive();
}

#[test]
fn a_unit_that_is_silent_silences_no_other() {
    let _beside = beside();
    let device = ModbusDevice::start().unwrap();
    let place = Place::new().table(&line(&device));
    let closed = ", unit = 3, contact = \"normally_closed\"";
    let place = place.table(&sensor("dead", "beam", "waveshare-io-8ch.toml", "di1", ", unit = 2"));
    let place = place.table(&sensor("door", "contact", "waveshare-io-8ch.toml", "di8", closed));
    device.set(3, "discrete", 7, &[1]).unwrap();
    device.misbehave(Some(Mischief::Unit2Silent)).unwrap();
    let mut edge = place.site.run();
    place.wait_for_fault("dead", SensorFaultKind::Comms, "no answer");
    let well = place.wait_for_health("door", |it| it.state == SensorState::Rest);
    assert_eq!((well.faults.len(), well.errors), (0, 0), "{well:?}");
    device.set(3, "discrete", 7, &[0]).unwrap();
    place.wait_for_alarm("door", Phase::Began);
    edge.assert_alive();
}

#[test]
fn a_device_that_goes_and_comes_back_is_heard_again() {
    let _beside = beside();
    let mut device = ModbusDevice::start().unwrap();
    let place = Place::new().table(&line(&device));
    let place = place.table(&sensor("smoke", "smoke", "system-sensor-faast.toml", "fire", ""));
    let mut edge = place.site.run();
    place.wait_for_health("smoke", |it| it.state == SensorState::Rest);
    device.kill().unwrap();
    let fault = place.wait_for_fault("smoke", SensorFaultKind::Comms, "");
    place.wait_for_health("smoke", |it| it.faults.iter().any(|ill| ill.detail.contains("cannot be reached")));
    device.restart().unwrap();
    place.wait_for_end("smoke", SensorFaultKind::Comms, fault);
    device.set(1, "holding", 12, &[0b1000]).unwrap();
    place.wait_for_alarm("smoke", Phase::Began);
    device.set(1, "holding", 14, &[1]).unwrap();
    place.wait_for_fault("smoke", SensorFaultKind::Tamper, "cover is open");
    // A box that was killed ends what it had told when it starts, and finds it anew.
    edge.kill();
    let mut edge = place.site.run();
    place.wait_for_alarm("smoke", Phase::Ended);
    place.listener.wait("the same alarm after a restart", |heard| {
        (alarms(heard, "smoke", Phase::Began).len() == 2).then_some(())
    });
    edge.terminate();
    place.listener.wait_for_all(&edge.recorded());
    place.listener.heard().assert_whole();
}

#[test]
fn a_fence_that_trips_wakes_its_camera_and_is_graded_with_what_it_sees() {
    let _turn = turn();
    let camera = pedestrians();
    let device = ModbusDevice::start().unwrap();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let fusion = "[[fusion]]\nid = \"fence-and-yard\"\nseverity = 1\nwithin_s = 60\npart = [\n\
                  { any = [{ sensor = \"fence\" }], alone = 3 },\n{ any = [{ camera = \"yard\", zone = \"zone-0\" }], alone = 3 },\n]\n";
    let site = Site::new(broker.port())
        .camera(CameraConfig::new("yard", &camera.url()).zone(EVERYWHERE))
        .table(&line(&device))
        .table(&sensor("fence", "fence", "waveshare-io-8ch.toml", "di1", ""))
        .table(fusion);
    let mut edge = site.run();
    listener
        .wait("a fence at rest", |heard| health(heard, "fence").filter(|it| it.state == SensorState::Rest));
    device.set(1, "discrete", 0, &[1]).unwrap();
    let with_picture = listener.wait("a picture of what was there", |heard| {
        let pictures = heard.with(&MediaType::Jpeg).into_iter();
        pictures.map(|(event, ..)| event).find(|event| event.data.happening.sensor().is_some())
    });
    let alarm = with_picture.data.happening.alarm().unwrap();
    assert_eq!(alarm.phase, Phase::Updated);
    let graded = listener.wait("an alarm graded with another", |heard| {
        heard.events.iter().find(|event| event.data.severity == Severity::CRITICAL).cloned()
    });
    assert_eq!(graded.data.fused.unwrap().rule.as_str(), "fence-and-yard");
    edge.terminate();
    listener.wait_for_all(&edge.recorded());
    listener.heard().assert_whole();
}
