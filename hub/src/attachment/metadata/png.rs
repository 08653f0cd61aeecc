//! PNG (ISO/IEC 15948): chunks behind a signature.

use super::{take, take_array};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Without these the picture looks otherwise. Of an animation the picture that stands for it is left.
const KEPT: [&[u8; 4]; 13] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT",
    b"bKGD", b"pHYs",
];

const CUT_OFF: &str = "it ends in the middle";

/// A PNG of the same picture, up to its own end.
pub(super) fn bare(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or("it does not begin as one")?;
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(SIGNATURE);
    let mut has_picture = false;
    for is_first in std::iter::once(true).chain(std::iter::repeat(false)) {
        let chunk = rest;
        let length = usize::try_from(u32::from_be_bytes(take_array(&mut rest).ok_or(CUT_OFF)?));
        let kind: [u8; 4] = take_array(&mut rest).ok_or(CUT_OFF)?;
        if is_first != (&kind == b"IHDR") {
            return Err("a part of it is out of place");
        }
        let length = length.ok().and_then(|length| length.checked_add(4)).ok_or(CUT_OFF)?;
        // Its check sum goes along.
        take(&mut rest, length).ok_or(CUT_OFF)?;
        has_picture |= &kind == b"IDAT";
        if KEPT.contains(&&kind) {
            out.extend_from_slice(chunk.get(..chunk.len() - rest.len()).unwrap_or_default());
        }
        if &kind == b"IEND" {
            return if has_picture { Ok(out) } else { Err("there is no picture in it") };
        }
    }
    Err(CUT_OFF)
}
