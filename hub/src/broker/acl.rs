//! What a device may do at the embedded broker: everything below its own `gp/v1/{edge}/`, nothing else; and it gives no
//! commands, not even to itself. Pure.

use gatepost_wire::topic::PREFIX;
use gatepost_wire::{EdgeId, Topic};

/// May the device publish on this, or leave a last will there? Commands come from the hub alone.
pub fn may_publish(device: &EdgeId, topic: &str) -> bool {
    is_own(device, topic) && !matches!(topic.parse(), Ok(Topic::Command(_)))
}

/// May the device subscribe to this? Wildcards are fine below its own level; `$share/…` is not.
pub fn may_subscribe(device: &EdgeId, filter: &str) -> bool {
    is_own(device, filter)
}

fn is_own(device: &EdgeId, topic_or_filter: &str) -> bool {
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
        for own in ["gp/v1/gate-1/event", "gp/v1/gate-1/command", "gp/v1/gate-1/#", "gp/v1/gate-1/+/x"] {
            assert!(may_subscribe(&device, own), "{own}");
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
            "gp/v1/gate-2/command",
            "gp/v1/gate-2/command/reply",
        ] {
            assert!(!may_subscribe(&device, foreign), "{foreign}");
            assert!(!may_publish(&device, foreign), "{foreign}");
        }
    }

    #[test]
    fn a_device_answers_commands_and_gives_none() {
        let device: EdgeId = "gate-1".parse().unwrap();
        for own in ["gp/v1/gate-1/event", "gp/v1/gate-1/health", "gp/v1/gate-1/command/reply"] {
            assert!(may_publish(&device, own), "{own}");
        }
        assert!(!may_publish(&device, "gp/v1/gate-1/command"));
    }
}
