//! Evidence: the picture that goes with an alarm, made from a frame with its people covered. And the place where
//! pictures and clips wait as files until the hub has them.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gatepost_wire::event::Region;
use gatepost_wire::{EventId, Evidence, MediaType};
use sha2::{Digest, Sha256};

use crate::privacy::pixelate;
use crate::source::{Frame, FrameError};

const JPEG_QUALITY: u8 = 80;

/// What a file of evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One picture, people covered.
    Snapshot,
    /// Some seconds, people covered.
    Clip,
    /// Some seconds with nobody covered, encrypted.
    Original,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Snapshot, Self::Clip, Self::Original];

    /// How MQTT and events name it.
    pub const fn media_type(self) -> MediaType {
        match self {
            Self::Snapshot => MediaType::Jpeg,
            Self::Clip => MediaType::Mp4,
            Self::Original => MediaType::Age,
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Snapshot => "jpg",
            Self::Clip => "mp4",
            Self::Original => "age",
        }
    }

    fn of(file: &Path) -> Option<Self> {
        let extension = file.extension()?;
        Self::ALL.into_iter().find(|kind| extension == kind.extension())
    }
}

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
        describe(Kind::Snapshot, &self.jpeg)
    }
}

/// How an event names these bytes, in which everybody is covered.
pub fn describe(kind: Kind, bytes: &[u8]) -> Evidence {
    let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Evidence::covered(kind.media_type(), sha256, bytes.len() as u64)
}

/// Writes a file so that it survives a power cut, whole or not at all.
pub(crate) fn write_durably(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let folder = file.parent().unwrap_or(Path::new("."));
    let written = File::create(&part)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, file))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // What cannot be removed now is overwritten or stays harmlessly aside.
        let _ = fs::remove_file(&part);
    }
    written
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
        write_durably(&self.file(event, Kind::Snapshot), &snapshot.jpeg)
    }

    /// Makes a file that is kept elsewhere on the same disk ready to be sent; it takes no room of its own.
    ///
    /// # Errors
    /// What the file system says.
    pub fn adopt(&self, event: EventId, kind: Kind, file: &Path) -> io::Result<()> {
        fs::hard_link(file, self.file(event, kind))?;
        File::open(&self.folder)?.sync_all()
    }

    /// Removes what nobody waits for: a power cut between a picture and its event leaves the picture behind.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep_only(&self, wanted: &HashSet<EventId>) -> io::Result<()> {
        for file in fs::read_dir(&self.folder)? {
            let file = file?.path();
            let event = file.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            let is_wanted =
                Kind::of(&file).is_some() && event.is_some_and(|event: EventId| wanted.contains(&event));
            if !is_wanted {
                fs::remove_file(&file)?;
            }
        }
        Ok(())
    }

    /// What waits for an event, and its bytes.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read(&self, event: EventId) -> io::Result<(Kind, Vec<u8>)> {
        let kind = Kind::ALL.into_iter().find(|kind| self.file(event, *kind).exists());
        let kind = kind.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok((kind, fs::read(self.file(event, kind))?))
    }

    /// Removes what the hub has.
    pub fn remove(&self, event: EventId) {
        for file in Kind::ALL.map(|kind| self.file(event, kind)) {
            if let Err(error) = fs::remove_file(&file)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!("{}: cannot be removed: {error}", file.display());
            }
        }
    }

    fn file(&self, event: EventId, kind: Kind) -> PathBuf {
        self.folder.join(format!("{event}.{}", kind.extension()))
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
        assert_eq!(store.read(wanted).unwrap(), (Kind::Snapshot, vec![1, 2, 3]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        store.remove(wanted);
        assert!(store.read(wanted).is_err());
    }

    #[test]
    fn what_is_kept_elsewhere_is_sent_and_stays_there() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let clip = elsewhere.path().join("clip.mp4");
        write_durably(&clip, b"clip").unwrap();
        let store = EvidenceStore::open(folder.path(), 0).unwrap();
        let event = event();
        store.adopt(event, Kind::Clip, &clip).unwrap();
        store.keep_only(&HashSet::from([event])).unwrap();
        assert_eq!(store.read(event).unwrap(), (Kind::Clip, b"clip".to_vec()));
        store.remove(event);
        assert!(store.read(event).is_err() && clip.is_file());
    }

    #[test]
    fn the_last_of_the_disk_is_for_events() {
        let folder = tempfile::tempdir().unwrap();
        let store = EvidenceStore::open(folder.path(), u64::MAX / 2).unwrap();
        let error = store.keep(event(), &Snapshot { jpeg: vec![0] }).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
