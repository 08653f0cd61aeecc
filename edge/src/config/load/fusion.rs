//! What only the whole file can show of fusion rules.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_wire::arming::Input;

use super::areas::sensors;
use super::{ConfigError, Document};
use crate::config::{Config, FusionRule, is_24_hour};

impl Document<'_> {
    pub(super) fn check_fusion(&self, config: &Config) -> Result<(), ConfigError> {
        let mut names = BTreeSet::new();
        for (f, rule) in config.fusion.iter().enumerate() {
            let key = format!("fusion[{f}]");
            self.unique(&mut names, &rule.id, &key, "fusion rule")?;
            if rule.parts.len() < 2 {
                let message = "fusion needs at least two parts: what confirms what";
                return Err(self.fault(format!("{key}.part"), message));
            }
            let cameras = config.cameras.iter().map(|camera| &camera.id).collect();
            for (w, camera) in rule.wake.iter().flatten().enumerate() {
                self.known(&cameras, camera, format!("{key}.wake[{w}]"), "camera", "this box")?;
            }
            self.check_parts(config, rule, &key)?;
        }
        Ok(())
    }

    fn check_parts(&self, config: &Config, rule: &FusionRule, key: &str) -> Result<(), ConfigError> {
        let mut part_of = BTreeMap::new();
        for (p, part) in rule.parts.iter().enumerate() {
            let key = format!("{key}.part[{p}]");
            if part.any.is_empty() {
                return Err(self.fault(format!("{key}.any"), "a part needs at least one input"));
            }
            if part.alone.is_some_and(|alone| alone < rule.severity) {
                let message = format!("alone it would be graver than together ({})", rule.severity.level());
                return Err(self.fault(format!("{key}.alone"), message));
            }
            for (i, input) in part.any.iter().enumerate() {
                let key = format!("{key}.any[{i}]");
                self.check_input(config, &input.0, &key)?;
                if part_of.insert(&input.0, p).is_some_and(|other| other != p) {
                    let message = format!("{} is in two parts: it cannot confirm itself", input.0);
                    return Err(self.fault(key, message));
                }
                self.check_no_24_hours(config, &input.0, &key)?;
            }
        }
        Ok(())
    }

    /// Who presses a panic button waits for no confirmation.
    fn check_no_24_hours(&self, config: &Config, input: &Input, key: &str) -> Result<(), ConfigError> {
        let Input::Sensor { sensor } = input else { return Ok(()) };
        match sensors(config).get(sensor) {
            Some(kind) if is_24_hour(*kind) => {
                let kind = kind.name();
                Err(self.fault(key, format!("{input} is a 24-hour input ({kind}), which nothing may grade")))
            }
            _ => Ok(()),
        }
    }
}
