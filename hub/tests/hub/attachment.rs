//! Attachments over HTTP: who adds what, what is left of it, for whom it opens, and what is refused without a trace.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use gatepost_testbed::http::{self, Answer, wait_until};
use gatepost_wire::event::Phase;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::incident::{Person, wait_for_incidents};
use crate::message::{alarm, boot, intrusion_of};
use crate::process::{Home, Hub, PATIENCE, command};

/// A JPEG in whose Exif stands where it was taken, turned on its side.
fn photo(picture: &str) -> Vec<u8> {
    let mut exif = b"Exif\0\0II\x2a\0\x08\0\0\0\x02\0".to_vec();
    exif.extend(b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0");
    exif.extend(b"\x25\x88\x04\0\x01\0\0\0\x26\0\0\0\0\0\0\0");
    exif.extend(b"31.2304 N 121.4737 E, PhoneX of Zhao");
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&b"\xff\xd8\xff\xe1"[..], &length, &exif, b"\xff\xda\0\x02", picture.as_bytes(), b"\xff\xd9behind"]
        .concat()
}

/// What is kept of it.
fn bare(picture: &str) -> Vec<u8> {
    let exif = b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    [&b"\xff\xd8"[..], exif, b"\xff\xda\0\x02", picture.as_bytes(), b"\xff\xd9"].concat()
}

fn path(id: &str) -> String {
    format!("/api/v1/incidents/{id}/attachments")
}

fn attach(hub: &Hub, cookie: &str, id: &str, name: &str, bytes: &[u8]) -> Answer {
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let url = hub.url(&format!("{}?name={name}", path(id)));
    http::send_bytes("POST", &url, Some(cookie), "image/jpeg", bytes).unwrap()
}

fn files(home: &Home) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(home.data().join("attachments")).unwrap();
    folder.map(|entry| entry.unwrap().path()).collect()
}

