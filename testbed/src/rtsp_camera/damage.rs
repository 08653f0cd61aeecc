//! Bits that tip over on the way, as on a bad cable or in a camera with bad memory.

use gstreamer as gst;

/// How often, and which ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Equal seeds tip the same bits.
    pub seed: u64,
    /// One bit in so many, on average.
    pub one_bit_in: u32,
}

/// Tips bits over.
pub(super) struct Flipper {
    damage: Damage,
    state: u64,
}

impl Flipper {
    pub(super) fn new(damage: Damage) -> Self {
        // The generator below never leaves zero.
        Flipper { damage, state: damage.seed | 1 }
    }

    pub(super) fn damage(&self) -> Damage {
        self.damage
    }

    /// A damaged copy.
    pub(super) fn flip(&mut self, unit: &gst::BufferRef) -> Option<gst::Buffer> {
        let mut copy = unit.copy_deep().ok()?;
        let mut bytes = copy.get_mut()?.map_writable().ok()?;
        let bits = bytes.len() as u64 * 8;
        let one_in = u64::from(self.damage.one_bit_in.max(1));
        // What is left over of a whole bit counts by chance.
        let count = bits / one_in + u64::from(self.random() % one_in < bits % one_in);
        for _ in 0..count {
            let bit = self.random() % bits;
            bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
        drop(bytes);
        Some(copy)
    }

    /// xorshift64.
    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bits_as_asked_for_and_always_the_same() {
        gst::init().unwrap();
        let unit = gst::Buffer::from_slice(vec![0u8; 10_000]);
        let flipped = |seed| {
            let mut flipper = Flipper::new(Damage { seed, one_bit_in: 8_000 });
            let copies = (0..10).map(|_| flipper.flip(&unit).unwrap().map_readable().unwrap().to_vec());
            copies.collect::<Vec<_>>().concat()
        };
        let once = flipped(1);
        let ones: u32 = once.iter().map(|byte| byte.count_ones()).sum();
        assert_eq!(ones, 100);
        assert_eq!(once, flipped(1));
        assert_ne!(once, flipped(3));
        assert!(unit.map_readable().unwrap().iter().all(|&byte| byte == 0), "the original is whole");
    }
}
