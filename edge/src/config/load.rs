//! Reading the file: every fault named by file, line and key, before anything starts.

mod areas;
mod fusion;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod profile;
mod sensors;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_wire::event::ObjectClass;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::{Camera, Config, Place, Reach, Rule, Schedule, ScheduleId};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {source}", file = file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A value is wrong, a key is missing or unknown.
    #[error("{file}:{line}: {}{message}", if key.is_empty() { String::new() } else { format!("`{key}`: ") }, file = file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Dotted path of the key, empty when the fault is in the TOML itself.
        key: String,
        /// What is wrong and what is allowed.
        message: String,
    },
}

/// Reads and checks `file`. Relative paths inside become relative to the file's folder.
///
/// # Errors
/// [`ConfigError`] with the first fault found.
pub fn load(file: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
    let mut config = parse(&text, file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let from_folder = |path: &mut PathBuf| *path = folder.join(&path);
    from_folder(&mut config.data_dir);
    from_folder(&mut config.model.manifest);
    from_folder(&mut config.model.runtime);
    config.uplink.password_file.as_mut().map(from_folder);
    config.uplink.hub_key_file.as_mut().map(from_folder);
    for camera in &mut config.cameras {
        camera.password_file.as_mut().map(from_folder);
    }
    for broker in &mut config.mqtt {
        broker.password_file.as_mut().map(from_folder);
        broker.ca_file.as_mut().map(from_folder);
    }
    for device in &mut config.onvif {
        device.password_file.as_mut().map(from_folder);
    }
    if let Some(webhook) = &mut config.webhook {
        from_folder(&mut webhook.token_file);
    }
    for sensor in &mut config.sensors {
        let Reach::Modbus(point) = &mut sensor.reach else { continue };
        from_folder(&mut point.profile);
        if !config.profiles.contains_key(&point.profile) {
            config.profiles.insert(point.profile.clone(), Arc::new(profile::load(&point.profile)?));
        }
    }
    Document { text: &text, file }.check_points(&config)?;
    Ok(config)
}

/// Checks the text of a configuration; `file` is only named in errors.
///
/// # Errors
/// [`ConfigError::Invalid`] with the first fault found.
pub fn parse(text: &str, file: &Path) -> Result<Config, ConfigError> {
    let document = Document { text, file };
    let config: Config = document.read()?;
    document.check(&config)?;
    Ok(config)
}

struct Document<'a> {
    text: &'a str,
    file: &'a Path,
}

