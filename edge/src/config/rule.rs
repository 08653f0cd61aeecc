//! What must not happen: the rules a technician writes.

use std::collections::BTreeSet;
use std::time::Duration;

use gatepost_wire::event::ObjectClass;
use gatepost_wire::{RuleId, Severity, ZoneId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::ScheduleId;

/// What must not happen.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// Nobody may stay in an area, or come in, or go out.
    ZoneIntrusion(ZoneIntrusionRule),
    /// Nobody may go over a line.
    LineCrossing(LineCrossingRule),
    /// Nobody may stay about in an area for long.
    Loitering(LoiteringRule),
    /// No vehicle may stand in an area.
    VehicleStopped(VehicleStoppedRule),
    /// Nothing may be left lying in an area.
    ObjectLeft(ObjectLeftRule),
    /// No more than so many may be in an area at once.
    Overcrowding(OvercrowdingRule),
}

/// Where a rule watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// An area.
    Zone(&'a ZoneId),
    /// A line.
    Line(&'a ZoneId),
}

/// What every rule has.
#[derive(Debug, Clone)]
pub struct RuleTerms {
    /// Its name.
    pub id: RuleId,
    /// How grave.
    pub severity: Severity,
    /// When it applies; always without one.
    pub schedule: Option<ScheduleId>,
    /// After one of its alarms ended none begins for this long.
    pub cool_down: Duration,
}

/// Which point of a thing's box must be in an area.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoxPoint {
    /// Where it stands: the middle of the lower edge.
    #[default]
    Foot,
    /// The middle of the box.
    Centre,
    /// Any part of the box.
    Any,
}

/// What counts as an intrusion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// Being inside, however it came about.
    #[default]
    Inside,
    /// Being inside after having been seen outside.
    Entering,
    /// Being outside after having been inside.
    Leaving,
}

/// Which way over a line is an alarm, for who looks from the line's first point to its second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CrossingDirection {
    /// From the left-hand side to the right-hand side.
    LeftToRight,
    /// From the right-hand side to the left-hand side.
    RightToLeft,
    /// Either way.
    #[default]
    Both,
}

/// A share of a whole, 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "f32")]
#[schemars(extend("minimum" = 0, "maximum" = 1))]
pub struct Fraction(f32);

impl Fraction {
    /// The number.
    pub const fn get(self) -> f32 {
        self.0
    }
}

impl TryFrom<f32> for Fraction {
    type Error = String;
    fn try_from(value: f32) -> Result<Self, String> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("{value} is no fraction: 0 to 1"))
        }
    }
}

