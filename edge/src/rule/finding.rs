//! What a rule decides.

use std::time::Duration;

use gatepost_wire::event::{Direction, Phase, Region, Sighting};
use gatepost_wire::{RuleId, Severity, ZoneId};

use crate::track::Track;

/// Which of a rule's alarms; counted within one run of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlarmNumber(pub u64);

/// A rule says that an alarm begins, goes on or ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The rule.
    pub rule: RuleId,
    /// How grave.
    pub severity: Severity,
    /// Which alarm of this rule.
    pub alarm: AlarmNumber,
    /// The moment of its life.
    pub phase: Phase,
    /// What was found.
    pub finding: Finding,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Somebody is inside an area, came in, or went out.
    ZoneIntrusion {
        /// The area.
        zone: ZoneId,
        /// Who or what, as last seen.
        seen: Sighting,
        /// Time inside so far.
        dwell: Duration,
    },
    /// Somebody went over a line.
    LineCrossing {
        /// The line.
        line: ZoneId,
        /// Which way.
        direction: Direction,
        /// Who or what.
        seen: Sighting,
    },
    /// Somebody stays about in an area.
    Loitering {
        /// The area.
        zone: ZoneId,
        /// Who or what, as last seen.
        seen: Sighting,
        /// Time in the area so far.
        dwell: Duration,
    },
    /// A vehicle stands in an area.
    VehicleStopped {
        /// The area.
        zone: ZoneId,
        /// The vehicle, as last seen.
        seen: Sighting,
        /// Time it has been standing.
        still: Duration,
    },
    /// A thing lies in an area.
    ObjectLeft {
        /// The area.
        zone: ZoneId,
        /// Where in the picture.
        region: Region,
        /// Time it has been lying there.
        still: Duration,
    },
    /// More are in an area than allowed.
    Overcrowding {
        /// The area.
        zone: ZoneId,
        /// How many.
        count: u32,
        /// How many are allowed.
        limit: u32,
    },
}

/// A track as the contract tells of it.
pub(super) fn sighting(track: &Track) -> Sighting {
    Sighting { object: track.class, track: track.number, region: track.region, score: track.score }
}
