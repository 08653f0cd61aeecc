//! Modbus over a serial line: pymodbus's serial server at the other end of a pair of pseudo-terminals.

use gatepost_testbed::modbus_device::{Mischief, ModbusDevice};
use gatepost_testbed::serial_line::SerialLine;
use gatepost_wire::event::{Phase, SensorFaultKind};
use gatepost_wire::health::SensorState;

use super::modbus::sensor;
use super::support::beside;
use super::{Place, alarms};

fn line(serial: &SerialLine) -> String {
    format!(
        "[[modbus]]\nid = \"shed\"\nurl = \"serial://{}\"\nserial = {{ baud = 19200 }}\ntimeout_ms = 400\n",
        serial.name().display()
    )
}

#[test]
fn what_is_wrong_on_the_line_is_a_fault_and_ends_no_alarm() {
    let _beside = beside();
    let serial = SerialLine::start().unwrap();
    let device = ModbusDevice::start_on(serial.far()).unwrap();
    let place = Place::new().table(&line(&serial));
    let place = place.table(&sensor("leak", "water", "rle-ld1500.toml", "leak", ", unit = 2"));
    let place = place.table(&sensor("beam", "beam", "waveshare-io-8ch.toml", "di2", ", unit = 3"));
    let mut edge = place.site.run();
    place.wait_for_health("beam", |it| it.state == SensorState::Rest);
    device.set(2, "input", 0, &[1, 7]).unwrap();
    let began = place.wait_for_alarm("leak", Phase::Began);
    assert_eq!(began.data.happening.measured().unwrap().value, 7.0);
    for (mischief, reason) in [
        (Mischief::Half, "no answer within 400ms"),
        (Mischief::BadCrc, ""),
        (Mischief::OtherUnit, "of another unit"),
        (Mischief::Exception, "refuses to read 2 input registers from 0"),
        (Mischief::Silent, "no answer within 400ms"),
    ] {
        device.misbehave(Some(mischief)).unwrap();
        let fault = place.wait_for_fault("leak", SensorFaultKind::Comms, reason);
        let ill = place.wait_for_health("leak", |it| !it.faults.is_empty());
        assert_eq!(ill.state, SensorState::Tripped, "what it said last");
        device.misbehave(None).unwrap();
        place.wait_for_end("leak", SensorFaultKind::Comms, fault);
        place.wait_for_health("leak", |it| it.faults.is_empty());
    }
    assert_eq!(alarms(&place.listener.heard(), "leak", Phase::Ended), []);
    assert_eq!(
        alarms(&place.listener.heard(), "beam", Phase::Began),
        [],
        "no answer was taken for another's"
    );
    device.misbehave(Some(Mischief::Unit2Silent)).unwrap();
    place.wait_for_fault("leak", SensorFaultKind::Comms, "no answer");
    device.set(3, "discrete", 1, &[1]).unwrap();
    place.wait_for_alarm("beam", Phase::Began);
    edge.assert_alive();
    let said = edge.log();
    assert!(!said.contains("Giving up to decode"), "the library's own words are no use to a technician");
    edge.terminate();
    place.listener.wait_for_all(&edge.recorded());
    place.listener.heard().assert_whole();
}

#[test]
fn an_adapter_that_is_unplugged_and_comes_back_as_another_device_is_found_by_its_name() {
    let _beside = beside();
    let serial = SerialLine::start().unwrap();
    let device = ModbusDevice::start_on(serial.far()).unwrap();
    let place = Place::new().table(&line(&serial));
    let place = place.table(&sensor("beam", "beam", "waveshare-io-8ch.toml", "di1", ""));
    let mut edge = place.site.run();
    place.wait_for_health("beam", |it| it.state == SensorState::Rest);
    let first = serial.device().unwrap();
    serial.unplug().unwrap();
    let fault = place.wait_for_fault("beam", SensorFaultKind::Comms, "");
    place.wait_for_health("beam", |it| {
        it.faults.iter().any(|ill| ill.detail.contains("is the adapter plugged in"))
    });
    // The kernel gives the lowest free number: somebody else has its old one now.
    let _other = SerialLine::start().unwrap();
    serial.plug_in().unwrap();
    assert_ne!(serial.device().unwrap(), first);
    place.wait_for_end("beam", SensorFaultKind::Comms, fault);
    device.set(1, "discrete", 0, &[1]).unwrap();
    place.wait_for_alarm("beam", Phase::Began);
    edge.assert_alive();
}
