//! Which clips have to go. Pure: what is kept and the time in, what goes out.

use std::time::Duration;

use gatepost_wire::{EventId, Severity, Timestamp};

/// A clip on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub id: EventId,
    /// Of the gravest of its alarms.
    pub severity: Severity,
    /// When its first alarm began.
    pub time: Timestamp,
    /// All its files together.
    pub bytes: u64,
    /// One of its alarms is on legal hold.
    pub held: bool,
}

/// What goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Going {
    /// Kept for as long as wanted.
    pub old: Vec<EventId>,
    /// Before their time, in this order.
    pub early: Vec<EventId>,
    /// The disk did not hold them for as long as wanted: how old the youngest of those that go before their time is.
    pub cut_short: Option<Duration>,
    /// Bytes of what is on legal hold, which stays.
    pub held: u64,
}

/// What goes at `now`, if clips are to be kept for `keep` and may take `budget` bytes.
///
/// Whatever is older than `keep` goes. If the rest is too much, the oldest and least grave go first: a clip ages as
/// many times as fast as its severity says (1 the gravest, 4 the least), and those that have aged most go. So of two clips of one
/// severity the older goes, of two of one age the less grave, and a new clip of little weight does not go at once
/// where old ones of more weight lie.
///
/// What is on legal hold never goes, however old it is and however little room there is: the others go for it.
pub fn going(kept: &[Kept], now: Timestamp, keep: Duration, budget: u64) -> Going {
    // A clip from the future, after a step of the clock, is new.
    let age = |clip: &Kept| Duration::try_from(now.duration_since(clip.time)).unwrap_or_default();
    let (held, free): (Vec<&Kept>, Vec<&Kept>) = kept.iter().partition(|clip| clip.held);
    let held: u64 = held.iter().map(|clip| clip.bytes).sum();
    let (old, mut rest): (Vec<&Kept>, Vec<&Kept>) = free.iter().partition(|clip| age(clip) > keep);
    let mut going =
        Going { old: old.iter().map(|clip| clip.id).collect(), early: Vec::new(), cut_short: None, held };
    let mut bytes: u64 = held + rest.iter().map(|clip| clip.bytes).sum::<u64>();
    rest.sort_by_key(|clip| {
        let aged = age(clip) * u32::from(clip.severity.level());
        (std::cmp::Reverse(aged), std::cmp::Reverse(clip.severity), clip.id)
    });
    for clip in rest {
        if bytes <= budget {
            break;
        }
        bytes -= clip.bytes;
        going.early.push(clip.id);
        going.cut_short = Some(going.cut_short.map_or(age(clip), |least| least.min(age(clip))));
    }
    going
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn now() -> Timestamp {
        "2026-11-25T00:00:00Z".parse().unwrap()
    }

    fn clip(id: u128, severity: u8, hours_ago: u32, bytes: u64) -> Kept {
        let severity = severity.try_into().unwrap();
        let time = now() - hours_ago * HOUR;
        Kept { id: EventId::from_ulid(Ulid(id)), severity, time, bytes, held: false }
    }

    fn names(going: &Going) -> Vec<u128> {
        going.old.iter().chain(&going.early).map(|id| id.to_string().parse::<Ulid>().unwrap().0).collect()
    }

    #[test]
    fn what_is_older_than_wanted_goes_however_much_room_there_is() {
        let kept = [clip(1, 1, 31 * 24, 10), clip(2, 4, 29 * 24, 10)];
        let going = going(&kept, now(), 30 * 24 * HOUR, u64::MAX);
        assert_eq!((names(&going), going.cut_short), (vec![1], None));
    }

    #[test]
    fn without_room_the_oldest_and_least_grave_go_first_and_it_is_told() {
        let kept = [clip(1, 1, 40, 10), clip(2, 4, 20, 10), clip(3, 4, 5, 10), clip(4, 2, 30, 10)];
        let gone = |budget| going(&kept, now(), 30 * 24 * HOUR, budget);
        assert_eq!(gone(40), Going::default());
        assert_eq!((names(&gone(30)), gone(30).cut_short), (vec![2], Some(20 * HOUR)));
        assert_eq!(names(&gone(20)), [2, 4]);
        assert_eq!(names(&gone(10)), [2, 4, 1]);
        assert_eq!((names(&gone(0)), gone(0).cut_short), (vec![2, 4, 1, 3], Some(5 * HOUR)));
    }

    #[test]
    fn what_is_on_hold_stays_and_the_others_go_for_it() {
        let held = |clip| Kept { held: true, ..clip };
        let kept =
            [held(clip(1, 4, 31 * 24, 10)), clip(2, 1, 31 * 24, 10), clip(3, 2, 8, 10), clip(4, 2, 2, 10)];
        let gone = |budget| going(&kept, now(), 30 * 24 * HOUR, budget);
        assert_eq!((names(&gone(30)), gone(30).cut_short, gone(30).held), (vec![2], None, 10));
        assert_eq!((names(&gone(20)), gone(20).cut_short), (vec![2, 3], Some(8 * HOUR)));
        assert_eq!(names(&gone(0)), [2, 3, 4], "even when there is no room at all");
    }

    proptest! {
        #[test]
        fn what_stays_fits_and_nothing_goes_before_what_is_both_older_and_less_grave(
            clips in prop::collection::vec((1u8..=4, 0u32..2000, 0u64..1000, prop::bool::weighted(0.2)), 0..60),
            keep in 1u32..1500,
            budget in 0u64..20_000,
        ) {
            let kept: Vec<Kept> =
                (0u128..).zip(&clips).map(|(id, c)| Kept { held: c.3, ..clip(id, c.0, c.1, c.2) }).collect();
            let going = going(&kept, now(), keep * HOUR, budget);
            let gone = |clip: &Kept| going.old.contains(&clip.id) || going.early.contains(&clip.id);
            prop_assert!(!kept.iter().any(|clip| clip.held && gone(clip)));
            let held: u64 = kept.iter().filter(|clip| clip.held).map(|clip| clip.bytes).sum();
            prop_assert_eq!(going.held, held);
            let stays: Vec<&Kept> = kept.iter().filter(|clip| !clip.held && !gone(clip)).collect();
            let taken = held + stays.iter().map(|clip| clip.bytes).sum::<u64>();
            prop_assert!(taken <= budget || stays.is_empty());
            prop_assert!(stays.iter().all(|clip| clip.time >= now() - keep * HOUR));
            for left in kept.iter().filter(|clip| gone(clip)) {
                for stayed in &stays {
                    prop_assert!(!(stayed.time < left.time && stayed.severity > left.severity));
                }
            }
            // It is told exactly when something goes before its time, and nothing goes without need.
            let before_time = kept.iter().filter(|c| gone(c) && c.time >= now() - keep * HOUR).count();
            prop_assert_eq!((going.cut_short.is_some(), going.early.len()), (before_time > 0, before_time));
            if let Some(last) = going.early.last() {
                let last = kept.iter().find(|clip| clip.id == *last).map_or(0, |clip| clip.bytes);
                prop_assert!(taken + last > budget);
            }
        }
    }
}
