//! The alarms that go on, and those that ended a while ago and may still be graded again.

use std::collections::{HashMap, VecDeque};

use gatepost_wire::arming::Input;
use gatepost_wire::event::{EventData, Fused, Phase};
use gatepost_wire::{AlarmId, Severity, Timestamp};

use super::draft;
use crate::outbox::Draft;

/// Alarms that ended and are still remembered. Fusion regrades none that is older.
const OVER: usize = 1024;

/// Does an alarm count?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It does.
    Counts,
    /// It will, unless somebody disarms.
    Waits,
    /// It is there for the record.
    Rests,
    /// It was only counted.
    Silent,
}

/// An alarm that is remembered.
pub(super) struct Held {
    pub(super) input: Input,
    /// How grave by itself.
    pub(super) own: Severity,
    /// How grave it was told to be.
    pub(super) told: Severity,
    pub(super) standing: Standing,
    /// The last event, without evidence.
    pub(super) data: EventData,
    pub(super) ended: Option<Timestamp>,
}

impl Held {
    /// The event that tells of a graver grade. An alarm that ended stays ended, at the time it did.
    pub(super) fn raise(&mut self, severity: Severity, fused: Option<Fused>, now: Timestamp) -> Draft {
        self.told = severity;
        self.data.severity = severity;
        self.data.fused = fused.or(self.data.fused.take());
        self.data.happening.set_phase(if self.ended.is_some() { Phase::Ended } else { Phase::Updated });
        draft(self.data.clone(), self.ended.unwrap_or(now))
    }
}

#[derive(Default)]
pub(super) struct Alarms {
    held: HashMap<AlarmId, Held>,
    over: VecDeque<AlarmId>,
}

impl Alarms {
    pub(super) fn begin(&mut self, alarm: AlarmId, held: Held) {
        self.held.insert(alarm, held);
    }

    pub(super) fn get_mut(&mut self, alarm: AlarmId) -> Option<&mut Held> {
        self.held.get_mut(&alarm)
    }

    pub(super) fn counts(&self, alarm: AlarmId) -> bool {
        self.held.get(&alarm).is_some_and(|held| held.standing == Standing::Counts)
    }

    /// The alarms of certain inputs.
    pub(super) fn of<'a>(
        &'a self,
        is_meant: impl Fn(&Input) -> bool + 'a,
    ) -> impl Iterator<Item = AlarmId> + 'a {
        self.held.iter().filter(move |(_, held)| is_meant(&held.input)).map(|(id, _)| *id)
    }

    /// An event of an alarm that goes on, with the grade the alarm has; none when it is only counted.
    pub(super) fn update(&mut self, alarm: AlarmId, mut draft: Draft) -> Option<Draft> {
        let Some(held) = self.held.get_mut(&alarm) else { return Some(draft) };
        if held.standing == Standing::Silent {
            return None;
        }
        draft.data.severity = held.told;
        held.data = EventData { evidence: Vec::new(), fused: held.data.fused.take(), ..draft.data.clone() };
        Some(draft)
    }

    /// An event that adds something to an alarm. One that ended stays ended, at the time it did.
    pub(super) fn addition(&self, alarm: AlarmId, time: Timestamp) -> Option<Draft> {
        let held = self.held.get(&alarm).filter(|held| held.standing != Standing::Silent)?;
        let mut data = held.data.clone();
        data.severity = held.told;
        data.happening.set_phase(if held.ended.is_some() { Phase::Ended } else { Phase::Updated });
        Some(draft(data, held.ended.unwrap_or(time)))
    }

    /// The last event of an alarm.
    pub(super) fn end(&mut self, alarm: AlarmId, draft: Draft) -> Option<Draft> {
        let time = draft.time;
        let draft = self.update(alarm, draft);
        if let Some(held) = self.held.get_mut(&alarm) {
            held.ended = Some(time);
            self.over.push_back(alarm);
        }
        if self.over.len() > OVER {
            let oldest = self.over.pop_front();
            oldest.and_then(|oldest| self.held.remove(&oldest));
        }
        draft
    }

    /// The input that is closed when this alarm ends: its own, unless another alarm of it goes on.
    pub(super) fn closed_by(&self, alarm: AlarmId) -> Option<Input> {
        let input = &self.held.get(&alarm)?.input;
        let goes_on =
            |(id, held): (&AlarmId, &Held)| *id != alarm && held.ended.is_none() && held.input == *input;
        (!self.held.iter().any(goes_on)).then(|| input.clone())
    }

    /// What waited by this input is there for the record.
    pub(super) fn rest(&mut self, input: &Input) {
        for held in self.held.values_mut() {
            if held.input == *input && held.standing == Standing::Waits {
                held.standing = Standing::Rests;
            }
        }
    }

    /// An alarm of this input that goes on although nobody may be there any more counts from now on.
    pub(super) fn raise_open(&mut self, input: &Input, now: Timestamp) -> Option<Draft> {
        let goes_on =
            |held: &Held| held.ended.is_none() && matches!(held.standing, Standing::Rests | Standing::Silent);
        let open = self.held.iter_mut().filter(|(_, held)| held.input == *input && goes_on(held));
        let (_, held) = open.min_by_key(|(id, _)| **id)?;
        held.standing = Standing::Counts;
        Some(held.raise(held.own, None, now))
    }
}
