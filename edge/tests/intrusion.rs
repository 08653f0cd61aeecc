//! A person in a closed area becomes an event with a picture that shows nobody; presence follows the box.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use gatepost_edge::source::RgbPicture;
use gatepost_testbed::footage;
use gatepost_testbed::mosquitto::{Mosquitto, Options};
use gatepost_wire::Event;
use gatepost_wire::event::{Happening, Phase, Region, ZoneIntrusion};
use gatepost_wire::health::{CameraState, PresenceState};
use sha2::{Digest, Sha256};
use support::listener::Listener;
use support::picture::{decode, decode_jpeg, detail, difference};
use support::site::{CameraConfig, EDGE, EVERYWHERE, Site};
use support::{pedestrians, turn};

fn intrusion(event: &Event) -> &ZoneIntrusion {
    match &event.data.happening {
        Happening::ZoneIntrusion(intrusion) => intrusion,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_person_in_a_zone_is_an_event_with_a_picture_that_shows_nobody() {
    let _turn = turn();
    let camera = pedestrians();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port()).camera(CameraConfig::new("gate", &camera.url()).zone(EVERYWHERE));
    let mut edge = site.run();

    let began = listener.wait("intrusions with their pictures", |heard| {
        let began = heard.of("zone_intrusion", Phase::Began);
        let pictured = began.iter().filter(|event| heard.pictures.contains_key(&event.id)).count();
        (pictured >= 5).then_some(began)
    });
    let heard = listener.heard();
    let mut snapshots = Vec::new();
    for event in began.iter().filter(|event| heard.pictures.contains_key(&event.id)) {
        let (jpeg, told) = (&heard.pictures[&event.id], intrusion(event));
        assert_eq!(
            (told.camera.as_str(), told.zone.as_str(), told.rule.as_str()),
            ("gate", "zone-0", "rule-0")
        );
        assert!(told.dwell_ms >= 500, "{told:?}");
        let [evidence] = event.data.evidence.as_slice() else { panic!("{event:?}") };
        let hash: String = Sha256::digest(jpeg).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((evidence.media_type.as_str(), evidence.bytes), ("image/jpeg", jpeg.len() as u64));
        assert_eq!(evidence.sha256, hash);
        snapshots.push((told.seen.region, decode_jpeg(jpeg)));
    }
    assert_nobody_is_shown(&snapshots);

    let (began, ended) = listener.wait("the end of an alarm", |heard| {
        let ended = heard.of("zone_intrusion", Phase::Ended);
        let end_of = |began: &Event| {
            ended.iter().find(|ended| intrusion(ended).alarm.id == intrusion(began).alarm.id).cloned()
        };
        heard
            .of("zone_intrusion", Phase::Began)
            .into_iter()
            .find_map(|began| Some((began.clone(), end_of(&began)?)))
    });
    assert!(ended.time > began.time && ended.seq > began.seq);
    assert!(ended.data.evidence.is_empty());
    edge.terminate();
    listener.wait_for_all(&edge.recorded());
    listener.heard().assert_whole();
    let kept = std::fs::read_dir(site.data_dir.join("evidence")).unwrap().count();
    assert!(kept <= 3, "{kept} pictures are still kept although they were delivered");
}

/// Each snapshot is compared with the frame of the clip that is most like it.
fn assert_nobody_is_shown(snapshots: &[(Region, RgbPicture)]) {
    let mut nearest: Vec<(f64, f64)> = vec![(f64::MAX, 0.0); snapshots.len()];
    decode(&footage::vtest().unwrap(), |frame| {
        for ((region, snapshot), nearest) in snapshots.iter().zip(&mut nearest) {
            let difference = difference(snapshot, &frame);
            if difference < nearest.0 {
                *nearest = (difference, detail(&frame, region));
            }
        }
    });
    let mut share = 0.0;
    for ((region, snapshot), (difference, clear)) in snapshots.iter().zip(nearest) {
        let covered = detail(snapshot, region);
        println!("difference {difference:.2}, detail {covered:.3} of {clear:.3}");
        // Up to a sixth of the picture is covered; a picture of another scene differs by 40 and more.
        assert!(difference < 10.0, "this is no picture of the clip: {difference}");
        share += covered / clear / snapshots.len() as f64;
    }
    // What is left are the borders of the blocks and what JPEG makes of them; uncovered it is nearly all.
    assert!(share < 0.65, "{share:.2} of the detail is left where people are");
}

#[test]
fn what_is_masked_is_in_no_picture_and_raises_no_alarm() {
    let _turn = turn();
    let camera = pedestrians();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let left_half = "[[camera.mask]]\npolygon = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]";
    let site = Site::new(broker.port())
        .camera(CameraConfig::new("gate", &camera.url()).extra(left_half).zone(EVERYWHERE));
    let _edge = site.run();
    let pictures = listener.wait("intrusions with their pictures", |heard| {
        (heard.pictures.len() >= 3).then(|| heard.pictures.clone())
    });
    for jpeg in pictures.values() {
        let picture = decode_jpeg(jpeg);
        for row in picture.pixels.chunks(3 * picture.width) {
            // Blocks that cover people near the border may reach over it.
            assert!(row[..3 * picture.width / 4].iter().all(|value| *value < 24), "a masked pixel is seen");
        }
        assert!(picture.pixels.iter().any(|value| *value > 128), "the rest is there");
    }
    for event in listener.heard().of("zone_intrusion", Phase::Began) {
        let region = intrusion(&event).seen.region;
        assert!(region.right > 0.5, "seen behind a mask: {region:?}");
    }
}

#[test]
fn presence_follows_the_box() {
    let _turn = turn();
    let camera = pedestrians();
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let listener = Listener::start(broker.port());
    let site = Site::new(broker.port()).camera(CameraConfig::new("gate", &camera.url()));
    let became = |state: PresenceState| {
        listener.wait(&format!("presence {state:?}"), |heard| {
            (heard.last_presence() == Some(state)).then_some(())
        });
    };
    let mut edge = site.run();
    became(PresenceState::Online);
    listener.wait("frames that were looked at", |heard| {
        let camera = heard.camera("gate")?;
        (camera.frames_analysed > 3 && camera.state == CameraState::Streaming).then_some(())
    });
    edge.terminate();
    became(PresenceState::Offline);
    let offline = listener.heard().presence.len();
    let mut edge = site.run();
    became(PresenceState::Online);
    edge.kill();
    became(PresenceState::Offline);
    let heard = listener.heard();
    assert!(heard.presence.iter().all(|presence| presence.edge.as_str() == EDGE));
    let boots: Vec<_> = [offline - 1, heard.presence.len() - 1].map(|i| heard.presence[i].boot).into();
    assert_ne!(boots[0], boots[1], "each start has a boot of its own");
    // Whoever comes later is told too.
    let late = Listener::start(broker.port());
    late.wait("the retained presence", |heard| {
        heard.last_presence().filter(|p| *p == PresenceState::Offline)
    });
    drop(late);
}
