//! Pictures without what they say beside themselves: place, phone, owner, preview, a film behind the photo. What is not known to belong to
//! the picture is left out; nothing is decoded.
//!
//! Own code, and little of it: the libraries that take such files apart hand on everything behind the first scan of a JPEG as one
//! piece, where phones put previews and films, and follow lists in a WebP as deep as they go, which ends the process.

mod jpeg;
mod orientation;
mod png;
mod webp;

use super::{Format, Unfit};

/// The picture alone.
pub(super) fn without(format: Format, bytes: &[u8]) -> Result<Vec<u8>, Unfit> {
    let bare = match format {
        Format::Jpeg => jpeg::bare(bytes),
        Format::Png => png::bare(bytes),
        Format::WebP => webp::bare(bytes),
        Format::Pdf => Ok(bytes.to_vec()),
    };
    bare.map_err(|problem| format.damaged(problem))
}

/// Takes bytes off the front of others.
fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    Some(taken)
}

/// The same, as many as an array has.
fn take_array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    take(rest, N)?.try_into().ok()
}
