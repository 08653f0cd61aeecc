//! Commands to boxes: who gave which order, why, and what became of it. `dispatch` brings them to their boxes.

mod approval;
mod dispatch;

use gatepost_wire::command::{Order, Reason, Who, Why};
use gatepost_wire::{AlarmId, Command, CommandId, EdgeId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::PersonName;

pub use approval::{Approval, Decision, Verdict, both};
pub use dispatch::Dispatch;

/// A command and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "edge": "gate-1", "who": "王丽 (wang.li)", "person": "wang.li", "why": "police report 17",
    "issued": "2026-01-31T08:30:00Z", "expires": "2026-02-01T08:30:00Z",
    "order": {
        "kind": "release_original", "event": "01ARZ3NDEKTSV4RRFFQ69G5FAW", "until": "2026-02-03T00:00:00Z"
    },
    "approval": { "who": "李娜 (li.na)", "time": "2026-01-31T08:30:01Z", "outcome": "approved", "text": null },
    "alarm": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "state": "refused", "answered": "2026-01-31T08:30:02Z",
    "reason": "not_found", "detail": "the original was deleted on 2026-01-30"
}))]
pub struct Given {
    /// ULID.
    #[schema(value_type = String, format = "ulid")]
    pub id: CommandId,
    /// The box it is for.
    #[schema(value_type = String, format = "name")]
    pub edge: EdgeId,
    /// Who gave it.
    #[schema(value_type = String, format = "line")]
    pub who: Who,
    /// By what they sign in; null: it was not kept by a hub before this was needed.
    #[schema(value_type = Option<String>, format = "person-name")]
    pub person: Option<PersonName>,
    /// What a second person said to it, where it takes one.
    pub approval: Option<Approval>,
    /// What for.
    #[schema(value_type = String, format = "line")]
    pub why: Why,
    /// When it was given.
    #[schema(value_type = String, format = DateTime)]
    pub issued: Timestamp,
    /// A box that gets it later does not carry it out.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
    /// What is to be done; `kind` names it: `release_original` with `event` and `until`, `set_mode` with `area` and `mode`,
    /// `hold_evidence` with `alarm` and `until`.
    #[schema(value_type = Object)]
    pub order: Order,
    /// The alarm it is about.
    #[schema(value_type = Option<String>, format = "ulid")]
    pub alarm: Option<AlarmId>,
    /// How far it got.
    pub state: State,
    /// When the box carried it out or refused it, by the box's clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered: Option<Timestamp>,
    /// Why the box refused it: `expired`, `unknown_order`, `not_allowed`, `not_found`, `superseded`, `not_ready`, `invalid`,
    /// `failed`, or a word of a newer box.
    #[schema(value_type = Option<String>)]
    pub reason: Option<Reason>,
    /// Why the box refused it, in words for a technician.
    pub detail: Option<String>,
}

/// How far a command got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A second person has to approve it before the box is told.
    Proposed,
    /// A second person did not approve it: the box is never told.
    Declined,
    /// Nobody approved it in time: the box is never told.
    Lapsed,
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

/// Who gave a command, and whether another person agreed.
#[derive(Debug, Clone, Default)]
pub struct Backing {
    /// By what who gave it signs in.
    pub person: Option<PersonName>,
    /// It is sent only once another person approved it.
    pub needs_second: bool,
    /// What that person said.
    pub approval: Option<Approval>,
}

impl Backing {
    /// How far it got towards being sent; none: it is sent.
    fn state(&self, expired: bool) -> Option<State> {
        match &self.approval {
            Some(approval) if approval.outcome == Verdict::Declined => Some(State::Declined),
            Some(_) => None,
            None if !self.needs_second => None,
            None if expired => Some(State::Lapsed),
            None => Some(State::Proposed),
        }
    }
}

impl Given {
    /// The command with its answer, if there is one, as it stands now.
    pub fn new(
        command: Command,
        backing: Backing,
        alarm: Option<AlarmId>,
        answer: Option<(Timestamp, Answer)>,
        now: Timestamp,
    ) -> Self {
        let expired = now >= command.expires;
        let state = match &answer {
            Some((_, Answer::Done)) => State::Done,
            Some((_, Answer::Refused { .. })) => State::Refused,
            None if expired => backing.state(true).unwrap_or(State::Expired),
            None => backing.state(false).unwrap_or(State::Waiting),
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
            person: backing.person,
            approval: backing.approval,
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
        Given::new(command, Backing::default(), None, answer.map(|answer| (now, answer)), now)
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

    #[test]
    fn what_takes_a_second_person_waits_for_them_and_lapses() {
        let state = |outcome: Option<Verdict>, expired| {
            let who = "li.na (li.na)".to_owned();
            let approval =
                outcome.map(|outcome| Approval { who, time: Timestamp::UNIX_EPOCH, outcome, text: None });
            Backing { person: None, needs_second: true, approval }.state(expired)
        };
        assert_eq!((state(None, false), state(None, true)), (Some(State::Proposed), Some(State::Lapsed)));
        assert_eq!(state(Some(Verdict::Declined), true), Some(State::Declined));
        assert_eq!(state(Some(Verdict::Approved), false), None);
        assert_eq!(Backing::default().state(false), None);
    }
}
