//! Modbus: the lines devices are on, and which input of which device a sensor is.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::name::name;
use super::{Millis, PointId, SerialLine};

/// Registered with IANA; Modbus Messaging on TCP/IP Implementation Guide V1.0b, 4.2.1.
const TCP_PORT: u16 = 502;

name! {
    /// Name of a line to Modbus devices.
    ModbusLineId
}

/// A line to Modbus devices: one is asked after the other.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModbusLine {
    /// Name of the line, unique among the Modbus lines of this box.
    pub id: ModbusLineId,
    /// `tcp://host:port` of a device or a gateway, port 502 unless given; `serial:///dev/serial/by-id/…` of a serial
    /// adapter, by a name it keeps when it is plugged in again.
    pub url: ModbusUrl,
    /// How the serial line is set up; only with `serial://`.
    pub serial: Option<SerialLine>,
    /// Milliseconds a device may take to answer.
    #[serde(default = "default_timeout")]
    pub timeout_ms: Millis<20, 10_000>,
}

/// Which input of which device a sensor is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModbusPoint {
    /// The line its device is on.
    pub line: ModbusLineId,
    /// Unit id of the device; as its profile says unless given.
    pub unit: Option<UnitId>,
    /// The file that describes the device.
    pub profile: PathBuf,
    /// One of the points the profile describes.
    pub point: PointId,
    /// For dry contacts: whether it is open or closed at rest.
    #[serde(default)]
    pub contact: Contact,
}

/// How a dry contact stands at rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Contact {
    /// It is open and closes for an alarm.
    #[default]
    NormallyOpen,
    /// It is closed and opens for an alarm, so that a cut wire is one too.
    NormallyClosed,
}

/// A device on its line, 1 to 247; 255 is a TCP device that is no gateway (Modbus Messaging on TCP/IP Implementation
/// Guide V1.0b, 4.4.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
#[schemars(extend("minimum" = 1, "maximum" = 255))]
pub struct UnitId(u8);

impl UnitId {
    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// What most devices leave the factory with.
impl Default for UnitId {
    fn default() -> Self {
        Self(1)
    }
}

impl TryFrom<u8> for UnitId {
    type Error = String;
    fn try_from(id: u8) -> Result<Self, String> {
        match id {
            1..=247 | 255 => Ok(Self(id)),
            _ => Err(format!("no device has the unit id {id}: 1 to 247, or 255")),
        }
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a line begins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct ModbusUrl {
    text: String,
    address: ModbusAddress,
}

/// Where a line begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModbusAddress {
    /// At a device or gateway in the network.
    Tcp {
        /// Its name or address.
        host: String,
        /// Where it listens.
        port: u16,
    },
    /// At a serial adapter, by its device file.
    Serial(PathBuf),
}

impl ModbusUrl {
    /// Where that is.
    pub const fn address(&self) -> &ModbusAddress {
        &self.address
    }
}

impl fmt::Display for ModbusUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for ModbusUrl {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let needed = "tcp://host:port or serial:///dev/serial/by-id/…";
        let url = Url::parse(&text).map_err(|e| format!("no Modbus address: {e}; {needed} is needed"))?;
        match url.scheme() {
            "tcp" => {}
            // Not by the URL's own path, for file names hold what addresses may not.
            "serial" if text.starts_with("serial:///") => {
                let path = text.trim_start_matches("serial://").into();
                return Ok(Self { text, address: ModbusAddress::Serial(path) });
            }
            "serial" => {
                return Err("a serial line is named by its device: serial:///dev/serial/by-id/…".into());
            }
            other => return Err(format!("Modbus is reached by {needed}, not {other}://")),
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or("a Modbus address needs a host: tcp://host:port")?;
        let rest = [url.path(), url.username(), url.query().unwrap_or(""), url.fragment().unwrap_or("")];
        if rest.iter().any(|part| !part.is_empty() && *part != "/") {
            return Err("a Modbus address has a host and a port and nothing else: tcp://host:port".into());
        }
        // Addresses of IPv6 stand in brackets.
        let host = host.trim_matches(['[', ']']).to_owned();
        Ok(Self { address: ModbusAddress::Tcp { host, port: url.port().unwrap_or(TCP_PORT) }, text })
    }
}

fn default_timeout() -> Millis<20, 10_000> {
    Millis::constant::<1000>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_begins_at_a_host_and_a_port() {
        let line = |text: &str| ModbusUrl::try_from(text.to_owned());
        let place = |text| line(text).unwrap().address;
        let tcp = |host: &str, port| ModbusAddress::Tcp { host: host.into(), port };
        assert_eq!(place("tcp://192.0.2.40"), tcp("192.0.2.40", 502));
        assert_eq!(place("tcp://[2001:db8::1]:1502/"), tcp("2001:db8::1", 1502));
        let adapter = "/dev/serial/by-id/usb-FTDI_A1-if00#port0";
        assert_eq!(place(&format!("serial://{adapter}")), ModbusAddress::Serial(adapter.into()));
        for (text, reason) in [
            ("http://192.0.2.40", "tcp://host:port"),
            ("tcp:///path", "needs a host"),
            ("tcp://192.0.2.40/unit/3", "nothing else"),
            ("tcp://user@192.0.2.40", "nothing else"),
            ("fence host", "no Modbus address"),
            ("serial://ttyUSB0", "named by its device"),
        ] {
            assert!(line(text).unwrap_err().contains(reason), "{text}");
        }
    }

    #[test]
    fn nobody_has_the_unit_id_of_a_broadcast() {
        assert!(UnitId::try_from(0).unwrap_err().contains("1 to 247"));
        assert!(UnitId::try_from(248).is_err());
        assert_eq!(UnitId::try_from(255).unwrap().get(), 255);
    }
}
