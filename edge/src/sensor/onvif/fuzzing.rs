//! What a fuzzer does with what ONVIF devices answer.

use hyper::HeaderMap;
use hyper::header::{HeaderValue, WWW_AUTHENTICATE};
use roxmltree::Document;
use url::Url;

use super::login::Login;
use super::post::at;
use super::reference;
use super::soap::{AnswerFault, Ask, ends_soon, events_address, messages, time};

/// An answer to each of the requests.
pub fn onvif_answer(bytes: &[u8]) {
    let Ok(answer) = std::str::from_utf8(bytes) else { return };
    let told =
        [messages(answer).map(drop), time(answer).map(drop), events_address(answer).map(at_the_device)];
    for fault in told.into_iter().filter_map(Result::err) {
        if let AnswerFault::Refused(reason) = fault {
            assert!(reason.chars().count() <= 200);
        }
    }
    let _ = ends_soon(answer);
    let Ok(reference) = reference::subscription(answer) else { return };
    let request = Ask::Pull.envelope(&reference, "");
    let request = Document::parse(&request).unwrap_or_else(|error| panic!("{error}: {request}"));
    let body = request
        .root_element()
        .children()
        .filter(|it| it.has_tag_name(("http://www.w3.org/2003/05/soap-envelope", "Body")));
    assert_eq!(body.count(), 1, "a device adds no body to a request");
    at_the_device(reference.address);
}

/// Whatever address a device names, no other host is asked.
fn at_the_device(named: String) {
    let Ok(configured) = Url::parse("http://192.0.2.10:8080/onvif/device_service") else { return };
    let url = at(&configured, &named);
    assert_eq!(
        (url.scheme(), url.host_str(), url.port()),
        ("http", Some("192.0.2.10"), Some(8080)),
        "{named}"
    );
}

/// How a device asks who it is that asks.
pub fn onvif_challenge(bytes: &[u8]) {
    let mut refusal = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            refusal.append(WWW_AUTHENTICATE, value);
        }
    }
    let login = Login { user: "gate\"way".into(), password: "never in the clear".into() };
    let Ok(said) = login.respond(&refusal, "/onvif/events?1", b"<x/>") else { return };
    assert!(!said.contains(&login.password));
    assert!(HeaderValue::from_str(&said).is_ok(), "it can be said: {said:?}");
}
