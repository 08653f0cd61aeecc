//! How a box or a camera stands, and when that became another.

use gatepost_wire::health::{CameraState, PresenceState};
use gatepost_wire::{CameraId, EdgeId, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A reason that becomes another counts as a change so often at most: some cameras fail in a new way with each attempt.
const REASON_REST: SignedDuration = SignedDuration::from_mins(5);

/// A longer reason is cut off, characters.
const LONGEST_REASON: usize = 300;

/// How it stands: a box is online or offline, a camera one of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = HealthState)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Connected to the broker.
    Online,
    /// It said goodbye, or the broker lost it.
    Offline,
    /// The camera was asked for, nothing came yet.
    Connecting,
    /// Pictures come.
    Streaming,
    /// No pictures.
    Faulted,
}

impl From<PresenceState> for State {
    fn from(state: PresenceState) -> Self {
        match state {
            PresenceState::Online => Self::Online,
            PresenceState::Offline => Self::Offline,
        }
    }
}

/// How it stands, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// How.
    pub state: State,
    /// Why, as the box says it.
    pub reason: Option<String>,
    /// Since when, by the hub's clock.
    pub since: Timestamp,
}

impl Standing {
    /// From then on.
    pub fn of(state: State, since: Timestamp) -> Self {
        Self { state, reason: None, since }
    }

    /// A camera, as it was told of then.
    pub fn of_camera(state: &CameraState, since: Timestamp) -> Self {
        match state {
            CameraState::Connecting => Self::of(State::Connecting, since),
            CameraState::Streaming => Self::of(State::Streaming, since),
            CameraState::Faulted { reason } => {
                let reason = Some(reason.chars().take(LONGEST_REASON).collect());
                Self { state: State::Faulted, reason, since }
            }
        }
    }

    /// Is this something new, to who knows the other? What is older is not: another hub may have heard of it later.
    pub fn follows(&self, known: &Self) -> bool {
        let later = self.since > known.since;
        let rested = || self.since.duration_since(known.since) >= REASON_REST;
        later && (self.state != known.state || (gist(&self.reason) != gist(&known.reason) && rested()))
    }
}

/// A reason without its numbers: a silence of 31 s is the same illness as one of 30.
fn gist(reason: &Option<String>) -> Option<String> {
    reason.as_ref().map(|reason| reason.chars().filter(|c| !c.is_ascii_digit()).collect())
}

/// How a box or a camera stands from a moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The box.
    pub edge: EdgeId,
    /// The camera; none for the box itself.
    pub camera: Option<CameraId>,
    /// How it stands.
    pub standing: Standing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::sample::tests::at;

    #[test]
    fn a_reason_with_other_numbers_is_the_same_and_another_one_is_new_after_a_while() {
        let faulted = |reason: &str, second| {
            Standing::of_camera(&CameraState::Faulted { reason: reason.into() }, at(second))
        };
        let known = faulted("connected, but no key frame to begin with for 30 s", 0);
        assert!(!faulted("connected, but no key frame to begin with for 31 s", 1000).follows(&known));
        assert!(!faulted("it cannot be reached", 299).follows(&known));
        assert!(faulted("it cannot be reached", 300).follows(&known));
        let back = Standing::of_camera(&CameraState::Streaming, at(1));
        assert!(back.follows(&known) && !known.follows(&back));
        assert!(!Standing::of(State::Online, at(0)).follows(&Standing::of(State::Offline, at(0))));
        assert_eq!(faulted(&"x".repeat(1000), 0).reason.unwrap().len(), LONGEST_REASON);
    }
}
