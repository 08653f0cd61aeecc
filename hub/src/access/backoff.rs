//! How long a name has to wait after failed sign-ins, so that guessing takes longer than a life.
//!
//! A name cannot be shut out for good by somebody who guesses: the wait ends at a quarter of an hour, and who is signed in stays
//! so. (NIST SP 800-63B, 5.2.2, allows at most 100 failures in a row; a hundred take a day here.)

use std::time::Duration;

/// So many are forgiven: people mistype.
const FREE: u32 = 4;

const FIRST: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_mins(15);

/// Failures are forgotten when there was none for so long.
pub const FORGOTTEN: Duration = Duration::from_hours(24);

/// How long after the last of so many failures the next attempt is looked at.
pub fn wait(failures: u32) -> Duration {
    match failures.checked_sub(FREE + 1) {
        None => Duration::ZERO,
        Some(doublings) => FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour() {
        let waits: Vec<u64> =
            [0, 1, 4, 5, 6, 7, 10, 11, 12, 1000, u32::MAX].map(|n| wait(n).as_secs()).into();
        assert_eq!(waits, [0, 0, 0, 15, 30, 60, 480, 900, 900, 900, 900]);
    }

    #[test]
    fn a_hundred_guesses_take_most_of_a_day() {
        let total: Duration = (1..=100).map(wait).sum();
        assert!(total > Duration::from_hours(22), "{total:?}");
    }
}
