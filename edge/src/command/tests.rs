use gatepost_wire::command::SigningKey;
use gatepost_wire::event::{Event, Phase};
use gatepost_wire::evidence::Original;
use gatepost_wire::{AlarmId, CommandId, EventId, MediaType};
use tempfile::TempDir;
use ulid::Ulid;

use super::*;
use crate::clip::tests::begun;
use crate::clip::{ClipAlarm, Record, Room};
use crate::config::{Config, OutboxLimit};
use crate::event::{Judge, RecordThread};
use crate::identity::IdentityFile;
use crate::linked::LinkedCameras;
use crate::outbox::{self, Delivery, Item, Lane};

/// A box with one clip, whose original says `sealed`.
struct Box {
    dir: TempDir,
    clip: EventId,
    hub: SigningKey,
}

struct Running {
    desk: Desk,
    delivery: Delivery,
    evidence: EvidenceStore,
    record: RecordThread,
}

fn edge() -> EdgeId {
    "gate-1".parse().unwrap()
}

/// With an area to arm.
fn config(data_dir: &std::path::Path) -> Config {
    let example = include_str!("../../../config/edge.example.toml");
    let mut config = crate::config::parse(example, "edge.toml".as_ref()).unwrap();
    config.data_dir = data_dir.to_owned();
    config
}

impl Box {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clip = EventId::from_ulid(Ulid(7));
        let hub = SigningKey::from_pkcs8(&SigningKey::generate_pkcs8().unwrap()).unwrap();
        std::fs::write(dir.path().join("hub.key"), format!("{}\n", hub.verifying_key())).unwrap();
        let this = Self { dir, clip, hub };
        let began = begun(1, 2, std::time::Duration::ZERO);
        let alarm = ClipAlarm { began: began.event, event: clip, data: began.data };
        let record = Record { clip, time: Timestamp::now(), alarms: vec![alarm] };
        this.archive().add(record, b"clip", Some(b"sealed")).unwrap();
        this
    }

    fn archive(&self) -> Archive {
        let keep = std::time::Duration::from_secs(3600);
        let room = Room { keep, disk_share: 0.9, reserve_bytes: 0 };
        Archive::open(&self.dir.path().join("clips"), room).unwrap()
    }

    fn start(&self, originals_allowed: bool) -> Running {
        let path = self.dir.path();
        let (recorder, delivery, open) = outbox::open(&path.join("outbox"), edge()).unwrap();
        let evidence = EvidenceStore::open(&path.join("evidence"), 0).unwrap();
        let clock = Arc::new(Clock::default());
        let linked = Arc::new(LinkedCameras::new(&[], |_| None));
        let limit = OutboxLimit::default();
        let (judge, told, _) = Judge::open(&config(path), Arc::clone(&clock), Arc::clone(&linked)).unwrap();
        let (record, reporter) =
            RecordThread::start(recorder, evidence.clone(), open, (judge, told), linked, None, limit)
                .unwrap();
        let mut uplink = config(path).uplink;
        uplink.hub_key_file = Some(path.join("hub.key"));
        let means = Means {
            edge: edge(),
            hub_key: HubKey::of(IdentityFile::of(&edge(), path, &uplink), &uplink),
            clock,
            originals_allowed,
            archive: Arc::new(Mutex::new(self.archive())),
            evidence: evidence.clone(),
            reporter,
        };
        let desk = Desk::open(&path.join("commands"), Timestamp::now(), means).unwrap();
        Running { desk, delivery, evidence, record }
    }
}

impl Running {
    fn stop(self) {
        let Self { desk, record, delivery, .. } = self;
        drop((desk, delivery));
        record.join();
    }

    /// How many clips are deleted so long from now.
    fn goes_in(&self, seconds: u64) -> usize {
        let later = Timestamp::now() + std::time::Duration::from_secs(seconds);
        locked(&self.desk.means.archive).tidy(later, 0).0.len()
    }

