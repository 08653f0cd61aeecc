//! Legal hold: evidence of an alarm that is kept although its time is over. Two people put it on, and two take it off again.
//!
//! What was said is a row of [steps](Taken) that is only added to; how a hold [stands](HoldState) follows from them and the clock. The alarm's box
//! is told to keep what it has, too; whether it does is its [`Custody`].

mod custody;

use gatepost_wire::command::LONGEST_HOLD;
use gatepost_wire::{AlarmId, EdgeId, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use ulid::Ulid;
use utoipa::ToSchema;

use crate::access::PersonName;
use crate::viewing::Statement;

pub use custody::{Custody, CustodyState, Replied, Told, anew, custody, due};

/// No hold lasts longer; who needs it longer proposes another one.
pub const LONGEST: SignedDuration = LONGEST_HOLD;

/// A proposal waits for so long for its second person.
pub const PROPOSAL_LASTS: SignedDuration = SignedDuration::from_hours(72);

/// A ULID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct HoldId(Ulid);

impl HoldId {
    /// A new one.
    pub fn new() -> Self {
        Self(Ulid::generate())
    }
}

impl Default for HoldId {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for HoldId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for HoldId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error| format!("{text:?} is no ULID: {error}"))
    }
}

/// What somebody does with a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldStep {
    /// Agrees to a proposal: the evidence is held from now on.
    Confirm,
    /// Does not, or takes back their own.
    Decline,
    /// Proposes to lift it.
    Lift,
    /// Agrees to lift it: the evidence goes when its time is over.
    ConfirmLift,
    /// Does not: it stays held.
    Keep,
}

impl HoldStep {
    const ALL: [Self; 5] = [Self::Confirm, Self::Decline, Self::Lift, Self::ConfirmLift, Self::Keep];

    /// Has to be said why.
    pub const fn needs_words(self) -> bool {
        matches!(self, Self::Decline | Self::Lift | Self::Keep)
    }
}

/// How a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// A second person has to confirm it. Nothing is held yet.
    Proposed,
    /// A second person did not.
    Declined,
    /// Nobody did in time.
    Lapsed,
    /// The evidence is held.
    Held,
    /// It is held, and somebody proposed to lift it.
    LiftProposed,
    /// Two people lifted it.
    Lifted,
    /// Its end has come.
    Over,
}

/// A step that was taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Taken {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Who, by what they sign in.
    #[schema(value_type = String, format = "person-name", example = "li.na")]
    pub person: PersonName,
    /// Who, as records name them.
    #[schema(example = "李娜 (li.na)")]
    pub who: String,
    /// What.
    pub step: HoldStep,
    /// What was said with it.
    #[schema(example = "已与派出所核实")]
    pub text: Option<String>,
}

/// A hold on the evidence of an alarm.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "number": 3, "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "alarm": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "edge": "gate-1",
    "reason": "police report 17", "until": "2026-07-31T00:00:00Z", "time": "2026-01-31T08:30:00Z", "person": "wang.li",
    "who": "王丽 (wang.li)", "state": "held", "may": ["lift"],
    "custody": { "state": "held", "answered": "2026-01-31T09:00:01Z", "reason": null, "detail": null },
    "steps": [{ "time": "2026-01-31T09:00:00Z", "person": "li.na", "who": "李娜 (li.na)", "step": "confirm", "text": null }]
}))]
pub struct Hold {
    /// Its place in the list.
    pub number: i64,
    /// ULID.
    #[schema(value_type = String, format = "ulid")]
    pub id: HoldId,
    /// Whose pictures and clips are held.
    #[schema(value_type = String, format = "ulid")]
    pub alarm: AlarmId,
    /// The box the alarm comes from.
    #[schema(value_type = String, format = "name")]
    pub edge: EdgeId,
    /// What for.
    pub reason: String,
    /// It ends then by itself.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// When it was proposed.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// By whom, by what they sign in.
    #[schema(value_type = String, format = "person-name")]
    pub person: PersonName,
    /// By whom, as records name them.
    pub who: String,
    /// How it stands.
    pub state: HoldState,
    /// Whether its box keeps what it has; null: the box was not to know of it.
    pub custody: Option<Custody>,
    /// What was done since, the first first.
    pub steps: Vec<Taken>,
    /// What who asks may do now.
    pub may: Vec<HoldStep>,
}

/// A hold that is proposed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whose pictures and clips.
    pub alarm: AlarmId,
    /// What for.
    pub reason: Statement,
    /// Until when.
    pub until: Timestamp,
}

/// A step cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// It does not go with how the hold stands.
    #[error("this does not go with how the hold stands: load it anew")]
    WrongState,
    /// The same person proposed it.
    #[error("you proposed it yourself: another person has to agree")]
    Own,
}

