//! What the box of an alarm is told of a hold, and whether it keeps what it has. Pure.
//!
//! The box is told until when to hold, so one that is cut off lets go by itself; to lift it, it is told an end that is past. Of all it was told
//! the last counts.

use gatepost_wire::Timestamp;
use gatepost_wire::command::Reason;
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use super::HoldState;
use crate::command::Answer;

/// A box that refused, for want of a newer version or of room, is told again after so long.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// The last order about a hold that was given for its box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When it was given.
    pub issued: Timestamp,
    /// Until when it says to hold.
    pub until: Timestamp,
    /// What the box answered.
    pub reply: Option<Replied>,
    /// The order before it was [outdone](Told::is_outdone), too.
    pub outdone_before: bool,
}

/// What a box answered to an order about a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replied {
    /// When, by the box's clock.
    pub time: Timestamp,
    /// When it came.
    pub received: Timestamp,
    /// What.
    pub answer: Answer,
}

/// Whether the box keeps what it has of the alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustodyState {
    /// It is to hold it and has not answered yet. It is told as soon as it is connected.
    Waiting,
    /// It holds what it has.
    Held,
    /// It has nothing of the alarm, or no longer.
    Nothing,
    /// Its version does not know holds; it is told again, once a day.
    Outdated,
    /// It refused; it is told again, once a day.
    Refused,
    /// The hold is lifted, and the box has not answered to that yet.
    Lifting,
    /// It holds nothing any more: what it has goes when it is as old as clips get there.
    Released,
    /// The hold is over, and the box never answered.
    Silent,
}

/// How it stands with what the box itself has of the alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Custody {
    /// Whether the box keeps it.
    pub state: CustodyState,
    /// When it answered last, by its clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered: Option<Timestamp>,
    /// Why it refused, as in its answer to a command.
    #[schema(value_type = Option<String>, example = "failed")]
    pub reason: Option<Reason>,
    /// Why it refused, in words for a technician.
    #[schema(example = "the disk is full")]
    pub detail: Option<String>,
}

impl Told {
    fn lifts(&self) -> bool {
        self.until <= self.issued
    }

    fn refusal(&self) -> Option<&Reason> {
        match &self.reply.as_ref()?.answer {
            Answer::Refused { reason, .. } => Some(reason),
            Answer::Done => None,
        }
    }

    /// The box goes by a later order, which this hub does not know: it was put back to an earlier state.
    pub fn is_outdone(&self) -> bool {
        matches!(self.refusal(), Some(Reason::Superseded | Reason::Replayed))
    }

    /// Refused by a box that could do it one day, or would take it under a higher number. Such a number is tried at once, but not twice: of two hubs
    /// that both give orders to a box none would ever have the last word.
    fn may_be_told_again(&self, now: Timestamp) -> bool {
        if self.is_outdone() && !self.outdone_before {
            return true;
        }
        let long_ago = self.reply.as_ref().is_some_and(|reply| now.duration_since(reply.received) >= AGAIN);
        long_ago && self.refusal().is_some_and(|reason| *reason != Reason::NotFound)
    }
}

/// Until when the box has to be told now to hold, if it has to be told anything: what it was told last is not what it should know, it
/// refused that a day ago, or it goes by an order this hub does not know.
pub fn due(state: HoldState, until: Timestamp, told: Option<&Told>, now: Timestamp) -> Option<Timestamp> {
    let (lift, wanted) = match state {
        HoldState::Held | HoldState::LiftProposed => (false, until),
        HoldState::Lifted if now < until => (true, now),
        _ => return None,
    };
    let Some(told) = told else { return (!lift).then_some(wanted) };
    // Who does not know holds has put none on.
    if lift && told.refusal() == Some(&Reason::UnknownOrder) {
        return None;
    }
    (told.lifts() != lift || told.may_be_told_again(now)).then_some(wanted)
}

/// Until when the box of a hold that stands has to hold, whatever it was told: for a hub that cannot know what that was, as it was put back to an earlier
/// state. What was lifted is left alone: it may have been put on again since, and what is let go does not come back.
pub fn anew(state: HoldState, until: Timestamp, _: Option<&Told>, _: Timestamp) -> Option<Timestamp> {
    matches!(state, HoldState::Held | HoldState::LiftProposed).then_some(until)
}

