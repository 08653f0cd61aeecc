//! Commands to boxes: who gave which order, why, and what became of it. `dispatch` brings them to their boxes.

mod dispatch;

use gatepost_wire::command::{Order, Reason, Who, Why};
use gatepost_wire::{AlarmId, Command, CommandId, EdgeId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

pub use dispatch::Dispatch;

/// A command and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "edge": "gate-1", "who": "王丽", "why": "police report 17",
    "issued": "2026-01-31T08:30:00Z", "expires": "2026-02-01T08:30:00Z",
    "order": {
        "kind": "release_original", "event": "01ARZ3NDEKTSV4RRFFQ69G5FAW", "until": "2026-02-03T00:00:00Z"
    },
    "alarm": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "state": "refused", "answered": "2026-01-31T08:30:02Z",
    "reason": "not_found", "detail": "the original was deleted on 2026-01-30"
}))]
pub struct Given {
    /// ULID.
    #[schema(value_type = String)]
    pub id: CommandId,
    /// The box it is for.
    #[schema(value_type = String)]
    pub edge: EdgeId,
    /// Who gave it.
    #[schema(value_type = String)]
    pub who: Who,
    /// What for.
    #[schema(value_type = String)]
    pub why: Why,
    /// When it was given.
    #[schema(value_type = String, format = DateTime)]
    pub issued: Timestamp,
    /// A box that gets it later does not carry it out.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
    /// What is to be done; `kind` names it: `release_original` with `event` and `until`, `set_mode` with `area` and `mode`.
    #[schema(value_type = Object)]
    pub order: Order,
    /// The alarm it is about.
    #[schema(value_type = Option<String>)]
    pub alarm: Option<AlarmId>,
    /// How far it got.
    pub state: State,
    /// When the box carried it out or refused it, by the box's clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered: Option<Timestamp>,
    /// Why the box refused it: `expired`, `unknown_order`, `not_allowed`, `not_found`, `not_ready`, `invalid`, `failed`, or a word of a
    /// newer box.
    #[schema(value_type = Option<String>)]
    pub reason: Option<Reason>,
    /// Why the box refused it, in words for a technician.
    pub detail: Option<String>,
}

/// How far a command got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The box has not answered yet.
    Waiting,
    /// The box carried it out.
    Done,
    /// The box refused it.
    Refused,
    /// The box did not answer in time, and will not carry it out any more.
    Expired,
}

/// What a box answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It carried it out.
    Done,
    /// It did not.
    Refused {
        /// Why.
        reason: Reason,
        /// In words for a technician.
        detail: String,
    },
}

impl Given {
    /// The command with its answer, if there is one, as it stands now.
    pub fn new(
        command: Command,
        alarm: Option<AlarmId>,
        answer: Option<(Timestamp, Answer)>,
        now: Timestamp,
    ) -> Self {
        let state = match &answer {
            Some((_, Answer::Done)) => State::Done,
            Some((_, Answer::Refused { .. })) => State::Refused,
            None if now >= command.expires => State::Expired,
            None => State::Waiting,
        };
        let (answered, answer) = answer.unzip();
        let (reason, detail) = match answer {
            Some(Answer::Refused { reason, detail }) => (Some(reason), Some(detail)),
            _ => (None, None),
        };
        Self {
            id: command.id,
            edge: command.edge,
            who: command.who,
            why: command.why,
            issued: command.issued,
            expires: command.expires,
            order: command.order,
            alarm,
            state,
            answered,
            reason,
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(answer: Option<Answer>, now: &str) -> Given {
        let text = r#"{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","edge":"gate-1","who":"a","why":"b",
            "issued":"2026-01-01T00:00:00Z","expires":"2026-01-02T00:00:00Z","order":{"kind":"release_original",
            "event":"01ARZ3NDEKTSV4RRFFQ69G5FAV","until":"2026-01-03T00:00:00Z"}}"#;
        let command = Command::from_json(text.as_bytes()).unwrap();
        let now: Timestamp = now.parse().unwrap();
        Given::new(command, None, answer.map(|answer| (now, answer)), now)
    }

    #[test]
    fn an_answer_counts_for_ever_and_silence_until_the_end() {
        assert_eq!(given(None, "2026-01-01T12:00:00Z").state, State::Waiting);
        assert_eq!(given(None, "2026-01-02T00:00:00Z").state, State::Expired);
        assert_eq!(given(Some(Answer::Done), "2026-01-05T00:00:00Z").state, State::Done);
        let no = Answer::Refused { reason: Reason::NotAllowed, detail: "no keys".into() };
        let refused = given(Some(no), "2026-01-01T12:00:00Z");
        assert_eq!((refused.state, refused.reason), (State::Refused, Some(Reason::NotAllowed)));
    }
}
