//! Attachments on disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{AttachmentId, Content};
use crate::durable::{PART, blocking, remove_for_good, write_whole};

/// Bytes that have to stay free behind an attachment, 64 MiB: alarms and their pictures come first.
const RESERVE: u64 = 64 * 1024 * 1024;

/// The directory: `{id}`, without an end, so that nothing that finds a file there takes it for something to open.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Makes the directory where there is none.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&root)?;
        Ok(Self { root })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Where an attachment is, or would be.
    pub fn file(&self, id: AttachmentId) -> PathBuf {
        self.root.join(id.to_string())
    }

    /// Puts an attachment on disk; when this returns, it would survive a power cut.
    ///
    /// # Errors
    /// Nothing is left behind then. `StorageFull`: there is no room, or less than has to stay free for alarms.
    pub async fn keep(&self, id: AttachmentId, content: &Content) -> io::Result<()> {
        let (root, path, bytes) = (self.root.clone(), self.file(id), content.bytes().clone());
        blocking(move || {
            leave_room(&root, bytes.len() as u64)?;
            write_whole(&path, &bytes)
        })
        .await
    }

    /// The bytes of an attachment.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn read(&self, id: AttachmentId) -> io::Result<Vec<u8>> {
        tokio::fs::read(self.file(id)).await
    }

    /// Is it on disk?
    pub async fn holds(&self, id: AttachmentId) -> bool {
        tokio::fs::try_exists(self.file(id)).await.unwrap_or(false)
    }

    /// Removes an attachment; when this returns, it stays removed over a power cut.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub async fn remove(&self, id: AttachmentId) -> io::Result<()> {
        let path = self.file(id);
        blocking(move || remove_for_good(&path)).await
    }

    /// Removes what somebody began to write before a moment and never ended.
    ///
    /// # Errors
    /// When the directory cannot be read, or one cannot be removed.
    pub async fn remove_parts(&self, before: SystemTime) -> io::Result<()> {
        let root = self.root.clone();
        blocking(move || {
            for entry in std::fs::read_dir(&root)? {
                let entry = entry?;
                let is_part = entry.file_name().to_string_lossy().starts_with(PART);
                // It may have been removed since the directory was read.
                if is_part
                    && let Ok(changed) = entry.metadata().and_then(|about| about.modified())
                    && changed < before
                {
                    remove_for_good(&entry.path())?;
                }
            }
            Ok(())
        })
        .await
    }
}

fn leave_room(root: &Path, bytes: u64) -> io::Result<()> {
    // Where nobody can say how much is free, the writing finds out.
    let Ok(disk) = rustix::fs::statvfs(root) else { return Ok(()) };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < bytes.saturating_add(RESERVE) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn an_attachment_is_kept_and_removed_and_what_was_never_finished_goes() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().join("attachments")).unwrap();
        let content = Content::parse(b"%PDF-1.4\n%%EOF\n".as_slice().into()).unwrap();
        let id = AttachmentId::new();
        folder.keep(id, &content).await.unwrap();
        assert_eq!(folder.read(id).await.unwrap(), *content.bytes());
        std::fs::write(folder.path().join(".part-x"), b"half").unwrap();
        folder.remove_parts(SystemTime::UNIX_EPOCH).await.unwrap();
        assert!(folder.path().join(".part-x").exists(), "somebody may be writing it");
        folder.remove_parts(SystemTime::now() + Duration::from_secs(60)).await.unwrap();
        assert!(!folder.path().join(".part-x").exists() && folder.holds(id).await);

        folder.remove(id).await.unwrap();
        folder.remove(id).await.unwrap();
        assert!(!folder.holds(id).await);
    }
}
