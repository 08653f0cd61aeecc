//! When a rule applies or an area is armed: by the clock on the wall of the site.

use std::collections::BTreeSet;

use gatepost_wire::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use super::name::name;
use super::span::Span;

name! {
    /// Name of a schedule: `[a-z0-9-]{1,64}`, as every name.
    ScheduleId
}

/// The site's time zone.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct TimeZone(jiff::tz::TimeZone);

impl Default for TimeZone {
    fn default() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }
}

impl TryFrom<String> for TimeZone {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        jiff::tz::TimeZone::get(&name).map(Self).map_err(|_| {
            format!(
                "no time zone {name:?} on this machine: an IANA name such as \"Asia/Shanghai\" is needed, \
                 and the system's tzdata"
            )
        })
    }
}

/// Hours at which rules apply and areas are armed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Name of the schedule, unique in this box.
    pub id: ScheduleId,
    /// Days on which a span begins; every day unless given.
    #[serde(default = "every_day")]
    pub weekdays: BTreeSet<Weekday>,
    /// Spans of the day, `"22:00-06:00"`; one that passes midnight belongs to the day it begins on. The whole
    /// day unless given.
    #[serde(default = "whole_day")]
    #[schemars(length(min = 1))]
    pub spans: Vec<Span>,
    /// Days that are not like others, `"2026-10-01"`.
    #[serde(default)]
    #[schemars(with = "BTreeSet<String>")]
    pub holidays: BTreeSet<Date>,
    /// When school is held, `{ from = "2026-09-01", to = "2027-01-22" }`, both days included. Where terms are
    /// given, every day outside of them is a holiday.
    #[serde(default)]
    pub terms: Vec<Term>,
    /// What holds on those days.
    #[serde(default)]
    pub on_holidays: OnHolidays,
}

/// Days on which school is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "TermKeys")]
#[schemars(with = "TermKeys")]
pub struct Term {
    from: Date,
    to: Date,
}

/// A term as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TermKeys {
    /// The first day.
    #[schemars(with = "String")]
    from: Date,
    /// The last day.
    #[schemars(with = "String")]
    to: Date,
}

impl TryFrom<TermKeys> for Term {
    type Error = String;
    fn try_from(TermKeys { from, to }: TermKeys) -> Result<Self, String> {
        if from <= to {
            Ok(Self { from, to })
        } else {
            Err(format!("a term cannot end on {to} when it begins on {from}"))
        }
    }
}

impl Term {
    fn includes(self, date: Date) -> bool {
        (self.from..=self.to).contains(&date)
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

impl Weekday {
    fn of(date: Date) -> Self {
        use jiff::civil::Weekday as Day;
        match date.weekday() {
            Day::Monday => Self::Mon,
            Day::Tuesday => Self::Tue,
            Day::Wednesday => Self::Wed,
            Day::Thursday => Self::Thu,
            Day::Friday => Self::Fri,
            Day::Saturday => Self::Sat,
            Day::Sunday => Self::Sun,
        }
    }
}

/// What a schedule does on a holiday.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnHolidays {
    /// What it does on other days.
    #[default]
    AsUsual,
    /// It applies from midnight to midnight.
    AllDay,
    /// No span begins.
    Never,
}

fn every_day() -> BTreeSet<Weekday> {
    BTreeSet::from(WEEK)
}

fn whole_day() -> Vec<Span> {
    vec![Span::WHOLE_DAY]
}

impl Schedule {
    fn is_open(&self, time: Timestamp, zone: &TimeZone) -> bool {
        let now = zone.0.to_datetime(time);
        let minute = u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs());
        let of_today = self.spans_of(now.date()).iter().any(|span| span.holds(minute));
        let of_yesterday = now
            .date()
            .yesterday()
            .is_ok_and(|date| self.spans_of(date).iter().any(|span| span.holds_next_day(minute)));
        of_today || of_yesterday
    }

    /// The spans that begin on a day.
    fn spans_of(&self, date: Date) -> &[Span] {
        const WHOLE_DAY: &[Span] = &[Span::WHOLE_DAY];
        let usual = if self.weekdays.contains(&Weekday::of(date)) { &self.spans[..] } else { &[] };
        match self.on_holidays {
            _ if !self.is_holiday(date) => usual,
            OnHolidays::AsUsual => usual,
            OnHolidays::AllDay => WHOLE_DAY,
            OnHolidays::Never => &[],
        }
    }

    fn is_holiday(&self, date: Date) -> bool {
        let in_term = self.terms.is_empty() || self.terms.iter().any(|term| term.includes(date));
        !in_term || self.holidays.contains(&date)
    }
}

/// The schedules of a box and the clock they go by.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    /// The site's time zone.
    pub time_zone: TimeZone,
    /// The schedules.
    pub schedules: Vec<Schedule>,
}

impl Calendar {
    /// When a rule that names this schedule applies; the configuration has been checked: the name is known.
    pub fn hours(&self, schedule: Option<&ScheduleId>) -> Hours {
        let named = |id: &ScheduleId| self.schedules.iter().find(|schedule| &schedule.id == id).cloned();
        Hours { time_zone: self.time_zone.clone(), schedule: schedule.and_then(named) }
    }
}

/// When a rule applies.
#[derive(Debug, Clone)]
pub struct Hours {
    time_zone: TimeZone,
    /// Always, without one.
    schedule: Option<Schedule>,
}

impl Hours {
    /// Are they now?
    pub fn are_open(&self, time: Timestamp) -> bool {
        self.schedule.as_ref().is_none_or(|schedule| schedule.is_open(time, &self.time_zone))
    }
}

#[cfg(test)]
mod tests;
