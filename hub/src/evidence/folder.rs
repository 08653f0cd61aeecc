//! The directory evidence is in.

use std::io;
use std::path::{Path, PathBuf};

use super::{Format, Piece};
use crate::durable::{blocking, remove_for_good, write_whole};

/// The directory: `{first two digits}/{sha256}.{jpg, mp4, age}`.
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

    /// Where a piece is, or would be.
    pub fn file(&self, sha256: &str, format: Format) -> PathBuf {
        let shelf = sha256.get(..2).unwrap_or("00");
        self.root.join(shelf).join(format!("{sha256}.{}", format.extension()))
    }

    /// Puts a piece on disk; when this returns, it would survive a power cut.
    ///
    /// # Errors
    /// Nothing is left behind then.
    pub async fn keep(&self, piece: Piece) -> io::Result<()> {
        let path = self.file(&piece.sha256, piece.format);
        blocking(move || write_whole(&path, &piece.bytes)).await
    }

    /// Is the piece on disk?
    pub async fn holds(&self, sha256: &str, format: Format) -> bool {
        tokio::fs::try_exists(self.file(sha256, format)).await.unwrap_or(false)
    }

    /// Removes a piece; when this returns, it stays removed over a power cut.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub async fn remove(&self, sha256: &str, format: Format) -> io::Result<()> {
        let path = self.file(sha256, format);
        blocking(move || remove_for_good(&path)).await
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[tokio::test]
    async fn a_piece_is_kept_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().join("evidence")).unwrap();
        let piece = Piece::parse(Bytes::from_static(b"\xff\xd8\xff\xd9\xff\xd9")).unwrap();
        let (sha256, format) = (piece.sha256().to_owned(), piece.format());
        assert!(!folder.holds(&sha256, format).await);
        folder.keep(piece.clone()).await.unwrap();
        folder.keep(piece.clone()).await.unwrap();
        assert_eq!(std::fs::read(folder.file(&sha256, format)).unwrap(), b"\xff\xd8\xff\xd9\xff\xd9");
        assert_eq!(std::fs::read_dir(folder.path().join(&sha256[..2])).unwrap().count(), 1);
        folder.remove(&sha256, format).await.unwrap();
        folder.remove(&sha256, format).await.unwrap();
        assert!(!folder.holds(&sha256, format).await);
    }
}
