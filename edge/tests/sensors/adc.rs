//! A supervised input: a file that gives readings as the kernel's do.

use std::fs;

use gatepost_wire::event::{Phase, SensorFaultKind};
use gatepost_wire::health::SensorState;

use super::support::beside;
use super::{Place, alarms};

#[test]
fn a_supervised_line_tells_rest_alarm_cut_and_bridged_apart() {
    let _beside = beside();
    let place = Place::new();
    let file = place.site.write("in_voltage0_raw", "500\n");
    // Written beside it and moved, so that no reading finds it empty.
    let measures = |text: &str| {
        fs::write(file.with_extension("new"), text).unwrap();
        fs::rename(file.with_extension("new"), &file).unwrap();
    };
    let place = place.table(&format!(
        "[[sensor]]\nid = \"beam\"\ninput = \"beam\"\ncomms_after_s = 1\n[sensor.adc]\nfile = {file:?}\nscale = 2.0\n\
         unit = \"mV\"\nbands = [{{ is = \"short\", at_most = 300 }}, {{ is = \"normal\", at_least = 800, at_most = 1200 }}, \
         {{ is = \"alarm\", at_least = 1500, at_most = 2000 }}, {{ is = \"open\", at_least = 3000 }}]\n"
    ));
    let mut edge = place.site.run();
    place.wait_for_health("beam", |it| it.state == SensorState::Rest);
    measures("900\n");
    let began = place.wait_for_alarm("beam", Phase::Began);
    let measured = began.data.happening.measured().unwrap();
    assert_eq!((measured.value, measured.unit.as_str()), (1800.0, "mV"));
    for (text, kind, reason) in [
        ("2047", SensorFaultKind::Open, "the line is cut: it measures 4094.0 mV"),
        ("12", SensorFaultKind::Short, "the line is bridged"),
        ("EBUSY", SensorFaultKind::Comms, "no number"),
    ] {
        measures(text);
        let fault = place.wait_for_fault("beam", kind, reason);
        assert_eq!(
            alarms(&place.listener.heard(), "beam", Phase::Ended),
            [],
            "nobody knows whether it rests"
        );
        measures("900");
        place.wait_for_end("beam", kind, fault);
    }
    fs::remove_file(&file).unwrap();
    let fault = place.wait_for_fault("beam", SensorFaultKind::Comms, "the converter cannot be read");
    measures("500");
    place.wait_for_end("beam", SensorFaultKind::Comms, fault);
    place.wait_for_alarm("beam", Phase::Ended);
    edge.terminate();
    place.listener.wait_for_all(&edge.recorded());
    place.listener.heard().assert_whole();
}

#[test]
fn a_chip_that_is_not_there_is_a_fault_of_its_contacts() {
    let _beside = beside();
    let contact = |id: &str, line: u32| {
        format!(
            "[[sensor]]\nid = \"{id}\"\ninput = \"contact\"\ncomms_after_s = 1\ngpio = {{ chip = \"/dev/gpiochip99\", line = {line} }}\n"
        )
    };
    let place = Place::new().table(&contact("door", 3)).table(&contact("gate", 4));
    let mut edge = place.site.run();
    place.wait_for_fault("door", SensorFaultKind::Comms, "/dev/gpiochip99: the chip cannot be used");
    place.wait_for_fault("gate", SensorFaultKind::Comms, "No such file");
    edge.assert_alive();
}
