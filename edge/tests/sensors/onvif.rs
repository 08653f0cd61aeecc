//! ONVIF: a camera that was not written here (the mock of the crate `oxvif`, with its login), and what that does not do,
//! played by a device of this test in the shapes of the specification's own examples.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use gatepost_testbed::onvif_camera::{Login, OnvifCamera};
use gatepost_wire::event::{Phase, SensorFaultKind};
use gatepost_wire::health::SensorState;

use super::support::beside;
use super::{Place, alarms};

const INPUT: &str = "[[sensor]]\nid = \"shutter\"\ninput = \"contact\"\ncomms_after_s = 1\n[sensor.onvif]\ndevice = \"gate\"\n\
                     topic = \"tns1:Device/Trigger/DigitalInput\"\nitem = \"LogicalState\"\n";

/// A place with a device at `port`, and the password that is used there.
fn place(port: u16, password: &str) -> Place {
    let place = Place::new();
    let file = place.site.write("gate.password", password);
    place.table(&format!(
        "[[onvif]]\nid = \"gate\"\nurl = \"http://127.0.0.1:{port}\"\nusername = \"admin\"\npassword_file = {file:?}\n"
    ))
}

#[test]
fn an_input_of_a_camera_trips_and_rests_over_the_cameras_restart() {
    let _beside = beside();
    let mut camera = OnvifCamera::start(Login::Token).unwrap();
    let source = "source = { InputToken = \"DigitalInput_1\" }\n";
    let other = INPUT.replace("shutter", "other") + "source = { InputToken = \"DigitalInput_2\" }\n";
    let motion = "[[sensor]]\nid = \"motion\"\ninput = \"motion\"\n[sensor.onvif]\ndevice = \"gate\"\n\
                  topic = \"tns1:VideoSource/MotionAlarm\"\nitem = \"IsMotion\"\n";
    let place = place(camera.port(), "admin").table(&(INPUT.to_owned() + source)).table(&other).table(motion);
    let mut edge = place.site.run();
    camera.close_input(true).unwrap();
    let began = place.wait_for_alarm("shutter", Phase::Began);
    camera.close_input(false).unwrap();
    let ended = place.wait_for_alarm("shutter", Phase::Ended);
    assert_eq!(ended.data.happening.alarm().unwrap().id, began.data.happening.alarm().unwrap().id);
    // The mock makes up motion that begins and ends with each few pulls.
    place.wait_for_alarm("motion", Phase::Began);

    camera.kill().unwrap();
    let fault = place.wait_for_fault("shutter", SensorFaultKind::Comms, "it cannot be reached");
    camera.restart().unwrap();
    place.wait_for_end("shutter", SensorFaultKind::Comms, fault);
    camera.close_input(true).unwrap();
    place
        .listener
        .wait("a second alarm", |heard| (alarms(heard, "shutter", Phase::Began).len() == 2).then_some(()));
    edge.terminate();
    place.listener.wait_for_all(&edge.recorded());
    let heard = place.listener.heard();
    heard.assert_whole();
    assert_eq!(alarms(&heard, "other", Phase::Began), [], "the other input was left alone");
}

#[test]
fn a_camera_that_wants_the_login_by_http_gets_its_digest() {
    let _beside = beside();
    let camera = OnvifCamera::start(Login::Digest).unwrap();
    let place = place(camera.port(), "admin").table(INPUT);
    let mut edge = place.site.run();
    camera.close_input(true).unwrap();
    place.wait_for_alarm("shutter", Phase::Began);
    edge.assert_alive();
}

#[test]
fn a_wrong_password_is_a_fault_that_says_so() {
    let _beside = beside();
    for login in [Login::Token, Login::Digest] {
        let camera = OnvifCamera::start(login).unwrap();
        let place = place(camera.port(), "hunter2").table(INPUT);
        let mut edge = place.site.run();
        place.wait_for_fault(
            "shutter",
            SensorFaultKind::Comms,
            "refuses the login: check `username` and `password_file`",
        );
        assert!(!edge.log().contains("hunter2"));
        edge.assert_alive();
    }
}

/// What a device answers to an action, given how often it was asked for it.
type Answers = Arc<dyn Fn(&str, usize) -> Vec<u8> + Send + Sync>;

