//! The outbox of version 0.1, one sled database in the folder itself: what waits in it is taken over.

use std::path::Path;

use gatepost_wire::{Event, EventId, Severity};
use sled::IVec;

use super::entry::{Entry, Item, Lane, Position};
use super::frame::Group;
use super::segment::{Change, Fault, LOG_FILE, Segment, sync_folder};
use super::state::State;

const QUEUE: u8 = b'q';
const SET_ASIDE: u8 = b'x';
const EVENT: u8 = b'E';
const PICTURE: u8 = b'P';
/// Length of a ULID in text.
const ID_LENGTH: usize = 26;
/// The files sled made.
const FILES: [&str; 3] = [LOG_FILE, "conf", "blobs"];

/// Turns an outbox of the old kind into the first segment of a new one. The old one is deleted last, so an import cut
/// short is begun again.
pub(super) fn import(folder: &Path) -> Result<(), Fault> {
    if !folder.join(LOG_FILE).exists() {
        return Ok(());
    }
    let segment_folder = folder.join(format!("{:020}", 1));
    if segment_folder.exists() {
        std::fs::remove_dir_all(&segment_folder)?;
    }
    let waiting = {
        let old = sled::Config::new().path(folder).flush_every_ms(None).open()?;
        let segment = Segment::open(&segment_folder)?;
        take_over(folder, &old, &segment)?
    };
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        if name.starts_with("snap.") || FILES.contains(&name.as_str()) && name != LOG_FILE {
            let path = file.path();
            if path.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
        }
    }
    std::fs::remove_file(folder.join(LOG_FILE))?;
    tracing::info!(waiting, "{}: the outbox of an older version is taken over", folder.display());
    Ok(sync_folder(folder)?)
}

fn take_over(folder: &Path, old: &sled::Db, segment: &Segment) -> Result<u64, Fault> {
    let mut number = 0;
    let mut severity = Severity::MEDIUM;
    let mut change = Change::default();
    for found in old.scan_prefix([QUEUE]) {
        let Some(item) = item(&found?.1) else { continue };
        // A picture comes right after its event.
        if let Item::Event { json, .. } = &item {
            severity = Event::from_json(json).map_or(Severity::MEDIUM, |event| event.data.severity);
        }
        number += 1;
        let entry = Entry { position: Position::new(number, Lane::of(severity)), severity, item };
        change.put(&entry, Group::alone(number));
        if number % super::GROUP as u64 == 0 {
            segment.commit(std::mem::take(&mut change))?;
        }
    }
    for found in old.scan_prefix([SET_ASIDE]) {
        if let Some(item) = item(&found?.1) {
            let position = Position::new(0, Lane::Routine);
            super::keep_refused(folder, &Entry { position, severity, item })
                .map_err(|error| Fault::Refused(error.to_string()))?;
        }
    }
    for found in old.scan_prefix([State::BOOT]).chain(old.scan_prefix([State::OPEN_ALARM])) {
        let (key, value) = found?;
        change.set(key.to_vec(), value.to_vec());
    }
    change.set_last_number(number);
    segment.commit(change)?;
    Ok(number)
}

fn item(value: &IVec) -> Option<Item> {
    let (kind, rest) = value.split_first()?;
    let (id, json) = rest.split_at_checked(ID_LENGTH)?;
    let id: EventId = std::str::from_utf8(id).ok()?.parse().ok()?;
    match *kind {
        EVENT => Some(Item::Event { id, json: json.to_vec() }),
        PICTURE => Some(Item::Picture { event: id }),
        _ => None,
    }
}
