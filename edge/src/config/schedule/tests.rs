use super::*;

fn hours(zone: &str, schedule: &str) -> Hours {
    let schedule: Schedule = toml::from_str(&format!("id = 's'\n{schedule}")).unwrap();
    let id = schedule.id.clone();
    let calendar = Calendar { time_zone: zone.to_owned().try_into().unwrap(), schedules: vec![schedule] };
    calendar.hours(Some(&id))
}

/// Open at this moment, given as UTC?
fn open(hours: &Hours, time: &str) -> bool {
    hours.are_open(time.parse().unwrap())
}

#[test]
fn without_a_schedule_a_rule_always_applies() {
    assert!(Calendar::default().hours(None).are_open("2026-01-01T03:00:00Z".parse().unwrap()));
}

#[test]
fn a_span_past_midnight_belongs_to_the_day_it_begins_on() {
    // 2026-11-20 is a Friday.
    let hours = hours("UTC", "weekdays = ['fri']\nspans = ['22:00-06:00']");
    for (time, expected) in [
        ("2026-11-20T05:00:00Z", false),
        ("2026-11-20T21:59:59Z", false),
        ("2026-11-20T22:00:00Z", true),
        ("2026-11-21T05:59:59Z", true),
        ("2026-11-21T06:00:00Z", false),
        ("2026-11-21T22:30:00Z", false),
    ] {
        assert_eq!(open(&hours, time), expected, "{time}");
    }
}

#[test]
fn the_clock_is_the_sites() {
    let hours = hours("Asia/Shanghai", "spans = ['22:00-06:00']");
    assert!(open(&hours, "2026-11-20T14:00:00Z"), "22:00 in Shanghai");
    assert!(!open(&hours, "2026-11-20T13:59:00Z"));
    assert!(!open(&hours, "2026-11-20T22:00:00Z"), "06:00 in Shanghai");
}

#[test]
fn daylight_saving_follows_the_clock_on_the_wall() {
    let hours = hours("Europe/Berlin", "spans = ['02:00-03:00', '22:00-23:00']");
    // Forward on 2026-03-29: 02:00 becomes 03:00, so the hour does not happen.
    assert!(!open(&hours, "2026-03-29T00:59:59Z") && !open(&hours, "2026-03-29T01:00:00Z"));
    assert!(open(&hours, "2026-03-28T21:30:00Z"), "22:30 in winter");
    assert!(open(&hours, "2026-03-29T20:30:00Z"), "22:30 in summer");
    assert!(!open(&hours, "2026-03-29T21:30:00Z"));
    // Back on 2026-10-25: the hour happens twice.
    assert!(open(&hours, "2026-10-25T00:30:00Z") && open(&hours, "2026-10-25T01:30:00Z"));
    assert!(!open(&hours, "2026-10-25T02:00:00Z"));
}

#[test]
fn holidays_as_told() {
    let with = |on_holidays: &str| {
        hours(
            "UTC",
            &format!(
                "weekdays = ['mon', 'tue', 'wed', 'thu', 'fri']\nspans = ['20:00-04:00']\n\
                 holidays = ['2026-10-01', '2026-10-03']\non_holidays = '{on_holidays}'"
            ),
        )
    };
    // 1 October 2026 is a Thursday, the 3rd a Saturday.
    let told = |on_holidays: &str| {
        let hours = with(on_holidays);
        [
            "2026-10-01T02:00:00Z",
            "2026-10-01T12:00:00Z",
            "2026-10-01T21:00:00Z",
            "2026-10-02T02:00:00Z",
            "2026-10-03T12:00:00Z",
        ]
        .map(|time| open(&hours, time))
    };
    assert_eq!(told("as_usual"), [true, false, true, true, false]);
    // The night that began on Wednesday goes on, the one of the holiday does not begin.
    assert_eq!(told("never"), [true, false, false, false, false]);
    assert_eq!(told("all_day"), [true, true, true, false, true]);
}

#[test]
fn outside_of_term_every_day_is_a_holiday() {
    let hours = hours(
        "UTC",
        "spans = ['20:00-04:00']\non_holidays = 'all_day'\n\
         terms = [{ from = '2026-03-01', to = '2026-07-10' }, { from = '2026-09-01', to = '2027-01-22' }]",
    );
    for (time, expected) in [
        ("2026-07-10T12:00:00Z", false),
        ("2026-07-11T12:00:00Z", true),
        ("2026-08-31T12:00:00Z", true),
        ("2026-09-01T12:00:00Z", false),
        ("2026-09-01T21:00:00Z", true),
        ("2027-01-23T12:00:00Z", true),
    ] {
        assert_eq!(open(&hours, time), expected, "{time}");
    }
}

#[test]
fn nonsense_is_refused_with_a_reason() {
    let error = |text: &str| toml::from_str::<Schedule>(text).unwrap_err().to_string();
    assert!(error("id = 'Night'").contains("is not allowed in a name"));
    assert!(error("id = 's'\nweekdays = ['monday']").contains("mon"));
    assert!(error("id = 's'\nholidays = ['1 October']").contains("holidays"));
    assert!(TimeZone::try_from("Mars/Olympus".to_owned()).unwrap_err().contains("IANA name"));
}