/// How it stands at the box; none where the box was not to know.
pub fn custody(state: HoldState, until: Timestamp, told: Option<&Told>, now: Timestamp) -> Option<Custody> {
    use CustodyState::{Held, Lifting, Nothing, Outdated, Refused, Released, Silent, Waiting};
    let standing = match state {
        HoldState::Held | HoldState::LiftProposed => true,
        HoldState::Lifted | HoldState::Over => false,
        HoldState::Proposed | HoldState::Declined | HoldState::Lapsed => return None,
    };
    if told.is_none() && !standing {
        return None;
    }
    let reply = told.and_then(|told| told.reply.as_ref());
    let lifting = state == HoldState::Lifted && now < until;
    let state = match told.map(|told| (told.lifts(), told.refusal(), &told.reply)) {
        None => Waiting,
        Some((_, Some(Reason::NotFound), _)) => Nothing,
        Some((_, Some(Reason::UnknownOrder), _)) if standing => Outdated,
        Some((_, Some(Reason::UnknownOrder), _)) => Released,
        Some((_, Some(_), _)) if standing || lifting => Refused,
        Some((_, Some(_), _)) => Released,
        Some((_, None, Some(_))) if standing => Held,
        Some((_, None, None)) if standing => Waiting,
        Some((false, None, _)) | Some((true, None, None)) if lifting => Lifting,
        Some((false, None, None)) => Silent,
        Some((_, None, _)) => Released,
    };
    let (reason, detail) = match reply.map(|reply| &reply.answer) {
        Some(Answer::Refused { reason, detail }) => (Some(reason.clone()), Some(detail.clone())),
        Some(Answer::Done) | None => (None, None),
    };
    Some(Custody { state, answered: reply.map(|reply| reply.time), reason, detail })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hour(number: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(number)
    }

    const UNTIL: i64 = 1000;

    fn told(issued: i64, until: i64, reply: Option<(i64, Answer)>) -> Told {
        let reply = reply.map(|(at, answer)| Replied { time: hour(at), received: hour(at), answer });
        Told { issued: hour(issued), until: hour(until), reply, outdone_before: false }
    }

    fn refused(reason: Reason) -> Answer {
        Answer::Refused { reason, detail: "because".into() }
    }

    fn state(hold: HoldState, told: Option<&Told>, now: i64) -> Option<CustodyState> {
        custody(hold, hour(UNTIL), told, hour(now)).map(|custody| custody.state)
    }

    fn due_at(hold: HoldState, told: Option<&Told>, now: i64) -> Option<Timestamp> {
        due(hold, hour(UNTIL), told, hour(now))
    }

    #[test]
    fn a_box_is_told_once_and_again_a_day_after_it_refused() {
        use HoldState::{Held, LiftProposed, Proposed};
        assert_eq!(due_at(Proposed, None, 1), None);
        assert_eq!(
            (due_at(Held, None, 1), due_at(LiftProposed, None, 1)),
            (Some(hour(UNTIL)), Some(hour(UNTIL)))
        );
        let silent = told(1, UNTIL, None);
        assert_eq!(
            (due_at(Held, Some(&silent), 900), state(Held, Some(&silent), 900)),
            (None, Some(CustodyState::Waiting))
        );
        for (answer, again, shown) in [
            (Answer::Done, None, CustodyState::Held),
            (refused(Reason::NotFound), None, CustodyState::Nothing),
            (refused(Reason::UnknownOrder), Some(hour(UNTIL)), CustodyState::Outdated),
            (refused(Reason::Failed), Some(hour(UNTIL)), CustodyState::Refused),
        ] {
            let told = told(1, UNTIL, Some((2, answer)));
            assert_eq!(due_at(Held, Some(&told), 25), None, "{told:?}");
            assert_eq!(due_at(Held, Some(&told), 26), again, "{told:?}");
            assert_eq!(state(Held, Some(&told), 26), Some(shown), "{told:?}");
        }
    }

    #[test]
    fn what_is_lifted_is_lifted_at_the_box_unless_it_never_knew() {
        use HoldState::Lifted;
        assert_eq!((due_at(Lifted, None, 5), state(Lifted, None, 5)), (None, None));
        // It may have got the first although it did not answer.
        for reply in [None, Some((2, Answer::Done)), Some((2, refused(Reason::Failed)))] {
            let held = told(1, UNTIL, reply);
            assert_eq!(due_at(Lifted, Some(&held), 5), Some(hour(5)));
            assert_eq!(due_at(Lifted, Some(&held), UNTIL), None, "it has let go by itself");
        }
        let ignorant = told(1, UNTIL, Some((2, refused(Reason::UnknownOrder))));
        assert_eq!(
            (due_at(Lifted, Some(&ignorant), 90), state(Lifted, Some(&ignorant), 90)),
            (None, Some(CustodyState::Released))
        );
        let lifting = told(5, 5, None);
        assert_eq!(
            (due_at(Lifted, Some(&lifting), 90), state(Lifted, Some(&lifting), 90)),
            (None, Some(CustodyState::Lifting))
        );
        assert_eq!(state(Lifted, Some(&lifting), UNTIL), Some(CustodyState::Released));
        let lifted = told(5, 5, Some((6, Answer::Done)));
        assert_eq!(
            (due_at(Lifted, Some(&lifted), 90), state(Lifted, Some(&lifted), 90)),
            (None, Some(CustodyState::Released))
        );
    }

    /// Whichever of the two it has to know.
    #[test]
    fn a_box_that_goes_by_a_later_order_is_told_again_at_once_and_then_once_a_day() {
        use HoldState::{Held, Lifted};
        for reason in [Reason::Superseded, Reason::Replayed] {
            let mut put_on = told(1, UNTIL, Some((2, refused(reason.clone()))));
            let mut lifted = told(1, 1, Some((2, refused(reason))));
            assert_eq!(due_at(Held, Some(&put_on), 2), Some(hour(UNTIL)));
            assert_eq!(due_at(Lifted, Some(&lifted), 2), Some(hour(2)));
            assert_eq!(state(Held, Some(&put_on), 2), Some(CustodyState::Refused));
            (put_on.outdone_before, lifted.outdone_before) = (true, true);
            for now in [2, 25] {
                assert_eq!(
                    (due_at(Held, Some(&put_on), now), due_at(Lifted, Some(&lifted), now)),
                    (None, None)
                );
            }
            assert_eq!(due_at(Held, Some(&put_on), 26), Some(hour(UNTIL)));
            assert_eq!(due_at(Lifted, Some(&lifted), 26), Some(hour(26)));
        }
    }

    #[test]
    fn at_its_end_it_is_said_what_became_of_it() {
        use HoldState::Over;
        let shown = |reply| state(Over, Some(&told(1, UNTIL, reply)), UNTIL);
        assert_eq!(shown(Some((2, Answer::Done))), Some(CustodyState::Released));
        assert_eq!(shown(None), Some(CustodyState::Silent));
        assert_eq!(shown(Some((2, refused(Reason::NotFound)))), Some(CustodyState::Nothing));
        let custody = custody(
            Over,
            hour(UNTIL),
            Some(&told(1, UNTIL, Some((2, refused(Reason::NotFound))))),
            hour(UNTIL),
        )
        .unwrap();
        assert_eq!(
            (custody.answered, custody.reason, custody.detail.as_deref()),
            (Some(hour(2)), Some(Reason::NotFound), Some("because"))
        );
    }

    proptest! {
        /// Whatever was told and answered before: once an order that is due is given, none is due until it is refused or the hold changes.
        #[test]
        fn nothing_is_told_twice_without_a_refusal(
            lifted in any::<bool>(),
            before in prop::option::of((0i64..50, any::<bool>(), prop::option::of((0i64..50, 0usize..5)))),
            now in 50i64..UNTIL,
        ) {
            let hold = if lifted { HoldState::Lifted } else { HoldState::Held };
            let answers = [
                Answer::Done,
                refused(Reason::NotFound),
                refused(Reason::UnknownOrder),
                refused(Reason::Failed),
                refused(Reason::Superseded),
            ];
            let before = before.map(|(issued, lifts, reply)| {
                // What was lifted stays so.
                let until = if lifts && lifted { issued } else { UNTIL };
                told(issued, until, reply.map(|(at, answer)| (issued + at, answers[answer].clone())))
            });
            if let Some(until) = due(hold, hour(UNTIL), before.as_ref(), hour(now)) {
                let given = Told { issued: hour(now), until, reply: None, outdone_before: false };
                prop_assert_eq!(given.lifts(), lifted);
                prop_assert_eq!(due(hold, hour(UNTIL), Some(&given), hour(UNTIL - 1)), None);
            } else if let Some(told) = &before {
                let ignorant = told.refusal() == Some(&Reason::UnknownOrder);
                prop_assert!(told.lifts() == lifted || ignorant, "the box believes something else");
            } else {
                prop_assert!(lifted);
            }
        }
    }
}