    /// Those that bring something.
    fn events(&self) -> Vec<Event> {
        let entries = Lane::ALL.map(|lane| self.delivery.pending(lane, None, 100).unwrap());
        let event = |item| match item {
            Item::Event { json, .. } => Some(Event::from_json(&json).unwrap()),
            Item::Picture { .. } => None,
        };
        let brings = |event: &Event| !event.data.evidence.is_empty();
        entries.into_iter().flatten().filter_map(|entry| event(entry.item)).filter(brings).collect()
    }
}

/// The order of `kind` about `event`, valid for `valid_s` and with so long until the original is deleted.
fn command(id: u128, kind: &str, event: EventId, valid_s: i64, until_s: i64) -> NumberedCommand {
    let now = Timestamp::now();
    let after = |seconds| now + jiff::SignedDuration::from_secs(seconds);
    let json = serde_json::json!({
        "id": CommandId::from_ulid(Ulid(id)), "edge": edge(), "who": "Li", "why": "police report 17",
        "issued": after(valid_s - 60), "expires": after(valid_s),
        "order": { "kind": kind, "event": event, "until": after(until_s) },
    });
    numbered(id, &json)
}

fn numbered(id: u128, json: &serde_json::Value) -> NumberedCommand {
    let command = Command::from_json(json.to_string().as_bytes()).unwrap();
    NumberedCommand { sequence: id.try_into().unwrap(), command }
}

fn refusal(reply: Option<Reply>) -> Reason {
    match reply.unwrap().outcome {
        Outcome::Refused { reason, .. } => reason,
        Outcome::Done => panic!("it was carried out"),
    }
}

#[test]
fn an_original_is_released_once_however_often_and_over_restarts() {
    let it = Box::new();
    let mut running = it.start(true);
    let order = command(1, "release_original", it.clip, 60, 3600);
    let first = running.desk.reply(&order).unwrap();
    assert_eq!(first.outcome, Outcome::Done);
    assert_eq!(running.desk.reply(&order).unwrap(), first);
    running.stop();
    let mut running = it.start(true);
    assert_eq!(running.desk.reply(&order).unwrap(), first);

    let events = running.events();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event.data.happening.alarm().unwrap().phase, Phase::Updated);
    let [evidence] = event.data.evidence.as_slice() else { panic!("{event:?}") };
    assert_eq!((&evidence.media_type, evidence.bytes), (&MediaType::Age, 6));
    let Some(Original::Released(released)) = &evidence.original else { panic!("{evidence:?}") };
    assert_eq!((released.command, &released.media_type), (order.command.id, &MediaType::Mp4));
    assert_eq!(running.evidence.read(event.id).unwrap().1, b"sealed");
    running.stop();
}

#[test]
fn a_command_cut_short_by_a_power_cut_is_one_event_all_the_same() {
    let it = Box::new();
    let order = command(1, "release_original", it.clip, 60, 3600);
    for _ in 0..2 {
        let mut running = it.start(true);
        assert_eq!(running.desk.reply(&order).unwrap().outcome, Outcome::Done);
        running.stop();
        // As if the answer had not been written yet.
        std::fs::remove_dir_all(it.dir.path().join("commands")).unwrap();
    }
    let running = it.start(true);
    let ids: std::collections::BTreeSet<_> = running.events().iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), 1, "the hub drops the double");
    running.stop();
}

#[test]
fn what_cannot_or_must_not_be_done_is_refused_with_a_reason() {
    let it = Box::new();
    let mut running = it.start(true);
    let mut answer = |command: NumberedCommand| refusal(running.desk.reply(&command));
    assert_eq!(answer(command(1, "release_original", it.clip, -1, 3600)), Reason::Expired);
    assert_eq!(answer(command(2, "release_original", it.clip, 60, -1)), Reason::Invalid);
    let unknown = EventId::from_ulid(Ulid(99));
    assert_eq!(answer(command(3, "release_original", unknown, 60, 3600)), Reason::NotFound);
    assert_eq!(answer(command(4, "make_coffee", it.clip, 60, 3600)), Reason::UnknownOrder);
    let mut elsewhere = command(5, "release_original", it.clip, 60, 3600);
    elsewhere.command.edge = "gate-2".parse().unwrap();
    assert_eq!(running.desk.reply(&elsewhere), None);
    assert_eq!(running.events(), []);
    running.stop();
    let mut strict = it.start(false);
    let order = command(6, "release_original", it.clip, 60, 3600);
    assert_eq!(refusal(strict.desk.reply(&order)), Reason::NotAllowed);
    strict.stop();
}