/// A device of this test; serves until the test ends.
fn device(answers: Answers) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
            thread::spawn(move || answer(stream.unwrap(), &answers, &seen));
        }
    });
    (port, asked)
}

fn answer(mut stream: TcpStream, answers: &Answers, seen: &Mutex<Vec<String>>) {
    let Some((head, request)) = request(&stream) else { return };
    let Some(kind) = head.iter().find(|line| line.to_lowercase().starts_with("content-type")) else { return };
    let action =
        kind.rsplit(['/', '"']).find(|part| !part.is_empty()).unwrap_or_default().replace("Request", "");
    let times = {
        let mut seen = seen.lock().unwrap();
        seen.push(action.clone());
        seen.iter().filter(|it| **it == action).count()
    };
    let is_about_it = ["PullMessages", "Renew", "SetSynchronizationPoint"].contains(&action.as_str());
    let body = if is_about_it && !names_the_subscription(&request) {
        fault("no such subscription")
    } else {
        answers(&action, times)
    };
    // Whoever asked may have gone.
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())
        .and_then(|()| stream.write_all(&body));
}

/// The lines before an empty one, and the text behind it.
fn request(stream: &TcpStream) -> Option<(Vec<String>, String)> {
    let mut reader = BufReader::new(stream);
    let lines = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let head: Vec<String> = lines.collect();
    let length = head
        .iter()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok())?;
    let mut text = String::new();
    reader.take(length).read_to_string(&mut text).ok()?;
    Some((head, text))
}

/// This device has one address for all subscriptions and knows them by a header, as Axis' cameras do.
fn names_the_subscription(request: &str) -> bool {
    let request = roxmltree::Document::parse(request).unwrap();
    let id = request.descendants().find(|node| node.has_tag_name(("urn:device", "SubscriptionId")));
    id.is_some_and(|id| {
        id.text() == Some("7") && id.parent().is_some_and(|it| it.tag_name().name() == "Header")
    })
}

fn fault(reason: &str) -> Vec<u8> {
    envelope(&format!(
        "<env:Fault><env:Code><env:Value>env:Receiver</env:Value></env:Code><env:Reason><env:Text>{reason}</env:Text>\
         </env:Reason></env:Fault>"
    ))
}

fn envelope(body: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\"?><env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:tev=\"http://www.onvif.org/ver10/events/wsdl\" \
         xmlns:tt=\"http://www.onvif.org/ver10/schema\" xmlns:wsnt=\"http://docs.oasis-open.org/wsn/b-2\" \
         xmlns:wsa5=\"http://www.w3.org/2005/08/addressing\" xmlns:tns1=\"http://www.onvif.org/ver10/topics\">\
         <env:Body>{body}</env:Body></env:Envelope>"
    )
    .into_bytes()
}

fn message(topic: &str, operation: &str, source: &str, data: &str) -> String {
    format!(
        "<wsnt:NotificationMessage><wsnt:Topic>tns1:{topic}</wsnt:Topic><wsnt:Message><tt:Message \
         UtcTime=\"2026-01-31T08:30:05Z\" PropertyOperation=\"{operation}\"><tt:Source>{source}</tt:Source>\
         <tt:Data>{data}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>"
    )
}

/// What any device answers; a pull takes as long as it is told, and brings `messages`.
fn usual(action: &str, messages: &str) -> Vec<u8> {
    let foreign = "http://192.0.2.99:9999";
    envelope(&match action {
        // A clock that is years off.
        "GetSystemDateAndTime" => "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time>\
             <tt:Hour>1</tt:Hour><tt:Minute>2</tt:Minute><tt:Second>3</tt:Second></tt:Time><tt:Date><tt:Year>2001</tt:Year>\
             <tt:Month>2</tt:Month><tt:Day>3</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>\
             </tds:GetSystemDateAndTimeResponse>".to_owned(),
        "GetCapabilities" => format!(
            "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Events><tt:XAddr>{foreign}/onvif/events</tt:XAddr></tt:Events>\
             </tds:Capabilities></tds:GetCapabilitiesResponse>"
        ),
        "CreatePullPointSubscription" => format!(
            "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa5:Address>{foreign}/sub\
             </wsa5:Address><wsa5:ReferenceParameters><dev:SubscriptionId xmlns:dev=\"urn:device\">7</dev:SubscriptionId>\
             </wsa5:ReferenceParameters></tev:SubscriptionReference></tev:CreatePullPointSubscriptionResponse>"
        ),
        "PullMessages" => {
            if messages.is_empty() {
                thread::sleep(Duration::from_millis(300));
            }
            format!(
                "<tev:PullMessagesResponse><tev:CurrentTime>2001-02-03T01:02:03Z</tev:CurrentTime>\
                 <tev:TerminationTime>2001-02-03T01:03:03Z</tev:TerminationTime>{messages}</tev:PullMessagesResponse>"
            )
        }
        _ => format!("<tev:{action}Response/>"),
    })
}