/// The rule's own fields with those every rule has: serde cannot flatten and refuse unknown keys at once.
macro_rules! rule {
    ($(#[$doc:meta])* $type:ident { $($(#[$field_doc:meta])* $field:ident: $field_type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $type {
            /// Name of the rule, unique in this camera.
            pub id: RuleId,
            $($(#[$field_doc])* pub $field: $field_type,)*
            /// Things whose box is lower than this fraction of the picture's height do not count.
            #[serde(default)]
            pub min_height: Fraction,
            /// How grave.
            #[serde(default = "default_severity")]
            pub severity: Severity,
            /// Name of the schedule it applies by; always unless given.
            #[serde(default)]
            pub schedule: Option<ScheduleId>,
            /// Seconds after the end of one of its alarms in which none begins.
            #[serde(default)]
            pub cool_down_s: u64,
        }

        impl $type {
            /// What every rule has.
            pub fn terms(&self) -> RuleTerms {
                RuleTerms {
                    id: self.id.clone(),
                    severity: self.severity,
                    schedule: self.schedule.clone(),
                    cool_down: Duration::from_secs(self.cool_down_s),
                }
            }
        }
    };
}

rule! {
    /// Nobody may stay in an area, or come in, or go out.
    ZoneIntrusionRule {
        /// The area.
        zone: ZoneId,
        /// Which objects count.
        #[serde(default = "people")]
        classes: BTreeSet<ObjectClass>,
        /// Which point of their box must be in the area.
        #[serde(default)]
        point: BoxPoint,
        /// What counts.
        #[serde(default)]
        direction: Passage,
        /// Milliseconds inside before it is an alarm (`leaving`: before it counts as having been inside).
        #[serde(default = "default_dwell_ms")]
        dwell_ms: u64,
        /// Milliseconds outside before the alarm ends; whoever is lost from sight inside is waited for at least
        /// five seconds.
        #[serde(default = "default_clear_ms")]
        clear_ms: u64,
    }
}

rule! {
    /// Nobody may go over a line.
    LineCrossingRule {
        /// The line.
        line: ZoneId,
        /// Which objects count.
        #[serde(default = "people")]
        classes: BTreeSet<ObjectClass>,
        /// Which way.
        #[serde(default)]
        direction: CrossingDirection,
    }
}

rule! {
    /// Nobody may stay about in an area for long.
    LoiteringRule {
        /// The area.
        zone: ZoneId,
        /// Which objects count.
        #[serde(default = "people")]
        classes: BTreeSet<ObjectClass>,
        /// Which point of their box must be in the area.
        #[serde(default)]
        point: BoxPoint,
        /// Seconds in the area before it is an alarm.
        #[serde(default = "default_loitering_s")]
        after_s: u64,
        /// Seconds out of the area, or out of sight, before a stay is over.
        #[serde(default = "default_loitering_clear_s")]
        clear_s: u64,
    }
}

rule! {
    /// No vehicle may stand in an area.
    VehicleStoppedRule {
        /// The area.
        zone: ZoneId,
        /// Which vehicles count.
        #[serde(default = "vehicles")]
        classes: BTreeSet<ObjectClass>,
        /// Which point of their box must be in the area.
        #[serde(default)]
        point: BoxPoint,
        /// Seconds it stands before it is an alarm.
        #[serde(default = "default_still_s")]
        after_s: u64,
        /// Seconds it is gone from its place, or out of sight, before it has left.
        #[serde(default = "default_gone_s")]
        clear_s: u64,
        /// It stands while it is displaced by less than this fraction of its size.
        #[serde(default = "default_play")]
        play: Fraction,
    }
}

rule! {
    /// Nothing may be left lying in an area.
    ObjectLeftRule {
        /// The area.
        zone: ZoneId,
        /// Which point of the thing's box must be in the area.
        #[serde(default)]
        point: BoxPoint,
        /// Seconds it lies there before it is an alarm.
        #[serde(default = "default_still_s")]
        after_s: u64,
        /// Seconds with nobody near before it counts as left.
        #[serde(default = "default_unattended_s")]
        unattended_s: u64,
        /// How near is near, as a fraction of the picture's height.
        #[serde(default = "default_near")]
        near: Fraction,
        /// Seconds it is gone before the alarm ends.
        #[serde(default = "default_gone_s")]
        clear_s: u64,
    }
}

rule! {
    /// No more than so many may be in an area at once.
    OvercrowdingRule {
        /// The area.
        zone: ZoneId,
        /// Which objects count.
        #[serde(default = "people")]
        classes: BTreeSet<ObjectClass>,
        /// Which point of their box must be in the area.
        #[serde(default)]
        point: BoxPoint,
        /// How many may be there.
        limit: u32,
        /// The alarm ends when there are so many fewer than the limit.
        #[serde(default = "default_hysteresis")]
        hysteresis: u32,
        /// Milliseconds there must be more, or fewer again.
        #[serde(default = "default_hold_ms")]
        hold_ms: u64,
    }
}

impl Rule {
    /// What every rule has.
    pub fn terms(&self) -> RuleTerms {
        match self {
            Self::ZoneIntrusion(rule) => rule.terms(),
            Self::LineCrossing(rule) => rule.terms(),
            Self::Loitering(rule) => rule.terms(),
            Self::VehicleStopped(rule) => rule.terms(),
            Self::ObjectLeft(rule) => rule.terms(),
            Self::Overcrowding(rule) => rule.terms(),
        }
    }

    /// Its name.
    pub fn id(&self) -> &RuleId {
        match self {
            Self::ZoneIntrusion(rule) => &rule.id,
            Self::LineCrossing(rule) => &rule.id,
            Self::Loitering(rule) => &rule.id,
            Self::VehicleStopped(rule) => &rule.id,
            Self::ObjectLeft(rule) => &rule.id,
            Self::Overcrowding(rule) => &rule.id,
        }
    }

    /// Where it watches.
    pub fn place(&self) -> Place<'_> {
        match self {
            Self::ZoneIntrusion(rule) => Place::Zone(&rule.zone),
            Self::LineCrossing(rule) => Place::Line(&rule.line),
            Self::Loitering(rule) => Place::Zone(&rule.zone),
            Self::VehicleStopped(rule) => Place::Zone(&rule.zone),
            Self::ObjectLeft(rule) => Place::Zone(&rule.zone),
            Self::Overcrowding(rule) => Place::Zone(&rule.zone),
        }
    }
}

fn people() -> BTreeSet<ObjectClass> {
    BTreeSet::from([ObjectClass::Person])
}
fn vehicles() -> BTreeSet<ObjectClass> {
    BTreeSet::from([ObjectClass::Car, ObjectClass::Bus, ObjectClass::Truck])
}
fn default_dwell_ms() -> u64 {
    1000
}
fn default_clear_ms() -> u64 {
    2000
}
fn default_loitering_s() -> u64 {
    60
}
fn default_loitering_clear_s() -> u64 {
    10
}
fn default_still_s() -> u64 {
    30
}
fn default_gone_s() -> u64 {
    5
}
fn default_play() -> Fraction {
    Fraction(0.15)
}
fn default_unattended_s() -> u64 {
    10
}
fn default_near() -> Fraction {
    Fraction(0.1)
}
fn default_hysteresis() -> u32 {
    1
}
fn default_hold_ms() -> u64 {
    3000
}
fn default_severity() -> Severity {
    Severity::HIGH
}
