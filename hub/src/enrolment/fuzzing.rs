//! What a fuzzer does with what whoever reaches enrolment sends, before anybody is known.

use std::sync::OnceLock;

use gatepost_wire::Timestamp;
use gatepost_wire::enrolment::{Ask, EnrolmentCode};
use jiff::SignedDuration;

use crate::authority::{Authority, AuthorityFiles};

/// A request for a certificate in PEM, the body of an enrolment, a code.
pub fn enrolment(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    certify(text);
    if let Ok(ask) = serde_json::from_str::<Ask>(text) {
        certify(&ask.request);
        assert!(!format!("{ask:?}").contains("request"), "what is asked for is not logged");
    }
    if let Ok(code) = text.parse::<EnrolmentCode>() {
        assert_eq!(code.reveal().parse(), Ok(code));
    }
}

fn certify(request: &str) {
    static AUTHORITY: OnceLock<Option<Authority>> = OnceLock::new();
    let authority = AUTHORITY.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("gatepost-fuzz-{}", std::process::id()));
        Authority::open(&AuthorityFiles::own(&folder)).ok()
    });
    let (Some(authority), Ok(edge)) = (authority, "gate-1".parse()) else { panic!("no authority") };
    let valid = SignedDuration::from_hours(1);
    if let Ok(issued) = authority.issue(&edge, request, Timestamp::UNIX_EPOCH + valid, valid) {
        assert!(issued.pem.contains("BEGIN CERTIFICATE"));
    }
}
