//! Pages that sled finds too large for its log (128 KiB). Each is a file of its own, named by a number that grows, and sled
//! syncs none of them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use super::segment::sync_folder;

const FOLDER: &str = "blobs";

/// The large pages of one segment.
pub(super) struct Blobs {
    folder: PathBuf,
    /// All up to this number would survive a power cut.
    synced: AtomicI64,
}

impl Blobs {
    /// Those of the segment in this folder.
    pub fn of(segment: &Path) -> Self {
        Self { folder: segment.join(FOLDER), synced: AtomicI64::new(i64::MIN) }
    }

    /// Makes those survive a power cut that came since the last call.
    pub fn sync(&self) -> io::Result<()> {
        let synced = self.synced.load(Ordering::Relaxed);
        let new = files(&self.folder)?.into_iter().filter(|(number, _)| *number > synced);
        let mut newest = None;
        for (number, path) in new {
            match File::open(path).and_then(|blob| blob.sync_all()) {
                // sled has put another in its place meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                done => done?,
            }
            newest = newest.max(Some(number));
        }
        if let Some(newest) = newest {
            sync_folder(&self.folder)?;
            self.synced.fetch_max(newest, Ordering::Relaxed);
        }
        Ok(())
    }

    /// What they take on the disk, bytes.
    pub fn disk_bytes(&self) -> u64 {
        let size = |path: PathBuf| fs::metadata(path).map_or(0, |file| file.len());
        files(&self.folder).map_or(0, |files| files.into_iter().map(|(_, path)| size(path)).sum())
    }

    /// Their bytes, one after the other.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for (_, path) in files(&self.folder)? {
            bytes.extend(fs::read(path)?);
        }
        Ok(bytes)
    }
}

/// Number and place of each; none where there is no folder.
fn files(folder: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let numbered = |file: fs::DirEntry| Some((file.file_name().to_str()?.parse().ok()?, file.path()));
    let mut files = Vec::new();
    for file in listed {
        files.extend(numbered(file?));
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_synced_and_all_is_read_and_counted() {
        let segment = tempfile::tempdir().unwrap();
        let blobs = Blobs::of(segment.path());
        assert_eq!((blobs.read().unwrap(), blobs.disk_bytes()), (Vec::new(), 0), "without a folder");
        blobs.sync().unwrap();
        fs::create_dir(segment.path().join(FOLDER)).unwrap();
        let put = |name: &str, bytes: &str| fs::write(segment.path().join(FOLDER).join(name), bytes).unwrap();
        put("10", "c");
        put("9", "ab");
        put("rubbish", "never");
        blobs.sync().unwrap();
        assert_eq!(blobs.synced.load(Ordering::Relaxed), 10);
        assert_eq!((blobs.read().unwrap(), blobs.disk_bytes()), (b"abc".to_vec(), 3), "in order");
        put("12", "d");
        blobs.sync().unwrap();
        assert_eq!(blobs.synced.load(Ordering::Relaxed), 12);
    }
}
