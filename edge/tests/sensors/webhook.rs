//! Panels that tell by HTTP, well-meaning ones and others.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use gatepost_testbed::port;
use gatepost_wire::event::{Phase, SensorFaultKind};
use gatepost_wire::health::SensorState;

use super::support::beside;
use super::support::site::only_complaint;
use super::{Place, alarms};

pub(super) const TOKEN: &str = "correct-horse-battery-staple";
const PANIC: &str = "[[sensor]]\nid = \"panic\"\ninput = \"panic\"\ncomms_after_s = 1\nseverity = 1\n[sensor.webhook]\n\
                     alarm = { pointer = \"/pressed\", is = true }\nrests_after_s = 60\n\
                     fault = [{ kind = \"power\", when = { pointer = \"/mains\", is = false }, detail = \"no mains\" }]\n";

pub(super) struct Panel {
    port: u16,
}

impl Panel {
    /// The status of a request with a token and a body.
    pub(super) fn tell(&self, path: &str, token: &str, body: &str) -> u16 {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: box\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.say(request.as_bytes()).unwrap()
    }

    /// Sends these bytes; gives the status of the answer, if there is one before the connection ends.
    fn say(&self, bytes: &[u8]) -> Option<u16> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // It may be closed before everything is sent.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }
}

pub(super) fn place() -> (Place, Panel) {
    let port = port::free().unwrap();
    let place = Place::new();
    let token = place.site.write("panel.token", TOKEN);
    let webhook = format!("[webhook]\nlisten = \"127.0.0.1:{port}\"\ntoken_file = {token:?}\n");
    (place.table(&webhook).table(PANIC), Panel { port })
}

#[test]
fn a_panel_tells_of_a_button_and_of_its_supply() {
    let _beside = beside();
    let (place, panel) = place();
    let mut edge = place.site.run();
    edge.wait_for("panels may tell");
    assert_eq!(panel.tell("/v1/sensors/panic", TOKEN, "{\"pressed\": false, \"mains\": true}"), 202);
    place.wait_for_health("panic", |it| it.state == SensorState::Rest);
    assert_eq!(panel.tell("/v1/sensors/panic", TOKEN, "{\"pressed\": true, \"mains\": false}"), 202);
    let began = place.wait_for_alarm("panic", Phase::Began);
    assert_eq!(began.data.severity.level(), 1);
    let power = place.wait_for_fault("panic", SensorFaultKind::Power, "no mains");
    assert_eq!(panel.tell("/v1/sensors/panic", TOKEN, "{\"mains\": true}"), 202);
    place.wait_for_end("panic", SensorFaultKind::Power, power);
    assert_eq!(alarms(&place.listener.heard(), "panic", Phase::Ended), [], "of the button nothing was said");
    assert_eq!(panel.tell("/v1/sensors/panic", TOKEN, "{\"pressed\": false}"), 202);
    place.wait_for_alarm("panic", Phase::Ended);
    edge.terminate();
    place.listener.wait_for_all(&edge.recorded());
    place.listener.heard().assert_whole();
}

#[test]
fn whoever_has_no_token_or_says_too_much_is_turned_away() {
    let _beside = beside();
    let (place, panel) = place();
    let mut edge = place.site.run();
    edge.wait_for("panels may tell");
    let pressed = "{\"pressed\": true}";
    assert_eq!(panel.tell("/v1/sensors/panic", "wrong", pressed), 401);
    assert_eq!(
        panel.say(b"POST /v1/sensors/panic HTTP/1.1\r\nHost: box\r\nContent-Length: 2\r\n\r\n{}"),
        Some(401)
    );
    assert_eq!(panel.tell("/v1/sensors/nobody", TOKEN, pressed), 404);
    assert_eq!(panel.tell("/v1/sensors/..%2f..", TOKEN, pressed), 404);
    assert_eq!(panel.tell("/v1/cameras/gate", TOKEN, pressed), 404);
    assert_eq!(panel.tell("/v1/sensors/panic", TOKEN, &"9".repeat(17_000)), 413);
    assert_eq!(panel.tell("/v1/sensors/panic", TOKEN, "{\"pressed\": \"yes\"}"), 422);
    assert!(panel.say(b"\x16\x03\x01 this is no HTTP\r\n\r\n").is_none_or(|status| status == 400));
    place.wait_for_fault("panic", SensorFaultKind::Comms, "true or false was expected");
    let statuses: Vec<u16> =
        (0..80).map(|_| panel.tell("/v1/sensors/panic", TOKEN, "{\"pressed\": false}")).collect();
    let too_many = statuses.iter().filter(|status| **status == 429).count();
    assert!(statuses.iter().all(|status| matches!(status, 202 | 429)), "{statuses:?}");
    assert!((1..80).contains(&too_many), "{statuses:?}");
    assert_eq!(alarms(&place.listener.heard(), "panic", Phase::Began), [], "nothing of this was an alarm");
    let said = edge.log();
    assert!(!said.contains(TOKEN) && !said.contains("Bearer"), "a secret is in the log");
    edge.assert_alive();
}

#[test]
fn whoever_holds_on_to_connections_keeps_nobody_out_for_long() {
    let _beside = beside();
    let (place, panel) = place();
    let mut edge = place.site.run();
    edge.wait_for("panels may tell");
    let mut held: Vec<TcpStream> =
        (0..64).map(|_| TcpStream::connect(("127.0.0.1", panel.port)).unwrap()).collect();
    for stream in &mut held {
        stream.write_all(b"POST /v1/sensors/panic HTTP/1.1\r\nHost: ").unwrap();
    }
    let asked = Instant::now();
    assert_eq!(panel.tell("/v1/sensors/panic", TOKEN, "{\"pressed\": true}"), 202);
    assert!(asked.elapsed() < Duration::from_secs(25), "{:?}", asked.elapsed());
    place.wait_for_alarm("panic", Phase::Began);
    edge.assert_alive();
}

#[test]
fn a_token_that_can_be_guessed_is_refused_and_no_table_too() {
    let (place, _) = place();
    let config = place.site.config_text();
    place.site.write("panel.token", "hunter2\n");
    let said = only_complaint(&place.site.call_with("check", &config));
    assert!(said.contains("fewer than 16 characters") && !said.contains("hunter2"), "{said}");
    std::fs::remove_file(place.site.path("panel.token")).unwrap();
    let said = only_complaint(&place.site.call_with("check", &config));
    assert!(said.contains("panel.token"), "{said}");
    let start = config.find("[webhook]").unwrap();
    let without = format!("{}{}", &config[..start], &config[config.find("[[sensor]]").unwrap()..]);
    let said = only_complaint(&place.site.call_with("check", &without));
    assert!(said.contains("`sensor[0].webhook`: no panel can reach this box"), "{said}");
}
