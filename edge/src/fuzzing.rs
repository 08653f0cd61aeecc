//! What a fuzzer does with every parser of outside bytes. Compiled for it and for tests only; see `fuzz/README.md`.

pub use crate::config::fuzzing::{configuration, profile};
pub use crate::outbox::fuzzing::outbox_frame;
pub use crate::sensor::fuzzing::{modbus_reply, onvif_answer, onvif_challenge, sensor_message};
pub use crate::source::fuzzing::{camera_message, rtp_packet};

#[cfg(test)]
mod tests {
    use gatepost_testbed::corpus::replay;

    #[test]
    fn what_was_found_stays_mended() {
        replay("edge_config", super::configuration);
        replay("modbus_profile", super::profile);
        replay("outbox_frame", super::outbox_frame);
        replay("modbus_reply", super::modbus_reply);
        replay("onvif_answer", super::onvif_answer);
        replay("onvif_challenge", super::onvif_challenge);
        replay("sensor_message", super::sensor_message);
        replay("camera_message", super::camera_message);
        replay("rtp_packet", super::rtp_packet);
    }
}
