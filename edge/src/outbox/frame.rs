//! An entry as bytes that can be told from any others: what is left of a damaged store is found by them.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `GPf2` |
//! | 4 | CRC-32 (IEEE 802.3) of everything that follows, big-endian like all numbers here |
//! | 4 | length of the JSON |
//! | 1 | `E` event, `P` picture |
//! | 1 | severity |
//! | 8 | number of the position |
//! | 16 | id of the event |
//! | 8 + 8 | the first and the last number of its group; not in `GPf1`, which older boxes wrote |
//! | … | the event as JSON; nothing for a picture |
//!
//! A group is written in one go and promised as a whole, so one that is not all there was never promised.

use gatepost_wire::{EventId, Severity};
use ulid::Ulid;

use super::entry::{Entry, Item, Lane, Position};

pub(super) const MAGIC: &[u8; 4] = b"GPf2";
/// Of a frame that does not name its group.
pub(super) const MAGIC_ALONE: &[u8; 4] = b"GPf1";
const CRC_AT: usize = 4;
const LENGTH_AT: usize = 8;
const HEAD_ALONE: usize = 38;
const HEAD: usize = HEAD_ALONE + 16;
const EVENT: u8 = b'E';
const PICTURE: u8 = b'P';

/// Numbers that were written together, all or none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub first: u64,
    pub last: u64,
}

impl Group {
    /// The group of an entry that stands for itself.
    pub const fn alone(number: u64) -> Self {
        Self { first: number, last: number }
    }
}

/// A frame that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub entry: Entry,
    pub group: Group,
}

pub(super) fn encode(entry: &Entry, group: Group) -> Vec<u8> {
    let (kind, id, json): (u8, &EventId, &[u8]) = match &entry.item {
        Item::Event { id, json } => (EVENT, id, json),
        Item::Picture { event } => (PICTURE, event, &[]),
    };
    let mut bytes = Vec::with_capacity(HEAD + json.len());
    bytes.extend(MAGIC);
    bytes.extend([0; 4]);
    // An envelope has at most 64 KiB.
    bytes.extend((json.len() as u32).to_be_bytes());
    bytes.extend([kind, entry.severity.level()]);
    bytes.extend(entry.position.number.to_be_bytes());
    bytes.extend(id.as_ulid().to_bytes());
    bytes.extend(group.first.to_be_bytes());
    bytes.extend(group.last.to_be_bytes());
    bytes.extend(json);
    let crc = crc32fast::hash(&bytes[LENGTH_AT..]);
    bytes[CRC_AT..LENGTH_AT].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// None for bytes that are not one whole frame.
pub(super) fn decode(bytes: &[u8]) -> Option<Entry> {
    let (found, length) = leading(bytes)?;
    (length == bytes.len()).then_some(found.entry)
}

/// Every whole frame in `log`, wherever it lies.
pub(super) fn scan(log: &[u8]) -> impl Iterator<Item = Found> + '_ {
    let first = MAGIC[0];
    let starts = log.iter().enumerate().filter(move |(_, byte)| **byte == first).map(|(at, _)| at);
    starts.filter_map(|at| leading(log.get(at..)?).map(|(found, _)| found))
}

/// The frame at the beginning of `bytes` and its length.
fn leading(bytes: &[u8]) -> Option<(Found, usize)> {
    let (magic, head) = bytes.split_first_chunk()?;
    let head_bytes = match magic {
        MAGIC => HEAD,
        MAGIC_ALONE => HEAD_ALONE,
        _ => return None,
    };
    let (crc, head) = head.split_first_chunk()?;
    let (length, head) = head.split_first_chunk()?;
    let length = head_bytes.checked_add(u32::from_be_bytes(*length) as usize)?;
    if crc32fast::hash(bytes.get(LENGTH_AT..length)?) != u32::from_be_bytes(*crc) {
        return None;
    }
    let ([kind, severity], head) = head.split_first_chunk()?;
    let (number, head) = head.split_first_chunk()?;
    let (id, head) = head.split_first_chunk()?;
    let number = u64::from_be_bytes(*number);
    let severity = Severity::try_from(*severity).ok()?;
    let id = EventId::from_ulid(Ulid::from_bytes(*id));
    let item = match *kind {
        EVENT => Item::Event { id, json: bytes.get(head_bytes..length)?.to_vec() },
        PICTURE if length == head_bytes => Item::Picture { event: id },
        _ => return None,
    };
    let group = if magic == MAGIC { group(head)? } else { Group::alone(number) };
    let entry = Entry { position: Position::new(number, Lane::of(severity)), severity, item };
    (group.first..=group.last).contains(&number).then_some((Found { entry, group }, length))
}

fn group(head: &[u8]) -> Option<Group> {
    let (first, head) = head.split_first_chunk()?;
    let (last, _) = head.split_first_chunk()?;
    Some(Group { first: u64::from_be_bytes(*first), last: u64::from_be_bytes(*last) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found() -> impl Strategy<Value = Found> {
        let item = prop_oneof![any::<Vec<u8>>().prop_map(Some), Just(None),];
        let number = (any::<u64>(), 0u64..600, 0u64..600);
        (any::<u128>(), item, number, 1u8..=4).prop_map(|(id, json, (number, before, behind), severity)| {
            let id = EventId::from_ulid(id.into());
            let severity = Severity::try_from(severity).unwrap();
            let item = json.map_or(Item::Picture { event: id }, |json| Item::Event { id, json });
            let group = Group { first: number.saturating_sub(before), last: number.saturating_add(behind) };
            Found {
                entry: Entry { position: Position::new(number, Lane::of(severity)), severity, item },
                group,
            }
        })
    }

    fn bytes_of(found: &Found) -> Vec<u8> {
        encode(&found.entry, found.group)
    }

    /// As boxes wrote it that did not know of groups.
    fn alone(found: &Found) -> Vec<u8> {
        let bytes = bytes_of(found);
        let rest = [&bytes[LENGTH_AT..HEAD_ALONE], &bytes[HEAD..]].concat();
        [&MAGIC_ALONE[..], &crc32fast::hash(&rest).to_be_bytes(), &rest].concat()
    }

    proptest! {
        #[test]
        fn entries_survive(found in found()) {
            let bytes = bytes_of(&found);
            prop_assert_eq!(scan(&bytes).next(), Some(found.clone()));
            prop_assert_eq!(decode(&bytes), Some(found.entry));
        }

        #[test]
        fn entries_of_an_older_version_are_read(found in found()) {
            let bytes = alone(&found);
            let group = Group::alone(found.entry.position.number);
            prop_assert_eq!(scan(&bytes).next(), Some(Found { group, ..found.clone() }));
            prop_assert_eq!(decode(&bytes), Some(found.entry));
        }

        #[test]
        fn foreign_bytes_are_no_entry(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(decode(&bytes), None);
        }

        #[test]
        fn a_flipped_bit_is_seen(found in found(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            for mut bytes in [bytes_of(&found), alone(&found)] {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
                prop_assert_eq!(decode(&bytes), None);
            }
        }

        #[test]
        fn whole_entries_are_found_among_rubbish(
            entries in prop::collection::vec(found(), 0..4),
            rubbish in prop::collection::vec(any::<Vec<u8>>(), 5),
            cut in 1usize..30,
        ) {
            let mut log = rubbish[0].clone();
            for (found, rubbish) in entries.iter().zip(&rubbish[1..]) {
                let bytes = bytes_of(found);
                log.extend(&bytes[..cut]);
                log.extend(bytes);
                log.extend(rubbish);
            }
            prop_assert_eq!(scan(&log).collect::<Vec<_>>(), entries);
        }
    }
}
