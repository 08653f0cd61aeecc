use gatepost_wire::command::WantedMode;
use proptest::prelude::*;

use super::*;
use crate::config::Schedule;

const MINUTE: Duration = Duration::from_secs(60);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn sensor(name: &str) -> Input {
    Input::Sensor { sensor: name.parse().unwrap() }
}

fn noon() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn away(bypass: &[Input]) -> WantedMode {
    WantedMode::ArmedAway { bypass: bypass.to_vec() }
}

fn stay(bypass: &[Input]) -> WantedMode {
    WantedMode::ArmedStay { bypass: bypass.to_vec() }
}

fn maintenance(minutes: u32) -> WantedMode {
    WantedMode::Maintenance { for_s: 60 * minutes }
}

const SITE: &str = r#"
id = "school"
mode = "disarmed"
exit_delay_s = 60
entry_delay_s = 30
member = [
    { sensor = "fence" },
    { sensor = "door", role = "entry" },
    { camera = "hall", role = "interior" },
    { camera = "hall", zone = "safe" },
    { sensor = "smoke", role = "always" },
]
"#;

fn area(text: &str) -> config::Area {
    toml::from_str(text).unwrap()
}

fn hall() -> Input {
    Input::Zone { camera: "hall".parse().unwrap(), zone: "floor".parse().unwrap() }
}

fn calendar() -> Calendar {
    let night: Schedule = toml::from_str(
        "id = 'night'\nspans = ['22:00-06:00']\nholidays = ['2026-12-25']\non_holidays = 'all_day'\n\
         terms = [{ from = '2026-09-01', to = '2026-12-31' }]",
    )
    .unwrap();
    Calendar { schedules: vec![night], ..Calendar::default() }
}

struct Site {
    arming: Arming,
    areas: Vec<config::Area>,
}

impl Site {
    fn new(text: &str) -> Self {
        let areas = vec![area(text)];
        let (arming, _) = Arming::new(&areas, &calendar(), None, Duration::ZERO, noon());
        Self { arming, areas }
    }

    fn order(&mut self, mode: WantedMode, at: Duration) -> Result<Change, Refusal> {
        let area = self.areas[0].id.clone();
        let cause = Cause::Command { who: "王丽".into(), why: "evening".into() };
        self.arming.order(&SetMode { area, mode, extra: Default::default() }, cause, at)
    }

    fn armed_away() -> Self {
        let mut this = Self::new(SITE);
        this.order(away(&[]), Duration::ZERO).unwrap();
        let changes = this.arming.tick(seconds(60), noon());
        assert_eq!(stages(&changes), [(Mode::ArmedAway, Stage::Set)]);
        this
    }

    fn verdict(&mut self, input: &Input, at: Duration) -> Verdict {
        self.arming.trip(input, at).0
    }

    fn mode(&self) -> (Mode, Stage) {
        let state = &self.arming.states()[0];
        (state.mode, state.stage)
    }

    /// The daemon dies at `at` and starts again.
    fn restarted(self, at: Duration, elapsed: Elapsed, time: Timestamp) -> (Self, Vec<Change>) {
        let json = serde_json::to_string(&self.arming.saved(at)).unwrap();
        let saved = serde_json::from_str(&json).unwrap();
        let start = Duration::from_millis(3);
        let (arming, changes) = Arming::new(&self.areas, &calendar(), Some((saved, elapsed)), start, time);
        (Self { arming, areas: self.areas }, changes)
    }
}

fn stages(changes: &[Change]) -> Vec<(Mode, Stage)> {
    changes.iter().map(|change| (change.mode, change.stage)).collect()
}

const RECORDED: Verdict = Verdict::Rests { record: true };

#[test]
fn without_areas_everything_counts() {
    let (mut arming, changes) = Arming::new(&[], &calendar(), None, Duration::ZERO, noon());
    assert!(changes.is_empty());
    assert_eq!(arming.trip(&sensor("fence"), MINUTE), (Verdict::Counts, None));
}

