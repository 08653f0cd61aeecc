//! Sessions: who is signed in.

use std::time::Duration;

use gatepost_wire::Timestamp;
use jiff::SignedDuration;

use super::person::{Person, PersonState};
use super::provider::Subject;
use super::token::TokenHash;

/// A session ends after so long, a shift, however much it is used.
pub const LASTS: SignedDuration = SignedDuration::from_hours(12);

/// And when no page was open for so long.
const IDLE: Duration = Duration::from_mins(60);

/// How often it is written down that a session is used.
const NOTED: Duration = Duration::from_mins(1);

/// By what somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof<'a> {
    /// By their password, or the link that set it.
    Password,
    /// By it and a code of this time step.
    Code {
        /// The same code does not count again.
        step: i64,
    },
    /// By a provider that vouches for them.
    Provider(&'a Subject),
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// What it is found by.
    pub hash: TokenHash,
    /// Who.
    pub person: Person,
    /// It ends then.
    pub until: Timestamp,
    /// When it was last used, to the minute.
    pub used: Timestamp,
}

impl Session {
    /// Is it still one?
    pub fn counts(&self, now: Timestamp) -> bool {
        now < self.until
            && now.duration_since(self.used).unsigned_abs() < IDLE
            && self.person.state == PersonState::Active
    }

    /// Has it been so long since its use was written down that it has to be again?
    pub fn is_to_be_noted(&self, now: Timestamp) -> bool {
        now.duration_since(self.used).unsigned_abs() >= NOTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Role, Roles, Token};

    #[test]
    fn it_ends_after_a_shift_or_an_hour_of_rest_or_with_its_account() {
        let began = Timestamp::UNIX_EPOCH;
        let after = |minutes| began + jiff::SignedDuration::from_mins(minutes);
        let person = Person {
            name: "wang.li".parse().unwrap(),
            display_name: "王丽".parse().unwrap(),
            roles: Roles::try_from([Role::Operator].into_iter().collect::<std::collections::BTreeSet<_>>())
                .unwrap(),
            sites: None,
            state: PersonState::Active,
            password: true,
            second_factor: false,
            provider: None,
            last_sign_in: None,
        };
        let session =
            Session { hash: Token::new().unwrap().hash(), person, until: began + LASTS, used: after(660) };
        assert!(session.counts(after(719)));
        assert!(!session.counts(after(720)), "a shift is over");
        let rested = Session { used: began, ..session.clone() };
        assert!(rested.counts(after(59)) && !rested.counts(after(60)));
        assert!(!rested.is_to_be_noted(began) && rested.is_to_be_noted(after(1)));
        let person = Person { state: PersonState::Disabled, ..session.person.clone() };
        assert!(!Session { person, ..session }.counts(after(661)));
    }
}
