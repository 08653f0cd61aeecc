//! `docs/asyncapi.json` says what the code says.

use std::path::Path;

use gatepost_wire::schema::asyncapi;
use gatepost_wire::topic::HUB_FILTERS;

#[test]
fn the_committed_document_is_what_the_code_makes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/asyncapi.json");
    let made = serde_json::to_string_pretty(&asyncapi()).unwrap() + "\n";
    if std::env::var_os("GATEPOST_BLESS").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == made,
        "docs/asyncapi.json is out of date: run `GATEPOST_BLESS=1 cargo test -p gatepost-wire --test asyncapi`"
    );
}

#[test]
fn the_hub_listens_to_whatever_an_edge_sends_and_to_nothing_else() {
    let document = asyncapi();
    let sent: Vec<String> = document["operations"]
        .as_object()
        .unwrap()
        .values()
        .filter(|operation| operation["action"] == "send")
        .map(|operation| operation["channel"]["$ref"].as_str().unwrap().trim_start_matches('#'))
        .map(|channel| document.pointer(channel).unwrap()["address"].as_str().unwrap())
        .map(|address| address.replace("{edge}", "+").replace("{event}", "+"))
        .collect();
    assert_eq!(sent.len(), HUB_FILTERS.len());
    assert!(sent.iter().all(|filter| HUB_FILTERS.contains(&filter.as_str())), "{sent:?}");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = asyncapi();
    let text = document.to_string();
    let references: Vec<&str> =
        text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.len() > 10);
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}