#[test]
fn what_counts_in_which_mode() {
    use Verdict::Counts;
    let safe = Input::Zone { camera: "hall".parse().unwrap(), zone: "safe".parse().unwrap() };
    let verdicts = |mode: WantedMode| {
        let mut site = Site::new(SITE);
        site.order(mode, Duration::ZERO).unwrap();
        site.arming.tick(MINUTE, noon());
        [&sensor("fence"), &safe, &hall(), &sensor("smoke"), &sensor("door")]
            .map(|input| site.verdict(input, MINUTE))
    };
    let rests = [RECORDED, RECORDED, RECORDED, Counts, RECORDED];
    assert_eq!(verdicts(WantedMode::Disarmed), rests);
    assert_eq!(verdicts(maintenance(2)), rests);
    assert_eq!(verdicts(stay(&[])), [Counts, Counts, RECORDED, Counts, Verdict::Waits]);
    assert_eq!(verdicts(away(&[])), [Counts, Counts, Counts, Counts, Verdict::Waits]);
}

#[test]
fn what_does_not_count_is_counted_and_told_with_the_next_change() {
    let mut site = Site::new(&format!("{SITE}when_disarmed = 'count'"));
    for _ in 0..3 {
        assert_eq!(site.verdict(&sensor("fence"), MINUTE), Verdict::Rests { record: false });
    }
    assert_eq!(site.order(stay(&[]), MINUTE).unwrap().passed, 3);
    assert_eq!(site.order(WantedMode::Disarmed, MINUTE).unwrap().passed, 0);
}

#[test]
fn during_the_exit_delay_the_way_out_does_not_count() {
    let mut site = Site::new(SITE);
    let change = site.order(away(&[]), seconds(10)).unwrap();
    assert_eq!((change.stage, change.until), (Stage::ExitDelay, Some(seconds(70))));
    assert_eq!(site.arming.next_due(), Some(seconds(70)));
    assert_eq!(site.verdict(&sensor("door"), seconds(69)), RECORDED);
    assert_eq!(site.verdict(&hall(), seconds(69)), RECORDED);
    assert_eq!(site.verdict(&sensor("fence"), seconds(69)), Verdict::Counts);
    assert!(site.arming.tick(seconds(69), noon()).is_empty());
    assert_eq!(stages(&site.arming.tick(seconds(70), noon())), [(Mode::ArmedAway, Stage::Set)]);
    assert_eq!(site.verdict(&hall(), seconds(71)), Verdict::Counts);
}

#[test]
fn whoever_is_still_inside_when_the_exit_delay_ends_gets_the_entry_delay() {
    let mut site = Site::new(SITE);
    site.arming.set_open(&hall(), true);
    site.order(away(&[]), Duration::ZERO).unwrap();
    let changes = site.arming.tick(seconds(60), noon());
    assert_eq!(changes[0].cause, Cause::Input { input: hall() });
    assert_eq!((changes[0].stage, changes[0].until), (Stage::EntryDelay, Some(seconds(90))));
    let changes = site.arming.tick(seconds(90), noon());
    assert_eq!(changes[0].waited, Some(Waited::InVain(vec![hall()])));
}

#[test]
fn coming_in_and_disarming_in_time_is_no_alarm() {
    let mut site = Site::armed_away();
    let (verdict, change) = site.arming.trip(&sensor("door"), seconds(100));
    assert_eq!(verdict, Verdict::Waits);
    let change = change.unwrap();
    assert_eq!((change.stage, change.until), (Stage::EntryDelay, Some(seconds(130))));
    assert_eq!(site.verdict(&hall(), seconds(110)), Verdict::Waits, "the way to the keypad");
    assert_eq!(site.verdict(&sensor("fence"), seconds(110)), Verdict::Counts, "the perimeter does not wait");
    let disarmed = site.order(WantedMode::Disarmed, seconds(129)).unwrap();
    assert_eq!(disarmed.waited, Some(Waited::Disarmed(vec![sensor("door"), hall()])));
    assert!(site.arming.tick(seconds(200), noon()).is_empty());
}

