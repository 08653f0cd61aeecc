//! An entry as bytes that can be told from any others: what is left of a damaged store is found by them.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `GPf1` |
//! | 4 | CRC-32 (IEEE 802.3) of everything that follows, big-endian like all numbers here |
//! | 4 | length of the JSON |
//! | 1 | `E` event, `P` picture |
//! | 1 | severity |
//! | 8 | number of the position |
//! | 16 | id of the event |
//! | … | the event as JSON; nothing for a picture |

use gatepost_wire::{EventId, Severity};
use ulid::Ulid;

use super::entry::{Entry, Item, Lane, Position};

const MAGIC: &[u8; 4] = b"GPf1";
const CRC_AT: usize = 4;
const LENGTH_AT: usize = 8;
const HEAD: usize = 38;
const EVENT: u8 = b'E';
const PICTURE: u8 = b'P';

pub(super) fn encode(entry: &Entry) -> Vec<u8> {
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
    bytes.extend(json);
    let crc = crc32fast::hash(&bytes[LENGTH_AT..]);
    bytes[CRC_AT..LENGTH_AT].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// None for bytes that are not one whole frame.
pub(super) fn decode(bytes: &[u8]) -> Option<Entry> {
    let (entry, length) = leading(bytes)?;
    (length == bytes.len()).then_some(entry)
}

/// Every whole frame in `log`, wherever it lies.
pub(super) fn scan(log: &[u8]) -> impl Iterator<Item = Entry> + '_ {
    let first = MAGIC[0];
    let starts = log.iter().enumerate().filter(move |(_, byte)| **byte == first).map(|(at, _)| at);
    starts.filter_map(|at| leading(log.get(at..)?).map(|(entry, _)| entry))
}

/// The frame at the beginning of `bytes` and its length.
fn leading(bytes: &[u8]) -> Option<(Entry, usize)> {
    let head = bytes.get(..HEAD)?.strip_prefix(MAGIC)?;
    let (crc, head) = head.split_first_chunk()?;
    let (length, head) = head.split_first_chunk()?;
    let length = HEAD.checked_add(u32::from_be_bytes(*length) as usize)?;
    if crc32fast::hash(bytes.get(LENGTH_AT..length)?) != u32::from_be_bytes(*crc) {
        return None;
    }
    let ([kind, severity], head) = head.split_first_chunk()?;
    let (number, id) = head.split_first_chunk()?;
    let severity = Severity::try_from(*severity).ok()?;
    let id = EventId::from_ulid(Ulid::from_bytes(id.try_into().ok()?));
    let item = match *kind {
        EVENT => Item::Event { id, json: bytes.get(HEAD..length)?.to_vec() },
        PICTURE if length == HEAD => Item::Picture { event: id },
        _ => return None,
    };
    let position = Position::new(u64::from_be_bytes(*number), Lane::of(severity));
    Some((Entry { position, severity, item }, length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry() -> impl Strategy<Value = Entry> {
        let item = prop_oneof![any::<Vec<u8>>().prop_map(Some), Just(None),];
        (any::<u128>(), item, any::<u64>(), 1u8..=4).prop_map(|(id, json, number, severity)| {
            let id = EventId::from_ulid(id.into());
            let severity = Severity::try_from(severity).unwrap();
            let item = json.map_or(Item::Picture { event: id }, |json| Item::Event { id, json });
            Entry { position: Position::new(number, Lane::of(severity)), severity, item }
        })
    }

    proptest! {
        #[test]
        fn entries_survive(entry in entry()) {
            prop_assert_eq!(decode(&encode(&entry)), Some(entry));
        }

        #[test]
        fn foreign_bytes_are_no_entry(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(decode(&bytes), None);
        }

        #[test]
        fn a_flipped_bit_is_seen(entry in entry(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = encode(&entry);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(decode(&bytes), None);
        }

        #[test]
        fn whole_entries_are_found_among_rubbish(
            entries in prop::collection::vec(entry(), 0..4),
            rubbish in prop::collection::vec(any::<Vec<u8>>(), 5),
            cut in 1usize..30,
        ) {
            let mut log = rubbish[0].clone();
            for (entry, rubbish) in entries.iter().zip(&rubbish[1..]) {
                let bytes = encode(entry);
                log.extend(&bytes[..cut]);
                log.extend(bytes);
                log.extend(rubbish);
            }
            prop_assert_eq!(scan(&log).collect::<Vec<_>>(), entries);
        }
    }
}
