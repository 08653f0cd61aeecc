//! SIGKILL at any instruction: what was acknowledged is there.

use std::collections::BTreeSet;
use std::time::Duration;

use gatepost_wire::EventId;

use crate::edge::Edge;
use crate::message::{alarm, boot, intrusion_of};
use crate::process::Home;

const KILLS: u64 = 20;
const EDGES: [&str; 3] = ["gate-1", "gate-2", "gate-3"];

/// Publishes one event after the other until the connection ends; gives what was acknowledged.
async fn publish_until_cut(mut edge: Edge, name: &str) -> Vec<EventId> {
    let boot = boot();
    let mut acknowledged = Vec::new();
    for seq in 1.. {
        let event = intrusion_of(name, boot, seq, alarm(), gatepost_wire::event::Phase::Began);
        match edge.send(&event).await {
            Ok(stored) => {
                assert!(stored);
                acknowledged.push(event.id);
            }
            Err(_) => break,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost() {
    let home = Home::embedded();
    let tokens = EDGES.map(|name| home.add(name));
    let mut rng = fastrand::Rng::with_seed(42);
    let mut acknowledged = BTreeSet::new();
    for _ in 0..KILLS {
        let mut hub = home.start();
        let port = hub.broker_port();
        let mut edges = Vec::new();
        for (name, token) in EDGES.iter().zip(&tokens) {
            let edge = Edge::connect(port, name, token).await.unwrap();
            edges.push(tokio::spawn(async move { publish_until_cut(edge, name).await }));
        }
        tokio::time::sleep(Duration::from_millis(rng.u64(100..400))).await;
        hub.daemon.kill().unwrap();
        for edge in edges {
            acknowledged.extend(edge.await.unwrap());
        }
    }
    let hub = home.start();
    let stored = hub.event_ids();
    let distinct: BTreeSet<_> = stored.iter().copied().collect();
    assert_eq!(stored.len(), distinct.len(), "an event is stored twice");
    let lost: Vec<_> = acknowledged.difference(&distinct).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged events are lost", lost.len(), acknowledged.len());
    assert!(acknowledged.len() > 20 * EDGES.len(), "only {} were acknowledged: no test", acknowledged.len());
    eprintln!("{KILLS} kills, {} acknowledged, {} stored, 0 lost", acknowledged.len(), stored.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_quickly_with_a_page_open_and_keeps_what_came() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let mut hub = home.start();
    let page = gatepost_testbed::http::EventStream::open(&hub.url("/api/v1/live")).unwrap();
    let edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let publishing = tokio::spawn(async move { publish_until_cut(edge, "gate-1").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = std::time::Instant::now();
    let status = hub.daemon.terminate(Duration::from_secs(10)).unwrap();
    assert!(status.success(), "{status}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    loop {
        match page.next(Duration::from_secs(2)) {
            Ok(_) => {}
            Err(error) => {
                assert!(error.to_string().contains("ended"), "{error}");
                break;
            }
        }
    }
    let acknowledged = publishing.await.unwrap();
    assert!(!acknowledged.is_empty());
    let stored: BTreeSet<_> = home.start().event_ids().into_iter().collect();
    assert!(acknowledged.iter().all(|id| stored.contains(id)));
}