#[test]
fn coming_in_and_not_disarming_is_an_alarm_and_the_entry_route_counts_at_once_from_then_on() {
    let mut site = Site::armed_away();
    site.verdict(&sensor("door"), seconds(100));
    assert_eq!(site.order(stay(&[]), seconds(110)), Err(Refusal::EntryDelay));
    assert!(site.arming.tick(seconds(129), noon()).is_empty());
    let changes = site.arming.tick(seconds(130), noon());
    assert_eq!(stages(&changes), [(Mode::ArmedAway, Stage::EntryExpired)]);
    assert_eq!(changes[0].waited, Some(Waited::InVain(vec![sensor("door")])));
    assert_eq!(site.verdict(&sensor("door"), seconds(140)), Verdict::Counts);
}

#[test]
fn a_clock_set_by_an_hour_each_way_changes_no_delay() {
    let (mut site, hour) = (Site::armed_away(), jiff::SignedDuration::from_hours(1));
    site.verdict(&sensor("door"), seconds(100));
    for time in [noon() + hour, noon() - hour, noon()] {
        assert!(site.arming.tick(seconds(129), time).is_empty());
    }
    assert_eq!(
        stages(&site.arming.tick(seconds(130), noon() - hour)),
        [(Mode::ArmedAway, Stage::EntryExpired)]
    );
}

const NIGHT: &str = "timetable = [{ schedule = 'night', mode = 'armed_away' }]\n";

#[test]
fn an_hour_that_would_disarm_waits_for_the_end_of_an_entry_delay() {
    let mut site = Site::new(&format!("{NIGHT}{SITE}"));
    let time = |text: &str| -> Timestamp { text.parse().unwrap() };
    site.arming.tick(seconds(1), time("2026-11-25T23:00:00Z"));
    site.arming.tick(seconds(61), time("2026-11-25T23:01:00Z"));
    site.verdict(&sensor("door"), seconds(100));
    // Somebody sets the clock past the hour at which the school opens.
    assert!(site.arming.tick(seconds(110), time("2026-11-26T07:00:00Z")).is_empty());
    let changes = site.arming.tick(seconds(130), time("2026-11-26T07:00:20Z"));
    assert_eq!(stages(&changes), [(Mode::ArmedAway, Stage::EntryExpired), (Mode::Disarmed, Stage::Set)]);
    assert!(matches!(changes[0].waited, Some(Waited::InVain(_))));
}

#[test]
fn what_is_open_keeps_an_area_from_being_armed_unless_somebody_decides() {
    let mut site = Site::new(SITE);
    site.arming.set_open(&sensor("fence"), true);
    site.arming.set_open(&hall(), true);
    let refused = site.order(away(&[]), MINUTE).unwrap_err();
    assert_eq!(refused, Refusal::Open(vec![sensor("fence")]), "the hall is on the way out");
    assert_eq!(site.mode(), (Mode::Disarmed, Stage::Set));
    assert!(refused.to_string().contains("sensor fence"), "{refused}");
    let change = site.order(away(&[sensor("fence")]), MINUTE).unwrap();
    assert_eq!(change.bypassed, [sensor("fence")]);
    assert_eq!(site.verdict(&sensor("fence"), 3 * MINUTE), RECORDED);
    site.order(WantedMode::Disarmed, 4 * MINUTE).unwrap();
    site.arming.set_open(&sensor("fence"), false);
    assert!(site.order(away(&[]), 5 * MINUTE).unwrap().bypassed.is_empty(), "a bypass ends with its mode");
}

