//! What the hub takes as evidence, told by its bytes. A name from outside decides nothing.

use gatepost_wire::{MAX_EVIDENCE_BYTES, MediaType};

/// No picture may be larger.
const MAX_PICTURE_BYTES: usize = 1024 * 1024;

/// First line of a file in the age format (C2SP `age.md`, "Version line").
const AGE_VERSION: &[u8] = b"age-encryption.org/v1\n";

/// Formats the hub keeps and serves: there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// A picture.
    Jpeg,
    /// A clip.
    Mp4,
    /// A released original, encrypted.
    Age,
}

/// Bytes that are no evidence the hub keeps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Larger than its format may be.
    #[error("{what} has at most {most} bytes, this one has {given}")]
    TooLarge {
        /// Of which format.
        what: &'static str,
        /// Bytes allowed.
        most: usize,
        /// Bytes it has.
        given: usize,
    },
    /// No beginning of a known format.
    #[error("not a JPEG, MP4 or age file: it begins like none of them")]
    Unknown,
    /// It does not begin and end as a JPEG does.
    #[error("not a whole JPEG: it must begin with FF D8 FF and end with FF D9")]
    NotJpeg,
    /// Its boxes do not add up.
    #[error("not a whole MP4: {0}")]
    NotMp4(&'static str),
}

impl Format {
    /// Looks at the frame of a file.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, FormatError> {
        let format = if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Self::Jpeg
        } else if bytes.get(4..8) == Some(b"ftyp") {
            Self::Mp4
        } else if bytes.starts_with(AGE_VERSION) {
            Self::Age
        } else {
            return Err(FormatError::Unknown);
        };
        let (what, most) = format.limit();
        if bytes.len() > most {
            return Err(FormatError::TooLarge { what, most, given: bytes.len() });
        }
        match format {
            Self::Jpeg if !bytes.ends_with(&[0xff, 0xd9]) => Err(FormatError::NotJpeg),
            Self::Mp4 => whole_mp4(bytes).map(|()| format),
            _ => Ok(format),
        }
    }

    fn limit(self) -> (&'static str, usize) {
        match self {
            Self::Jpeg => ("a picture", MAX_PICTURE_BYTES),
            Self::Mp4 => ("a clip", MAX_EVIDENCE_BYTES),
            Self::Age => ("an original", MAX_EVIDENCE_BYTES),
        }
    }

    /// As it is named on the wire, in the database and over HTTP.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Mp4 => "video/mp4",
            Self::Age => "application/vnd.age",
        }
    }

    /// The format of this name, if it is one of them.
    pub fn named(media_type: &MediaType) -> Option<Self> {
        match media_type {
            MediaType::Jpeg => Some(Self::Jpeg),
            MediaType::Mp4 => Some(Self::Mp4),
            MediaType::Age => Some(Self::Age),
            MediaType::Other(_) => None,
        }
    }

    /// End of a file name.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Mp4 => "mp4",
            Self::Age => "age",
        }
    }
}

/// Boxes follow each other up to the very end, and an index and its frames are among them (ISO/IEC 14496-12, 4.2).
fn whole_mp4(bytes: &[u8]) -> Result<(), FormatError> {
    let mut rest = bytes;
    let (mut index, mut frames) = (false, false);
    while !rest.is_empty() {
        let cut_off = FormatError::NotMp4("it ends inside a box");
        let (size, kind) =
            rest.split_at_checked(8).map(|(head, _)| head.split_at(4)).ok_or(cut_off.clone())?;
        index |= kind == b"moov";
        frames |= kind == b"mdat";
        let short = size.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
        let (header, size) = match short {
            // The size follows as 64 bits.
            1 => {
                let long = rest.get(8..16).ok_or(cut_off.clone())?;
                let long = long.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
                (16, usize::try_from(long).map_err(|_| cut_off.clone())?)
            }
            // Up to the end of the file.
            0 => (8, rest.len()),
            short => (8, short),
        };
        if size < header {
            return Err(FormatError::NotMp4("a box is smaller than its own head"));
        }
        rest = rest.get(size..).ok_or(cut_off)?;
    }
    if index && frames { Ok(()) } else { Err(FormatError::NotMp4("it has no `moov` or no `mdat` box")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mp4_box(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(8 + body.len()).unwrap().to_be_bytes();
        [&size[..], kind, body].concat()
    }

    fn mp4() -> Vec<u8> {
        [mp4_box(b"ftyp", b"isom"), mp4_box(b"moov", b"index"), mp4_box(b"mdat", b"pixels")].concat()
    }

    #[test]
    fn whole_files_are_told_by_their_bytes() {
        assert_eq!(Format::of(b"\xff\xd8\xff\xe0 pixels \xff\xd9"), Ok(Format::Jpeg));
        assert_eq!(Format::of(&mp4()), Ok(Format::Mp4));
        assert_eq!(Format::of(b"age-encryption.org/v1\n-> X25519 abc\n"), Ok(Format::Age));
        // A box of 64-bit size, and one up to the end.
        let long = [&1u32.to_be_bytes()[..], b"free", &20u64.to_be_bytes(), b"rest"].concat();
        let open = [&0u32.to_be_bytes()[..], b"mdat", b"pixels"].concat();
        assert_eq!(Format::of(&[mp4(), long, open].concat()), Ok(Format::Mp4));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        assert_eq!(Format::of(b"\xff\xd8\xff\xe0 pix"), Err(FormatError::NotJpeg));
        assert_eq!(Format::of(b"<html>"), Err(FormatError::Unknown));
        assert_eq!(Format::of(b""), Err(FormatError::Unknown));
        let whole = mp4();
        for end in 9..whole.len() {
            assert!(matches!(Format::of(&whole[..end]), Err(FormatError::NotMp4(_))), "{end}");
        }
        let large = vec![0xff; MAX_PICTURE_BYTES];
        let large = [&[0xff, 0xd8, 0xff][..], &large].concat();
        assert!(matches!(Format::of(&large), Err(FormatError::TooLarge { .. })));
        let mut clip = mp4();
        clip.resize(MAX_EVIDENCE_BYTES + 1, 0);
        assert!(matches!(Format::of(&clip), Err(FormatError::TooLarge { .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(head in prop::collection::vec(any::<u8>(), 0..8), rest in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Format::of(&[head, rest.clone()].concat());
            let _ = Format::of(&[mp4_box(b"ftyp", b"isom"), rest].concat());
        }
    }
}
