//! What a fuzzer does with every parser of outside bytes. Compiled for it and for tests only; see `fuzz/README.md`.

use bytes::Bytes;

pub use crate::config::fuzzing::configuration;
pub use crate::enrolment::fuzzing::enrolment;
pub use crate::intake::fuzzing::message;

use crate::attachment::Content;
use crate::evidence::{Format, Piece};
use crate::plan::Picture;

/// What is sent as a picture, clip or original.
pub fn evidence(bytes: &[u8]) {
    let Ok(piece) = Piece::parse(Bytes::copy_from_slice(bytes)) else { return };
    assert_eq!(piece.sha256().len(), 64);
    let name = gatepost_wire::MediaType::from(piece.format().media_type().to_owned());
    assert_eq!(Format::named(&name), Some(piece.format()));
}

/// What a person attaches to an incident. What is kept of it is something that may be attached, and nothing more is taken out of it.
pub fn attachment(bytes: &[u8]) {
    let Ok(kept) = Content::parse(Bytes::copy_from_slice(bytes)) else { return };
    let again =
        Content::parse(kept.bytes().clone()).unwrap_or_else(|error| panic!("what is kept is {error}"));
    assert_eq!((again.format(), again.sha256()), (kept.format(), kept.sha256()));
}

/// What a technician sends as the picture of a plan.
pub fn plan_picture(bytes: &[u8]) {
    let Ok(picture) = Picture::parse(Bytes::copy_from_slice(bytes)) else { return };
    let size = picture.size();
    assert!((1..=8000).contains(&size.width_px) && (1..=8000).contains(&size.height_px));
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
        replay("attachment", super::attachment);
        replay("plan_picture", super::plan_picture);
    }
}
