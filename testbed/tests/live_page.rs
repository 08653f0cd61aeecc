//! The live page in a real browser, on a whole site: people walk through a zone in front of a camera, and the
//! operator's page shows it without a reload, in both languages, also after the network was cut.

mod site;

use std::process::Command;

use gatepost_testbed::account::PASSWORD;
use gatepost_testbed::footage::workspace_root;
use site::Site;

#[test]
fn a_new_alert_appears_without_a_reload() {
    let page = workspace_root().join("hub/ui");
    assert!(
        page.join("node_modules").is_dir(),
        "the browser test needs its packages: run `setup/install.sh page`"
    );
    let site = Site::with_own_broker();
    let output = Command::new("node")
        .arg("e2e/live-page.mjs")
        .current_dir(page)
        .env("GATEPOST_URL", site.hub_url())
        .env("GATEPOST_NAME", "tester")
        .env("GATEPOST_PASSWORD", PASSWORD)
        .output()
        .unwrap_or_else(|e| panic!("node cannot be started: {e}; run `setup/install.sh debian`"));
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().any(|line| line == "DONE"), "{said}");
}
