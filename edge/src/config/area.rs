//! Areas: what is armed together, and when.

use gatepost_wire::arming::{Input, Mode};
use gatepost_wire::event::InputKind;
use gatepost_wire::{AreaId, CameraId, SensorId, ZoneId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Label, ScheduleId, Seconds};

/// What is armed together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Name of the area, unique in this box.
    pub id: AreaId,
    /// What people call it.
    pub label: Option<Label>,
    /// Its inputs. Whatever belongs to no area counts always.
    #[serde(rename = "member")]
    pub members: Vec<Member>,
    /// Its mode at the first start, and whenever no entry of the timetable holds.
    #[serde(default = "default_mode")]
    pub mode: StandingMode,
    /// Modes that come by themselves; the first whose schedule holds counts. What a person orders holds until the
    /// timetable's next change.
    #[serde(default)]
    pub timetable: Vec<TimetableEntry>,
    /// Seconds to leave after arming, during which the way out does not count.
    #[serde(default = "default_exit_delay")]
    pub exit_delay_s: Seconds<0, 600>,
    /// Seconds to disarm after coming in by the entry route.
    #[serde(default = "default_entry_delay")]
    pub entry_delay_s: Seconds<0, 300>,
    /// The longest maintenance that may be ordered, seconds: it ends by itself.
    #[serde(default = "default_maintenance_max")]
    pub maintenance_max_s: Seconds<60, 86_400>,
    /// What the timetable does when something is open that it would arm. A person is always asked.
    #[serde(default)]
    pub when_open: WhenOpen,
    /// What becomes of alarms while they do not count.
    #[serde(default)]
    pub when_disarmed: WhenDisarmed,
}

/// A mode that lasts until somebody or something changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandingMode {
    /// Only 24-hour inputs count.
    Disarmed,
    /// The perimeter counts: people are inside.
    ArmedStay,
    /// Everything counts.
    ArmedAway,
}

impl From<StandingMode> for Mode {
    fn from(mode: StandingMode) -> Self {
        match mode {
            StandingMode::Disarmed => Self::Disarmed,
            StandingMode::ArmedStay => Self::ArmedStay,
            StandingMode::ArmedAway => Self::ArmedAway,
        }
    }
}

/// A mode that comes by itself.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimetableEntry {
    /// When.
    pub schedule: ScheduleId,
    /// What.
    pub mode: StandingMode,
}

/// One input of an area: a sensor, a camera, or one area or line of a camera's picture.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "MemberKeys")]
#[schemars(with = "MemberKeys")]
pub struct Member {
    /// The input.
    pub input: Input,
    /// When it counts.
    pub role: Role,
}

/// When an input counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whenever its area is armed, at once.
    #[default]
    Perimeter,
    /// Whenever its area is armed, after the entry delay: the way to where it is disarmed.
    Entry,
    /// Only while nobody is inside (`armed_away`).
    Interior,
    /// In every mode, a 24-hour input: panic button, smoke, water.
    Always,
}

/// What the timetable does when something is open that it would arm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenOpen {
    /// It waits until it is closed, and says so.
    #[default]
    Refuse,
    /// It arms without it, and says so.
    Bypass,
}

/// What becomes of alarms while they do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenDisarmed {
    /// They are written down with severity 4.
    #[default]
    Record,
    /// They are counted; the next change of mode tells how many there were.
    Count,
}

/// A member as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberKeys {
    /// A sensor of this box; nothing else then.
    sensor: Option<SensorId>,
    /// A camera of this box: everything its rules watch.
    camera: Option<CameraId>,
    /// Only this area or line of the camera.
    zone: Option<ZoneId>,
    /// When it counts.
    #[serde(default)]
    role: Role,
}

impl TryFrom<MemberKeys> for Member {
    type Error = &'static str;
    fn try_from(keys: MemberKeys) -> Result<Self, Self::Error> {
        let input = input(keys.sensor, keys.camera, keys.zone)?;
        Ok(Self { input, role: keys.role })
    }
}

/// Must an input of this kind count in every mode? Whoever asks for help, or is in smoke, does not ask whether the school
/// is open.
pub const fn is_24_hour(kind: InputKind) -> bool {
    use InputKind::{
        Beam, Contact, Fence, Gas, GlassBreak, Heat, Level, Motion, Panic, Smoke, Vibration, Water,
    };
    match kind {
        Smoke | Heat | Gas | Water | Panic => true,
        Contact | Motion | Vibration | Fence | Beam | GlassBreak | Level => false,
    }
}

/// The input that is meant by keys of which some are given.
pub(super) fn input(
    sensor: Option<SensorId>,
    camera: Option<CameraId>,
    zone: Option<ZoneId>,
) -> Result<Input, &'static str> {
    match (sensor, camera, zone) {
        (Some(sensor), None, None) => Ok(Input::Sensor { sensor }),
        (None, Some(camera), Some(zone)) => Ok(Input::Zone { camera, zone }),
        (None, Some(camera), None) => Ok(Input::Camera { camera }),
        (None, None, Some(_)) => Err("`zone` needs the `camera` it was drawn for"),
        _ => Err("either `sensor` or `camera` is needed, and not both"),
    }
}

fn default_mode() -> StandingMode {
    StandingMode::ArmedAway
}
fn default_exit_delay() -> Seconds<0, 600> {
    Seconds::constant::<60>()
}
fn default_entry_delay() -> Seconds<0, 300> {
    Seconds::constant::<30>()
}
fn default_maintenance_max() -> Seconds<60, 86_400> {
    Seconds::constant::<28_800>()
}
