//! Rules: what in a picture, where and for how long, is an alarm. Pure: tracks and time in, decisions out.
//!
//! Between two frames nothing is known. A thing that was seen in both was there all the while, however far they
//! are apart; it is away only from the first frame on that does not show it.

mod area;
mod finding;
mod guard;
mod line_crossing;
mod loitering;
mod object_left;
mod overcrowding;
mod presence;
mod spot;
mod stay;
mod vehicle_stopped;
mod zone_intrusion;

use std::time::Duration;

use gatepost_wire::Timestamp;
use gatepost_wire::event::Region;

use crate::config::{self, Calendar, Camera, Polygon, Rule};
use crate::track::Track;
use guard::{Guard, Watch};

pub use finding::{AlarmNumber, Decision, Finding};

/// The rules of one camera; none by default.
#[derive(Default)]
pub struct Rules {
    guards: Vec<Guard>,
}

impl Rules {
    /// The rules as configured; the configuration has been checked: every rule's place exists.
    pub fn new(camera: &Camera, calendar: &Calendar) -> Self {
        let guard = |rule: &Rule| {
            let terms = rule.terms();
            let hours = calendar.hours(terms.schedule.as_ref());
            Some(Guard::new(terms, hours, watch(camera, rule)?))
        };
        Self { guards: camera.rules.iter().filter_map(guard).collect() }
    }

    /// Takes what one frame shows: the tracks, and the regions of still things that were not there before.
    /// `at` only grows; `time` is for schedules.
    pub fn decide(
        &mut self,
        tracks: &[Track],
        things_left: &[Region],
        at: Duration,
        time: Timestamp,
    ) -> Vec<Decision> {
        self.guards.iter_mut().flat_map(|guard| guard.decide(tracks, things_left, at, time)).collect()
    }
}

fn watch(camera: &Camera, rule: &Rule) -> Option<Box<dyn Watch>> {
    let polygon: Option<Polygon> = match rule.place() {
        config::Place::Zone(id) => camera.zones.iter().find(|it| &it.id == id).map(|it| it.polygon.clone()),
        config::Place::Line(_) => None,
    };
    Some(match rule {
        Rule::ZoneIntrusion(rule) => Box::new(zone_intrusion::ZoneIntrusion::new(rule, polygon?)),
        Rule::LineCrossing(rule) => {
            let line = camera.lines.iter().find(|line| line.id == rule.line)?;
            Box::new(line_crossing::LineCrossing::new(rule, line.points.clone()))
        }
        Rule::Loitering(rule) => Box::new(loitering::Loitering::new(rule, polygon?)),
        Rule::VehicleStopped(rule) => Box::new(vehicle_stopped::VehicleStopped::new(rule, polygon?)),
        Rule::ObjectLeft(rule) => Box::new(object_left::ObjectLeft::new(rule, polygon?)),
        Rule::Overcrowding(rule) => Box::new(overcrowding::Overcrowding::new(rule, polygon?)),
    })
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
