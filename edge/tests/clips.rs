//! An alarm gets a clip: it plays, shows what the camera showed and nobody in it, and stays within its share of the
//! disk. Its original is encrypted, and leaves the box on a command only, once.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gatepost_edge::clip::{Deletion, DeletionCause, Record};
use gatepost_edge::config::Threads;
use gatepost_edge::detect::{Detection, Detector};
use gatepost_edge::source::{Clip, Frame, RgbPicture};
use gatepost_testbed::footage::workspace_root;
use gatepost_testbed::mosquitto::{Mosquitto, Options};
use gatepost_wire::command::{Outcome, Reason};
use gatepost_wire::event::{FaultKind, Happening, ObjectClass, Phase};
use gatepost_wire::evidence::Original;
use gatepost_wire::health::PresenceState;
use gatepost_wire::{AlarmId, Command, EventId, MediaType, Timestamp, Topic};
use sha2::{Digest, Sha256};
use support::listener::Listener;
use support::picture::{detail, difference};
use support::site::{CameraConfig, EDGE, EVERYWHERE, Site};
use support::small_disk::SmallDisk;
use support::{pedestrians, turn};

/// As sure as the model is of people that are clearly to be seen.
const CLEARLY: f32 = 0.35;

fn release(id: &str, event: EventId) -> Command {
    let until = Timestamp::now() + Duration::from_secs(86_400);
    command(id, serde_json::json!({ "kind": "release_original", "event": event, "until": until }))
}

fn hold(id: &str, alarm: AlarmId, until: Timestamp) -> Command {
    command(id, serde_json::json!({ "kind": "hold_evidence", "alarm": alarm, "until": until }))
}

