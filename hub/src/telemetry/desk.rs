//! What has come together and is not yet written. Pure: told of every time.

use std::collections::{BTreeMap, HashMap};

use gatepost_wire::health::PresenceState;
use gatepost_wire::{CameraId, EdgeId, Health, Timestamp};

use super::sample::{BoxSample, Width};
use super::standing::{Change, Standing, State};

/// What is known of boxes.
#[derive(Debug, Default)]
pub(super) struct Desk {
    boxes: HashMap<EdgeId, Followed>,
    /// Five minutes that are over.
    closed: BTreeMap<(EdgeId, Timestamp), BoxSample>,
    changes: Vec<Change>,
}

#[derive(Debug, Default)]
struct Followed {
    /// Five minutes under way, and when they began.
    open: Option<(Timestamp, BoxSample)>,
    /// The box itself has no camera's name.
    standing: BTreeMap<Option<CameraId>, Standing>,
}

impl Desk {
    /// A box reported.
    pub fn take_report(&mut self, health: &Health, received: Timestamp) {
        let sample = BoxSample::of(health, received);
        let start = Width::Fine.start_of(received);
        let known = self.boxes.entry(health.edge.clone()).or_default();
        match &mut known.open {
            Some((of, open)) if *of == start => {
                if !open.is_full() {
                    open.merge(&sample);
                }
            }
            open => {
                let over = open.replace((start, sample.clone()));
                if let Some(over) = over {
                    self.close(&health.edge, over);
                }
            }
        }
        // What reports is connected, whoever heard of its presence.
        self.stands(&health.edge, None, Standing::of(State::Online, received));
        let followed =
            |camera: &&gatepost_wire::health::CameraHealth| sample.cameras.contains_key(&camera.camera);
        for camera in health.cameras.iter().filter(followed) {
            let standing = Standing::of_camera(&camera.state, received);
            self.stands(&health.edge, Some(&camera.camera), standing);
        }
    }

    /// A box came or went.
    pub fn take_presence(&mut self, edge: &EdgeId, state: PresenceState, received: Timestamp) {
        self.stands(edge, None, Standing::of(state.into(), received));
    }

    fn stands(&mut self, edge: &EdgeId, camera: Option<&CameraId>, standing: Standing) {
        let known = self.boxes.entry(edge.clone()).or_default();
        if let Some(before) = known.standing.get(&camera.cloned())
            && !standing.follows(before)
        {
            return;
        }
        known.standing.insert(camera.cloned(), standing.clone());
        self.changes.push(Change { edge: edge.clone(), camera: camera.cloned(), standing });
    }

    /// Another hub may have heard otherwise in the meantime, and this one would not know: so how everything stood at the end is told
    /// once more, and the database says whether that is new.
    fn close(&mut self, edge: &EdgeId, (start, sample): (Timestamp, BoxSample)) {
        if let Some(known) = self.boxes.get(edge) {
            let again = known.standing.iter().filter(|(camera, standing)| match camera {
                Some(camera) => sample.cameras.contains_key(camera),
                None => standing.state == State::Online,
            });
            self.changes.extend(again.map(|(camera, standing)| Change {
                edge: edge.clone(),
                camera: camera.clone(),
                standing: Standing { since: standing.since.max(sample.last), ..standing.clone() },
            }));
        }
        self.keep(edge.clone(), start, sample);
    }

    /// Five minutes that have to be written: they are over, or could not be written.
    pub fn keep(&mut self, edge: EdgeId, start: Timestamp, sample: BoxSample) {
        match self.closed.get_mut(&(edge.clone(), start)) {
            Some(known) => known.merge(&sample),
            None => drop(self.closed.insert((edge, start), sample)),
        }
    }

    /// Changes that could not be written come before those that came since.
    pub fn give_back(&mut self, mut changes: Vec<Change>) {
        changes.append(&mut self.changes);
        self.changes = changes;
    }

    /// Closes what is over by then; at the end, with `all`, everything.
    pub fn close_over(&mut self, now: Timestamp, all: bool) {
        let running = Width::Fine.start_of(now);
        let over: Vec<EdgeId> = self
            .boxes
            .iter()
            .filter(|(_, known)| known.open.as_ref().is_some_and(|(start, _)| all || *start < running))
            .map(|(edge, _)| edge.clone())
            .collect();
        for edge in over {
            if let Some(open) = self.boxes.get_mut(&edge).and_then(|known| known.open.take()) {
                self.close(&edge, open);
            }
        }
    }

