//! Evidence: the picture that goes with an alarm. Made from a frame with its people covered, kept as a file
//! until the hub has it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gatepost_wire::event::Region;
use gatepost_wire::{EventId, Evidence};
use sha2::{Digest, Sha256};

use crate::privacy::pixelate;
use crate::source::{Frame, FrameError};

const JPEG_QUALITY: u8 = 80;
/// Media type of a snapshot.
pub const JPEG: &str = "image/jpeg";

/// No picture could be made.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The frame cannot be converted.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The picture cannot be compressed.
    #[error("JPEG: {0}")]
    Jpeg(#[from] jpeg_encoder::EncodingError),
}

/// A picture file in memory, safe to leave the box.
#[derive(Debug, Clone)]
pub struct Snapshot {
    jpeg: Vec<u8>,
}

impl Snapshot {
    /// The frame with `people` pixelated.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn take(frame: &Frame, people: &[Region]) -> Result<Self, SnapshotError> {
        let mut picture = frame.to_rgb()?;
        pixelate(&mut picture, people);
        let mut jpeg = Vec::new();
        let side = |pixels: usize| u16::try_from(pixels).unwrap_or(u16::MAX);
        jpeg_encoder::Encoder::new(&mut jpeg, JPEG_QUALITY).encode(
            &picture.pixels,
            side(picture.width),
            side(picture.height),
            jpeg_encoder::ColorType::Rgb,
        )?;
        Ok(Self { jpeg })
    }

    /// How an event names it.
    pub fn describe(&self) -> Evidence {
        let sha256 = Sha256::digest(&self.jpeg).iter().map(|byte| format!("{byte:02x}")).collect();
        Evidence::covered(JPEG.into(), sha256, self.jpeg.len() as u64)
    }
}

/// Pictures waiting for the hub, one file for each event.
#[derive(Debug, Clone)]
pub struct EvidenceStore {
    folder: PathBuf,
    /// Free space that belongs to events, bytes.
    reserve_bytes: u64,
}

impl EvidenceStore {
    /// Opens (or makes) the folder. Pictures never use the last `reserve_bytes` of the disk.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(folder: &Path, reserve_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), reserve_bytes })
    }

    /// Writes a picture so that it survives a power cut.
    ///
    /// # Errors
    /// What the file system says; nothing half-written is left under the final name.
    pub fn keep(&self, event: EventId, snapshot: &Snapshot) -> io::Result<()> {
        if fs4::available_space(&self.folder)? < self.reserve_bytes + snapshot.jpeg.len() as u64 {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "what is left of the disk is kept for events",
            ));
        }
        let part = self.folder.join(format!("{event}.part"));
        let written = File::create(&part)
            .and_then(|mut file| file.write_all(&snapshot.jpeg).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&part, self.file(event)))
            .and_then(|()| File::open(&self.folder)?.sync_all());
        if written.is_err() {
            // What cannot be removed now is overwritten or stays harmlessly aside.
            let _ = fs::remove_file(&part);
        }
        written
    }

    /// Removes what nobody waits for: a power cut between a picture and its event leaves the picture behind.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep_only(&self, wanted: &HashSet<EventId>) -> io::Result<()> {
        for file in fs::read_dir(&self.folder)? {
            let file = file?.path();
            let event = file.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            let is_wanted = file.extension().is_some_and(|kind| kind == "jpg")
                && event.is_some_and(|event: EventId| wanted.contains(&event));
            if !is_wanted {
                fs::remove_file(&file)?;
            }
        }
        Ok(())
    }

    /// The bytes of a kept picture.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read(&self, event: EventId) -> io::Result<Vec<u8>> {
        fs::read(self.file(event))
    }

    /// Removes a picture the hub has.
    pub fn remove(&self, event: EventId) {
        if let Err(error) = fs::remove_file(self.file(event))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("{}: cannot be removed: {error}", self.file(event).display());
        }
    }

    fn file(&self, event: EventId) -> PathBuf {
        self.folder.join(format!("{event}.jpg"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> EventId {
        EventId::from_ulid(ulid::Ulid::generate())
    }

    #[test]
    fn pictures_are_kept_until_nobody_waits_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = EvidenceStore::open(folder.path(), 0).unwrap();
        let (wanted, orphan) = (event(), event());
        let snapshot = Snapshot { jpeg: vec![1, 2, 3] };
        for id in [wanted, orphan] {
            store.keep(id, &snapshot).unwrap();
        }
        fs::write(folder.path().join(format!("{}.part", event())), "half").unwrap();
        store.keep_only(&HashSet::from([wanted])).unwrap();
        assert_eq!(store.read(wanted).unwrap(), [1, 2, 3]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        store.remove(wanted);
        assert!(store.read(wanted).is_err());
    }

    #[test]
    fn the_last_of_the_disk_is_for_events() {
        let folder = tempfile::tempdir().unwrap();
        let store = EvidenceStore::open(folder.path(), u64::MAX / 2).unwrap();
        let error = store.keep(event(), &Snapshot { jpeg: vec![0] }).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
