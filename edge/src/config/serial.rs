//! Serial lines: how their characters are sent.

use schemars::JsonSchema;
use serde::Deserialize;

/// How a serial line is set up. All devices on it must agree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SerialLine {
    /// Bits a second, 1200 to 921600.
    pub baud: Baud,
    /// The parity bit of each character.
    pub parity: SerialParity,
    /// Stop bits after each character.
    pub stop_bits: SerialStop,
}

/// Bits a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u32")]
#[schemars(extend("minimum" = 1200, "maximum" = 921_600))]
pub struct Baud(u32);

impl Baud {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// What most devices leave the factory with.
impl Default for Baud {
    fn default() -> Self {
        Self(9600)
    }
}

impl TryFrom<u32> for Baud {
    type Error = String;
    fn try_from(baud: u32) -> Result<Self, String> {
        if (1200..=921_600).contains(&baud) {
            Ok(Self(baud))
        } else {
            Err(format!("{baud} bits a second are not possible: 1200 to 921600"))
        }
    }
}

/// The parity bit of each character.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SerialParity {
    /// None.
    #[default]
    None,
    /// Even, the specification's default (Modbus over Serial Line V1.02, 2.5.1).
    Even,
    /// Odd.
    Odd,
}

/// Stop bits after each character.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
#[schemars(with = "u8", extend("enum" = [1, 2]))]
pub enum SerialStop {
    /// One.
    #[default]
    One,
    /// Two.
    Two,
}

impl TryFrom<u8> for SerialStop {
    type Error = String;
    fn try_from(count: u8) -> Result<Self, String> {
        match count {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            _ => Err(format!("{count} stop bits are not possible: 1 or 2")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_line_is_as_most_devices_want_it_unless_written() {
        let serial = |keys: &str| toml::from_str::<SerialLine>(keys).map_err(|error| error.to_string());
        let usual = SerialLine { baud: Baud(9600), parity: SerialParity::None, stop_bits: SerialStop::One };
        assert_eq!(serial(""), Ok(usual));
        assert_eq!(serial("parity = 'even'\nstop_bits = 2").unwrap().stop_bits, SerialStop::Two);
        assert!(serial("baud = 300").unwrap_err().contains("1200 to 921600"));
        assert!(serial("stop_bits = 3").unwrap_err().contains("1 or 2"));
        assert!(serial("bits = 7").unwrap_err().contains("unknown field"));
    }
}