#[test]
fn a_faulty_input_is_not_ready_and_a_blind_camera_makes_its_zones_so() {
    let mut site = Site::new(SITE);
    let camera = Input::Camera { camera: "hall".parse().unwrap() };
    site.arming.set_faulty(&camera, true);
    site.arming.set_faulty(&sensor("of-no-area"), true);
    let refused = site.order(stay(&[]), MINUTE).unwrap_err();
    assert_eq!(refused, Refusal::Open(vec![camera.clone()]), "its zone `safe` belongs to the perimeter");
    site.order(stay(std::slice::from_ref(&camera)), MINUTE).unwrap();
    site.arming.set_faulty(&camera, false);
    assert!(site.arming.states()[0].open.is_empty());
}

#[test]
fn nothing_bypasses_a_24_hour_input() {
    let mut site = Site::new(SITE);
    let refused = |site: &mut Site, inputs: &[Input]| site.order(away(inputs), MINUTE).unwrap_err();
    assert_eq!(refused(&mut site, &[sensor("smoke")]), Refusal::NeverRests(sensor("smoke")));
    assert_eq!(refused(&mut site, &[sensor("shed")]), Refusal::NotOfThisArea(sensor("shed")));
    let area: AreaId = "library".parse().unwrap();
    let order = SetMode { area: area.clone(), mode: WantedMode::Disarmed, extra: Default::default() };
    assert_eq!(site.arming.order(&order, Cause::Timer, MINUTE), Err(Refusal::UnknownArea(area)));
    assert_eq!(site.mode(), (Mode::Disarmed, Stage::Set));
}

#[test]
fn maintenance_ends_by_itself_in_the_mode_that_was_before() {
    let mut site = Site::armed_away();
    let too_long = site.order(maintenance(601), MINUTE).unwrap_err();
    assert!(too_long.to_string().contains("601 min is too long: 480 min"), "{too_long}");
    site.order(maintenance(10), 2 * MINUTE).unwrap();
    assert_eq!(site.mode(), (Mode::Maintenance, Stage::Set));
    assert!(site.arming.tick(11 * MINUTE, noon()).is_empty());
    let changes = site.arming.tick(12 * MINUTE, noon());
    assert_eq!(stages(&changes), [(Mode::ArmedAway, Stage::ExitDelay)]);
    assert_eq!(changes[0].cause, Cause::Timer);
}

#[test]
fn maintenance_that_cannot_end_armed_says_so_and_ends_armed_as_soon_as_it_can() {
    let mut site = Site::armed_away();
    site.order(maintenance(10), MINUTE).unwrap();
    site.arming.set_open(&sensor("fence"), true);
    let changes = site.arming.tick(11 * MINUTE, noon());
    assert_eq!(stages(&changes), [(Mode::Disarmed, Stage::Refused)]);
    assert_eq!(changes[0].open, [sensor("fence")]);
    assert!(site.arming.tick(12 * MINUTE, noon()).is_empty(), "told once");
    site.arming.set_open(&sensor("fence"), false);
    assert_eq!(stages(&site.arming.tick(13 * MINUTE, noon())), [(Mode::ArmedAway, Stage::ExitDelay)]);
}

#[test]
fn a_timetable_may_be_told_to_arm_without_what_is_open() {
    let mut site = Site::new(&format!("when_open = 'bypass'\n{NIGHT}{SITE}"));
    site.arming.set_open(&sensor("fence"), true);
    let changes = site.arming.tick(MINUTE, "2026-11-25T22:00:00Z".parse().unwrap());
    assert_eq!(stages(&changes), [(Mode::ArmedAway, Stage::ExitDelay)]);
    assert_eq!((&changes[0].cause, &changes[0].bypassed[..]), (&Cause::Timetable, &[sensor("fence")][..]));
}

