//! What a fuzzer does with the log of a damaged outbox.

use super::frame::{MAGIC, MAGIC_ALONE, decode, encode, scan};
use super::recovery::note;
use super::state::State;

/// The bytes are a log, and then what stands in a frame whose checksum is right, as it is after a crash of the writer's own
/// making; a fuzzer would hardly find one.
pub fn outbox_frame(bytes: &[u8]) {
    let crc = crc32fast::hash(bytes).to_be_bytes();
    let [whole, alone] = [MAGIC, MAGIC_ALONE].map(|magic| [&magic[..], &crc, bytes].concat());
    let mut state = State::default();
    for found in scan(bytes).chain(scan(&whole)).chain(scan(&alone)) {
        assert_eq!(scan(&encode(&found.entry, found.group)).next().as_ref(), Some(&found));
        assert_eq!(decode(&encode(&found.entry, found.group)).as_ref(), Some(&found.entry));
        note(&mut state, &found.entry);
    }
    let _ = (state.boots(), state.open_alarms());
    // What sled holds of the state, key and value.
    if let Some((length, rest)) = bytes.split_first() {
        let (key, value) = rest.split_at(rest.len().min(usize::from(*length)));
        let _ = state.read(key, value);
    }
}