fn command(id: &str, order: serde_json::Value) -> Command {
    let now = Timestamp::now();
    let json = serde_json::json!({
        "id": id, "edge": EDGE, "who": "Li", "why": "police report 17", "issued": now,
        "expires": now + Duration::from_secs(3600), "order": order,
    });
    Command::from_json(json.to_string().as_bytes()).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn opened(sealed: &[u8], key: &age::x25519::Identity) -> Vec<u8> {
    let decryptor = age::Decryptor::new(sealed).unwrap();
    let mut opened = Vec::new();
    decryptor.decrypt(std::iter::once(key as &dyn age::Identity)).unwrap().read_to_end(&mut opened).unwrap();
    opened
}

/// Every frame of an MP4.
fn frames(mp4: &[u8]) -> Vec<Frame> {
    gstreamer::init().unwrap();
    let file = tempfile::Builder::new().suffix(".mp4").tempfile().unwrap();
    fs::write(file.path(), mp4).unwrap();
    let mut clip = Clip::open(file.path(), Timestamp::now()).unwrap();
    std::iter::from_fn(|| clip.next_frame().unwrap()).collect()
}

fn people(detector: &mut Detector, frame: &Frame) -> Vec<Detection> {
    let clearly = |d: &Detection| d.class == ObjectClass::Person && d.score >= CLEARLY;
    detector.detect(frame).unwrap().into_iter().filter(clearly).collect()
}

#[test]
fn an_alarm_gets_a_clip_that_shows_nobody_and_its_original_leaves_the_box_on_a_command_only() {
    let _turn = turn();
    let camera = pedestrians();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let key = age::x25519::Identity::generate();
    let corner = "[[camera.mask]]\npolygon = [[0.0, 0.0], [0.25, 0.0], [0.25, 0.5], [0.0, 0.5]]";
    let mut site = Site::new(broker.port())
        .camera(CameraConfig::new("gate", &camera.url()).extra(corner).zone(EVERYWHERE));
    site.clips = format!("before_s = 2\nafter_s = 3\n[originals]\nrecipients = [\"{}\"]", key.to_public());
    let mut edge = site.run();

    let (event, evidence, mp4) =
        listener.wait("a clip", |heard| heard.with(&MediaType::Mp4).into_iter().next());
    let alarm = event.data.happening.alarm().unwrap();
    assert_eq!(alarm.phase, Phase::Updated);
    let began = listener.heard().of("zone_intrusion", Phase::Began);
    assert!(began.iter().any(|began| began.data.happening.alarm().unwrap().id == alarm.id));
    assert_eq!((evidence.bytes, &evidence.sha256), (mp4.len() as u64, &sha256(&mp4)));
    assert_eq!(evidence.original, Some(Original::Kept));
    assert_no_original_lies_open(&site.data_dir);

    // Twice, as a hub sends what it has no answer to.
    let command = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    for _ in 0..2 {
        listener.say(&Topic::Command(EDGE.parse().unwrap()), site.signed(release(command, event.id)));
    }
    let replies =
        listener.wait("two answers", |heard| (heard.replies.len() == 2).then(|| heard.replies.clone()));
    assert_eq!((&replies[0].outcome, &replies[0]), (&Outcome::Done, &replies[1]));
    let (released, sealed, bytes) =
        listener.wait("the original", |heard| heard.with(&MediaType::Age).into_iter().next());
    assert_eq!(released.data.happening.alarm().unwrap().id, alarm.id);
    assert_eq!(sealed.sha256, sha256(&bytes));
    let Some(Original::Released(terms)) = &sealed.original else { panic!("{sealed:?}") };
    assert_eq!((terms.command.to_string().as_str(), &terms.media_type), (command, &MediaType::Mp4));
    let told = edge.lines_with("a command is answered");
    let [told] = told.as_slice() else { panic!("{}", edge.log()) };
    assert_eq!(
        (told.field("who").unwrap(), told.field("why").unwrap()),
        ("Li".into(), "police report 17".into())
    );
    edge.terminate();
    assert_eq!(listener.heard().with(&MediaType::Age).len(), 1, "released once");
    listener.wait_for_all(&edge.recorded());
    listener.heard().assert_whole();

    assert_covered(&frames(&mp4), &frames(&opened(&bytes, &key)));
}

/// Neither clips nor originals lie anywhere but covered or encrypted.
fn assert_no_original_lies_open(data_dir: &Path) {
    let mut kinds: Vec<String> = fs::read_dir(data_dir.join("clips"))
        .unwrap()
        .map(|file| file.unwrap().path().extension().unwrap().to_str().unwrap().to_owned())
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["age", "json", "mp4"]);
    for file in fs::read_dir(data_dir.join("clips")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "age") {
            assert!(fs::read(path).unwrap().starts_with(b"age-encryption.org/v1"));
        }
    }
}

/// Picture by picture: what the full model finds in the original is blocks in the clip; the rest is the same.
fn assert_covered(covered: &[Frame], original: &[Frame]) {
    let root = workspace_root();
    let runtime = root.join(format!(".fetched/onnxruntime/{}/libonnxruntime.so", std::env::consts::ARCH));
    let mut detector =
        Detector::load(&root.join("models/centernet-512.toml"), &runtime, Threads::ONE).unwrap();
    assert_eq!(covered.len(), original.len());
    assert!(covered.len() >= 20, "{} pictures of 5 s", covered.len());
    let length = covered.last().unwrap().at;
    assert!((3.5..=10.5).contains(&length.as_secs_f64()), "{length:?}");
    let (mut left, mut found) = (Vec::new(), 0);
    for (covered, original) in covered.iter().zip(original).step_by(3) {
        assert_eq!((covered.width(), covered.height(), covered.at), (640, 480, original.at));
        let (shown, clear) = (covered.to_rgb().unwrap(), original.to_rgb().unwrap());
        assert_masked(&shown);
        assert_masked(&clear);
        for person in people(&mut detector, original) {
            let clear = detail(&clear, &person.region);
            // Somebody far away is a few pixels in a clip, with hardly any detail to lose.
            if clear > 0.05 {
                found += 1;
                left.push(detail(&shown, &person.region) / clear);
            }
        }
        let changed = difference(&shown, &clear);
        assert!(changed < 25.0, "another scene, or nothing but blocks: {changed}");
    }
    left.sort_by(f64::total_cmp);
    let mean = left.iter().sum::<f64>() / left.len() as f64;
    println!("{found} people, detail left: mean {mean:.3}, most {:.3}", left.last().unwrap());
    assert!(found >= 10, "only {found} people are seen in the original");
    assert!(mean < 0.5 && left.last().is_some_and(|most| *most < 0.9), "somebody is open: {left:?}");
}

