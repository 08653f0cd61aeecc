//! Sensors on a real mosquitto: messages as Zigbee2MQTT shapes them, plain ones, and a broker that goes and comes back.

use std::io::Write as _;
use std::process::{Command, Stdio};

use gatepost_testbed::mosquitto::{Mosquitto, Options};
use gatepost_testbed::port;
use gatepost_wire::event::{Phase, SensorFaultKind};
use gatepost_wire::health::SensorState;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::support::beside;
use super::{Place, alarms, faults};

/// Publishes with mosquitto's own client.
fn publish(broker: &Mosquitto, topic: &str, payload: &str, retain: bool) {
    let port = broker.port().to_string();
    let mut client = Command::new("mosquitto_pub");
    client.args(["-p", &port, "-q", "1", "-t", topic, "-m", payload]);
    if retain {
        client.arg("-r");
    }
    assert!(client.status().unwrap().success());
}

fn broker(broker: &Mosquitto) -> String {
    format!("[[mqtt]]\nid = \"zigbee\"\nurl = \"mqtt://127.0.0.1:{}\"\n", broker.port())
}

const DOOR: &str = "[[sensor]]\nid = \"door\"\nlabel = \"后门\"\ninput = \"contact\"\ncomms_after_s = 1\n\
                    zigbee = { broker = \"zigbee\", device = \"back door\" }\n";
/// What a door contact of Zigbee2MQTT says.
fn contact(closed: bool, tamper: bool, battery_low: bool) -> String {
    format!(
        "{{\"battery\":97,\"battery_low\":{battery_low},\"contact\":{closed},\"linkquality\":120,\
         \"tamper\":{tamper},\"voltage\":2900}}"
    )
}

#[test]
fn a_zigbee_door_opens_is_tampered_with_and_goes_out_of_reach() {
    let _beside = beside();
    let zigbee = Mosquitto::start(&Options::default()).unwrap();
    let topic = "zigbee2mqtt/back door";
    let availability = "zigbee2mqtt/back door/availability";
    publish(&zigbee, topic, &contact(true, false, false), true);
    let place = Place::new().table(&broker(&zigbee)).table(DOOR);
    let mut edge = place.site.run();
    let kept = place.wait_for_health("door", |it| it.state == SensorState::Rest);
    assert_eq!(
        (kept.label.as_deref(), kept.last_seen),
        (Some("后门"), None),
        "what was kept is no sign of life"
    );
    publish(&zigbee, topic, &contact(false, true, true), true);
    place.wait_for_alarm("door", Phase::Began);
    let tamper = place.wait_for_fault("door", SensorFaultKind::Tamper, "opened or taken off");
    let power = place.wait_for_fault("door", SensorFaultKind::Power, "battery is low");
    publish(&zigbee, topic, &contact(true, false, false), true);
    place.wait_for_alarm("door", Phase::Ended);
    place.wait_for_end("door", SensorFaultKind::Tamper, tamper);
    place.wait_for_end("door", SensorFaultKind::Power, power);
    assert!(place.wait_for_health("door", |it| it.last_seen.is_some()).faults.is_empty());
    for (offline, online) in [("{\"state\":\"offline\"}", "{\"state\":\"online\"}"), ("offline", "online")] {
        publish(&zigbee, availability, offline, true);
        let gone = place.wait_for_fault("door", SensorFaultKind::Comms, "reported to be offline");
        publish(&zigbee, availability, online, true);
        place.wait_for_end("door", SensorFaultKind::Comms, gone);
    }
    edge.terminate();
    place.listener.wait_for_all(&edge.recorded());
    place.listener.heard().assert_whole();
}

#[test]
fn a_level_trips_at_its_threshold_and_nonsense_is_a_fault() {
    let _beside = beside();
    let plain = Mosquitto::start(&Options::default()).unwrap();
    let tank = "[[sensor]]\nid = \"tank\"\ninput = \"level\"\ncomms_after_s = 1\n[sensor.mqtt]\nbroker = \"zigbee\"\n\
                topic = \"plant/tank\"\nalarm = { pointer = \"/level\", at_least = 80 }\n\
                measure = { pointer = \"/level\", unit = \"%\" }\n";
    let quiet = "[[sensor]]\nid = \"quiet\"\ninput = \"motion\"\n[sensor.mqtt]\nbroker = \"zigbee\"\ntopic = \"plant/quiet\"\n\
                 alarm = { pointer = \"\", is = \"MOTION\" }\nsilent_after_s = 10\nrests_after_s = 2\n";
    let place = Place::new().table(&broker(&plain)).table(tank).table(quiet);
    let mut edge = place.site.run();
    edge.wait_for("started");
    // Nothing is kept: what is said before the box listens is not heard.
    place.listener.wait("a level below", |heard| {
        publish(&plain, "plant/tank", "{\"level\": 79.5}", false);
        super::health(heard, "tank").filter(|it| it.state == SensorState::Rest)
    });
    publish(&plain, "plant/tank", "{\"level\": 80.5}", false);
    let began = place.wait_for_alarm("tank", Phase::Began);
    let measured = began.data.happening.measured().unwrap();
    assert_eq!((measured.value, measured.unit.as_str()), (80.5, "%"));
    publish(&plain, "plant/tank", "{\"level\": \"much\"}", false);
    let fault = place.wait_for_fault("tank", SensorFaultKind::Comms, "a number was expected");
    publish(&plain, "plant/tank", "{\"level\": 20}", false);
    place.wait_for_end("tank", SensorFaultKind::Comms, fault);
    place.wait_for_alarm("tank", Phase::Ended);
    // Larger than any sensor has to say; the broker keeps it back and the connection stays.
    publish(&plain, "plant/tank", &"9".repeat(100_000), false);
    publish(&plain, "plant/quiet", "MOTION", false);
    place.wait_for_alarm("quiet", Phase::Began);
    place.wait_for_alarm("quiet", Phase::Ended);
    let silent = place.wait_for_fault("quiet", SensorFaultKind::Comms, "it said nothing for 10 s");
    publish(&plain, "plant/quiet", "MOTION", false);
    place.wait_for_end("quiet", SensorFaultKind::Comms, silent);
    assert_eq!(faults(&place.listener.heard(), "tank", SensorFaultKind::Comms, Phase::Began).len(), 1);
    edge.assert_alive();
}