#[test]
fn an_order_holds_until_the_timetables_next_change() {
    let mut site = Site::new(&format!("{NIGHT}{SITE}"));
    let mut at = |time: &str, at: Duration| stages(&site.arming.tick(at, time.parse().unwrap()));
    assert_eq!(at("2026-11-25T22:00:00Z", MINUTE), [(Mode::ArmedAway, Stage::ExitDelay)]);
    site.order(WantedMode::Disarmed, 2 * MINUTE).unwrap();
    let mut at = |time: &str, at: Duration| stages(&site.arming.tick(at, time.parse().unwrap()));
    assert_eq!(at("2026-11-26T01:00:00Z", 181 * MINUTE), []);
    assert_eq!(at("2026-11-26T06:00:00Z", 481 * MINUTE), [(Mode::Disarmed, Stage::Set)]);
    assert_eq!(at("2026-11-26T22:00:00Z", 1441 * MINUTE), [(Mode::ArmedAway, Stage::ExitDelay)]);
}

#[test]
fn holidays_and_days_outside_of_term_are_days_of_their_own() {
    let starts_as = |time: &str| {
        let areas = [area(&format!("{NIGHT}{SITE}"))];
        let (arming, _) = Arming::new(&areas, &calendar(), None, Duration::ZERO, time.parse().unwrap());
        arming.states()[0].mode
    };
    assert_eq!(starts_as("2026-11-25T12:00:00Z"), Mode::Disarmed);
    assert_eq!(starts_as("2026-12-25T12:00:00Z"), Mode::ArmedAway, "a holiday");
    assert_eq!(starts_as("2027-01-05T12:00:00Z"), Mode::ArmedAway, "no term");
}

#[test]
fn a_restart_takes_nothing_from_a_delay_and_a_power_cut_ends_it() {
    let leaving = || {
        let mut site = Site::new(SITE);
        site.order(away(&[]), Duration::ZERO).unwrap();
        site
    };
    let (mut site, changes) = leaving().restarted(seconds(20), Elapsed::Counted(seconds(10)), noon());
    assert_eq!(stages(&changes), [(Mode::ArmedAway, Stage::ExitDelay)]);
    assert!(site.arming.tick(seconds(29), noon()).is_empty());
    assert_eq!(stages(&site.arming.tick(seconds(31), noon())), [(Mode::ArmedAway, Stage::Set)]);
    let (site, _) = leaving().restarted(seconds(20), Elapsed::PowerCut(Duration::ZERO), noon());
    assert_eq!(site.mode(), (Mode::ArmedAway, Stage::Set));

    let entered = || {
        let mut site = Site::armed_away();
        site.verdict(&sensor("door"), seconds(100));
        site
    };
    let (mut site, _) = entered().restarted(seconds(110), Elapsed::Counted(seconds(5)), noon());
    assert_eq!(site.mode(), (Mode::ArmedAway, Stage::EntryDelay));
    let changes = site.arming.tick(seconds(16), noon());
    assert_eq!(changes[0].waited, Some(Waited::InVain(vec![sensor("door")])));
    // Whoever cuts the power after coming in gains nothing.
    let (_, changes) = entered().restarted(seconds(110), Elapsed::PowerCut(Duration::ZERO), noon());
    assert_eq!(changes[1].waited, Some(Waited::InVain(vec![sensor("door")])));
}

#[test]
fn maintenance_and_bypasses_survive_a_power_cut() {
    let mut site = Site::armed_away();
    site.order(maintenance(10), MINUTE).unwrap();
    let (mut site, _) = site.restarted(2 * MINUTE, Elapsed::PowerCut(4 * MINUTE), noon());
    assert_eq!(site.mode(), (Mode::Maintenance, Stage::Set));
    assert!(site.arming.tick(4 * MINUTE, noon()).is_empty());
    assert_eq!(stages(&site.arming.tick(6 * MINUTE, noon())), [(Mode::ArmedAway, Stage::ExitDelay)]);

    let mut site = Site::new(SITE);
    site.order(stay(&[sensor("fence")]), MINUTE).unwrap();
    let (mut site, _) = site.restarted(3 * MINUTE, Elapsed::PowerCut(MINUTE), noon());
    assert_eq!(site.verdict(&sensor("fence"), MINUTE), RECORDED);
}

