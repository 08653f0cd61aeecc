//! When failures to look at frames are an illness of the box, not an accident.

use std::time::Duration;

/// This many failures of one camera in a row are an illness.
const FAILURES: u32 = 5;
/// A camera that has shown nothing for so long keeps nobody ill.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The box fell ill.
    Ill,
    /// It is well again.
    Well,
}

/// Which cameras' frames cannot be looked at, of all cameras: one whose frames always fail is as blind as if all
/// did, though others succeed in between.
#[derive(Debug)]
pub(super) struct Illness {
    cameras: Vec<Failures>,
    told: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    in_a_row: u32,
    last: Duration,
}

impl Illness {
    /// All is well.
    pub fn new(cameras: usize) -> Self {
        Self { cameras: vec![Failures::default(); cameras], told: false }
    }

    /// A camera's frame could not be looked at. How often in a row by now, and what that changes.
    pub fn failed(&mut self, camera: usize, at: Duration) -> (u32, Option<Change>) {
        let failures = &mut self.cameras[camera];
        *failures = Failures { in_a_row: failures.in_a_row.saturating_add(1), last: at };
        let in_a_row = failures.in_a_row;
        (in_a_row, (in_a_row >= FAILURES && !self.told).then(|| self.tell(true)))
    }

    /// A camera's frame was looked at. What that changes.
    pub fn looked(&mut self, camera: usize, at: Duration) -> Option<Change> {
        self.cameras[camera] = Failures::default();
        let is_ill = |f: &Failures| f.in_a_row >= FAILURES && at.saturating_sub(f.last) < FORGOTTEN;
        (self.told && !self.cameras.iter().any(is_ill)).then(|| self.tell(false))
    }

    fn tell(&mut self, ill: bool) -> Change {
        self.told = ill;
        if ill { Change::Ill } else { Change::Well }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn fail(illness: &mut Illness, camera: usize, times: u32, at: Duration) -> Vec<Change> {
        (0..times).filter_map(|_| illness.failed(camera, at).1).collect()
    }

    #[test]
    fn a_failure_now_and_then_is_none() {
        let mut illness = Illness::new(1);
        for i in 0..20 {
            assert_eq!(fail(&mut illness, 0, FAILURES - 1, S(i)), []);
            assert_eq!(illness.looked(0, S(i)), None);
        }
    }

    #[test]
    fn it_is_told_once_and_ends_with_the_first_success() {
        let mut illness = Illness::new(1);
        assert_eq!(fail(&mut illness, 0, 100, S(1)), [Change::Ill]);
        assert_eq!(illness.looked(0, S(2)), Some(Change::Well));
        assert_eq!(illness.looked(0, S(3)), None);
        assert_eq!(fail(&mut illness, 0, FAILURES, S(4)), [Change::Ill], "again");
    }

    #[test]
    fn one_blind_camera_is_enough_and_every_one_must_see_again() {
        let mut illness = Illness::new(3);
        let mut changes = Vec::new();
        for i in 0..10 {
            changes.extend(fail(&mut illness, 1, 1, S(i)));
            changes.extend(illness.looked(0, S(i)));
        }
        assert_eq!(changes, [Change::Ill], "the others' successes change nothing");
        assert_eq!(fail(&mut illness, 2, FAILURES, S(10)), []);
        assert_eq!(illness.looked(1, S(11)), None, "camera 2 is still blind");
        assert_eq!(illness.looked(2, S(12)), Some(Change::Well));
    }

    #[test]
    fn a_camera_that_went_away_is_forgotten() {
        let mut illness = Illness::new(2);
        assert_eq!(fail(&mut illness, 1, FAILURES, S(1)), [Change::Ill]);
        assert_eq!(illness.looked(0, S(60)), None);
        assert_eq!(illness.looked(0, S(61)), Some(Change::Well));
    }
}