/// A hand's breadth inside the mask, where no block of a neighbour reaches.
fn assert_masked(picture: &RgbPicture) {
    for row in picture.pixels.chunks(3 * picture.width).take(picture.height / 3) {
        assert!(row[..3 * picture.width / 8].iter().all(|value| *value < 40), "a masked pixel is seen");
    }
}

#[test]
fn clips_stay_within_their_share_of_the_disk_and_the_technician_is_told() {
    let _turn = turn();
    let Some(disk) = SmallDisk::mount("24m") else { return };
    let camera = pedestrians();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port()).camera(CameraConfig::new("gate", &camera.url()).grid(4, 4));
    (site.dwell_ms, site.clear_ms, site.data_dir) = (0, 300, disk.path().join("data"));
    // 1 % of 24 MiB is less than three clips, or than one.
    site.clips = "before_s = 1\nafter_s = 2\nwidth = 480\ndisk_percent = 1".into();
    let started = Instant::now();
    let mut edge = site.run();
    let fault = listener.wait("word of too little room", |heard| {
        let short = |event: &&gatepost_wire::Event| {
            matches!(&event.data.happening, Happening::DeviceFault(it) if it.fault == FaultKind::RetentionShort)
        };
        heard.events.iter().find(short).cloned()
    });
    let Happening::DeviceFault(told) = &fault.data.happening else { panic!("{fault:?}") };
    assert_eq!(told.alarm.phase, Phase::Began);
    assert!(told.detail.contains("30 days") && told.detail.contains("clips.disk_percent"), "{}", told.detail);
    let budget = (24 << 20) / 100;
    let kept: u64 = fs::read_dir(site.data_dir.join("clips"))
        .unwrap()
        .filter_map(|file| file.unwrap().metadata().ok())
        .map(|file| file.len())
        .sum();
    assert!(kept <= budget, "{kept} bytes of clips");

    // However many alarms there are, a second of the camera is in a clip once, but for the second before.
    let clips = edge.lines_with("a clip is kept").len() as f64;
    assert!(clips <= started.elapsed().as_secs_f64() / 2.0 + 1.0, "{clips} clips");
    let alarms = listener.heard().of("zone_intrusion", Phase::Began).len() as f64;
    assert!(alarms > clips, "{alarms} alarms, {clips} clips");
    edge.terminate();
}

#[test]
fn without_keys_there_is_no_original_and_a_command_for_one_is_refused() {
    let _turn = turn();
    let camera = pedestrians();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port()).camera(CameraConfig::new("gate", &camera.url()).zone(EVERYWHERE));
    site.clips = "before_s = 1\nafter_s = 1".into();
    let mut edge = site.run();
    let (event, evidence, _) =
        listener.wait("a clip", |heard| heard.with(&MediaType::Mp4).into_iter().next());
    assert_eq!(evidence.original, None);
    listener.say(&Topic::Command(EDGE.parse().unwrap()), b"{\"id\":1}".to_vec());
    listener.say(
        &Topic::Command(EDGE.parse().unwrap()),
        site.signed(release("01ARZ3NDEKTSV4RRFFQ69G5FAW", event.id)),
    );
    let reply = listener.wait("the answer", |heard| heard.replies.first().cloned());
    let Outcome::Refused { reason, .. } = &reply.outcome else { panic!("{reply:?}") };
    assert_eq!(*reason, Reason::NotAllowed);
    assert_eq!(edge.lines_with("is no command").len(), 1);
    edge.terminate();
}

