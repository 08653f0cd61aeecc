//! What a device may do at the embedded broker: everything below its own `gp/v1/{edge}/`, nothing else. Pure.

use gatepost_wire::EdgeId;
use gatepost_wire::topic::PREFIX;

/// May the device publish to, or subscribe to, this? Wildcards are fine below its own level; `$share/…` is not.
pub fn is_own(device: &EdgeId, topic_or_filter: &str) -> bool {
    topic_or_filter
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_prefix('/'))
        .and_then(|rest| rest.strip_prefix(device.as_str()))
        .and_then(|rest| rest.strip_prefix('/'))
        .is_some_and(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_stays_in_its_own_room() {
        let device: EdgeId = "gate-1".parse().unwrap();
        for own in ["gp/v1/gate-1/event", "gp/v1/gate-1/#", "gp/v1/gate-1/+/x"] {
            assert!(is_own(&device, own), "{own}");
        }
        for foreign in [
            "",
            "#",
            "+/+/+/+",
            "gp/v1/gate-1",
            "gp/v1/gate-1/",
            "gp/v1/gate-10/event",
            "gp/v1/gate-2/event",
            "gp/v1/+/event",
            "$share/hub/gp/v1/gate-1/event",
            "/gp/v1/gate-1/event",
            "$SYS/x",
            "gp/v2/gate-1/event",
        ] {
            assert!(!is_own(&device, foreign), "{foreign}");
        }
    }
}
