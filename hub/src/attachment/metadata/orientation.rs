//! Which way up a picture is: the one thing its metadata says that it cannot be shown without.

use super::{take, take_array};

/// Tag of the orientation in the first directory (Exif 2.32, 4.6.4), and the type it has.
const TAG: u16 = 0x0112;
const SHORT: u16 = 3;

/// How a picture has to be turned or mirrored: 1 (as it is) to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orientation(u8);

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn short(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    fn long(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }
}

impl Orientation {
    /// Out of a TIFF structure as Exif has it; none where there is none, or nothing that makes sense.
    pub(super) fn read(tiff: &[u8]) -> Option<Self> {
        let mut head = tiff;
        let order = match take(&mut head, 2)? {
            b"II" => Order::Little,
            b"MM" => Order::Big,
            _ => return None,
        };
        if order.short(take_array(&mut head)?) != 42 {
            return None;
        }
        let first = order.long(take_array(&mut head)?);
        let mut directory = tiff.get(usize::try_from(first).ok()?..)?;
        let entries = order.short(take_array(&mut directory)?);
        for _ in 0..entries {
            let mut entry = take(&mut directory, 12)?;
            let tag = order.short(take_array(&mut entry)?);
            let kind = order.short(take_array(&mut entry)?);
            let _count: [u8; 4] = take_array(&mut entry)?;
            if tag == TAG && kind == SHORT {
                let value = order.short(take_array(&mut entry)?);
                return u8::try_from(value).ok().filter(|value| (1..=8).contains(value)).map(Self);
            }
        }
        None
    }

    /// A TIFF structure that says this and nothing else; none is needed for a picture that is as it should be.
    pub(super) fn tiff(self) -> Option<Vec<u8>> {
        if self.0 == 1 {
            return None;
        }
        let mut tiff = Vec::from(*b"MM\0\x2a\0\0\0\x08\0\x01");
        tiff.extend(TAG.to_be_bytes());
        tiff.extend(SHORT.to_be_bytes());
        tiff.extend(1_u32.to_be_bytes());
        tiff.extend([0, self.0, 0, 0]);
        // There is no further directory.
        tiff.extend([0; 4]);
        Some(tiff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for value in 2..=8 {
            let tiff = Orientation(value).tiff().unwrap();
            assert_eq!(Orientation::read(&tiff), Some(Orientation(value)));
            for end in 0..tiff.len() - 4 {
                assert_eq!(Orientation::read(&tiff[..end]), None, "{end}");
            }
        }
        assert_eq!(Orientation(1).tiff(), None);
    }

    #[test]
    fn either_order_is_read_and_nonsense_is_none() {
        let little = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        assert_eq!(Orientation::read(little), Some(Orientation(6)));
        let mut far = *little;
        far[4..8].copy_from_slice(&[0xff; 4]);
        assert_eq!(Orientation::read(&far), None);
        let mut ninth = *little;
        ninth[18] = 9;
        assert_eq!(Orientation::read(&ninth), None);
        assert_eq!(Orientation::read(b""), None);
    }
}
