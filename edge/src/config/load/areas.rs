//! What only the whole file can show of areas.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_wire::SensorId;
use gatepost_wire::arming::Input;
use gatepost_wire::event::InputKind;

use super::{ConfigError, Document};
use crate::config::{Area, Config, Role, ScheduleId, is_24_hour};

impl Document<'_> {
    pub(super) fn check_areas(
        &self,
        config: &Config,
        schedules: &BTreeSet<&ScheduleId>,
    ) -> Result<(), ConfigError> {
        let mut names = BTreeSet::new();
        let mut area_of = BTreeMap::new();
        for (a, area) in config.areas.iter().enumerate() {
            let key = format!("area[{a}]");
            self.unique(&mut names, &area.id, &key, "area")?;
            if area.members.is_empty() {
                return Err(self.fault(format!("{key}.member"), "an area needs at least one [[area.member]]"));
            }
            for (t, entry) in area.timetable.iter().enumerate() {
                let key = format!("{key}.timetable[{t}].schedule");
                self.known(schedules, &entry.schedule, key, "schedule", "this box")?;
            }
            self.check_members(config, area, &key, &mut area_of)?;
        }
        Ok(())
    }

    fn check_members<'c>(
        &self,
        config: &Config,
        area: &'c Area,
        key: &str,
        area_of: &mut BTreeMap<&'c Input, &'c Area>,
    ) -> Result<(), ConfigError> {
        for (m, member) in area.members.iter().enumerate() {
            let key = format!("{key}.member[{m}]");
            self.check_input(config, &member.input, &key)?;
            if let Some(other) = area_of.insert(&member.input, area) {
                let message = format!("{} belongs to area {:?} already", member.input, other.id.as_str());
                return Err(self.fault(key, message));
            }
            if let Input::Sensor { sensor } = &member.input {
                self.check_24_hours(config, sensor, member.role, &key)?;
            }
        }
        Ok(())
    }

    /// Whatever an input names is there.
    pub(super) fn check_input(&self, config: &Config, input: &Input, key: &str) -> Result<(), ConfigError> {
        let cameras: BTreeSet<_> = config.cameras.iter().map(|camera| &camera.id).collect();
        match input {
            Input::Sensor { sensor } => {
                let sensors = sensors(config);
                self.known(&sensors.keys().collect(), sensor, format!("{key}.sensor"), "sensor", "this box")
            }
            Input::Camera { camera } => {
                self.known(&cameras, camera, format!("{key}.camera"), "camera", "this box")
            }
            Input::Zone { camera: id, zone } => {
                self.known(&cameras, id, format!("{key}.camera"), "camera", "this box")?;
                let camera = config.cameras.iter().filter(|camera| &camera.id == id);
                let places: BTreeSet<_> = camera
                    .flat_map(|it| {
                        let zones = it.zones.iter().map(|zone| &zone.id);
                        zones.chain(it.lines.iter().map(|line| &line.id))
                    })
                    .collect();
                let whose = format!("camera {:?}", id.as_str());
                self.known(&places, zone, format!("{key}.zone"), "zone or line", &whose)
            }
        }
    }

    /// A panic button that can be disarmed is none.
    fn check_24_hours(
        &self,
        config: &Config,
        id: &SensorId,
        role: Role,
        key: &str,
    ) -> Result<(), ConfigError> {
        let sensors = sensors(config);
        let Some(input) = sensors.get(id).filter(|input| is_24_hour(**input)) else { return Ok(()) };
        if role == Role::Always {
            return Ok(());
        }
        let message = format!(
            "sensor {:?} is a 24-hour input ({}), which no mode may disarm: write role = \"always\"",
            id.as_str(),
            input.name()
        );
        Err(self.fault(format!("{key}.role"), message))
    }
}

/// Every sensor with what it senses.
pub(super) fn sensors(config: &Config) -> BTreeMap<SensorId, InputKind> {
    config.sensors.iter().map(|sensor| (sensor.id.clone(), sensor.input)).collect()
}