    /// So many five minutes that are over, which are not kept here any longer.
    pub fn take_closed(&mut self, most: usize) -> Vec<(EdgeId, Timestamp, BoxSample)> {
        let taken = std::iter::from_fn(|| self.closed.pop_first()).take(most);
        taken.map(|((edge, start), sample)| (edge, start, sample)).collect()
    }

    /// So many changes, the first ones.
    pub fn take_changes(&mut self, most: usize) -> Vec<Change> {
        let rest = self.changes.split_off(self.changes.len().min(most));
        std::mem::replace(&mut self.changes, rest)
    }

    /// What is not yet written of a box.
    pub fn unwritten(&self, edge: &EdgeId) -> Vec<(Timestamp, BoxSample)> {
        let first = (edge.clone(), Timestamp::MIN);
        let closed = self.closed.range(first..).take_while(|((of, _), _)| of == edge);
        let closed = closed.map(|((_, start), sample)| (*start, sample.clone()));
        let open = self.boxes.get(edge).and_then(|known| known.open.clone());
        closed.chain(open).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::telemetry::sample::tests::{BOOT, at, report};

    fn states(desk: &mut Desk) -> Vec<(Option<String>, State, Timestamp)> {
        let changes = desk.take_changes(usize::MAX).into_iter();
        changes
            .map(|Change { camera, standing, .. }| {
                (camera.map(|id| id.to_string()), standing.state, standing.since)
            })
            .collect()
    }

    #[test]
    fn five_minutes_are_written_when_they_are_over_and_only_once() {
        let mut desk = Desk::default();
        let streams = json!({ "name": "streaming" });
        for second in [0, 30, 299, 300] {
            desk.take_report(&report(BOOT, second, Some(40.0), &streams), at(second as i64));
        }
        let edge: EdgeId = "gate-1".parse().unwrap();
        assert_eq!(desk.unwritten(&edge).len(), 2, "what is over, and what is under way");
        let taken = desk.take_closed(10);
        let [(_, start, sample)] = &taken[..] else { panic!("{taken:?}") };
        assert_eq!((*start, sample.reports, sample.uptime_ms), (at(0), 3, 299_000));
        desk.close_over(at(599), false);
        assert!(desk.take_closed(10).is_empty());
        desk.close_over(at(600), false);
        assert_eq!(desk.take_closed(10).len(), 1);
        // The box is silent from here on.
        desk.close_over(at(9000), true);
        assert!(desk.take_closed(10).is_empty() && desk.unwritten(&edge).is_empty());
    }

    #[test]
    fn what_could_not_be_written_is_merged_with_what_came_since() {
        let mut desk = Desk::default();
        let streams = json!({ "name": "streaming" });
        desk.take_report(&report(BOOT, 0, None, &streams), at(0));
        desk.close_over(at(0), true);
        let (edge, start, sample) = desk.take_closed(1).remove(0);
        desk.take_report(&report(BOOT, 30, None, &streams), at(30));
        desk.close_over(at(30), true);
        desk.keep(edge, start, sample);
        let taken = desk.take_closed(10);
        assert_eq!((taken.len(), taken[0].2.reports), (1, 2));
        let changes = desk.take_changes(1);
        let rest = states(&mut desk);
        desk.give_back(changes);
        assert_eq!(desk.take_changes(1)[0].standing.since, at(0));
        assert!(!rest.is_empty());
    }

    #[test]
    fn a_change_is_told_once_and_how_things_stand_again_when_five_minutes_end() {
        let mut desk = Desk::default();
        let (streams, ill) = (json!({ "name": "streaming" }), json!({ "name": "faulted", "reason": "why" }));
        desk.take_presence(&"gate-1".parse().unwrap(), PresenceState::Online, at(0));
        for (second, state) in [(1, &streams), (31, &streams), (61, &ill), (91, &ill)] {
            desk.take_report(&report(BOOT, second, None, state), at(second as i64));
        }
        let east = || Some("east-gate".to_owned());
        assert_eq!(
            states(&mut desk),
            [
                (None, State::Online, at(0)),
                (east(), State::Streaming, at(1)),
                (east(), State::Faulted, at(61))
            ]
        );
        desk.close_over(at(300), false);
        assert_eq!(states(&mut desk), [(None, State::Online, at(91)), (east(), State::Faulted, at(91))]);
        desk.take_presence(&"gate-1".parse().unwrap(), PresenceState::Offline, at(400));
        assert_eq!(states(&mut desk), [(None, State::Offline, at(400))]);
    }
}
