//! A full disk: nothing is acknowledged that is not stored, and the hub recovers by itself.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use gatepost_testbed::http::{self, wait_until};
use gatepost_testbed::mosquitto::{Mosquitto, Options};
use gatepost_wire::event::Phase;

use crate::edge::Edge;
use crate::external;
use crate::message::{alarm, boot, evidence_topic, intrusion, intrusion_of, picture, with_evidence};
use crate::process::{Home, Hub, PATIENCE};

/// A small disk of its own; dropping removes it.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Result<Self, String> {
        let dir = tempfile::Builder::new().prefix("gatepost-small-disk-").tempdir().unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"])
            .arg(dir.path())
            .output()
            .map_err(|error| format!("mount: {error}"))?;
        if done.status.success() {
            Ok(Self(dir))
        } else {
            Err(String::from_utf8_lossy(&done.stderr).into_owned())
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes every byte that is left.
    fn fill(&self) {
        let mut ballast = File::create(self.path().join("ballast")).unwrap();
        for block in [vec![0u8; 65536], vec![0u8; 512]] {
            while ballast.write_all(&block).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

fn ready(hub: &Hub) -> u16 {
    http::get(&hub.url("/health/ready")).unwrap().status
}

/// None, and the reason printed, where mounting is not allowed.
fn small_disk() -> Option<SmallDisk> {
    SmallDisk::mount()
        .inspect_err(|why| eprintln!("SKIPPED: a small disk cannot be mounted here (root is needed): {why}"))
        .ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_external_broker_what_was_not_stored_comes_again() {
    let Some(disk) = small_disk() else { return };
    let broker = Mosquitto::start(&Options::default()).unwrap();
    let home = external::home(&broker).with_store("").with_data(disk.path().join("data"));
    let hub = home.start();
    external::connected(&hub);
    let mut edge = external::edge(&broker).await;
    let boot = boot();
    assert!(edge.send(&intrusion(boot, 1)).await.unwrap());
    wait_until("the first event", PATIENCE, || (hub.event_ids().len() == 1).then_some(())).unwrap();
    disk.fill();
    let mut sent = 1;
    while ready(&hub) == 200 {
        sent += 1;
        assert!(edge.send(&intrusion(boot, sent)).await.unwrap());
        assert!(sent < 5000, "the disk was never full");
    }
    disk.free();
    let all = usize::try_from(sent).unwrap();
    wait_until("every event the broker took", PATIENCE, || (hub.event_ids().len() == all).then_some(()))
        .unwrap();
    assert_eq!(hub.device("gate-1").unwrap()["missing"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_and_recovers() {
    let Some(disk) = small_disk() else { return };
    let home = Home::embedded().with_store("").with_data(disk.path().join("data"));
    let token = home.add("gate-1");
    let hub = home.start();
    let boot = boot();
    let mut acknowledged = BTreeSet::new();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    for seq in 1..=20 {
        let event = intrusion(boot, seq);
        assert!(edge.send(&event).await.unwrap());
        acknowledged.insert(event.id);
    }
    assert_eq!(ready(&hub), 200);

    disk.fill();
    let mut kept_by_edge = None;
    for seq in 21..2000 {
        let event = with_evidence(intrusion(boot, seq), &picture("late"));
        match edge.send(&event).await {
            Ok(stored) => {
                assert!(stored);
                acknowledged.insert(event.id);
            }
            Err(_) => {
                kept_by_edge = Some(event);
                break;
            }
        }
    }
    let kept_by_edge = kept_by_edge.expect("the disk was never full");
    assert_eq!(ready(&hub), 503);
    hub.wait_for_log(&["ERROR", "events cannot be stored", "free space"]);

    for _ in 0..5 {
        let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
        assert!(edge.send(&kept_by_edge).await.is_err(), "acknowledged on a full disk");
        let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
        assert!(edge.publish(&evidence_topic(&kept_by_edge), picture("late"), false).await.is_err());
    }
    let lines = hub.daemon.log();
    let said = lines.lines().filter(|line| line.contains("events cannot be stored")).count();
    assert_eq!(said, 1, "once, not for each message");
    let stored: BTreeSet<_> = hub.event_ids().into_iter().collect();
    assert_eq!(stored, acknowledged, "reading goes on, and shows what was acknowledged");

    disk.free();
    wait_until("the hub to be ready again", PATIENCE, || (ready(&hub) == 200).then_some(())).unwrap();
    hub.wait_for_log(&["events are stored again"]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    assert!(edge.send(&kept_by_edge).await.unwrap());
    edge.publish(&evidence_topic(&kept_by_edge), picture("late"), false).await.unwrap();
    let more = intrusion_of("gate-1", boot, 5000, alarm(), Phase::Began);
    assert!(edge.send(&more).await.unwrap());
    acknowledged.extend([kept_by_edge.id, more.id]);
    let stored = hub.event_ids();
    assert_eq!(stored.len(), acknowledged.len());
    assert_eq!(stored.into_iter().collect::<BTreeSet<_>>(), acknowledged);
    hub.look_at(&kept_by_edge);
    let snapshot = http::get(&hub.url(&format!("/api/v1/events/{}/snapshot", kept_by_edge.id))).unwrap();
    assert_eq!(snapshot.body, picture("late"));
}

/// Alarms come first: an attachment may not take the last room there is, and what is refused leaves none taken.
#[tokio::test(flavor = "multi_thread")]
async fn no_attachment_takes_the_room_that_alarms_need() {
    let Some(disk) = small_disk() else { return };
    let home = Home::embedded().with_store("").with_data(disk.path().join("data"));
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    assert!(edge.send(&intrusion(boot(), 1)).await.unwrap());
    let incident = crate::incident::wait_for_incidents(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
    let url = hub.url(&format!("/api/v1/incidents/{incident}/attachments?name=bill.pdf"));
    let refused =
        http::send_bytes("POST", &url, Some(&hub.cookie), "application/pdf", b"%PDF-1.4 the bill %%EOF")
            .unwrap();
    assert_eq!((refused.status, refused.content_type.as_str()), (507, "application/problem+json"));
    assert!(refused.text().contains("alarms come first"), "{}", refused.text());
    hub.wait_for_log(&["ERROR", "an attachment cannot be written", "free space"]);
    assert_eq!(std::fs::read_dir(home.data().join("attachments")).unwrap().count(), 0);
    assert_eq!(hub.get(&format!("/api/v1/incidents/{incident}"))["version"], 1);
    assert!(edge.send(&intrusion(boot(), 1)).await.unwrap(), "alarms go on");
}
