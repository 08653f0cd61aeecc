//! What the outbox knows beside its entries: how far each boot got, and which alarms have not ended. Pure.

use std::collections::{BTreeMap, HashMap};

use gatepost_wire::event::{EventData, Phase};
use gatepost_wire::health::Recorded;
use gatepost_wire::{AlarmId, Event};

use super::segment::Change;

/// How many boots health tells about.
const BOOTS_REMEMBERED: usize = 8;

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    boots: BTreeMap<u64, Recorded>,
    open_alarms: HashMap<AlarmId, EventData>,
}

impl State {
    pub const BOOT: u8 = b'b';
    pub const OPEN_ALARM: u8 = b'o';

    /// Takes in what an event says.
    pub fn note(&mut self, event: &Event) {
        let known = self.boots.iter().rev().find(|(_, recorded)| recorded.boot == event.boot);
        let (number, last) = match known {
            Some((number, recorded)) => (*number, recorded.last.max(event.seq)),
            None => (self.last_boot_number() + 1, event.seq),
        };
        self.boots.insert(number, Recorded { boot: event.boot, last });
        while self.boots.len() > BOOTS_REMEMBERED {
            self.boots.pop_first();
        }
        if let Some(alarm) = event.data.happening.alarm() {
            match alarm.phase {
                Phase::Ended => drop(self.open_alarms.remove(&alarm.id)),
                Phase::Began => drop(self.open_alarms.insert(alarm.id, event.data.clone())),
                // A clip may come after the end, and must not open the alarm again.
                Phase::Updated => {}
            }
        }
    }

    /// Writes what these events changed. They were noted before.
    pub fn write_changes(&self, events: &[Event], change: &mut Change) -> serde_json::Result<()> {
        for event in events {
            if let Some(alarm) = event.data.happening.alarm() {
                match self.open_alarms.get(&alarm.id) {
                    Some(data) => change.set(alarm_key(alarm.id), serde_json::to_vec(data)?),
                    None => change.unset(alarm_key(alarm.id)),
                }
            }
        }
        // Events of one call are of one boot, the newest.
        self.boots.iter().next_back().map_or(Ok(()), |(number, boot)| write_boot(*number, boot, change))
    }

    /// Writes everything, for a segment that begins.
    pub fn write_whole(&self, change: &mut Change) -> serde_json::Result<()> {
        for (alarm, data) in &self.open_alarms {
            change.set(alarm_key(*alarm), serde_json::to_vec(data)?);
        }
        self.boots.iter().try_for_each(|(number, boot)| write_boot(*number, boot, change))
    }

    /// Takes in one key of a segment.
    pub fn read(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let wrong = |what: &str| format!("{what} is not what was written");
        let (kind, rest) = key.split_first().ok_or_else(|| wrong("a key"))?;
        if *kind == Self::BOOT {
            let number = rest.try_into().map(u64::from_be_bytes).map_err(|_| wrong("a boot"))?;
            self.boots.insert(number, serde_json::from_slice(value).map_err(|_| wrong("a boot"))?);
        } else {
            let id = std::str::from_utf8(rest).ok().and_then(|id| id.parse().ok());
            let data = serde_json::from_slice(value).ok();
            let (id, data) = id.zip(data).ok_or_else(|| wrong("an open alarm"))?;
            self.open_alarms.insert(id, data);
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.boots.is_empty() && self.open_alarms.is_empty()
    }

    /// How far the last boots got, newest first.
    pub fn boots(&self) -> Vec<Recorded> {
        self.boots.values().rev().copied().collect()
    }

    pub fn open_alarms(&self) -> Vec<EventData> {
        self.open_alarms.values().cloned().collect()
    }

    fn last_boot_number(&self) -> u64 {
        self.boots.keys().next_back().copied().unwrap_or(0)
    }
}

fn write_boot(number: u64, recorded: &Recorded, change: &mut Change) -> serde_json::Result<()> {
    let mut key = vec![State::BOOT];
    key.extend(number.to_be_bytes());
    change.set(key, serde_json::to_vec(recorded)?);
    Ok(())
}

fn alarm_key(alarm: AlarmId) -> Vec<u8> {
    [&[State::OPEN_ALARM], alarm.to_string().as_bytes()].concat()
}
