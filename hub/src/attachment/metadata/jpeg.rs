//! JPEG (ITU-T T.81, annex B): segments, and behind each start of scan the coded picture.

use super::orientation::Orientation;
use super::{take, take_array};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;
const APP15: u8 = 0xef;
const COM: u8 = 0xfe;

/// What begins an APP1 that holds Exif; TIFF follows.
const EXIF: &[u8] = b"Exif\0\0";

const CUT_OFF: &str = "it ends in the middle";

/// A JPEG of the same picture, the same way up and in the same colours, up to its own end.
pub(super) fn bare(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut rest = bytes;
    let mut out = Vec::with_capacity(bytes.len());
    if take_array(&mut rest) != Some([0xff, SOI]) {
        return Err("it does not begin as one");
    }
    out.extend([0xff, SOI]);
    let mut has_picture = false;
    loop {
        let marker = marker(&mut rest)?;
        match marker {
            EOI if has_picture => {
                out.extend([0xff, EOI]);
                return Ok(out);
            }
            EOI => return Err("there is no picture in it"),
            // Those that stand alone belong into a scan.
            0x00..=0x01 | 0xd0..=SOI => return Err("a part of it is out of place"),
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes(take_array(&mut rest).ok_or(CUT_OFF)?));
        let length = length.checked_sub(2).ok_or("a part of it is shorter than its own head")?;
        let content = take(&mut rest, length).ok_or(CUT_OFF)?;
        match marker {
            APP0..=APP15 | COM => keep_application(&mut out, marker, content),
            _ => write(&mut out, marker, content),
        }
        if marker == SOS {
            has_picture = true;
            let coded = scan(&mut rest).ok_or(CUT_OFF)?;
            out.extend_from_slice(coded);
        }
    }
}

/// The next marker; before one there may be any number of FF.
fn marker(rest: &mut &[u8]) -> Result<u8, &'static str> {
    let [first] = take_array(rest).ok_or(CUT_OFF)?;
    if first != 0xff {
        return Err("between its parts is something that is none");
    }
    loop {
        match take_array(rest).ok_or(CUT_OFF)? {
            [0xff] => {}
            [marker] => return Ok(marker),
        }
    }
}

/// The coded picture up to the next marker that is no restart.
fn scan<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut at = 0;
    loop {
        at += rest.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match rest.get(at + 1)? {
            0x00 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return take(rest, at),
        }
    }
}

/// Of what programs add only that without which the picture looks otherwise.
fn keep_application(out: &mut Vec<u8>, marker: u8, content: &[u8]) {
    match marker {
        // JFIF: how dense its dots are; a preview may follow, which need not be of the same picture.
        APP0 if content.starts_with(b"JFIF\0") => {
            if let Some(head) = content.get(..12) {
                write(out, APP0, &[head, &[0, 0]].concat());
            }
        }
        // The phone was held on its side.
        APP1 if content.starts_with(EXIF) => {
            let orientation = content.get(EXIF.len()..).and_then(Orientation::read);
            if let Some(tiff) = orientation.and_then(Orientation::tiff) {
                write(out, APP1, &[EXIF, &tiff].concat());
            }
        }
        // What its numbers mean as colours.
        APP2 if content.starts_with(b"ICC_PROFILE\0") => write(out, APP2, content),
        APP14 if content.starts_with(b"Adobe") => write(out, APP14, content.get(..12).unwrap_or(content)),
        _ => {}
    }
}

fn write(out: &mut Vec<u8>, marker: u8, content: &[u8]) {
    // It was read with such a length, or is shorter.
    let length = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
    out.extend([0xff, marker]);
    out.extend(length.to_be_bytes());
    out.extend_from_slice(content);
}
