//! Clips: told with their alarm before and after they come, and served in ranges.

use gatepost_testbed::http;
use gatepost_wire::event::Phase;
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::{Value, json};

use crate::api::raw;
use crate::edge::Edge;
use crate::message::{alarm, boot, clip, evidence_topic, intrusion, intrusion_of, with_clip, with_evidence};
use crate::process::{Home, Hub};

fn evidence(hub: &Hub) -> Vec<Value> {
    hub.get("/api/v1/alerts")["alerts"][0]["evidence"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_awaited_then_here_and_can_be_wound_forward() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let (boot, alarm) = (boot(), alarm());
    assert!(edge.send(&intrusion_of("gate-1", boot, 1, alarm, Phase::Began)).await.unwrap());
    let bytes = clip(&"frame ".repeat(200_000));
    let event = with_clip(intrusion_of("gate-1", boot, 2, alarm, Phase::Updated), &bytes);
    assert!(edge.send(&event).await.unwrap());
    let told = &evidence(&hub)[0];
    assert_eq!(
        (&told["role"], &told["state"], &told["url"]),
        (&json!("clip"), &json!("awaited"), &json!(null))
    );

    // Longer than any picture may be.
    assert!(bytes.len() > 1024 * 1024);
    let stored = edge.publish(&evidence_topic(&event), bytes.clone(), false).await.unwrap();
    assert!(matches!(stored, PubAckReason::Success | PubAckReason::NoMatchingSubscribers), "{stored:?}");
    let told = &evidence(&hub)[0];
    assert_eq!((&told["state"], &told["bytes"]), (&json!("here"), &json!(bytes.len())));
    assert_eq!(hub.get("/api/v1/alerts")["alerts"][0]["snapshot"], json!(null), "a clip is no picture");
    let path = told["url"].as_str().unwrap();
    assert_eq!(http::get(&hub.url(path)).unwrap().status, 403, "nobody has said what for");
    hub.look_at(&event);
    let whole = http::get(&hub.url(path)).unwrap();
    assert_eq!((whole.status, whole.content_type.as_str()), (200, "video/mp4"));
    assert!(whole.body == bytes);

    let ask = |more: &str| {
        raw(&hub, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n"))
    };
    let head = raw(&hub, &format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("accept-ranges: bytes"), "{head}");
    let part = ask("Range: bytes=4-7\r\n");
    assert!(part.starts_with("HTTP/1.1 206") && part.ends_with("\r\n\r\nftyp"), "{part}");
    assert!(part.contains(&format!("content-range: bytes 4-7/{}", bytes.len())), "{part}");
    let end = ask("Range: bytes=-6\r\n");
    assert!(end.starts_with("HTTP/1.1 206") && end.ends_with("frame "), "{end}");
    let beyond = ask(&format!("Range: bytes={}-\r\n", bytes.len()));
    assert!(beyond.starts_with("HTTP/1.1 416"), "{beyond}");
    let other = ask("Range: bytes=4-7\r\nIf-Range: \"another\"\r\n");
    assert!(other.starts_with("HTTP/1.1 200"), "a range of another file");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_what_the_event_says_are_refused() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let boot = boot();
    let whole = clip("frames");
    let cut = whole[..whole.len() - 1].to_vec();
    for (seq, event, bytes, reason) in [
        (1, with_clip(intrusion(boot, 1), &cut), cut.clone(), "not a whole MP4"),
        (
            2,
            with_evidence(intrusion(boot, 2), &whole),
            whole.clone(),
            "calls it image/jpeg, but it is video/mp4",
        ),
    ] {
        assert!(edge.send(&event).await.unwrap(), "{seq}");
        let answer = edge.publish(&evidence_topic(&event), bytes, false).await.unwrap();
        assert_eq!(answer, PubAckReason::PayloadFormatInvalid, "{reason}");
        hub.wait_for_log(&["message refused", reason]);
    }
    assert!(evidence(&hub).iter().all(|piece| piece["state"] == "awaited"));
}
