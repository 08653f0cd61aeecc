//! Why an order may not be carried out.

use std::time::Duration;

use gatepost_wire::AreaId;
use gatepost_wire::arming::Input;
use gatepost_wire::command::Reason;

/// Why an order is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such area.
    #[error("this box has no area {0}")]
    UnknownArea(AreaId),
    /// These are open or faulty, and nobody decided to go without them.
    #[error("not closed: {}; close them, or order it again with these bypassed", list(.0))]
    Open(Vec<Input>),
    /// A 24-hour input counts always.
    #[error("{0} is a 24-hour input, which nothing can bypass")]
    NeverRests(Input),
    /// It belongs to another area, or to none.
    #[error("{0} is no input of this area")]
    NotOfThisArea(Input),
    /// Somebody came in and has not disarmed yet.
    #[error("an entry delay is running: disarm it first")]
    EntryDelay,
    /// Longer than the site allows.
    #[error("maintenance of {} min is too long: {} min at most", .wanted.as_secs() / 60, .most.as_secs() / 60)]
    TooLong {
        /// What was asked for.
        wanted: Duration,
        /// What is allowed.
        most: Duration,
    },
}

impl Refusal {
    /// As a word a program can translate.
    pub fn reason(&self) -> Reason {
        match self {
            Self::UnknownArea(_) | Self::NotOfThisArea(_) => Reason::NotFound,
            Self::Open(_) | Self::EntryDelay => Reason::NotReady,
            Self::NeverRests(_) => Reason::NotAllowed,
            Self::TooLong { .. } => Reason::Invalid,
        }
    }
}

fn list(inputs: &[Input]) -> String {
    inputs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
