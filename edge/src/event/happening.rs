//! What a rule found, in the words of the contract.

use std::time::Duration;

use gatepost_wire::event::{
    Alarm, Happening, LineCrossing, Loitering, ObjectLeft, Overcrowding, VehicleStopped, ZoneIntrusion,
};
use gatepost_wire::{CameraId, RuleId};

use crate::rule::Finding;

/// What happened, when this camera's rule found this.
pub fn happening(camera: &CameraId, finding: &Finding, rule: &RuleId, alarm: Alarm) -> Happening {
    let (camera, rule, extra) = (camera.clone(), rule.clone(), Default::default());
    match finding.clone() {
        Finding::ZoneIntrusion { zone, seen, dwell } => {
            let dwell_ms = millis(dwell);
            Happening::ZoneIntrusion(ZoneIntrusion { alarm, camera, rule, zone, seen, dwell_ms, extra })
        }
        Finding::LineCrossing { line, direction, seen } => {
            Happening::LineCrossing(LineCrossing { alarm, camera, rule, line, direction, seen, extra })
        }
        Finding::Loitering { zone, seen, dwell } => {
            let dwell_ms = millis(dwell);
            Happening::Loitering(Loitering { alarm, camera, rule, zone, seen, dwell_ms, extra })
        }
        Finding::VehicleStopped { zone, seen, still } => {
            let still_ms = millis(still);
            Happening::VehicleStopped(VehicleStopped { alarm, camera, rule, zone, seen, still_ms, extra })
        }
        Finding::ObjectLeft { zone, region, still } => {
            let still_ms = millis(still);
            Happening::ObjectLeft(ObjectLeft { alarm, camera, rule, zone, region, still_ms, extra })
        }
        Finding::Overcrowding { zone, count, limit } => {
            Happening::Overcrowding(Overcrowding { alarm, camera, rule, zone, count, limit, extra })
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