/// A hub with one incident, its id, and its alarm's.
async fn with_incident(home: &Home) -> (Hub, Edge, String, String) {
    let token = home.add("gate-1");
    let hub = home.start();
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    let alarm = alarm();
    assert!(edge.send(&intrusion_of("gate-1", boot(), 1, alarm, Phase::Began)).await.unwrap());
    let incident = wait_for_incidents(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
    (hub, edge, incident, alarm.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_attached_opened_for_a_purpose_and_withdrawn() {
    let home = Home::embedded();
    let (hub, _edge, id, alarm) = with_incident(&home).await;
    let operator = home.account(&hub, "qin.lan", &["--role", "operator"]);
    let handler = home.account(&hub, "zhao.min", &["--role", "handler"]);
    let auditor = home.account(&hub, "sun.hao", &["--role", "auditor"]);
    let get =
        |cookie: &str, path: &str| http::send("GET", &hub.url(path), Some(cookie), None::<&()>).unwrap();

    assert_eq!(attach(&hub, &auditor, &id, "gate.jpg", &photo("gate")).status, 403);
    assert_eq!(attach(&hub, &handler, &id, "gate.jpg", &photo("gate")).status, 404, "it is not theirs");
    let added = attach(&hub, &operator, &id, "C:\\photos\\东门 \"1\".JPG", &photo("gate"));
    assert_eq!(added.status, 201, "{}", added.text());
    let added: Value = added.json().unwrap();
    assert_eq!(
        (&added["number"], &added["name"], &added["media_type"], &added["who"], &added["gone"]),
        (&json!(1), &json!("东门 _1_.jpg"), &json!("image/jpeg"), &json!("qin.lan (qin.lan)"), &Value::Null)
    );
    assert_eq!(added["bytes"], bare("gate").len());
    assert_eq!(std::fs::read(&files(&home)[0]).unwrap(), bare("gate"), "nothing else of it is on the disk");
    let again = attach(&hub, &hub.cookie, &id, "other.jpg", &photo("gate"));
    assert_eq!((again.status, again.text().contains("number 1")), (409, true), "{}", again.text());
    assert_eq!(files(&home).len(), 1);
    let told = hub.get(&format!("/api/v1/incidents/{id}"));
    assert_eq!((&told["attachments"], &told["version"]), (&json!(1), &json!(2)));

    // Nobody opens it without a purpose, which the register keeps.
    let file = format!("{}/1", path(&id));
    assert_eq!(get(&operator, &file).status, 403);
    let opening = json!({ "alarm": alarm, "incident": id });
    let opened = http::send("POST", &hub.url("/api/v1/viewings"), Some(&operator), Some(&opening)).unwrap();
    assert_eq!(opened.status, 201);
    for _ in 0..2 {
        let got = get(&operator, &file);
        assert_eq!((got.status, got.content_type.as_str(), &got.body), (200, "image/jpeg", &bare("gate")));
    }
    let head = head(&hub, &operator, &file);
    for header in [
        "content-disposition: attachment; filename=\"attachment-1.jpg\"; filename*=UTF-8''%E4%B8%9C%E9%97%A8%20_1_.jpg",
        "content-security-policy: default-src 'none'; sandbox",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    assert_eq!(get(&auditor, &file).status, 403, "who reads the register sees no pictures");
    assert_eq!(get(&handler, &file).status, 404);
    let register: Value = get(&auditor, "/api/v1/viewings").json().unwrap();
    let seen = &register["viewings"][0]["attachments"];
    assert_eq!(seen.as_array().unwrap().len(), 1, "once, however often: {seen}");
    assert_eq!(
        (&seen[0]["incident"], &seen[0]["number"], &seen[0]["sha256"]),
        (&json!(id), &json!(1), &added["sha256"])
    );
    for (path, status) in [("/0", 400), ("/x", 400), ("/2", 404), ("/4294967296", 400)] {
        assert_eq!(get(&operator, &format!("{}{path}", self::path(&id))).status, status, "{path}");
    }

    // The timeline names its bytes; a file that was changed since is none of it.
    let export = home.data().join("export.jsonl");
    std::fs::write(&export, home.call(&["timeline", "export"]) + "\n").unwrap();
    let downloaded = home.data().join("downloaded.jpg");
    let verify = |bytes: &[u8]| {
        std::fs::write(&downloaded, bytes).unwrap();
        let (export, file) = (export.display().to_string(), downloaded.display().to_string());
        command(&["timeline", "verify", &export, &file])
    };
    let good = verify(&bare("gate"));
    let said = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(
        good.status.success() && said.contains(&format!("attached to incident {id:?} as number 1")),
        "{said}"
    );
    let forged = verify(&bare("gone"));
    assert!(!forged.status.success() && String::from_utf8_lossy(&forged.stderr).contains("no step names"));

    // Who is given the incident sees it, and does not take back what others attached.
    let person = Person::new(&home, &hub, "li.na", &["--role", "supervisor"]);
    person.takes(&id, json!({ "action": "assign", "to": "zhao.min" }));
    let steps = hub.url(&format!("/api/v1/incidents/{id}/steps"));
    let withdraw = |cookie: &str, version: i64, number: i64| {
        let step = json!({ "version": version, "action": "withdraw", "attachment": number, "text": "the wrong gate" });
        http::send("POST", &steps, Some(cookie), Some(&step)).unwrap()
    };
    let listed: Value = get(&handler, &path(&id)).json().unwrap();
    assert_eq!(listed["attachments"][0]["may_withdraw"], false);
    assert_eq!(withdraw(&handler, 3, 1).status, 403);
    assert_eq!(withdraw(&operator, 2, 1).status, 409, "it has changed");
    let gone = withdraw(&operator, 3, 2);
    assert_eq!((gone.status, gone.text().contains("no attachment 2")), (400, true), "{}", gone.text());
    assert_eq!(withdraw(&operator, 3, 1).status, 200);
    assert_eq!(get(&operator, &file).status, 410);
    let listed: Value = get(&handler, &path(&id)).json().unwrap();
    assert_eq!(listed["attachments"][0]["gone"]["cause"], "withdrawn");
    wait_until("the file to go", PATIENCE, || files(&home).is_empty().then_some(())).unwrap();
    let deletions: Value = get(&auditor, "/api/v1/deletions").json().unwrap();
    let deletion = &deletions["deletions"][0];
    assert_eq!(
        (&deletion["incident"], &deletion["attachment"], &deletion["event"], &deletion["cause"]),
        (&json!(id), &json!(1), &Value::Null, &json!("withdrawn"))
    );
    let timeline: Value = get(&auditor, &format!("/api/v1/incidents/{id}/timeline")).json().unwrap();
    let actions: Vec<&str> =
        timeline["steps"].as_array().unwrap().iter().map(|step| step["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["open", "attach", "assign", "withdraw"]);
}

fn head(hub: &Hub, cookie: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(hub.web.trim_start_matches("http://")).unwrap();
    let request =
        format!("HEAD {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = String::new();
    stream.read_to_string(&mut head).unwrap();
    head
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_attached_is_refused_and_leaves_nothing() {
    let home = Home::embedded();
    let (hub, _edge, id, _) = with_incident(&home).await;
    let cookie = hub.cookie.clone();
    let large = [b"%PDF-1.4 ".as_slice(), &vec![b' '; 10 << 20], b"%%EOF"].concat();
    for (name, bytes, status, words) in [
        ("gate.jpg", &b"<svg><script>alert(1)</script></svg>"[..], 415, "JPEG, PNG, WebP or PDF"),
        ("gate.jpg", b"<!doctype html><script>alert(1)</script>", 415, "JPEG, PNG, WebP or PDF"),
        ("gate.jpg", b"", 400, "empty"),
        ("gate.jpg", b"\xff\xd8\xff\xe0 and nothing more", 400, "damaged JPEG"),
        ("gate.png", b"\x89PNG\r\n\x1a\n\0\0", 400, "damaged PNG"),
        ("bill.pdf", &large, 413, "10 MiB"),
        ("", b"%PDF-1.4 %%EOF", 400, "name"),
        ("a\nb", b"%PDF-1.4 %%EOF", 400, "name"),
        (&"x".repeat(201), b"%PDF-1.4 %%EOF", 400, "name"),
    ] {
        let answer = attach(&hub, &cookie, &id, name, bytes);
        assert_eq!(answer.status, status, "{name:?}: {}", answer.text());
        assert_eq!(answer.content_type, "application/problem+json");
        assert!(answer.text().contains(words), "{name:?}: {}", answer.text());
    }
    let nowhere = attach(&hub, &cookie, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "x.pdf", b"%PDF-1.4 %%EOF");
    assert_eq!(nowhere.status, 404);
    assert_eq!((files(&home), hub.get(&path(&id))), (vec![], json!({ "attachments": [] })));
    assert_eq!(hub.get(&format!("/api/v1/incidents/{id}"))["version"], 1);

    for number in 1..=20 {
        let added = attach(&hub, &cookie, &id, "n.pdf", format!("%PDF-1.4 {number} %%EOF").as_bytes());
        assert_eq!(added.status, 201, "{number}: {}", added.text());
    }
    let full = attach(&hub, &cookie, &id, "n.pdf", b"%PDF-1.4 21 %%EOF");
    assert_eq!((full.status, full.text().contains("as many as it may have")), (409, true), "{}", full.text());
    assert_eq!(files(&home).len(), 20);
}

/// A hundred megabytes, said and unsaid; and bodies that never come, which keep nobody else waiting for long.
#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_cut_off_and_who_dribbles_is_let_go() {
    const MEGABYTE: usize = 1 << 20;
    let home = Home::embedded();
    let (hub, _edge, id, _) = with_incident(&home).await;
    let address = hub.web.trim_start_matches("http://").to_owned();
    let open = |length: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "POST {}?name=x.pdf HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\ncontent-type: application/pdf\r\n{length}\r\n\r\n",
            path(&id),
            hub.cookie
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    for length in ["content-length: 104857600", "transfer-encoding: chunked"] {
        let mut stream = open(length);
        let mut chunk = format!("{MEGABYTE:x}\r\n").into_bytes();
        chunk.extend(vec![b' '; MEGABYTE]);
        chunk.extend(b"\r\n");
        let taken = (0..100).take_while(|_| stream.write_all(&chunk).is_ok()).count();
        assert!(taken < 100, "{length}: it took all of it");
    }
    let peak = hub.daemon.peak_rss_bytes().unwrap();
    assert!(peak < 250 * MEGABYTE as u64, "{peak} bytes");

    // Bodies that never come take all four places; who comes then is told when to come again.
    let mut waiting = Vec::new();
    let busy = wait_until("no place to be left", PATIENCE, || {
        let mut stream = open("content-length: 1000");
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let mut answer = [0; 1024];
        match stream.read(&mut answer) {
            Ok(read) => Some(String::from_utf8_lossy(&answer[..read]).into_owned()),
            Err(_) => {
                waiting.push(stream);
                None
            }
        }
    });
    let busy = busy.unwrap();
    assert!(busy.starts_with("HTTP/1.1 503") && busy.contains("retry-after: 10"), "{busy}");
    let answers = waiting.iter_mut().map(|stream| {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        answer
    });
    assert_eq!(answers.filter(|answer| answer == b"HTTP/1.1 408").count(), 4);
    let again = attach(&hub, &hub.cookie, &id, "y.pdf", b"%PDF-1.4 y %%EOF");
    assert_eq!(again.status, 201, "{}", again.text());
}

/// A hub that is killed while files are attached: each that was answered is there, and no row is without its file.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_leaves_no_attachment_without_its_bytes() {
    let home = Home::embedded();
    let (hub, _edge, id, alarm) = with_incident(&home).await;
    let (url, cookie) = (hub.url(&path(&id)), hub.cookie.clone());
    let sending = std::thread::spawn(move || {
        let mut answered = 0;
        for number in 0..20 {
            let body =
                [format!("%PDF-1.4 {number}").into_bytes(), vec![b' '; 1 << 20], b"%%EOF".to_vec()].concat();
            match http::send_bytes(
                "POST",
                &format!("{url}?name={number}.pdf"),
                Some(&cookie),
                "application/pdf",
                &body,
            ) {
                Ok(answer) if answer.status == 201 => answered += 1,
                _ => break,
            }
        }
        answered
    });
    wait_until("some to be attached", PATIENCE, || (files(&home).len() > 3).then_some(())).unwrap();
    drop(hub);
    let answered = sending.join().unwrap();
    let hub = home.start();
    let kept = hub.get(&path(&id))["attachments"].as_array().unwrap().clone();
    assert!(kept.len() >= answered && kept.len() <= files(&home).len(), "{answered} answered: {kept:?}");
    let opening = json!({ "alarm": alarm, "incident": id });
    assert_eq!(http::post_json(&hub.url("/api/v1/viewings"), &opening).unwrap().status, 201);
    for one in &kept {
        let got = http::get(&hub.url(&format!("{}/{}", path(&id), one["number"]))).unwrap();
        assert_eq!((got.status, got.body.len() as u64), (200, one["bytes"].as_u64().unwrap()), "{one}");
    }
}
