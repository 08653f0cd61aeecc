//! One thing that waits: its place and its bytes.

use gatepost_wire::EventId;

pub(super) const QUEUE: u8 = b'q';
const EVENT: u8 = b'E';
const PICTURE: u8 = b'P';
/// Length of a ULID in text.
const ID_LEN: usize = 26;

/// Place in the queue of this store; only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub(super) u64);

impl Position {
    pub(super) const START: Self = Self(0);

    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(super) fn key(self) -> [u8; 9] {
        let mut key = [QUEUE; 9];
        key[1..].copy_from_slice(&self.0.to_be_bytes());
        key
    }

    pub(crate) fn from_key(key: &[u8]) -> Option<Self> {
        match key {
            [QUEUE, position @ ..] => Some(Self(u64::from_be_bytes(position.try_into().ok()?))),
            _ => None,
        }
    }

    pub(super) fn put(self, batch: &mut sled::Batch, item: &Item) {
        batch.insert(&self.key(), item.to_bytes());
    }
}

/// What waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event, as it goes over the wire.
    Event {
        /// Its id.
        id: EventId,
        /// The CloudEvent.
        json: Vec<u8>,
    },
    /// The picture of an event; its bytes are with the evidence.
    Picture {
        /// Whose picture.
        event: EventId,
    },
}

impl Item {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let (kind, id, rest): (u8, &EventId, &[u8]) = match self {
            Self::Event { id, json } => (EVENT, id, json),
            Self::Picture { event } => (PICTURE, event, &[]),
        };
        let mut bytes = vec![kind];
        bytes.extend(id.to_string().into_bytes());
        bytes.extend(rest);
        bytes
    }

    /// None for bytes this version did not write.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (id, json) = rest.split_at_checked(ID_LEN)?;
        let id = std::str::from_utf8(id).ok()?.parse().ok()?;
        match *kind {
            EVENT => Some(Self::Event { id, json: json.to_vec() }),
            PICTURE => Some(Self::Picture { event: id }),
            _ => None,
        }
    }
}

/// An item and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The place.
    pub position: Position,
    /// The item.
    pub item: Item,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn items_and_positions_survive(id in any::<u128>(), json in any::<Vec<u8>>(), position in any::<u64>()) {
            let id = EventId::from_ulid(id.into());
            for item in [Item::Event { id, json }, Item::Picture { event: id }] {
                prop_assert_eq!(Item::from_bytes(&item.to_bytes()), Some(item));
            }
            prop_assert_eq!(Position::from_key(&Position(position).key()), Some(Position(position)));
        }

        #[test]
        fn foreign_bytes_are_no_item(bytes in any::<Vec<u8>>()) {
            if let Some(item) = Item::from_bytes(&bytes) {
                prop_assert_eq!(item.to_bytes(), bytes);
            }
        }
    }
}
