//! What is where on a plan. Places are fractions of the picture, so they stay right when a larger or smaller one takes its place.

use std::collections::BTreeSet;

use gatepost_wire::{CameraId, EdgeId, SensorId, ZoneId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::line;

/// As many cameras, zones and sensors, of each, can stand on a plan.
pub const MAX_PLACED: usize = 200;

/// A zone has at most so many corners.
const MAX_CORNERS: usize = 64;

/// As JSON: all that can stand on a plan, with room for blanks.
pub const MAX_PLAN_BYTES: usize = 1024 * 1024;

/// A place along one side of the picture: 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64")]
pub struct Fraction(f64);

impl TryFrom<f64> for Fraction {
    type Error = &'static str;

    fn try_from(number: f64) -> Result<Self, &'static str> {
        if (0.0..=1.0).contains(&number) { Ok(Self(number)) } else { Err("a number from 0 to 1 is needed") }
    }
}

/// A place on the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanPoint)]
pub struct Point {
    /// From its left side (0) to its right (1).
    #[schema(value_type = f64, minimum = 0, maximum = 1, example = 0.82)]
    pub x: Fraction,
    /// From its top (0) to its bottom (1).
    #[schema(value_type = f64, minimum = 0, maximum = 1, example = 0.4)]
    pub y: Fraction,
}

/// Whole degrees from `FROM` to `UPTO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16")]
pub struct Degrees<const FROM: u16, const UPTO: u16>(u16);

impl<const FROM: u16, const UPTO: u16> TryFrom<u16> for Degrees<FROM, UPTO> {
    type Error = String;

    fn try_from(degrees: u16) -> Result<Self, String> {
        if (FROM..=UPTO).contains(&degrees) {
            Ok(Self(degrees))
        } else {
            Err(format!("whole degrees from {FROM} to {UPTO} are needed"))
        }
    }
}

/// Where a camera looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanView)]
pub struct View {
    /// The middle of what it sees: 0 is up on the picture, 90 to the right.
    #[schema(value_type = u16, minimum = 0, maximum = 359, example = 270)]
    pub direction_deg: Degrees<0, 359>,
    /// How wide it sees; 360 is all around.
    #[schema(value_type = u16, minimum = 1, maximum = 360, example = 80)]
    pub angle_deg: Degrees<1, 360>,
}

/// A camera on a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacedCamera {
    /// Its box, which stands at the site.
    #[schema(value_type = String, format = "name", example = "gate-1")]
    pub edge: EdgeId,
    /// Its name at the box.
    #[schema(value_type = String, format = "name", example = "east-gate")]
    pub camera: CameraId,
    /// Where it hangs.
    pub at: Point,
    /// Where it looks, if somebody said so.
    pub view: Option<View>,
}

/// A sensor on a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacedSensor {
    /// Its box, which stands at the site.
    #[schema(value_type = String, format = "name", example = "gate-1")]
    pub edge: EdgeId,
    /// Its name at the box.
    #[schema(value_type = String, format = "name", example = "fence-3")]
    pub sensor: SensorId,
    /// Where it is.
    pub at: Point,
}

/// What people call a zone of a plan: one line of 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ZoneLabel(String);

impl ZoneLabel {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ZoneLabel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        line(&text, 100).map(Self)
    }
}

/// The corners of a zone, one after the other: two are a line, more an area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Point>")]
pub struct Outline(Vec<Point>);

impl TryFrom<Vec<Point>> for Outline {
    type Error = String;

    fn try_from(corners: Vec<Point>) -> Result<Self, String> {
        if (2..=MAX_CORNERS).contains(&corners.len()) {
            Ok(Self(corners))
        } else {
            Err(format!("2 to {MAX_CORNERS} corners are needed, here are {}", corners.len()))
        }
    }
}

/// The area or line of a camera's picture that a zone of a plan shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanZoneSource)]
pub struct ZoneSource {
    /// The camera's box, which stands at the site.
    #[schema(value_type = String, format = "name", example = "gate-1")]
    pub edge: EdgeId,
    /// The camera.
    #[schema(value_type = String, format = "name", example = "east-gate")]
    pub camera: CameraId,
    /// The zone as the box's configuration names it.
    #[schema(value_type = String, format = "name", example = "lawn")]
    pub zone: ZoneId,
}

/// A part of the place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacedZone {
    /// What people call it.
    #[schema(value_type = String, format = "line", min_length = 1, max_length = 100, example = "草坪")]
    pub label: ZoneLabel,
    /// Its corners: two are a line, more an area.
    #[schema(value_type = Vec<Point>, min_items = 2, max_items = 64)]
    pub outline: Outline,
    /// Which zone of which camera it is, so that what is open there is shown here; null: it only has a name.
    pub shows: Option<ZoneSource>,
}

