//! The loop as people go through it, and whatever order steps come in.

use proptest::prelude::*;

use super::*;
use crate::access::{Permission, Role};
use crate::incident::{Text, Urge, Urged};

const SEVERITY: Severity = Severity::HIGH;

fn actor(name: &str, roles: &[Role]) -> Actor {
    let may = roles.iter().flat_map(|role| role.permissions()).copied().collect();
    Actor { name: name.parse().unwrap(), may }
}

fn text(words: &str) -> Text {
    words.to_owned().try_into().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn new() -> State {
    State::reported(SEVERITY, &Deadlines::default(), at(0))
}

fn step(state: &State, action: &Action, actor: &Actor) -> Result<State, StepError> {
    state.after(action, actor, SEVERITY, &Deadlines::default(), at(1000))
}

fn real() -> Action {
    Action::Triage { outcome: Outcome::Real, reason: None, text: None }
}

fn assign(to: &str) -> Action {
    Action::Assign { to: to.parse().unwrap(), text: None }
}

#[test]
fn an_incident_goes_its_way_and_nobody_verifies_their_own_work() {
    let operator = actor("wang", &[Role::Operator]);
    let handler = actor("zhao", &[Role::Handler]);
    let both = actor("zhao", &[Role::Handler, Role::Supervisor]);
    let supervisor = actor("li", &[Role::Supervisor]);
    let fed_back = || Action::FeedBack { text: text("a ball; gave it back") };
    let way = [
        (real(), &operator, Stage::Triaged),
        (assign("zhao"), &operator, Stage::Assigned),
        (Action::Return { text: text("off duty") }, &handler, Stage::Triaged),
        (assign("zhao"), &operator, Stage::Assigned),
        (Action::Accept {}, &handler, Stage::Accepted),
        (Action::Begin {}, &handler, Stage::Handling),
        (fed_back(), &handler, Stage::FedBack),
        (Action::Fail { text: text("the gate is still open") }, &supervisor, Stage::Handling),
        (fed_back(), &handler, Stage::FedBack),
        (Action::Pass { text: None }, &supervisor, Stage::Verified),
        (Action::Close { text: None }, &operator, Stage::Closed),
        (Action::Evaluate { grade: 5.try_into().unwrap(), text: None }, &supervisor, Stage::Evaluated),
    ];
    let mut state = new();
    for (action, who, stage) in way {
        if state.stage == Stage::FedBack {
            assert_eq!(step(&state, &action, &both), Err(StepError::OwnWork));
        }
        assert!(step(&state, &action, &actor("x", &[Role::Auditor])).is_err());
        let next = step(&state, &action, who).unwrap_or_else(|error| panic!("{action:?}: {error}"));
        assert_eq!(next.stage, stage, "{action:?}");
        state = next;
    }
    assert!(!state.stage.is_open());
    assert_eq!(step(&state, &real(), &operator), Err(StepError::WrongStage), "nothing opens it again");
}

#[test]
fn a_false_alarm_ends_with_a_reason() {
    let operator = actor("wang", &[Role::Operator]);
    let triage = |outcome, reason| Action::Triage { outcome, reason, text: None };
    let unsaid = step(&new(), &triage(Outcome::FalseAlarm, None), &operator);
    assert!(matches!(unsaid, Err(StepError::Parameter { name: "reason", .. })));
    let closed = step(&new(), &triage(Outcome::FalseAlarm, Some(FalseReason::Plant)), &operator).unwrap();
    assert_eq!((closed.stage, closed.reason, closed.due), (Stage::Closed, Some(FalseReason::Plant), None));
    assert!(step(&new(), &triage(Outcome::Real, Some(FalseReason::Plant)), &operator).is_err());
    // Who looked first was wrong.
    let triaged = step(&new(), &real(), &operator).unwrap();
    assert_eq!(step(&triaged, &real(), &operator), Err(StepError::WrongStage));
    assert_eq!(step(&triaged, &triage(Outcome::Test, None), &operator).unwrap().stage, Stage::Closed);
    let alone = step(&triaged, &Action::Close { text: None }, &operator);
    assert!(matches!(alone, Err(StepError::Parameter { name: "text", .. })), "{alone:?}");
}

fn ask(until: i64) -> Action {
    Action::RequestExtension { until: at(until), text: text("waiting for the key") }
}

/// An operator asks for more time, and a supervisor gives it.
fn extended(state: &State, until: i64) -> State {
    let asked = step(state, &ask(until), &actor("wang", &[Role::Operator])).unwrap();
    step(&asked, &Action::ApproveExtension { text: None }, &actor("li", &[Role::Supervisor])).unwrap()
}

#[test]
fn who_works_it_asks_for_more_time_and_a_second_person_decides() {
    let operator = actor("wang", &[Role::Operator]);
    let handler = actor("zhao", &[Role::Handler]);
    let supervisor = actor("li", &[Role::Supervisor]);
    let (yes, no) =
        (Action::ApproveExtension { text: None }, Action::DeclineExtension { text: text("go now") });
    let state = new();
    assert_eq!(step(&state, &yes, &supervisor), Err(StepError::WrongStage), "nobody asked");
    assert_eq!(step(&state, &ask(9000), &handler), Err(StepError::NotYours));
    for until in [1000, 1000 + 30 * 86_400 + 1] {
        assert!(matches!(step(&state, &ask(until), &operator), Err(StepError::Parameter { .. })), "{until}");
    }
    let later = State { due: Some(at(9000)), ..state.clone() };
    assert!(matches!(step(&later, &ask(9000), &operator), Err(StepError::Parameter { name: "until", .. })));
    let asked = step(&state, &ask(9000), &operator).unwrap();
    assert_eq!((asked.due, asked.is_overdue(at(1000))), (state.due, true), "asking alone moves nothing");
    assert_eq!(step(&asked, &ask(9500), &operator), Err(StepError::WrongStage), "one at a time");
    assert!(matches!(step(&asked, &yes, &operator), Err(StepError::Forbidden(Permission::VerifyIncidents))));
    let given = step(&asked, &yes, &supervisor).unwrap();
    assert_eq!((given.due, given.extension.clone()), (Some(at(9000)), None));
    let refused = step(&asked, &no, &supervisor).unwrap();
    assert_eq!(refused, state);
    // A supervisor may ask, like anybody who works it; another one decides.
    let theirs = step(&state, &ask(9000), &supervisor).unwrap();
    for deed in [&yes, &no] {
        assert_eq!(step(&theirs, deed, &supervisor), Err(StepError::OwnTime));
    }
    assert_eq!(step(&theirs, &yes, &actor("chen", &[Role::Supervisor])).unwrap().due, Some(at(9000)));
    // Nor does who is given the time decide, whoever asked for them.
    let assigned = step(&step(&state, &assign("li"), &operator).unwrap(), &ask(9000), &operator).unwrap();
    assert_eq!(step(&assigned, &yes, &supervisor), Err(StepError::OwnTime));
    // What was asked for ends with its stage, and with its time.
    assert_eq!(step(&asked, &real(), &operator).unwrap().extension, None);
    let over = asked.after(&yes, &supervisor, SEVERITY, &Deadlines::default(), at(9000));
    assert_eq!(over, Err(StepError::WrongStage));
    let again = asked.after(&ask(9900), &operator, SEVERITY, &Deadlines::default(), at(9000)).unwrap();
    assert_eq!(again.extension.unwrap().until, at(9900));
}

#[test]
fn deadlines_follow_the_stage_and_a_shelf_keeps_them_quiet() {
    let supervisor = actor("li", &[Role::Supervisor]);
    let state = new();
    assert!(!state.is_overdue(at(179)) && state.is_overdue(at(180)));
    let shelve = |until| Action::Shelve { until: at(until), text: text("painters until noon") };
    let shelved = step(&state, &shelve(5000), &supervisor).unwrap();
    assert!(shelved.is_shelved(at(4999)) && !shelved.is_overdue(at(4999)) && shelved.is_overdue(at(5000)));
    for until in [1000, 1000 + 86_401] {
        assert!(
            matches!(step(&state, &shelve(until), &supervisor), Err(StepError::Parameter { .. })),
            "{until}"
        );
    }
    let again = step(&shelved, &Action::Unshelve {}, &supervisor).unwrap();
    assert_eq!(again.shelved_until, None);
    let extended = extended(&state, 9000);
    assert!(!extended.is_overdue(at(8999)) && extended.is_overdue(at(9000)));
    let triaged = step(&extended, &real(), &supervisor).unwrap();
    assert_eq!(triaged.due, Some(at(1600)), "the next stage has its own");
}

#[test]
fn who_is_late_is_reminded_and_then_it_is_escalated_once() {
    let supervisor = actor("li", &[Role::Supervisor]);
    let deadlines = Deadlines::default();
    let said = |state: &State, urge, second| state.once_urged(urge, SEVERITY, &deadlines, at(second));
    let state = new();
    assert_eq!((state.urge(at(179)), state.urge(at(180))), (None, Some(Urge::Remind)));
    // As long again as the stage may take, from when somebody was reminded, however late that was.
    let reminded = said(&state, Urge::Remind, 1000);
    assert_eq!((reminded.urge(at(1179)), reminded.urge(at(1180))), (None, Some(Urge::Escalate)));
    let escalated = said(&reminded, Urge::Escalate, 1180);
    assert!(escalated.escalated && escalated.urge(at(1_000_000)).is_none());
    // Moving the deadline does not escalate the same stage again.
    let extended = extended(&escalated, 9000);
    assert_eq!(extended.urge(at(9000)), Some(Urge::Remind));
    assert_eq!(said(&extended, Urge::Remind, 9000).urge(at(1_000_000)), None);
    let next = step(&extended, &real(), &supervisor).unwrap();
    assert!(!next.escalated);
    assert_eq!(next.urge(at(1600)), Some(Urge::Remind));
    // On the shelf time stands still.
    let shelve = Action::Shelve { until: at(5000), text: text("painters") };
    let shelved = step(&reminded, &shelve, &supervisor).unwrap();
    assert_eq!((shelved.urge(at(4999)), shelved.urge(at(5179))), (None, None));
    assert_eq!(shelved.urge(at(5180)), Some(Urge::Escalate));
    let taken_up = step(&shelved, &Action::Unshelve {}, &supervisor).unwrap();
    assert_eq!(taken_up, State { shelved_until: None, ..reminded.clone() });
    // What becomes graver is escalated sooner, never later.
    let graver = reminded.once_worse(Severity::CRITICAL, &deadlines, at(1010));
    assert_eq!(graver.urged, Urged::Reminded { escalates: Some(at(1070)) });
    let never = Deadlines { escalate_after_s: Some(0), ..deadlines };
    let quiet = state.once_urged(Urge::Remind, SEVERITY, &never, at(180));
    assert_eq!((quiet.urge(at(1_000_000)), quiet.escalated), (None, false));
    let short = Deadlines { reported_s: [1; 4], ..deadlines };
    assert_eq!(short.escalation(Stage::Reported, SEVERITY, at(0)), Some(at(60)), "not at once");
}

fn any_action() -> impl Strategy<Value = Action> {
    let words = || Just(text("words"));
    let people = prop_oneof![Just("wang"), Just("zhao"), Just("li")];
    prop_oneof![
        Just(real()),
        Just(Action::Triage { outcome: Outcome::FalseAlarm, reason: Some(FalseReason::Animal), text: None }),
        people.prop_map(assign),
        Just(Action::Accept {}),
        words().prop_map(|text| Action::Return { text }),
        Just(Action::Begin {}),
        words().prop_map(|text| Action::FeedBack { text }),
        Just(Action::Pass { text: None }),
        words().prop_map(|text| Action::Fail { text }),
        words().prop_map(|text| Action::Close { text: Some(text) }),
        (1_u8..=5).prop_map(|grade| Action::Evaluate { grade: grade.try_into().unwrap(), text: None }),
        words().prop_map(|text| Action::Note { text }),
        words().prop_map(|text| Action::Withdraw { attachment: 1, text }),
        words().prop_map(|text| Action::Shelve { until: at(0), text }),
        Just(Action::Unshelve {}),
        words().prop_map(|text| Action::RequestExtension { until: at(0), text }),
        Just(Action::ApproveExtension { text: None }),
        words().prop_map(|text| Action::DeclineExtension { text }),
    ]
}

proptest! {
    /// Whatever people try in whatever order: an incident that is somebody's has somebody; what is closed stays closed; it is closed
    /// only by a false alarm, by who looked, or after somebody else than its handler has verified it; what a person is offered can be
    /// taken and what is not offered cannot.
    #[test]
    fn the_loop_holds(steps in prop::collection::vec((any_action(), 0_usize..4), 0..60)) {
        let people = [
            actor("wang", &[Role::Operator]),
            actor("zhao", &[Role::Handler]),
            actor("li", &[Role::Supervisor]),
            actor("zhao", &[Role::Handler, Role::Supervisor]),
        ];
        let mut state = new();
        for (action, who) in steps {
            let who = &people[who];
            // Which attachment somebody may withdraw is offered with it, to who may note something.
            let offer = if action.kind() == Kind::Withdraw { Kind::Attach } else { action.kind() };
            let offered = state.choices(who, at(1000)).contains(&offer);
            match step(&state, &action, who) {
                Ok(next) => {
                    prop_assert!(offered);
                    prop_assert!(state.stage.is_open() || !next.stage.is_open(), "it was opened again");
                    let handled = matches!(
                        next.stage,
                        Stage::Assigned | Stage::Accepted | Stage::Handling | Stage::FedBack | Stage::Verified
                    );
                    prop_assert!(!handled || next.assignee.is_some());
                    if next.stage == Stage::Verified && state.stage != Stage::Verified {
                        prop_assert_ne!(next.assignee.as_ref(), Some(&who.name));
                    }
                    if next.stage == Stage::Closed && state.stage != Stage::Closed {
                        prop_assert!(
                            matches!(state.stage, Stage::Reported | Stage::Triaged | Stage::Verified),
                            "closed from {:?}", state.stage
                        );
                    }
                    state = next;
                }
                Err(StepError::Parameter { .. }) => {}
                // A second look finds it real only once; everything else that is refused was not offered.
                Err(_) => {
                    let looked_again = action.kind() == Kind::Triage;
                    prop_assert!(!offered || looked_again);
                }
            }
        }
    }

    /// Whatever people do and whenever the hub looks: it escalates a stage once at most, after a reminder, and no sooner than the span after
    /// it; never what is shelved, closed or in time; and no deadline is moved but by two people.
    #[test]
    fn lateness_holds(
        moves in prop::collection::vec((any_action(), 0_usize..4, 1_i64..2000, any::<bool>()), 0..60),
        escalate_after_s in prop::option::of(0_u32..500),
    ) {
        let people = [
            actor("wang", &[Role::Operator]),
            actor("zhao", &[Role::Handler]),
            actor("li", &[Role::Supervisor]),
            actor("chen", &[Role::Supervisor]),
        ];
        let deadlines = Deadlines { escalate_after_s, ..Deadlines::default() };
        let (mut state, mut second) = (new(), 0);
        let mut reminded: Option<i64> = None;
        let mut asker = None;
        for (action, who, later, acts) in moves {
            second += later;
            let now = at(second);
            if !acts {
                let Some(urge) = state.urge(now) else { continue };
                prop_assert!(state.stage.is_open() && !state.is_shelved(now));
                prop_assert!(state.due.unwrap() <= now);
                let next = state.once_urged(urge, SEVERITY, &deadlines, now);
                match urge {
                    Urge::Remind => reminded = Some(second),
                    Urge::Escalate => {
                        prop_assert!(!state.escalated, "twice in one stage");
                        let span = deadlines.escalation(state.stage, SEVERITY, at(reminded.unwrap()));
                        prop_assert!(span.unwrap() <= now, "sooner than it may be");
                    }
                }
                prop_assert_eq!((next.due, next.stage), (state.due, state.stage));
                prop_assert!(next.urge(now).is_none(), "said again at once");
                state = next;
                continue;
            }
            let until = at(second + 600);
            let action = match action {
                Action::Shelve { text, .. } => Action::Shelve { until, text },
                Action::RequestExtension { text, .. } => Action::RequestExtension { until, text },
                other => other,
            };
            let actor = &people[who];
            let Ok(next) = state.after(&action, actor, SEVERITY, &deadlines, now) else { continue };
            let entered = next.stage != state.stage || action.kind() == Kind::Assign;
            match action.kind() {
                Kind::RequestExtension => asker = Some(actor.name.clone()),
                Kind::ApproveExtension => {
                    prop_assert_ne!(asker.as_ref(), Some(&actor.name));
                    prop_assert_ne!(state.assignee.as_ref(), Some(&actor.name));
                    prop_assert!(next.due > state.due);
                }
                _ => prop_assert!(entered || next.due == state.due, "moved by {:?}", action.kind()),
            }
            if entered {
                prop_assert!(!next.escalated && next.extension.is_none());
                prop_assert_eq!(next.urged, Urged::NotYet);
            } else {
                prop_assert_eq!(next.escalated, state.escalated);
            }
            state = next;
        }
    }
}
