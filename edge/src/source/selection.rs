//! Which of the pictures a camera sends are decoded: all of them while it is awake, only those that stand alone
//! while it is idle. Pure: pictures and times in, pictures out.

use std::collections::VecDeque;
use std::time::Duration;

use super::Rate;
use super::encoded::Encoded;
use crate::config::Idle;

/// Key frames that come less often show too little. They are asked to come every 2 s; the rest is for jitter.
const KEY_FRAMES_WITHIN: Duration = Duration::from_millis(2500);
/// Of an idle camera's pictures that stand alone so many are looked at.
const IDLE_EVERY: Duration = Duration::from_secs(1);
/// What is kept of the pictures since the last key frame, in case the camera wakes: 2.5 s at 60 a second.
const MOST_HELD: usize = 150;
/// 2.5 s at 50 Mbit/s.
const MOST_BYTES_HELD: usize = 16 << 20;

/// Where the decoder stands in what the camera sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It cannot go on before the next key frame.
    Lost,
    /// It has everything up to the held pictures.
    Behind,
    /// It has everything.
    Level,
}

/// Chooses for one camera.
#[derive(Debug)]
pub(super) struct Selection {
    idle: Idle,
    awake_rate: Rate,
    idle_rate: Rate,
    place: Place,
    last_key: Option<Duration>,
    key_interval: Option<Duration>,
    held: VecDeque<Encoded>,
    held_bytes: usize,
}

impl Selection {
    /// A choice for a camera of which nothing has come yet and of which pictures are wanted every `period`.
    pub fn new(idle: Idle, period: Duration) -> Self {
        Self {
            idle,
            awake_rate: Rate::of_arrivals(period),
            idle_rate: Rate::of_arrivals(period.max(IDLE_EVERY)),
            place: Place::Lost,
            last_key: None,
            key_interval: None,
            held: VecDeque::new(),
            held_bytes: 0,
        }
    }

    /// Takes what came and hands on what is to be decoded, in order.
    pub fn take(&mut self, unit: Encoded, awake: bool, decode: impl FnMut(Encoded)) {
        if unit.stands_alone() {
            self.take_alone(unit, awake, decode);
        } else {
            self.take_dependent(unit, awake, decode);
        }
    }

    /// The decoder has lost something: it begins anew at the next key frame.
    pub fn lose(&mut self) {
        self.place = Place::Lost;
        self.drop_held();
    }

    /// Is only a part decoded?
    pub fn is_partial(&self) -> bool {
        self.place != Place::Level
    }

    /// Here the rate spares the decoder too.
    fn take_alone(&mut self, unit: Encoded, awake: bool, mut decode: impl FnMut(Encoded)) {
        let all = awake || self.idle == Idle::Full;
        self.place = if all { Place::Level } else { Place::Behind };
        let rate = if all { &mut self.awake_rate } else { &mut self.idle_rate };
        if rate.takes(unit.at) {
            decode(unit);
        }
    }

    fn take_dependent(&mut self, unit: Encoded, awake: bool, mut decode: impl FnMut(Encoded)) {
        if unit.key {
            self.key_interval = self.last_key.map(|last| unit.at.saturating_sub(last));
            self.last_key = Some(unit.at);
        }
        let all = awake || self.idle == Idle::Full || !self.key_frames_suffice(unit.at);
        match (unit.key, self.place) {
            // Some cameras send hardly anything else. One that is spared is held like any other picture.
            (true, Place::Level | Place::Behind) if !all && !self.idle_rate.takes(unit.at) => self.hold(unit),
            (true, _) => {
                self.drop_held();
                self.place = if all { Place::Level } else { Place::Behind };
                decode(unit);
            }
            (false, Place::Lost) => {}
            (false, Place::Level | Place::Behind) if all => {
                self.held_bytes = 0;
                self.held.drain(..).for_each(&mut decode);
                self.place = Place::Level;
                decode(unit);
            }
            (false, Place::Level | Place::Behind) => self.hold(unit),
        }
    }

    fn key_frames_suffice(&self, at: Duration) -> bool {
        let often = |interval| interval <= KEY_FRAMES_WITHIN;
        let overdue = self.last_key.is_none_or(|last| !often(at.saturating_sub(last)));
        self.key_interval.is_some_and(often) && !overdue
    }

    fn hold(&mut self, unit: Encoded) {
        self.place = Place::Behind;
        self.held_bytes += unit.bytes();
        self.held.push_back(unit);
        if self.held.len() > MOST_HELD || self.held_bytes > MOST_BYTES_HELD {
            self.lose();
        }
    }

    fn drop_held(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
    }
}

#[cfg(test)]
mod tests;