#[test]
fn who_and_why_stay_on_the_box() {
    let it = Box::new();
    let mut running = it.start(true);
    let order = command(1, "release_original", it.clip, 60, 3600);
    running.desk.reply(&order).unwrap();
    running.stop();
    let note =
        std::fs::read_to_string(it.dir.path().join(format!("commands/{}.json", order.command.id))).unwrap();
    assert!(note.contains("Li") && note.contains("police report 17") && note.contains("done"), "{note}");
}

#[test]
fn an_area_is_armed_and_one_that_is_not_there_is_not() {
    let it = Box::new();
    let mut running = it.start(true);
    let order = |id: u128, area: &str| {
        let now = Timestamp::now();
        let json = serde_json::json!({
            "id": CommandId::from_ulid(Ulid(id)), "edge": edge(), "who": "Li", "why": "open day", "issued": now,
            "expires": now + jiff::SignedDuration::from_secs(60),
            "order": { "kind": "set_mode", "area": area, "mode": { "name": "maintenance", "for_s": 600 } },
        });
        numbered(id, &json)
    };
    assert_eq!(running.desk.reply(&order(1, "yard")).unwrap().outcome, Outcome::Done);
    assert_eq!(refusal(running.desk.reply(&order(2, "moon"))), Reason::NotFound);
    running.stop();
}

/// An order to hold alarm `alarm`, and until when, in seconds from now.
fn hold(id: u128, alarm: u128, until_s: i64) -> NumberedCommand {
    let now = Timestamp::now();
    let after = |seconds| now + jiff::SignedDuration::from_secs(seconds);
    let json = serde_json::json!({
        "id": CommandId::from_ulid(Ulid(id)), "edge": edge(), "who": "Li, approved by Wang", "why": "police report 17",
        "issued": now, "expires": after(until_s.max(600)),
        "order": { "kind": "hold_evidence", "alarm": AlarmId::from_ulid(Ulid(alarm)), "until": after(until_s) },
    });
    numbered(id, &json)
}

/// Clips of `Box` are kept for an hour.
#[test]
fn a_held_alarm_outlives_restarts_and_its_days_until_it_is_lifted() {
    let it = Box::new();
    let mut running = it.start(true);
    let (put_on, lifted) = (hold(3, 1, 90_000), hold(5, 1, -1));
    let first = running.desk.reply(&put_on).unwrap();
    assert_eq!(first.outcome, Outcome::Done);
    assert_eq!(running.goes_in(7000), 0);
    running.stop();

    let mut running = it.start(true);
    assert_eq!(running.desk.reply(&put_on).unwrap(), first, "asked once more");
    assert_eq!(running.goes_in(7000), 0, "after a restart, too");
    assert_eq!(running.desk.reply(&lifted).unwrap().outcome, Outcome::Done);
    running.stop();

    let mut running = it.start(true);
    let late = hold(4, 1, 90_000);
    let first = running.desk.reply(&late).unwrap();
    let Outcome::Refused { reason, highest, .. } = &first.outcome else { panic!("{first:?}") };
    assert_eq!((reason, highest), (&Reason::Superseded, &Some(5)), "what was lifted stays so, and is told");
    running.stop();
    let mut running = it.start(true);
    assert_eq!(running.desk.reply(&late), Some(first), "asked once more");
    running.stop();
    let running = it.start(true);
    assert_eq!(running.goes_in(7000), 1);
    assert_eq!(running.desk.means.archive.lock().unwrap().find(it.clip), None);
    running.stop();
}

