//! Dry contacts at the box's own pins.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Contact, Millis};

/// A contact at a line of a GPIO chip.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GpioPoint {
    /// The chip's character device, `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// The line's number on the chip; `gpioinfo` lists them.
    pub line: u32,
    /// Whether the contact is open or closed at rest.
    #[serde(default)]
    pub contact: Contact,
    /// The level of the line while the contact is closed.
    #[serde(default)]
    pub closed: GpioLevel,
    /// What holds the line while the contact is open.
    #[serde(default)]
    pub bias: GpioBias,
    /// Milliseconds it must stay as it is to count: contacts bounce.
    #[serde(default = "default_debounce")]
    pub debounce_ms: Millis<0, 1000>,
}

/// The level of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GpioLevel {
    /// Ground: the contact lies between the line and ground.
    #[default]
    Low,
    /// The supply: the contact lies between the line and the supply.
    High,
}

/// What holds a line while nothing drives it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GpioBias {
    /// A resistor of the chip to the supply.
    #[default]
    PullUp,
    /// A resistor of the chip to ground.
    PullDown,
    /// Nothing in the chip; there is a resistor outside.
    None,
}

impl GpioPoint {
    /// Is it tripped while its line is high, or low?
    pub fn is_tripped(&self, high: bool) -> bool {
        let is_closed = high == (self.closed == GpioLevel::High);
        is_closed == (self.contact == Contact::NormallyOpen)
    }
}

fn default_debounce() -> Millis<0, 1000> {
    Millis::constant::<20>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_trips_by_how_it_rests_and_how_it_is_wired() {
        let point = |keys: &str| -> GpioPoint {
            toml::from_str(&format!("chip = '/dev/gpiochip0'\nline = 4\n{keys}")).unwrap()
        };
        let low_and_high = |keys: &str| (point(keys).is_tripped(false), point(keys).is_tripped(true));
        assert_eq!(low_and_high(""), (true, false), "it closes to ground");
        assert_eq!(
            low_and_high("contact = 'normally_closed'"),
            (false, true),
            "it opens, or its wire is cut"
        );
        assert_eq!(low_and_high("closed = 'high'\nbias = 'pull_down'"), (false, true));
        assert_eq!(low_and_high("closed = 'high'\ncontact = 'normally_closed'"), (true, false));
    }
}
