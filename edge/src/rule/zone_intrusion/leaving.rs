//! Going out of an area. It ends at once: going out has no duration.

use std::time::Duration;

use gatepost_wire::event::Phase;

use crate::rule::guard::{AlarmCount, View};
use crate::rule::presence::Presence;
use crate::rule::stay::Told;
use crate::track::Track;

/// Outside for this long is gone out; shorter is a step over the edge and back.
const GONE_OUT: Duration = Duration::from_millis(600);
/// Whoever is not seen anywhere for this long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(5);

struct Insider {
    track: Track,
    presence: Presence,
    outside_since: Option<Duration>,
}

pub(super) struct Leavings {
    /// Whoever was inside for less than this was never in.
    need: Duration,
    insiders: Vec<Insider>,
    alarms: AlarmCount,
}

impl Leavings {
    pub(super) fn new(need: Duration) -> Self {
        Self { need, insiders: Vec::new(), alarms: AlarmCount::default() }
    }

    pub(super) fn look(&mut self, inside: &[&Track], outside: &[&Track], view: &View<'_>) -> Vec<Told> {
        for track in inside.iter().filter(|track| track.seen) {
            match self.insiders.iter_mut().find(|it| it.track.number == track.number) {
                Some(insider) => {
                    insider.track = (*track).clone();
                    insider.presence.see(view.at);
                    insider.outside_since = None;
                }
                None => self.insiders.push(Insider {
                    track: (*track).clone(),
                    presence: Presence::new(view.at),
                    outside_since: None,
                }),
            }
        }
        let (need, mut told) = (self.need, Vec::new());
        let alarms = &mut self.alarms;
        self.insiders.retain_mut(|insider| {
            let is = |track: &&&Track| track.seen && track.number == insider.track.number;
            if inside.iter().any(|track| is(&track)) {
                return true;
            }
            let Some(track) = outside.iter().find(is) else {
                insider.presence.miss(view.at);
                return insider.presence.away(view.at) < FORGOTTEN;
            };
            let outside_since = *insider.outside_since.get_or_insert(view.at);
            if view.at.saturating_sub(outside_since) < GONE_OUT {
                return true;
            }
            if insider.presence.lasted() >= need && view.may_begin {
                let (alarm, lasted) = (alarms.next(), insider.presence.lasted());
                let tell = |phase| Told { alarm, phase, track: (*track).clone(), lasted };
                told.extend([tell(Phase::Began), tell(Phase::Ended)]);
            }
            false
        });
        told
    }

    pub(super) fn close(&mut self) {
        self.insiders.clear();
    }
}
