//! What a fuzzer does with every parser of outside bytes. Compiled for it and for tests only; see `fuzz/README.md`.

use bytes::Bytes;

pub use crate::config::fuzzing::configuration;
pub use crate::enrolment::fuzzing::enrolment;
pub use crate::intake::fuzzing::message;

use crate::evidence::{Format, Piece};

/// What is sent as a picture, clip or original.
pub fn evidence(bytes: &[u8]) {
    let Ok(piece) = Piece::parse(Bytes::copy_from_slice(bytes)) else { return };
    assert_eq!(piece.sha256().len(), 64);
    let name = gatepost_wire::MediaType::from(piece.format().media_type().to_owned());
    assert_eq!(Format::named(&name), Some(piece.format()));
}

#[cfg(test)]
mod tests {
    use gatepost_testbed::corpus::replay;

    #[test]
    fn what_was_found_stays_mended() {
        replay("hub_config", super::configuration);
        replay("hub_enrolment", super::enrolment);
        replay("hub_intake", super::message);
        replay("evidence", super::evidence);
    }
}
