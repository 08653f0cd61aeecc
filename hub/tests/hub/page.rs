//! The live page in a real browser: a clip is played where its alert is, and an original is asked for and released.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use gatepost_testbed::account::PASSWORD;
use gatepost_testbed::footage::workspace_root;
use gatepost_wire::command::{Order, Outcome};
use gatepost_wire::event::Phase;
use tokio::sync::mpsc;

use crate::command::{come_online, reply};
use crate::edge::Edge;
use crate::message::{
    alarm, boot, encrypted, evidence_topic, intrusion_of, picture, with_clip, with_original_kept,
    with_released,
};
use crate::process::Home;

/// Ten seconds of video in the format a box makes.
fn real_clip(folder: &Path) -> Vec<u8> {
    let file = folder.join("clip.mp4");
    let done = Command::new("gst-launch-1.0")
        .args(
            "-q videotestsrc pattern=ball num-buffers=100 ! video/x-raw,width=640,height=360,framerate=10/1"
                .split(' '),
        )
        .args("! openh264enc ! h264parse ! mp4mux faststart=true ! filesink".split(' '))
        .arg(format!("location={}", file.display()))
        .output()
        .unwrap_or_else(|e| panic!("gst-launch-1.0 cannot be started: {e}; run `setup/install.sh debian`"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(file).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_played_and_an_original_asked_for() {
    let page = workspace_root().join("hub/ui");
    assert!(
        page.join("node_modules").is_dir(),
        "the browser test needs its packages: run `setup/install.sh page`"
    );
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    home.account(&hub, "wang.li", &["--role", "supervisor"]);
    let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
    come_online(&mut edge).await;
    let (boot, alarm) = (boot(), alarm());
    let event = |seq, phase| intrusion_of("gate-1", boot, seq, alarm, phase);
    // A picture that is named and never comes: the page says so, and asks for nothing that is not there.
    let began = with_original_kept(event(1, Phase::Began), &picture("covered"));
    let clip = real_clip(home.data());
    let updated = with_clip(event(2, Phase::Updated), &clip);
    assert!(edge.send(&began).await.unwrap() && edge.send(&updated).await.unwrap());
    edge.publish(&evidence_topic(&updated), clip, false).await.unwrap();

    let mut browser = Command::new("node")
        .arg("e2e/evidence-page.mjs")
        .current_dir(page)
        .env("GATEPOST_URL", &hub.web)
        .env("GATEPOST_NAME", "wang.li")
        .env("GATEPOST_PASSWORD", PASSWORD)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("node cannot be started: {e}; run `setup/install.sh debian`"));
    let (sender, mut lines) = mpsc::unbounded_channel();
    let output = BufReader::new(browser.stdout.take().unwrap());
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let mut said = Vec::new();
    while let Some(line) = lines.recv().await {
        if line == "ASKED" {
            let command = edge.command(home.hub_key()).await;
            let Order::ReleaseOriginal(release) = &command.order else { panic!("{command:?}") };
            assert_eq!(release.event, began.id);
            let original = encrypted("someone");
            let released = with_released(event(3, Phase::Updated), &original, command.id, release.until);
            assert!(edge.send(&released).await.unwrap());
            edge.publish(&evidence_topic(&released), original, false).await.unwrap();
            edge.publish("gp/v1/gate-1/command/reply", reply(&command, Outcome::Done), false).await.unwrap();
        }
        said.push(line);
    }
    let status = browser.wait().unwrap();
    let said = said.join("\n");
    println!("{said}");
    assert!(status.success() && said.ends_with("DONE"), "{said}");
}

/// A person's way through the page: the link, signing in, the second factor, other people's accounts, and a session that ends.
#[test]
fn people_sign_in_and_manage_accounts_on_the_page() {
    let home = Home::embedded();
    let token = home.add("gate-1");
    let hub = home.start();
    home.account(&hub, "wang.li", &["--role", "supervisor"]);
    home.account(&hub, "li.na", &["--role", "administrator"]);
    // A box that has said something, so that there is one to see.
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut edge = Edge::connect(hub.broker_port(), "gate-1", &token).await.unwrap();
        come_online(&mut edge).await;
        assert!(edge.send(&intrusion_of("gate-1", boot(), 1, alarm(), Phase::Began)).await.unwrap());
    });
    let mut browser = Command::new("node")
        .arg("e2e/accounts-page.mjs")
        .current_dir(workspace_root().join("hub/ui"))
        .env("GATEPOST_URL", &hub.web)
        .env("GATEPOST_NAME", "wang.li")
        .env("GATEPOST_PASSWORD", PASSWORD)
        .env("GATEPOST_ADMIN", "li.na")
        .env("GATEPOST_ADMIN_PASSWORD", PASSWORD)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("node cannot be started: {e}; run `setup/install.sh debian`"));
    let mut said = Vec::new();
    for line in BufReader::new(browser.stdout.take().unwrap()).lines().map_while(Result::ok) {
        if line == "END" {
            home.call(&["person", "disable", "wang.li"]);
            home.call(&["person", "enable", "wang.li"]);
        }
        said.push(line);
    }
    let status = browser.wait().unwrap();
    let said = said.join("\n");
    println!("{said}");
    assert!(status.success() && said.ends_with("DONE"), "{said}");
}
