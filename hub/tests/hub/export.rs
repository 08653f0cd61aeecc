//! Lists as files: whole, within what a person sees, and safe to open in a spreadsheet.

use gatepost_testbed::http::{self, Answer};
use gatepost_wire::event::Phase;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Home, Hub, PATIENCE};

/// More than are read at a time.
const ALARMS: u64 = 1203;

fn get(hub: &Hub, cookie: &str, path: &str) -> Answer {
    http::send("GET", &hub.url(path), Some(cookie), None::<&()>).unwrap()
}

/// Rows as Python's own parser reads them, as objects by the names in the first line.
fn read_csv(bytes: &[u8]) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list.csv");
    std::fs::write(&file, bytes).unwrap();
    let program = "import csv, json, sys; \
        print(json.dumps(list(csv.DictReader(open(sys.argv[1], encoding='utf-8-sig', newline=''), strict=True))))";
    let read = std::process::Command::new("python3").args(["-c", program]).arg(&file).output().unwrap();
    assert!(read.status.success(), "{read:?}");
    serde_json::from_slice(&read.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_exported_whole_and_no_cell_is_a_formula() {
    let home = Home::embedded();
    let (token, far) = (home.add("gate-1"), home.add("gate-2"));
    let hub = home.start();
    let site = json!({ "label": "school", "edges": ["gate-2"] });
    let put = http::send("PUT", &hub.url("/api/v1/sites/school-2"), Some(&hub.cookie), Some(&site)).unwrap();
    assert_eq!(put.status, 200);
    let auditor = home.account(&hub, "auditor", &["--role", "auditor"]);
    let limited = home.account(&hub, "li", &["--role", "supervisor", "--site", "school-2"]);

    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let health = json!({
        "edge": "gate-1", "time": "2026-01-31T08:30:00Z", "boot": boot(), "uptime_ms": 1, "version": "0", "recorded": [],
        "outbox": { "queued": 0, "disk_bytes": 0 },
        "cameras": [{ "camera": "east-gate", "label": "=HYPERLINK(\"http://x\";\"东门, \"\"1\"\"\")", "state": { "name": "streaming" },
            "frames_sampled": 0, "frames_analysed": 0, "frames_dropped": 0 }],
        "inference": { "model": "m", "failures": 0 }, "disk_free_bytes": 1,
    });
    edge.publish("gp/v1/gate-1/health", health.to_string(), true).await.unwrap();
    let start = boot();
    for seq in 1..=ALARMS {
        assert!(edge.send(&intrusion_of("gate-1", start, seq, alarm(), Phase::Began)).await.unwrap());
    }
    let mut other = Edge::connect(hub.broker_port(), "gate-2", &far).await.unwrap();
    assert!(other.send(&intrusion_of("gate-2", boot(), 1, alarm(), Phase::Began)).await.unwrap());

    let span = "from=2000-01-01T00:00:00Z";
    let csv = get(&hub, &auditor, &format!("/api/v1/exports/alerts?{span}"));
    assert_eq!((csv.status, csv.content_type.as_str()), (200, "text/csv; charset=utf-8"));
    let rows = read_csv(&csv.body);
    assert_eq!(rows.len() as u64, ALARMS + 1);
    let label = rows[3]["camera_label"].as_str().unwrap();
    assert!(label.starts_with("'=HYPERLINK(") && label.contains("东门"), "{label}");
    let all: Vec<Value> =
        get(&hub, &auditor, &format!("/api/v1/exports/alerts?format=json&{span}")).json().unwrap();
    let ids =
        |list: &[Value]| list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&all), ids(&rows), "the same in the same order");
    let mut once = ids(&all);
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), all.len());

    // Who is for one site gets that site's, whatever they ask.
    let own = read_csv(&get(&hub, &limited, &format!("/api/v1/exports/alerts?{span}")).body);
    assert_eq!(own.iter().map(|row| &row["edge"]).collect::<Vec<_>>(), ["gate-2"]);
    http::wait_until("incidents", PATIENCE, || {
        let rows = read_csv(&get(&hub, &auditor, &format!("/api/v1/exports/incidents?{span}")).body);
        let alarms: u64 =
            rows.iter().map(|row| row["alarms"].as_str().unwrap().parse::<u64>().unwrap()).sum();
        (alarms == ALARMS + 1).then_some(())
    })
    .unwrap();
    let own = get(&hub, &limited, &format!("/api/v1/exports/incidents?format=json&{span}"));
    let own: Vec<Value> = own.json().unwrap();
    assert!(own.len() == 1 && own[0]["edge"] == "gate-2" && own[0].get("may").is_none(), "{own:?}");

    let none = get(&hub, &auditor, "/api/v1/exports/incidents?until=2001-01-01T00:00:00Z");
    assert_eq!(read_csv(&none.body), Vec::<Value>::new());
    let wrong =
        get(&hub, &auditor, "/api/v1/exports/alerts?from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z");
    assert!(wrong.json::<Value>().unwrap_err().to_string().contains("`from`"));
    // It leaves a mark.
    let log = hub.get("/api/v1/access-log?limit=200");
    let marks = log["records"].as_array().unwrap().iter().filter(|one| one["action"] == "exported");
    let names: Vec<&str> = marks.map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"auditor") && names.contains(&"li"), "{names:?}");
}
