//! How far somebody has been told.

use std::fmt;
use std::str::FromStr;

/// Changes that are told in the order of their numbers. Thousands of boxes report some hundred times a second and, all of them new, ten thousand
/// times in a few: an alarm does not wait behind that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// What people wait for: alarms, incidents, commands.
    People,
    /// What boxes say of themselves.
    Devices,
}

impl Lane {
    /// The order they are read in.
    pub const ALL: [Self; 2] = [Self::People, Self::Devices];
}

/// The number of the last change told, in each lane. As a text, the `id` of a server-sent event: `420-398`, or one number for both, as
/// hubs gave before there were two: a page that was open meanwhile goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    people: i64,
    devices: i64,
}

impl Place {
    /// All is told up to this number.
    pub const fn all_up_to(number: i64) -> Self {
        Self { people: number, devices: number }
    }

    /// How far one lane is.
    pub const fn in_lane(self, lane: Lane) -> i64 {
        match lane {
            Lane::People => self.people,
            Lane::Devices => self.devices,
        }
    }

    /// The same, with one lane told up to `number`.
    #[must_use]
    pub const fn with(self, lane: Lane, number: i64) -> Self {
        match lane {
            Lane::People => Self { people: number, ..self },
            Lane::Devices => Self { devices: number, ..self },
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.people, self.devices)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (people, devices) = text.split_once('-').unwrap_or((text, text));
        let place = number(people).zip(number(devices));
        place
            .map(|(people, devices)| Self { people, devices })
            .ok_or_else(|| "two numbers are needed, such as 420-398".into())
    }
}

/// Digits only: no sign.
fn number(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(people in 0..=i64::MAX, devices in 0..=i64::MAX) {
            let place = Place { people, devices };
            prop_assert_eq!(place.to_string().parse::<Place>(), Ok(place));
        }
    }

    #[test]
    fn one_number_is_for_both() {
        assert_eq!("42".parse(), Ok(Place::all_up_to(42)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "-", "x", "1-", "-1", "1--1", "+1-1", "1-1-1", " 1-1", "1-9223372036854775808", "一-二"]
        {
            assert!(text.parse::<Place>().is_err(), "{text:?}");
        }
    }
}
