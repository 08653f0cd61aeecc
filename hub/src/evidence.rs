//! Pictures on disk: named by the hash of their bytes, so a file is either whole and right or not there.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// No picture may be larger.
pub const MAX_PICTURE_BYTES: usize = 1024 * 1024;

/// Bytes that are no picture the hub keeps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Larger than [`MAX_PICTURE_BYTES`].
    #[error("a picture has at most {MAX_PICTURE_BYTES} bytes, this one has {0}")]
    TooLarge(usize),
    /// It does not begin and end as a JPEG does.
    #[error("not a whole JPEG: it must begin with FF D8 FF and end with FF D9")]
    NotJpeg,
}

/// A JPEG and the hash of its bytes.
#[derive(Debug, Clone)]
pub struct Picture {
    bytes: Bytes,
    sha256: String,
}

impl Picture {
    /// Looks at bytes from outside. Only the frame is checked: the hub never decodes a picture.
    ///
    /// # Errors
    /// Says what they are not.
    pub fn parse(bytes: Bytes) -> Result<Self, PictureError> {
        if bytes.len() > MAX_PICTURE_BYTES {
            return Err(PictureError::TooLarge(bytes.len()));
        }
        if !bytes.starts_with(&[0xff, 0xd8, 0xff]) || !bytes.ends_with(&[0xff, 0xd9]) {
            return Err(PictureError::NotJpeg);
        }
        let sha256 = hex(&Sha256::digest(&bytes));
        Ok(Self { bytes, sha256 })
    }

    /// Lower-case hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The directory the pictures are in: `{first two digits}/{sha256}.jpg`.
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

    fn file(&self, sha256: &str) -> PathBuf {
        let shelf = sha256.get(..2).unwrap_or("00");
        self.root.join(shelf).join(format!("{sha256}.jpg"))
    }

    /// Puts a picture on disk; when this returns, it would survive a power cut.
    ///
    /// # Errors
    /// Nothing is left behind then.
    pub async fn keep(&self, picture: Picture) -> io::Result<()> {
        let path = self.file(&picture.sha256);
        let written = tokio::task::spawn_blocking(move || write_whole(&path, &picture.bytes)).await;
        written.unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
    }

    /// Is the picture on disk?
    pub async fn holds(&self, sha256: &str) -> bool {
        tokio::fs::try_exists(self.file(sha256)).await.unwrap_or(false)
    }

    /// The picture's bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read(&self, sha256: &str) -> io::Result<Vec<u8>> {
        tokio::fs::read(self.file(sha256)).await
    }

    /// Removes a picture.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub async fn remove(&self, sha256: &str) -> io::Result<()> {
        match tokio::fs::remove_file(self.file(sha256)).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let shelf = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(shelf)?;
    let mut file = tempfile::Builder::new().prefix(".part-").tempfile_in(shelf)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|refused| refused.error)?;
    // The rename itself has to be on disk too.
    std::fs::File::open(shelf)?.sync_all()?;
    if let Some(root) = shelf.parent() {
        std::fs::File::open(root)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_jpegs_are_pictures() {
        let whole = Bytes::from_static(b"\xff\xd8\xff\xe0 pixels \xff\xd9");
        assert_eq!(Picture::parse(whole.clone()).unwrap().sha256().len(), 64);
        assert_eq!(Picture::parse(whole.slice(..6)).unwrap_err(), PictureError::NotJpeg);
        assert_eq!(Picture::parse(Bytes::from_static(b"<html>")).unwrap_err(), PictureError::NotJpeg);
        let large = Bytes::from(vec![0xff; MAX_PICTURE_BYTES + 1]);
        assert!(matches!(Picture::parse(large).unwrap_err(), PictureError::TooLarge(_)));
    }

    #[tokio::test]
    async fn a_picture_is_kept_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().join("evidence")).unwrap();
        let picture = Picture::parse(Bytes::from_static(b"\xff\xd8\xff\xd9\xff\xd9")).unwrap();
        let sha256 = picture.sha256().to_owned();
        assert!(!folder.holds(&sha256).await);
        folder.keep(picture.clone()).await.unwrap();
        folder.keep(picture.clone()).await.unwrap();
        assert_eq!(folder.read(&sha256).await.unwrap(), b"\xff\xd8\xff\xd9\xff\xd9");
        assert_eq!(std::fs::read_dir(folder.path().join(&sha256[..2])).unwrap().count(), 1);
        folder.remove(&sha256).await.unwrap();
        folder.remove(&sha256).await.unwrap();
        assert!(!folder.holds(&sha256).await);
    }
}