/// All that is on a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Said", deny_unknown_fields)]
#[schema(as = PlanPlacements)]
pub struct Placements {
    /// Each camera once.
    #[schema(max_items = 200)]
    pub cameras: Vec<PlacedCamera>,
    /// In the order they are drawn.
    #[schema(max_items = 200)]
    pub zones: Vec<PlacedZone>,
    /// Each sensor once.
    #[schema(max_items = 200)]
    pub sensors: Vec<PlacedSensor>,
}

/// The same before it is looked at as a whole.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    cameras: Vec<PlacedCamera>,
    zones: Vec<PlacedZone>,
    sensors: Vec<PlacedSensor>,
}

impl TryFrom<Said> for Placements {
    type Error = String;

    fn try_from(said: Said) -> Result<Self, String> {
        let Said { cameras, zones, sensors } = said;
        for (what, how_many) in
            [("cameras", cameras.len()), ("zones", zones.len()), ("sensors", sensors.len())]
        {
            if how_many > MAX_PLACED {
                return Err(format!("a plan has room for {MAX_PLACED} {what}, here are {how_many}"));
            }
        }
        let twice = twice(cameras.iter().map(|one| (one.edge.as_str(), one.camera.as_str())))
            .or_else(|| twice(sensors.iter().map(|one| (one.edge.as_str(), one.sensor.as_str()))));
        match twice {
            Some((edge, name)) => Err(format!("{name} of {edge} is on it twice: leave one out")),
            None => Ok(Self { cameras, zones, sensors }),
        }
    }
}

fn twice<T: Ord + Copy>(items: impl Iterator<Item = T>) -> Option<T> {
    let mut seen = BTreeSet::new();
    items.into_iter().find(|item| !seen.insert(*item))
}

impl Placements {
    /// Every box that something on it belongs to.
    pub fn edges(&self) -> BTreeSet<&EdgeId> {
        let cameras = self.cameras.iter().map(|one| &one.edge);
        let sensors = self.sensors.iter().map(|one| &one.edge);
        let zones = self.zones.iter().filter_map(|one| one.shows.as_ref()).map(|shows| &shows.edge);
        cameras.chain(sensors).chain(zones).collect()
    }

    /// How many there are of each, for the log.
    pub fn summary(&self) -> String {
        format!("{} cameras, {} zones, {} sensors", self.cameras.len(), self.zones.len(), self.sensors.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn camera(name: &str) -> Value {
        json!({ "edge": "gate-1", "camera": name, "at": { "x": 0.5, "y": 0 }, "view": { "direction_deg": 90, "angle_deg": 60 } })
    }

    fn zone(corners: usize) -> Value {
        let corners = vec![json!({ "x": 0.1, "y": 0.2 }); corners];
        json!({ "label": " 草坪 ", "outline": corners, "shows": { "edge": "gate-2", "camera": "yard", "zone": "lawn" } })
    }

    fn placed(cameras: Vec<Value>, zones: Vec<Value>) -> Result<Placements, String> {
        let said = json!({ "cameras": cameras, "zones": zones, "sensors": [
            { "edge": "gate-3", "sensor": "fence-3", "at": { "x": 1, "y": 1 } },
        ] });
        serde_json::from_value(said).map_err(|error| error.to_string())
    }

    #[test]
    fn what_can_stand_on_a_plan_comes_back_as_it_was() {
        let all = placed(vec![camera("east"), camera("west")], vec![zone(2), zone(64)]).unwrap();
        assert_eq!(all.zones[0].label.as_str(), "草坪");
        assert_eq!(all.summary(), "2 cameras, 2 zones, 1 sensors");
        let edges: Vec<&str> = all.edges().into_iter().map(EdgeId::as_str).collect();
        assert_eq!(edges, ["gate-1", "gate-2", "gate-3"]);
        let kept = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Placements>(&kept).unwrap(), all);
    }

    #[test]
    fn what_cannot_is_refused() {
        let with = |key: &str, value: Value| {
            let mut camera = camera("east");
            camera[key] = value;
            placed(vec![camera], Vec::new())
        };
        for (refused, why) in [
            (with("at", json!({ "x": 1.01, "y": 0 })), "from 0 to 1"),
            (with("at", json!({ "x": -0.01, "y": 0 })), "from 0 to 1"),
            (with("view", json!({ "direction_deg": 360, "angle_deg": 60 })), "from 0 to 359"),
            (with("view", json!({ "direction_deg": 0, "angle_deg": 0 })), "from 1 to 360"),
            (with("view", json!({ "direction_deg": 0 })), "angle_deg"),
            (with("who", json!("somebody")), "unknown field"),
            (with("edge", json!("Gate 1")), "not allowed in a name"),
            (placed(vec![camera("east"), camera("east")], Vec::new()), "twice"),
            (placed(Vec::new(), vec![zone(1)]), "2 to 64"),
            (placed(Vec::new(), vec![zone(65)]), "2 to 64"),
            (placed(Vec::new(), vec![zone(3); MAX_PLACED + 1]), "room for 200 zones"),
        ] {
            let refused = refused.unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
