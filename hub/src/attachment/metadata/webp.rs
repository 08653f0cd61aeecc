//! WebP (RFC 9649): RIFF chunks, one of them the picture.

use super::{take, take_array};

/// Flags of `VP8X` that announce what is left out, and the one of an animation.
const EXIF: u8 = 0x08;
const XMP: u8 = 0x04;
const ANIMATION: u8 = 0x02;

const CUT_OFF: &str = "it ends in the middle";

/// A WebP of the same picture, up to its own end.
pub(super) fn bare(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut rest = bytes;
    let riff: Option<[u8; 4]> = take_array(&mut rest);
    let size = u32::from_le_bytes(take_array(&mut rest).ok_or(CUT_OFF)?);
    let mut inside = take(&mut rest, usize::try_from(size).map_err(|_| CUT_OFF)?).ok_or(CUT_OFF)?;
    if riff != Some(*b"RIFF") || take_array(&mut inside) != Some(*b"WEBP") {
        return Err("it does not begin as one");
    }
    let mut out = Vec::from(*b"RIFF\0\0\0\0WEBP");
    let mut has_picture = false;
    while !inside.is_empty() {
        let kind: [u8; 4] = take_array(&mut inside).ok_or(CUT_OFF)?;
        let length = u32::from_le_bytes(take_array(&mut inside).ok_or(CUT_OFF)?);
        let content = take(&mut inside, usize::try_from(length).map_err(|_| CUT_OFF)?).ok_or(CUT_OFF)?;
        if length % 2 == 1 {
            take(&mut inside, 1).ok_or(CUT_OFF)?;
        }
        match &kind {
            b"VP8X" => {
                let mut head: [u8; 10] = content.try_into().map_err(|_| "its head has another length")?;
                if head[0] & ANIMATION != 0 {
                    return Err("it is an animation");
                }
                head[0] &= !(EXIF | XMP);
                write(&mut out, &kind, &head);
            }
            b"VP8 " | b"VP8L" if has_picture => return Err("there are two pictures in it"),
            b"VP8 " | b"VP8L" => {
                has_picture = true;
                write(&mut out, &kind, content);
            }
            b"ICCP" | b"ALPH" => write(&mut out, &kind, content),
            _ => {}
        }
    }
    if !has_picture {
        return Err("there is no picture in it");
    }
    // It was read with such a size, or is smaller.
    let size = u32::try_from(out.len() - 8).map_err(|_| CUT_OFF)?;
    out[4..8].copy_from_slice(&size.to_le_bytes());
    Ok(out)
}

fn write(out: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    out.extend(kind);
    out.extend(length.to_le_bytes());
    out.extend_from_slice(content);
    if length % 2 == 1 {
        out.push(0);
    }
}
