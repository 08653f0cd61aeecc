//! The picture of a plan as it came: bytes whose kind and size are told by their header. The hub never decodes them; a browser does.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use imagesize::ImageType;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use utoipa::ToSchema;

use crate::evidence::hex;

/// No picture may be larger.
pub const MAX_PICTURE_BYTES: usize = 8 * 1024 * 1024;

/// Nor wider or higher: a browser needs four bytes for each of its pixels, on a phone too.
pub const MAX_SIDE_PX: u32 = 8000;

/// Kinds of picture a plan can have. None can hold a script; an SVG could.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PlanPictureKind)]
pub enum PictureKind {
    /// PNG (W3C).
    Png,
    /// JPEG (ITU T.81).
    Jpeg,
    /// WebP (RFC 9649).
    Webp,
}

impl PictureKind {
    /// As HTTP names it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }

    /// By its first bytes. A name or type that the sender gives decides nothing.
    fn of(bytes: &[u8]) -> Option<Self> {
        match imagesize::image_type(bytes).ok()? {
            ImageType::Png => Some(Self::Png),
            ImageType::Jpeg => Some(Self::Jpeg),
            ImageType::Webp => Some(Self::Webp),
            _ => None,
        }
    }
}

/// How large a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PlanPictureSize)]
pub struct PictureSize {
    /// Pixels.
    #[schema(minimum = 1, maximum = 8000, example = 1600)]
    pub width_px: u32,
    /// Pixels.
    #[schema(minimum = 1, maximum = 8000, example = 1000)]
    pub height_px: u32,
}

/// Bytes that can be no plan's picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// More than may be.
    #[error("the picture has {0} bytes; at most {MAX_PICTURE_BYTES} are taken: save it smaller")]
    TooLarge(usize),
    /// Something else.
    #[error("it is no PNG, JPEG or WebP picture: export the plan as one of these")]
    OtherKind,
    /// Its header ends or makes no sense.
    #[error("its header does not say how large the picture is: it is cut off or damaged, export it again")]
    Damaged,
    /// More pixels than may be.
    #[error(
        "it is {width_px} × {height_px} pixels; each side has to have 1 to {MAX_SIDE_PX}: save it smaller"
    )]
    TooManyPixels {
        /// Pixels.
        width_px: usize,
        /// Pixels.
        height_px: usize,
    },
}

/// SHA-256 as lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Sha256(String);

impl Sha256 {
    fn of(bytes: &[u8]) -> Self {
        Self(hex(&sha2::Sha256::digest(bytes)))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Sha256 {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex && text.len() == 64 { Ok(Self(text)) } else { Err("64 of 0-9 and a-f are needed") }
    }
}

impl FromStr for Sha256 {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        text.to_owned().try_into()
    }
}

/// A picture of a known kind and size.
#[derive(Debug, Clone)]
pub struct Picture {
    bytes: Bytes,
    kind: PictureKind,
    size: PictureSize,
    sha256: Sha256,
}

impl Picture {
    /// Looks at the header of bytes from outside.
    ///
    /// # Errors
    /// Says what is wrong and what to do.
    pub fn parse(bytes: Bytes) -> Result<Self, PictureError> {
        if bytes.len() > MAX_PICTURE_BYTES {
            return Err(PictureError::TooLarge(bytes.len()));
        }
        let kind = PictureKind::of(&bytes).ok_or(PictureError::OtherKind)?;
        let said = imagesize::blob_size(&bytes).map_err(|_| PictureError::Damaged)?;
        let many = PictureError::TooManyPixels { width_px: said.width, height_px: said.height };
        let side = |pixels: usize| u32::try_from(pixels).ok().filter(|side| (1..=MAX_SIDE_PX).contains(side));
        let (Some(width_px), Some(height_px)) = (side(said.width), side(said.height)) else {
            return Err(many);
        };
        let sha256 = Sha256::of(&bytes);
        Ok(Self { bytes, kind, size: PictureSize { width_px, height_px }, sha256 })
    }

    /// As they came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What they are.
    pub fn kind(&self) -> PictureKind {
        self.kind
    }

    /// How large the picture is.
    pub fn size(&self) -> PictureSize {
        self.size
    }

    /// Of the bytes.
    pub fn sha256(&self) -> &Sha256 {
        &self.sha256
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let head = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &width.to_be_bytes(), &height.to_be_bytes()];
        [&head.concat()[..], b"\x08\x02\0\0\0rest"].concat()
    }

    fn parse(bytes: &[u8]) -> Result<(PictureKind, u32, u32), PictureError> {
        let picture = Picture::parse(Bytes::copy_from_slice(bytes))?;
        let PictureSize { width_px, height_px } = picture.size();
        Ok((picture.kind(), width_px, height_px))
    }

    #[test]
    fn kind_and_size_are_told_by_the_bytes() {
        assert_eq!(parse(&png(1600, 1000)), Ok((PictureKind::Png, 1600, 1000)));
        // Start of image, a comment, start of a frame of 120 lines and 160 columns.
        let jpeg = b"\xff\xd8\xff\xfe\0\x04hi\xff\xc0\0\x0b\x08\0\x78\0\xa0\x01\x01\x11\0";
        assert_eq!(parse(jpeg), Ok((PictureKind::Jpeg, 160, 120)));
        // Extended: width and height less one, in 24 bits each.
        let webp = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x1f\x03\0\x57\x02\0";
        assert_eq!(parse(webp), Ok((PictureKind::Webp, 800, 600)));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for other in [
            &b""[..],
            b"\x89PNG",
            b"GIF89a\x10\0\x10\0\0\0\0",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            b"<!doctype html><script>alert(1)</script>",
            b"%PDF-1.7 a plan as architects send it",
        ] {
            assert_eq!(parse(other), Err(PictureError::OtherKind), "{other:?}");
        }
        assert_eq!(parse(&png(1, 1)[..20]), Err(PictureError::Damaged));
        assert_eq!(parse(b"\xff\xd8\xff\xd9 nothing between"), Err(PictureError::Damaged));
        for (width, height) in [(0, 10), (10, 0), (MAX_SIDE_PX + 1, 10), (10, u32::MAX)] {
            let refused = parse(&png(width, height));
            assert!(
                matches!(refused, Err(PictureError::TooManyPixels { .. })),
                "{width} × {height}: {refused:?}"
            );
        }
        let large = [png(10, 10), vec![0; MAX_PICTURE_BYTES]].concat();
        assert_eq!(parse(&large), Err(PictureError::TooLarge(large.len())));
    }

    proptest! {
        /// Whatever comes is taken or refused, and what is taken can be shown.
        #[test]
        fn no_bytes_do_harm(head in prop_oneof![
            Just(b"\x89PNG\r\n\x1a\n".to_vec()), Just(b"\xff\xd8\xff".to_vec()), Just(b"RIFF....WEBPVP8".to_vec()), Just(Vec::new()),
        ], rest in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok((_, width, height)) = parse(&[head, rest].concat()) {
                prop_assert!((1..=MAX_SIDE_PX).contains(&width) && (1..=MAX_SIDE_PX).contains(&height));
            }
        }
    }
}
