//! Movement as the camera's own encoder sees it: what changes in a picture must be sent, so pictures grow.
//! It costs nothing to look, and wakes a camera between two key frames.

/// A picture this many times as large as usual is conspicuous.
const RISE: f64 = 2.0;
/// And by this many bytes: in a picture without noise a single changed block is a multiple of nothing.
const LEAST_RISE: f64 = 300.0;
/// So many more conspicuous pictures than others in a row are movement; one is a hiccup of the rate control.
const ENOUGH: u32 = 4;
/// Step of the usual size towards each picture's: at 25 pictures a second it may double in three seconds.
const STEP: f64 = 1.01;
/// So many pictures are needed to know what is usual.
const LEARNED_AFTER: u32 = 25;

/// Learns the usual size of a camera's pictures between key frames and says when they grow.
#[derive(Debug, Default)]
pub(super) struct SizeHint {
    /// Steps up or down by a factor, so that it settles where half of the sizes are larger: a median, which a
    /// few huge pictures do not move.
    usual: f64,
    seen: u32,
    conspicuous: u32,
}

impl SizeHint {
    /// Takes the size of a picture that is no key frame; true while something seems to move.
    pub fn moves(&mut self, bytes: usize) -> bool {
        let bytes = bytes.max(1) as f64;
        if self.seen < LEARNED_AFTER {
            // The mean of logarithms is near enough to begin with.
            let weight = 1.0 / f64::from(self.seen + 1);
            self.usual = if self.seen == 0 { bytes } else { self.usual * (bytes / self.usual).powf(weight) };
            self.seen += 1;
            return false;
        }
        let large = bytes > self.usual * RISE && bytes > self.usual + LEAST_RISE;
        self.conspicuous =
            if large { (self.conspicuous + 1).min(ENOUGH) } else { self.conspicuous.saturating_sub(1) };
        self.usual *= (bytes / self.usual).clamp(1.0 / STEP, STEP);
        self.conspicuous == ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes of a still picture with noise, from 800 to 1200 bytes.
    fn still(count: usize) -> impl Iterator<Item = usize> {
        (0..count).map(|i| 800 + i * 7919 % 401)
    }

    fn learned() -> SizeHint {
        let mut hint = SizeHint::default();
        assert!(!still(250).any(|bytes| hint.moves(bytes)), "noise is no movement");
        hint
    }

    #[test]
    fn a_lasting_rise_is_movement_and_a_hiccup_is_not() {
        let mut hint = learned();
        assert!(!still(250).enumerate().any(|(i, bytes)| hint.moves(if i % 10 == 0 {
            90_000
        } else {
            bytes
        })));
        let first = (0..25).position(|_| hint.moves(3000));
        assert_eq!(first, Some(ENOUGH as usize - 1));
        assert!(!still(50).skip(3).any(|bytes| hint.moves(bytes)), "quiet again");
    }

    #[test]
    fn what_lasts_becomes_usual() {
        let mut hint = learned();
        let mut alarms = |factor| still(250).filter(|bytes| hint.moves(factor * bytes)).count();
        assert!(alarms(3) > 0, "it has begun to rain");
        assert_eq!(alarms(3), 0);
        assert_eq!(alarms(1), 0, "it has stopped");
        assert!((0..10).any(|_| hint.moves(3000)), "and it is as keen as before");
    }

    #[test]
    fn a_picture_without_noise_is_not_nervous() {
        let mut hint = SizeHint::default();
        assert!(!(0..100).any(|_| hint.moves(40)));
        assert!(!(0..100).any(|_| hint.moves(200)));
        assert!((0..10).any(|_| hint.moves(900)));
    }
}