#[test]
fn a_contact_that_is_open_at_the_start_is_known_and_a_forgotten_subscription_made_anew() {
    let _beside = beside();
    let forgotten = Arc::new(AtomicUsize::new(0));
    let forgets = Arc::clone(&forgotten);
    let line = "<tt:SimpleItem Name=\"Rule\" Value=\"fence\"/>";
    let answers = move |action: &str, times: usize| match (action, times) {
        ("PullMessages", 1) => usual(
            action,
            &message(
                "Device/Trigger/DigitalInput",
                "Initialized",
                "<tt:SimpleItem Name=\"InputToken\" Value=\"1\"/>",
                "<tt:SimpleItem Name=\"LogicalState\" Value=\"true\"/>",
            ),
        ),
        ("PullMessages", 3) => {
            usual(action, &message("RuleEngine/LineDetector/Crossed", "Changed", line, ""))
        }
        ("PullMessages", 5) => {
            forgets.fetch_add(1, Ordering::Relaxed);
            fault("it was forgotten")
        }
        _ => usual(action, ""),
    };
    let (port, asked) = device(Arc::new(answers));
    let crossed = "[[sensor]]\nid = \"crossed\"\ninput = \"motion\"\n[sensor.onvif]\ndevice = \"gate\"\n\
                   topic = \"tns1:RuleEngine/LineDetector/Crossed\"\nsource = { Rule = \"fence\" }\nrests_after_s = 1\n";
    let place = place(port, "secret").table(INPUT).table(crossed);
    let mut edge = place.site.run();
    place.wait_for_alarm("shutter", Phase::Began);
    place.wait_for_alarm("crossed", Phase::Began);
    place.wait_for_alarm("crossed", Phase::Ended);
    place.listener.wait("a new subscription", |_| {
        let asked = asked.lock().unwrap();
        (asked.iter().filter(|it| *it == "CreatePullPointSubscription").count() == 2).then_some(())
    });
    assert_eq!(forgotten.load(Ordering::Relaxed), 1);
    assert!(asked.lock().unwrap().contains(&"SetSynchronizationPoint".to_owned()));
    assert_eq!(alarms(&place.listener.heard(), "shutter", Phase::Ended), [], "nobody said that it closed");
    edge.assert_alive();
}

#[test]
fn answers_that_make_no_sense_are_faults_and_end_with_the_first_that_does() {
    let _beside = beside();
    let answers = |action: &str, times: usize| match (action, times) {
        ("GetSystemDateAndTime", 1) => b"<html><body>busy</body></html>".to_vec(),
        ("GetSystemDateAndTime", 2) => vec![b'x'; 600 * 1024],
        ("GetSystemDateAndTime", 3) => "<a>".repeat(100_000).into_bytes(),
        ("GetSystemDateAndTime", 4) => vec![0xff, 0xfe, 0, 1],
        ("PullMessages", 2) => usual(action, &message("Device/Trigger/DigitalInput", "Changed", "", "")),
        ("PullMessages", 4) => usual(
            action,
            &message(
                "Device/Trigger/DigitalInput",
                "Changed",
                "",
                "<tt:SimpleItem Name=\"LogicalState\" Value=\"1\"/>",
            ),
        ),
        _ => usual(action, ""),
    };
    let (port, _) = device(Arc::new(answers));
    let place = place(port, "secret").table(INPUT);
    let mut edge = place.site.run();
    let fault = place.wait_for_fault("shutter", SensorFaultKind::Comms, "the answer");
    place.wait_for_end("shutter", SensorFaultKind::Comms, fault);
    place.wait_for_alarm("shutter", Phase::Began);
    place.wait_for_health("shutter", |it| it.state == SensorState::Tripped && it.faults.is_empty());
    edge.assert_alive();
}