#[test]
fn a_broker_that_goes_and_comes_back_is_heard_again() {
    let _beside = beside();
    let mut zigbee = Mosquitto::start(&Options::default()).unwrap();
    publish(&zigbee, "zigbee2mqtt/back door", &contact(true, false, false), true);
    let place = Place::new().table(&broker(&zigbee)).table(DOOR);
    let mut edge = place.site.run();
    place.wait_for_health("door", |it| it.state == SensorState::Rest);
    zigbee.kill().unwrap();
    let fault = place.wait_for_fault("door", SensorFaultKind::Comms, "the connection to the broker");
    zigbee.restart().unwrap();
    // The way is open again, which says nothing of the door.
    place.wait_for_end("door", SensorFaultKind::Comms, fault);
    publish(&zigbee, "zigbee2mqtt/back door", &contact(false, false, false), true);
    place.wait_for_alarm("door", Phase::Began);
    edge.assert_alive();
}

#[test]
fn a_contact_that_chatters_at_a_kilohertz_is_one_fault_and_one_standing_alarm() {
    let _beside = beside();
    let zigbee = Mosquitto::start(&Options::default()).unwrap();
    let topic = "zigbee2mqtt/back door";
    publish(&zigbee, topic, &contact(true, false, false), true);
    let place = Place::new().table(&broker(&zigbee)).table(DOOR);
    let mut edge = place.site.run();
    place.wait_for_health("door", |it| it.state == SensorState::Rest);
    let port = zigbee.port().to_string();
    let mut client = Command::new("mosquitto_pub")
        .args(["-p", &port, "-q", "1", "-t", topic, "-l"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = client.stdin.take().unwrap();
    for i in 0..5000 {
        writeln!(lines, "{}", contact(i % 2 == 0, false, false)).unwrap();
        if i % 10 == 0 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
    drop(lines);
    assert!(client.wait().unwrap().success());
    let chatter = place.wait_for_fault("door", SensorFaultKind::Open, "it chatters");
    // It ended open, so the alarm stands when it is calm again.
    place.wait_for_end("door", SensorFaultKind::Open, chatter);
    let heard = place.listener.heard();
    let (began, ended) =
        (alarms(&heard, "door", Phase::Began).len(), alarms(&heard, "door", Phase::Ended).len());
    assert_eq!(began, ended + 1);
    assert!(began <= 15, "{began} of 2500 are told");
    place.wait_for_health("door", |it| it.readings > 4000 && it.faults.is_empty());
    edge.terminate();
    place.listener.wait_for_all(&edge.recorded());
    place.listener.heard().assert_whole();
}

/// An authority and a certificate of it for `localhost`, as files: authority, certificate, key.
fn certificates(place: &Place, name: &str) -> [String; 3] {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&key, &authority).unwrap();
    let file =
        |kind: &str, pem: &str| place.site.write(&format!("{name}-{kind}.pem"), pem).display().to_string();
    [file("ca", &authority.pem()), file("server", &server.pem()), file("key", &key.serialize_pem())]
}

#[test]
fn a_broker_elsewhere_is_known_by_its_authority_and_another_is_not_believed() {
    let _beside = beside();
    let place = Place::new();
    let [ca, server, key] = certificates(&place, "its");
    let [other_ca, _, _] = certificates(&place, "other");
    let port = port::free().unwrap();
    let extra = vec![
        format!("listener {port} 127.0.0.1"),
        format!("certfile {server}"),
        format!("keyfile {key}"),
        "tls_version tlsv1.3".into(),
    ];
    let zigbee = Mosquitto::start(&Options { extra, ..Options::default() }).unwrap();
    publish(&zigbee, "zigbee2mqtt/back door", &contact(true, false, false), true);
    let table = |ca: &str| {
        format!("[[mqtt]]\nid = \"zigbee\"\nurl = \"mqtts://localhost:{port}\"\nca_file = {ca:?}\n")
    };
    let without = format!("{}{}{DOOR}", place.site.config_text(), table(&ca).replace("ca_file", "# "));
    let refused = String::from_utf8(place.site.call_with("check", &without).stderr).unwrap();
    assert!(refused.contains("mqtt[0].url") && refused.contains("ca_file"), "{refused}");

    let place = place.table(&table(&other_ca)).table(DOOR);
    let mut edge = place.site.run();
    place.wait_for_fault("door", SensorFaultKind::Comms, "certificate");
    edge.terminate();
    let text = place.site.config_text().replace(&other_ca, &ca);
    let mut edge = place.site.run_with(&text);
    place.wait_for_health("door", |it| it.state == SensorState::Rest);
    edge.terminate();
}
