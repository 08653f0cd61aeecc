//! What goes out next: the events of a page of waiting entries in one publish, and behind them their pictures, each in its
//! own. Pure.

use gatepost_wire::batch;

use crate::outbox::{Entry, Item, Position};

/// Events that go in one publish.
#[derive(Debug, Default)]
pub(super) struct Handful {
    events: Vec<(Position, Vec<u8>)>,
    bytes: usize,
}

impl Handful {
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Takes an event in if the publish stays below `max_bytes`. The first one always fits: what is too long alone, the
    /// broker says.
    pub fn add(&mut self, entry: Entry, max_bytes: usize) -> bool {
        let Item::Event { json, .. } = entry.item else { return false };
        // A bracket or comma before each, and the last bracket.
        let bytes = self.bytes + 1 + json.len();
        if !self.events.is_empty() && bytes + 1 > max_bytes.min(batch::MAX_BATCH_BYTES) {
            return false;
        }
        self.bytes = bytes;
        self.events.push((entry.position, json));
        true
    }

    /// The entries, and the payload: the document itself of one event, a batch of several.
    pub fn into_payload(mut self) -> Option<(Vec<Position>, Vec<u8>)> {
        let positions = self.events.iter().map(|(position, _)| *position).collect();
        let payload = match self.events.len() {
            0 => return None,
            1 => self.events.pop()?.1,
            _ => batch::join(self.events.iter().map(|(_, json)| &json[..])),
        };
        Some((positions, payload))
    }
}

#[cfg(test)]
mod tests {
    use gatepost_wire::{EventId, Severity};
    use ulid::Ulid;

    use super::*;
    use crate::outbox::Lane;

    fn event(number: u64, bytes: usize) -> Entry {
        Entry {
            position: Position::new(number, Lane::Routine),
            severity: Severity::HIGH,
            item: Item::Event { id: EventId::from_ulid(Ulid::generate()), json: vec![b'1'; bytes] },
        }
    }

    #[test]
    fn one_event_goes_as_it_is_and_several_as_a_batch() {
        assert!(Handful::default().into_payload().is_none());
        let mut one = Handful::default();
        assert!(one.add(event(1, 3), 0), "the first always fits");
        assert_eq!(one.into_payload().unwrap(), (vec![Position::new(1, Lane::Routine)], b"111".to_vec()));
        let mut two = Handful::default();
        assert!(two.add(event(1, 3), 1000) && two.add(event(2, 2), 1000));
        assert_eq!(two.into_payload().unwrap().1, b"[111,11]");
    }

    #[test]
    fn a_batch_is_never_longer_than_allowed() {
        for most in [100, batch::MAX_BATCH_BYTES, usize::MAX] {
            let mut handful = Handful::default();
            while handful.add(event(1, 30), most) {}
            let payload = handful.into_payload().unwrap().1;
            let most = most.min(batch::MAX_BATCH_BYTES);
            assert!(payload.len() <= most && payload.len() + 31 > most, "{} of {most}", payload.len());
        }
    }
}