impl Hold {
    /// Where it stands, by its steps and the clock.
    pub fn state(proposed: Timestamp, until: Timestamp, steps: &[Taken], now: Timestamp) -> HoldState {
        let over = now >= until;
        match steps.last().map(|taken| taken.step) {
            None if over || now.duration_since(proposed) >= PROPOSAL_LASTS => HoldState::Lapsed,
            None => HoldState::Proposed,
            Some(HoldStep::Decline) => HoldState::Declined,
            Some(HoldStep::ConfirmLift) => HoldState::Lifted,
            Some(_) if over => HoldState::Over,
            Some(HoldStep::Confirm | HoldStep::Keep) => HoldState::Held,
            Some(HoldStep::Lift) => HoldState::LiftProposed,
        }
    }

    /// Can somebody take this step now?
    ///
    /// # Errors
    /// Says why they cannot.
    pub fn check(&self, step: HoldStep, person: &PersonName) -> Result<(), StepError> {
        let proposed_by = match self.state {
            HoldState::LiftProposed => self.steps.last().map_or(&self.person, |taken| &taken.person),
            _ => &self.person,
        };
        match (self.state, step) {
            (HoldState::Proposed, HoldStep::Confirm) | (HoldState::LiftProposed, HoldStep::ConfirmLift) => {
                if proposed_by == person {
                    Err(StepError::Own)
                } else {
                    Ok(())
                }
            }
            (HoldState::Proposed, HoldStep::Decline)
            | (HoldState::Held, HoldStep::Lift)
            | (HoldState::LiftProposed, HoldStep::Keep) => Ok(()),
            _ => Err(StepError::WrongState),
        }
    }

    /// What somebody may do now.
    pub fn choices(&self, person: &PersonName) -> Vec<HoldStep> {
        HoldStep::ALL.into_iter().filter(|step| self.check(*step, person).is_ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(number: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(number)
    }

    fn hold(steps: &[(&str, HoldStep)], now: i64) -> Hold {
        let taken = |(name, step): &(&str, HoldStep)| {
            let (person, who) = (name.parse().unwrap(), (*name).to_owned());
            Taken { time: hour(1), person, who, step: *step, text: None }
        };
        let steps: Vec<Taken> = steps.iter().map(taken).collect();
        let state = Hold::state(hour(0), hour(1000), &steps, hour(now));
        Hold {
            number: 1,
            id: HoldId::new(),
            alarm: "01ARZ3NDEKTSV4RRFFQ69G5FAX".parse().unwrap(),
            edge: "gate-1".parse().unwrap(),
            reason: "report 17".into(),
            until: hour(1000),
            time: hour(0),
            person: "wang.li".parse().unwrap(),
            who: "wang.li".into(),
            state,
            custody: None,
            steps,
            may: Vec::new(),
        }
    }

    fn choices(steps: &[(&str, HoldStep)], name: &str) -> Vec<HoldStep> {
        hold(steps, 2).choices(&name.parse().unwrap())
    }

    #[test]
    fn nobody_puts_it_on_or_takes_it_off_alone() {
        use HoldStep::{Confirm, ConfirmLift, Decline, Keep, Lift};
        assert_eq!(choices(&[], "wang.li"), [Decline]);
        assert_eq!(choices(&[], "li.na"), [Confirm, Decline]);
        let held = [("li.na", Confirm)];
        assert_eq!(choices(&held, "wang.li"), [Lift]);
        let lifting = [("li.na", Confirm), ("li.na", Lift)];
        assert_eq!(choices(&lifting, "li.na"), [Keep]);
        assert_eq!(choices(&lifting, "wang.li"), [ConfirmLift, Keep]);
        let kept = [("li.na", Confirm), ("li.na", Lift), ("wang.li", Keep)];
        assert_eq!(choices(&kept, "li.na"), [Lift], "and may be proposed once more");
        assert_eq!(hold(&[], 2).check(Confirm, &"wang.li".parse().unwrap()), Err(StepError::Own));
        for ended in [vec![("li.na", Decline)], [lifting.as_slice(), &[("wang.li", ConfirmLift)]].concat()] {
            assert_eq!(choices(&ended, "wang.li"), []);
        }
    }

    #[test]
    fn it_ends_by_the_clock_and_a_proposal_sooner() {
        use HoldStep::{Confirm, Lift};
        let state = |steps: &[(&str, HoldStep)], now| hold(steps, now).state;
        assert_eq!((state(&[], 71), state(&[], 72)), (HoldState::Proposed, HoldState::Lapsed));
        let held = [("li.na", Confirm)];
        assert_eq!((state(&held, 999), state(&held, 1000)), (HoldState::Held, HoldState::Over));
        assert_eq!(state(&[("li.na", Confirm), ("li.na", Lift)], 999), HoldState::LiftProposed);
    }
}