#[test]
fn an_hour_missed_while_the_box_was_off_is_made_up_for() {
    let site = Site::new(&format!("{NIGHT}{SITE}"));
    let late = "2026-11-25T23:30:00Z".parse().unwrap();
    let (_, changes) = site.restarted(MINUTE, Elapsed::PowerCut(600 * MINUTE), late);
    assert_eq!(stages(&changes), [(Mode::Disarmed, Stage::Set), (Mode::ArmedAway, Stage::ExitDelay)]);
}

/// Something that happens to a site in a life of months.
#[derive(Debug, Clone)]
enum Act {
    Pass(u64),
    SetClock(i64),
    Trip(usize),
    Open(usize, bool),
    Order(usize, u32),
    Restart(bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => prop_oneof![0..40u64, 0..200_000u64].prop_map(Act::Pass),
        1 => (-4000..4000i64).prop_map(Act::SetClock),
        3 => (0..4usize).prop_map(Act::Trip),
        1 => (0..4usize, any::<bool>()).prop_map(|(input, open)| Act::Open(input, open)),
        2 => (0..4usize, 1..500u32).prop_map(|(mode, minutes)| Act::Order(mode, minutes)),
        1 => any::<bool>().prop_map(Act::Restart),
    ]
}

proptest! {
    /// Months of anything: a 24-hour input always counts; no delay and no maintenance lasts longer than it may; whatever
    /// waits is told of once, as an alarm or as disarmed.
    #[test]
    fn in_any_life(acts in prop::collection::vec(act(), 1..120)) {
        let mut site = Site::new(&format!("{NIGHT}{SITE}"));
        let inputs = [sensor("fence"), sensor("door"), hall(), sensor("smoke")];
        let (mut at, mut time) = (Duration::ZERO, noon());
        let mut waiting: std::collections::BTreeSet<Input> = Default::default();
        for act in acts {
            let mut changes = Vec::new();
            match act {
                Act::Pass(secs) => {
                    at += seconds(secs);
                    time += seconds(secs);
                }
                Act::SetClock(secs) => time += jiff::SignedDuration::from_secs(secs),
                Act::Trip(input) => {
                    let (verdict, change) = site.arming.trip(&inputs[input], at);
                    prop_assert!(input != 3 || verdict == Verdict::Counts);
                    if verdict == Verdict::Waits {
                        waiting.insert(inputs[input].clone());
                    }
                    changes.extend(change);
                }
                Act::Open(input, open) => site.arming.set_open(&inputs[input], open),
                Act::Order(mode, minutes) => {
                    let modes = [WantedMode::Disarmed, stay(&[]), away(&[])];
                    let wanted = modes.get(mode).cloned().unwrap_or(maintenance(minutes));
                    changes.extend(site.order(wanted, at));
                }
                Act::Restart(power_cut) => {
                    let elapsed = if power_cut { Elapsed::PowerCut(MINUTE) } else { Elapsed::Counted(seconds(2)) };
                    let (restarted, told) = site.restarted(at, elapsed, time);
                    (site, at) = (restarted, Duration::from_millis(3));
                    changes.extend(told);
                }
            }
            changes.extend(site.arming.tick(at, time));
            for change in &changes {
                match &change.waited {
                    Some(Waited::InVain(inputs)) => {
                        // What was open when the exit delay ended waits too, without a trip.
                        waiting.retain(|input| !inputs.contains(input));
                    }
                    Some(Waited::Disarmed(inputs)) => waiting.retain(|input| !inputs.contains(input)),
                    None => {}
                }
            }
            let state = &site.arming.states()[0];
            prop_assert!(state.until.is_none_or(|until| until > at && until <= at + 480 * MINUTE));
            prop_assert_eq!(state.until.is_some(), state.stage != Stage::Set || state.mode == Mode::Maintenance);
            prop_assert!(waiting.is_empty() || state.stage == Stage::EntryDelay, "{:?} is forgotten", waiting);
        }
    }
}