/// It numbers its orders from where the backup was.
#[test]
fn a_hub_that_was_put_back_gets_its_way_by_the_number_it_is_told() {
    let it = Box::new();
    let mut running = it.start(true);
    assert_eq!(running.desk.reply(&hold(7, 1, 90_000)).unwrap().outcome, Outcome::Done);
    let lifted = |id: u128, sequence| NumberedCommand { sequence, ..hold(id, 1, -1) };
    for (id, sequence) in [(20, 6), (21, 7)] {
        let reply = running.desk.reply(&lifted(id, sequence)).unwrap();
        let told =
            matches!(reply.outcome, Outcome::Refused { reason: Reason::Superseded, highest: Some(7), .. });
        assert!(told, "{reply:?}");
    }
    running.stop();
    let mut running = it.start(true);
    assert_eq!(running.goes_in(7000), 0, "the first of one number stands, after a restart, too");
    assert_eq!(running.desk.reply(&lifted(22, 8)).unwrap().outcome, Outcome::Done);
    assert_eq!(running.goes_in(7000), 1);
    running.stop();
}

#[test]
fn a_hold_that_says_its_end_needs_no_word_to_end() {
    let it = Box::new();
    let mut running = it.start(true);
    assert_eq!(running.desk.reply(&hold(3, 1, 6000)).unwrap().outcome, Outcome::Done);
    running.stop();
    let running = it.start(true);
    assert_eq!(running.goes_in(5900), 0);
    assert_eq!(running.goes_in(6100), 1);
    running.stop();
}

#[test]
fn of_what_is_not_there_the_hub_is_told_so_and_what_comes_of_it_is_held() {
    let it = Box::new();
    let mut running = it.start(true);
    assert_eq!(refusal(running.desk.reply(&hold(3, 9, 90_000))), Reason::NotFound);
    assert_eq!(
        running.desk.reply(&hold(4, 8, -1)).unwrap().outcome,
        Outcome::Done,
        "nothing is left to lift"
    );
    assert_eq!(refusal(running.desk.reply(&hold(5, 1, 367 * 86_400))), Reason::Invalid);
    running.stop();
    let running = it.start(true);
    let began = begun(9, 2, std::time::Duration::ZERO);
    let (clip, event) = (EventId::from_ulid(Ulid(70)), EventId::from_ulid(Ulid(71)));
    let alarm = ClipAlarm { began: began.event, event, data: began.data };
    let late = Record { clip, time: Timestamp::now(), alarms: vec![alarm] };
    locked(&running.desk.means.archive).add(late, b"clip", None).unwrap();
    assert_eq!(running.goes_in(7000), 1, "the other one, which nobody held for so long");
    assert!(locked(&running.desk.means.archive).find(event).is_some());
    running.stop();
}

/// A version of the box that did not know the order has answered it so.
#[test]
fn what_an_older_version_refused_holds_nothing() {
    let it = Box::new();
    let mut running = it.start(true);
    let outcome = Outcome::Refused { reason: Reason::UnknownOrder, detail: String::new(), highest: None };
    let order = hold(3, 1, 90_000);
    let now = Timestamp::now();
    let reply = Reply { command: order.command.id, time: now, outcome, extra: Default::default() };
    running.desk.journal.note(&order, &reply, now).unwrap();
    running.stop();
    let running = it.start(true);
    assert_eq!(running.goes_in(7000), 1);
    running.stop();
}

#[test]
fn only_what_the_hub_signed_is_a_command() {
    let it = Box::new();
    let running = it.start(true);
    let order = command(1, "release_original", it.clip, 60, 3600);
    assert_eq!(running.desk.opened(&it.hub.sign(&order).unwrap()).unwrap(), order);
    let stranger = SigningKey::from_pkcs8(&SigningKey::generate_pkcs8().unwrap()).unwrap();
    for forged in [stranger.sign(&order).unwrap(), order.command.to_json().unwrap(), b"x".to_vec()] {
        running.desk.opened(&forged).unwrap_err();
    }
    std::fs::remove_file(it.dir.path().join("hub.key")).unwrap();
    let without = running.desk.opened(&it.hub.sign(&order).unwrap()).unwrap_err();
    assert!(without.to_string().contains("hub_key_file"), "{without}");
    running.stop();
}
