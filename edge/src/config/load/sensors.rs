//! What only the whole file, and the profiles it names, can show of sensors.

use std::collections::{BTreeMap, BTreeSet};

use super::{ConfigError, Document};
use crate::config::{Config, Contact, ModbusAddress, Reach, Test};

impl Document<'_> {
    pub(super) fn check_sensors(&self, config: &Config) -> Result<(), ConfigError> {
        let mut lines = BTreeSet::new();
        for (m, line) in config.modbus.iter().enumerate() {
            let key = format!("modbus[{m}]");
            self.unique(&mut lines, &line.id, &key, "Modbus line")?;
            if line.serial.is_some() && !matches!(line.url.address(), ModbusAddress::Serial(_)) {
                let message = "`serial` goes with a url of serial:// only: a gateway knows its own lines";
                return Err(self.fault(format!("{key}.serial"), message));
            }
        }
        let mut brokers = BTreeSet::new();
        for (b, broker) in config.mqtt.iter().enumerate() {
            let key = format!("mqtt[{b}]");
            self.unique(&mut brokers, &broker.id, &key, "broker")?;
            if broker.url.is_tls() != broker.ca_file.is_some() {
                let message = "`ca_file`, the authority the broker's certificate comes from, goes with mqtts://, and mqtts:// needs it";
                return Err(self.fault(format!("{key}.url"), message));
            }
            self.check_login(key, broker.username.is_some(), broker.password_file.is_some())?;
        }
        let mut devices = BTreeSet::new();
        for (d, device) in config.onvif.iter().enumerate() {
            let key = format!("onvif[{d}]");
            self.unique(&mut devices, &device.id, &key, "ONVIF device")?;
            self.check_login(key, device.username.is_some(), device.password_file.is_some())?;
        }
        let mut pins = BTreeMap::new();
        let mut names = BTreeSet::new();
        for (s, sensor) in config.sensors.iter().enumerate() {
            let key = format!("sensor[{s}]");
            self.unique(&mut names, &sensor.id, &key, "sensor")?;
            match &sensor.reach {
                Reach::Modbus(point) => {
                    self.known(&lines, &point.line, format!("{key}.modbus.line"), "Modbus line", "this box")?;
                }
                Reach::Mqtt(point) => {
                    self.known(&brokers, &point.broker, key, "broker", "this box")?;
                }
                Reach::Onvif(point) => {
                    self.known(&devices, &point.device, key, "ONVIF device", "this box")?;
                }
                Reach::Webhook(_) if config.webhook.is_none() => {
                    let message = "no panel can reach this box: it needs a table `webhook` with `listen` and `token_file`";
                    return Err(self.fault(format!("{key}.webhook"), message));
                }
                Reach::Gpio(point) => {
                    if let Some(other) = pins.insert((&point.chip, point.line), &sensor.id) {
                        let (line, chip) = (point.line, point.chip.display());
                        let message =
                            format!("line {line} of {chip} is that of sensor {:?} already", other.as_str());
                        return Err(self.fault(format!("{key}.gpio.line"), message));
                    }
                }
                Reach::Webhook(_) | Reach::Adc(_) => {}
            }
        }
        Ok(())
    }

    fn check_login(&self, key: String, has_user: bool, has_password: bool) -> Result<(), ConfigError> {
        if has_user == has_password {
            return Ok(());
        }
        Err(self.fault(key, "`username` and `password_file` go together: give both or neither"))
    }

    /// Every point is described by its profile. The profiles have been read.
    pub(super) fn check_points(&self, config: &Config) -> Result<(), ConfigError> {
        let mut devices = BTreeMap::new();
        for (s, sensor) in config.sensors.iter().enumerate() {
            let key = format!("sensor[{s}].modbus");
            let Reach::Modbus(point) = &sensor.reach else { continue };
            let Some(profile) = config.profiles.get(&point.profile) else { continue };
            let unit = point.unit.unwrap_or(profile.unit);
            if *devices.entry((&point.line, unit)).or_insert(&point.profile) != &point.profile {
                let message =
                    format!("unit {unit} of line {:?} has another profile already", point.line.as_str());
                return Err(self.fault(format!("{key}.profile"), message));
            }
            let points = profile.points.iter().map(|point| &point.id).collect();
            let whose = format!("{}", point.profile.display());
            self.known(&points, &point.point, format!("{key}.point"), "point", &whose)?;
            let is_contact =
                profile.point(&point.point).is_some_and(|it| matches!(it.alarm.test, Test::Bit { .. }));
            if point.contact == Contact::NormallyClosed && !is_contact {
                let message =
                    "its alarm is a value and no contact: the profile says which values are an alarm";
                return Err(self.fault(format!("{key}.contact"), message));
            }
        }
        Ok(())
    }
}
