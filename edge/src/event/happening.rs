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

#[cfg(test)]
mod tests {
    use gatepost_wire::AlarmId;
    use gatepost_wire::event::{Direction, ObjectClass, Phase, Region, Sighting, TrackNumber};
    use ulid::Ulid;

    use super::*;

    #[test]
    fn every_finding_is_told_with_its_place_and_rule() {
        let region = Region { left: 0.1, top: 0.1, right: 0.2, bottom: 0.3 };
        let seen = Sighting { object: ObjectClass::Car, track: TrackNumber(3), region, score: 0.5 };
        let zone = || "fire-lane".parse().unwrap();
        let long = Duration::from_millis(1500);
        let findings = [
            ("zone_intrusion", Finding::ZoneIntrusion { zone: zone(), seen, dwell: long }),
            (
                "line_crossing",
                Finding::LineCrossing { line: zone(), direction: Direction::LeftToRight, seen },
            ),
            ("loitering", Finding::Loitering { zone: zone(), seen, dwell: long }),
            ("vehicle_stopped", Finding::VehicleStopped { zone: zone(), seen, still: long }),
            ("object_left", Finding::ObjectLeft { zone: zone(), region, still: long }),
            ("overcrowding", Finding::Overcrowding { zone: zone(), count: 9, limit: 8 }),
        ];
        let alarm = Alarm { id: AlarmId::from_ulid(Ulid::nil()), phase: Phase::Began };
        let (camera, rule) = ("gate".parse().unwrap(), "r".parse().unwrap());
        for (kind, finding) in findings {
            let told = happening(&camera, &finding, &rule, alarm);
            assert_eq!(told.kind(), kind);
            assert_eq!(
                (told.alarm(), told.zone(), told.rule()),
                (Some(alarm), Some(zone()), Some(rule.clone()))
            );
            assert_eq!(told.camera(), Some(camera.clone()));
        }
        let stopped = Finding::VehicleStopped { zone: zone(), seen, still: long };
        let Happening::VehicleStopped(told) = happening(&camera, &stopped, &rule, alarm) else { panic!() };
        assert_eq!((told.seen, told.still_ms), (seen, 1500));
    }
}