/// `keep_days` is 30 unless a site says otherwise.
#[test]
fn a_held_clip_outlives_its_days_and_goes_once_it_is_lifted() {
    const LIFTED: &str = "01ARZ3NDEKTSV4RRFFQ69G5FA3";
    let _turn = turn();
    let camera = pedestrians();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let mut site = Site::new(broker.port()).camera(CameraConfig::new("gate", &camera.url()).zone(EVERYWHERE));
    site.clips = "before_s = 1\nafter_s = 1".into();
    let mut edge = site.run();
    let (event, ..) = listener.wait("a clip", |heard| heard.with(&MediaType::Mp4).into_iter().next());
    let alarm = event.data.happening.alarm().unwrap().id;
    let orders = Topic::Command(EDGE.parse().unwrap());
    let answered = |number: usize| {
        listener.wait("an answer", |heard| heard.replies.get(number).map(|reply| reply.outcome.clone()))
    };
    let later = Timestamp::now() + Duration::from_secs(3600);
    listener.say(&orders, site.signed_as(1, hold("01ARZ3NDEKTSV4RRFFQ69G5FA1", alarm, later)));
    assert_eq!(answered(0), Outcome::Done);
    let unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
    listener.say(&orders, site.signed_as(2, hold("01ARZ3NDEKTSV4RRFFQ69G5FA2", unknown, later)));
    assert!(matches!(answered(1), Outcome::Refused { reason: Reason::NotFound, .. }));
    edge.terminate();

    let clip = age_clips(&site.data_dir.join("clips"), event.id, alarm);
    let mut edge = site.run();
    edge.wait_for("a clip is deleted");
    assert!(clip.exists(), "{}", edge.log());
    // It has subscribed once more.
    listener.wait("the box", |heard| {
        let online = heard.presence.iter().filter(|said| said.state == PresenceState::Online).count();
        (online >= 2).then_some(())
    });
    listener.say(&orders, site.signed_as(3, hold(LIFTED, alarm, Timestamp::now())));
    assert_eq!(answered(2), Outcome::Done);
    edge.terminate();

    let mut edge = site.run();
    let name = clip.file_stem().unwrap().to_str().unwrap().to_owned();
    let gone = edge.wait_for("a clip is deleted");
    assert_eq!((gone.field("clip"), clip.exists()), (Some(name.clone()), false));
    edge.terminate();
    let noted = site.call("deletions");
    assert!(noted.status.success(), "{noted:?}");
    let noted = String::from_utf8(noted.stdout).unwrap();
    let noted: Vec<Deletion> = noted.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_it = noted.iter().find(|deletion| deletion.clip.to_string() == name).unwrap();
    assert!(of_it.events.contains(&event.id) && of_it.cause == DeletionCause::Age, "{noted:?}");
}

/// Makes every clip 40 days old, and puts one of another alarm beside them. Gives the file of the one that `event` brought.
fn age_clips(folder: &Path, event: EventId, alarm: AlarmId) -> PathBuf {
    const OTHER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FA9";
    let old = Timestamp::now() - Duration::from_secs(40 * 86_400);
    let mut found = None;
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    for file in files.into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "json")) {
        let mut record: Record = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        record.time = old;
        let text = serde_json::to_string(&record).unwrap();
        fs::write(&file, &text).unwrap();
        if record.alarms.iter().any(|alarm| alarm.event == event) {
            let other = text.replace(&record.clip.to_string(), OTHER).replace(&alarm.to_string(), OTHER);
            fs::write(folder.join(format!("{OTHER}.json")), other).unwrap();
            fs::write(folder.join(format!("{OTHER}.mp4")), "another clip").unwrap();
            found = Some(file.with_extension("mp4"));
        }
    }
    found.unwrap()
}
