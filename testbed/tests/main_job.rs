//! The main job as a site runs it: a real RTSP camera with real footage, a real edge and a real hub as
//! processes, over the hub's own broker and over a mosquitto outside. The edge is killed in the middle; no
//! event may be lost or doubled.

#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod site;

use std::collections::BTreeSet;
use std::time::Duration;

use gatepost_testbed::mosquitto::{self, Mosquitto};
use site::{Alert, Site};

const SLOW: Duration = Duration::from_secs(90);

/// Runs the job on a site: an intrusion reaches the API, the edge is killed twice, everything it said to have
/// recorded is at the hub exactly once.
fn an_intrusion_reaches_the_hub_whatever_is_killed(mut site: Site) {
    let first =
        site.wait_for_alert(SLOW, |alert: &Alert| alert.kind == "zone_intrusion" && alert.snapshot.is_some());
    assert_eq!((first.camera.as_deref(), first.zone.as_deref()), (Some("east-gate"), Some("lawn")));
    assert_eq!(first.camera_label.as_deref(), Some("东门"));
    let picture = site.snapshot(&first);
    assert_eq!(picture.content_type, "image/jpeg");
    assert!(picture.body.starts_with(&[0xff, 0xd8]), "a JPEG");

    for _ in 0..2 {
        let so_far = site.recorded().len();
        site.edge.kill().unwrap();
        site.restart_edge();
        site.wait_until_recorded(so_far + 3, SLOW);
    }
    site.edge.terminate(Duration::from_secs(20)).unwrap();

    let recorded = site.recorded();
    let stored = site.wait_until_stored(&recorded, SLOW);
    let unique: BTreeSet<_> = stored.iter().map(|event| &event.id).collect();
    assert_eq!(unique.len(), stored.len(), "no event is doubled");
    let places: BTreeSet<_> = stored.iter().map(|event| (&event.boot, event.seq)).collect();
    assert_eq!(places.len(), stored.len(), "no place is given twice");
    assert_eq!(stored.iter().map(|event| &event.boot).collect::<BTreeSet<_>>().len(), 3, "three boots");
    for boot in stored.iter().map(|event| &event.boot).collect::<BTreeSet<_>>() {
        let seqs: Vec<_> = stored.iter().filter(|event| event.boot == *boot).map(|event| event.seq).collect();
        let whole: Vec<_> = (1..=seqs.len() as u64).collect();
        assert_eq!(seqs, whole, "boot {boot}: in order and without gaps");
    }
    assert_eq!(site.missing(), 0);
}

#[test]
fn over_the_hubs_own_broker() {
    an_intrusion_reaches_the_hub_whatever_is_killed(Site::with_own_broker());
}

#[test]
fn over_a_mosquitto_outside() {
    let users = vec![("hub".into(), "hub-secret".into()), ("gate-1".into(), "edge-secret".into())];
    let broker = Mosquitto::start(&mosquitto::Options { users, ..Default::default() }).unwrap();
    an_intrusion_reaches_the_hub_whatever_is_killed(Site::with_mosquitto(broker));
}