impl Document<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let deserializer = toml::Deserializer::parse(self.text)
            .map_err(|e| self.fault_at(e.span(), String::new(), e.message()))?;
        serde_path_to_error::deserialize(deserializer).map_err(|e| {
            let key = e.path().to_string();
            // The parser's own place of an entry of a list is that of the list.
            let span = e.inner().span().into_iter().chain(self.span_of(&key)).max_by_key(|span| span.start);
            self.fault_at(span, if key == "." { String::new() } else { key }, e.inner().message())
        })
    }

    fn fault(&self, key: impl Into<String>, message: impl Display) -> ConfigError {
        let key = key.into();
        self.fault_at(self.span_of(&key), key, message)
    }

    fn fault_at(&self, span: Option<Range<usize>>, key: String, message: impl Display) -> ConfigError {
        let before = span.map_or("", |span| self.text.get(..span.start).unwrap_or(self.text));
        ConfigError::Invalid {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            key,
            message: message.to_string(),
        }
    }

    /// Where the value of a key such as `camera[0].zone[1].id` stands; the nearest parent when the key itself
    /// is not written.
    fn span_of(&self, key: &str) -> Option<Range<usize>> {
        let root = DeTable::parse(self.text).ok()?;
        let mut span = None;
        let mut table = Some(root.get_ref());
        for part in key.split('.') {
            let (name, index) = match part.split_once('[') {
                Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
                None => (part, None),
            };
            let Some(mut value) = table.and_then(|table| table.get(name)) else { break };
            if let (Some(index), DeValue::Array(items)) = (index, value.get_ref()) {
                value = items.get(index)?;
            }
            span = Some(value.span());
            table = value.get_ref().as_table();
        }
        span
    }

    fn check(&self, config: &Config) -> Result<(), ConfigError> {
        self.positive("uplink.health_every_s".into(), config.uplink.health_every_s)?;
        if config.cameras.is_empty() && config.sensors.is_empty() {
            return Err(self.fault("camera", "a box needs at least one [[camera]] or [[sensor]]"));
        }
        let mut schedules = BTreeSet::new();
        for (s, Schedule { id, spans, .. }) in config.schedules.iter().enumerate() {
            let key = format!("schedule[{s}]");
            self.unique(&mut schedules, id, &key, "schedule")?;
            if spans.is_empty() {
                return Err(self.fault(format!("{key}.spans"), "a schedule without a span never applies"));
            }
        }
        let mut names = BTreeSet::new();
        for (c, camera) in config.cameras.iter().enumerate() {
            let key = format!("camera[{c}]");
            self.unique(&mut names, &camera.id, &key, "camera")?;
            self.check_camera(camera, &schedules, &key)?;
        }
        self.check_sensors(config)?;
        self.check_areas(config, &schedules)?;
        self.check_fusion(config)
    }

    fn check_camera(
        &self,
        camera: &Camera,
        schedules: &BTreeSet<&ScheduleId>,
        key: &str,
    ) -> Result<(), ConfigError> {
        self.positive(format!("{key}.signal_lost_after_s"), camera.signal_lost_after_s)?;
        self.positive(format!("{key}.quiet_s"), camera.quiet_s)?;
        if camera.username.is_some() != camera.password_file.is_some() {
            return Err(self.fault(key, "`username` and `password_file` go together: give both or neither"));
        }
        let mut zones = BTreeSet::new();
        for (z, zone) in camera.zones.iter().enumerate() {
            self.unique(&mut zones, &zone.id, &format!("{key}.zone[{z}]"), "zone")?;
        }
        // An event names its place without saying whether it is an area or a line.
        let mut places = zones.clone();
        for (l, line) in camera.lines.iter().enumerate() {
            self.unique(&mut places, &line.id, &format!("{key}.line[{l}]"), "zone or line")?;
        }
        let lines = camera.lines.iter().map(|line| &line.id).collect();
        let whose = format!("camera {:?}", camera.id.as_str());
        let mut rules = BTreeSet::new();
        for (r, rule) in camera.rules.iter().enumerate() {
            let key = format!("{key}.rule[{r}]");
            self.unique(&mut rules, rule.id(), &key, "rule")?;
            match rule.place() {
                Place::Zone(zone) => self.known(&zones, zone, format!("{key}.zone"), "zone", &whose)?,
                Place::Line(line) => self.known(&lines, line, format!("{key}.line"), "line", &whose)?,
            }
            if let Some(schedule) = &rule.terms().schedule {
                self.known(schedules, schedule, format!("{key}.schedule"), "schedule", "this box")?;
            }
            self.check_rule(rule, &key)?;
        }
        Ok(())
    }

    fn check_rule(&self, rule: &Rule, key: &str) -> Result<(), ConfigError> {
        match rule {
            Rule::VehicleStopped(rule) if rule.classes.contains(&ObjectClass::Person) => {
                Err(self
                    .fault(format!("{key}.classes"), "a person is no vehicle: `loitering` watches people"))
            }
            Rule::Overcrowding(rule) if rule.hysteresis > rule.limit => Err(self.fault(
                format!("{key}.hysteresis"),
                format!(
                    "{} is more than the limit of {}: the alarm could not end",
                    rule.hysteresis, rule.limit
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a name that stands for nothing.
    fn known<T: Ord + Display>(
        &self,
        known: &BTreeSet<&T>,
        id: &T,
        key: String,
        what: &str,
        whose: &str,
    ) -> Result<(), ConfigError> {
        if known.contains(id) {
            return Ok(());
        }
        let names: Vec<_> = known.iter().map(ToString::to_string).collect();
        let names = if names.is_empty() { "none".into() } else { names.join(", ") };
        Err(self.fault(key, format!("no {what} {:?} in {whose}; it has: {names}", id.to_string())))
    }

    fn positive(&self, key: String, value: u64) -> Result<(), ConfigError> {
        if value == 0 { Err(self.fault(key, "0 is not possible: 1 or more")) } else { Ok(()) }
    }

    fn unique<'c, T: Ord + Display>(
        &self,
        seen: &mut BTreeSet<&'c T>,
        id: &'c T,
        key: &str,
        what: &str,
    ) -> Result<(), ConfigError> {
        if seen.insert(id) {
            return Ok(());
        }
        let message = format!("there is another {what} named {:?}: names must differ", id.to_string());
        Err(self.fault(format!("{key}.id"), message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../config/edge.example.toml");

    fn fault(text: &str) -> String {
        parse(text, Path::new("edge.toml")).unwrap_err().to_string()
    }

    #[test]
    fn the_example_is_valid() {
        let config = parse(EXAMPLE, Path::new("edge.example.toml")).unwrap();
        assert_eq!(config.cameras[0].analysis_fps.get(), 5);
    }

    #[test]
    fn faults_name_file_line_and_key() {
        let line_of = |needle: &str| EXAMPLE[..EXAMPLE.find(needle).unwrap()].matches('\n').count() + 1;
        let unknown = fault(&EXAMPLE.replace("dwell_ms", "dwel_ms"));
        assert!(
            unknown.starts_with(&format!("edge.toml:{}: `camera[0].rule[0]", line_of("kind = ")))
                || unknown.contains("dwel_ms"),
            "{unknown}"
        );

        let two_points = fault(&EXAMPLE.replace(", [0.75, 0.95], [0.30, 0.95]]", "]"));
        assert!(
            two_points.starts_with(&format!("edge.toml:{}: `camera[0].zone[0].polygon`", line_of("polygon"))),
            "{two_points}"
        );
        assert!(two_points.contains("at least 3 corners, this one has 2"), "{two_points}");

        let no_zone = fault(&EXAMPLE.replace("zone = \"lawn\"", "zone = \"lawm\""));
        assert!(
            no_zone
                .starts_with(&format!("edge.toml:{}: `camera[0].rule[0].zone`", line_of("zone = \"lawn\""))),
            "{no_zone}"
        );
        assert!(no_zone.contains("no zone \"lawm\"") && no_zone.ends_with("lawn"), "{no_zone}");

        let top = fault(&format!("tresholds = 1\n{EXAMPLE}"));
        assert!(top.starts_with("edge.toml:1: `tresholds`: unknown field"), "{top}");

        let broken = fault("edge = \n");
        assert!(broken.starts_with("edge.toml:1: "), "{broken}");
    }

    #[test]
    fn names_must_differ() {
        let camera = &EXAMPLE[EXAMPLE.find("[[camera]]").unwrap()..];
        let doubled = fault(&format!("{EXAMPLE}\n{camera}"));
        assert!(doubled.contains("`camera[1].id`: there is another camera named \"east-gate\""), "{doubled}");
    }
}
