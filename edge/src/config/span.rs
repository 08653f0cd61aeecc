//! A span of the day.

use schemars::JsonSchema;
use serde::Deserialize;

const MINUTES_OF_DAY: u16 = 24 * 60;

/// A span of the day, `"08:00-17:30"`; its end may lie on the next day, `"22:00-06:00"`. The first minute belongs
/// to it, the last does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"))]
pub struct Span {
    from: u16,
    to: u16,
}

impl Span {
    /// From midnight to midnight.
    pub const WHOLE_DAY: Self = Self { from: 0, to: MINUTES_OF_DAY };

    /// Does it hold at this minute of the day it begins on?
    pub fn holds(self, minute: u16) -> bool {
        minute >= self.from && (self.passes_midnight() || minute < self.to)
    }

    /// Does it still hold at this minute of the day after?
    pub fn holds_next_day(self, minute: u16) -> bool {
        self.passes_midnight() && minute < self.to
    }

    fn passes_midnight(self) -> bool {
        self.to < self.from
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bad = || format!("{text:?} is no span of the day: \"22:00-06:00\" is one");
        let (from, to) = text.split_once('-').ok_or_else(bad)?;
        let (from, to) = (minute(from).ok_or_else(bad)?, minute(to).ok_or_else(bad)?);
        if from == to {
            return Err(format!("the span {text:?} is empty; the whole day is \"00:00-24:00\""));
        }
        if from == MINUTES_OF_DAY {
            return Err(format!("{text:?}: no span begins at 24:00; the next day begins at 00:00"));
        }
        Ok(Self { from, to })
    }
}

/// `HH:MM` up to 24:00.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| -> Option<u16> {
        (digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let of_day = hour * 60 + minute;
    (minute < 60 && of_day <= MINUTES_OF_DAY).then_some(of_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Result<Span, String> {
        text.to_owned().try_into()
    }

    #[test]
    fn the_first_minute_belongs_to_it_and_the_last_does_not() {
        let day = span("08:00-17:30").unwrap();
        assert!(!day.holds(479) && day.holds(480) && day.holds(1049) && !day.holds(1050));
        assert!(!day.holds_next_day(0));
        let night = span("22:00-06:00").unwrap();
        assert!(night.holds(1320) && night.holds(1439) && !night.holds(0));
        assert!(night.holds_next_day(0) && night.holds_next_day(359) && !night.holds_next_day(360));
        assert_eq!(span("00:00-24:00").unwrap(), Span::WHOLE_DAY);
        // Up to midnight is not past midnight.
        assert!(!span("18:00-24:00").unwrap().holds_next_day(0));
        assert!(!span("18:00-00:00").unwrap().holds_next_day(0));
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for text in ["", "night", "22:00", "22-06", "25:00-26:00", "22:60-23:00", "+2:00-03:00", "2:00-3:00"]
        {
            assert!(span(text).unwrap_err().contains("no span of the day"), "{text}");
        }
        assert!(span("22:00-22:00").unwrap_err().contains("empty"));
        assert!(span("24:00-06:00").unwrap_err().contains("begins at 00:00"));
    }
}
