use serde_json::json;

use super::*;
use crate::access::Site;
use crate::incident::SiteDeadlines;
use crate::store::{SiteError, testing};

/// The header of a PNG; `more` makes it another one.
fn picture(more: &str) -> Picture {
    let head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x06\x40\0\0\x03\xe8\x08\x02\0\0\0";
    Picture::parse([&head[..], more.as_bytes()].concat().into()).unwrap()
}

fn placed(edge: &str) -> Placements {
    serde_json::from_value(json!({
        "cameras": [{ "edge": edge, "camera": "east", "at": { "x": 0.25, "y": 0.75 }, "view": null }],
        "zones": [], "sensors": [],
    }))
    .unwrap()
}

fn site(name: &str) -> SiteId {
    name.parse().unwrap()
}

/// Two schools with a box each.
async fn schools(store: &Store) {
    for (name, edge) in [("school-1", "gate-1"), ("school-2", "gate-2")] {
        let school = Site {
            site: site(name),
            label: name.to_owned().try_into().unwrap(),
            edges: [edge.parse().unwrap()].into(),
            deadlines: SiteDeadlines::default(),
        };
        store.put_site(&school, "li.na", Timestamp::now()).await.unwrap();
    }
}

#[tokio::test]
async fn a_plan_is_drawn_changed_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&testing::fresh(dir.path())).await.unwrap();
    schools(&store).await;
    let (school, now) = (site("school-1"), Timestamp::now());
    assert_eq!(store.plan(&school).await.unwrap(), None);
    assert!(store.plan_picture(&school).await.unwrap().is_none());

    let first =
        store.put_plan_picture(&school, PlanVersion::NONE, &picture("a"), "li.na", now).await.unwrap();
    assert_eq!((first.picture.size.width_px, first.picture.size.height_px), (1600, 1000));
    assert_eq!(first.placed, Placements::default());
    assert_eq!(store.plan(&school).await.unwrap().unwrap(), first);

    let second = store.put_placements(&school, first.version, &placed("gate-1"), "li.na", now).await.unwrap();
    assert!(second.version.get() > first.version.get());
    assert_eq!(second.placed, placed("gate-1"));

    // Another picture: what is placed stays.
    let third = store.put_plan_picture(&school, second.version, &picture("b"), "li.na", now).await.unwrap();
    assert_eq!(third.placed, second.placed);
    let kept = store.plan_picture(&school).await.unwrap().unwrap();
    assert_eq!((kept.kind, &kept.bytes), (PictureKind::Png, picture("b").bytes()));
    assert_eq!(kept.sha256, third.picture.sha256);

    let all = store.planned_sites(&Scope::All).await.unwrap();
    let versions: Vec<_> = all.iter().map(|one| (one.site.as_str(), one.version)).collect();
    assert_eq!(versions, [("school-1", Some(third.version)), ("school-2", None)]);
    assert_eq!(all[0].edges, ["gate-1".parse().unwrap()].into());
    let own = store.planned_sites(&Scope::Sites([site("school-2")].into())).await.unwrap();
    assert_eq!(own.iter().map(|one| one.site.as_str()).collect::<Vec<_>>(), ["school-2"]);

    store.remove_plan(&school, third.version, "li.na", now).await.unwrap();
    assert_eq!(store.plan(&school).await.unwrap(), None);
    assert!(store.plan_picture(&school).await.unwrap().is_none());
    let (records, _) = store.access_records(None, 10).await.unwrap();
    let told: Vec<_> =
        records.iter().rev().skip(2).map(|one| (one.action, one.detail.as_deref().unwrap())).collect();
    assert_eq!(
        told,
        [
            (Action::PlanChanged, "school-1: a picture, image/png, 1600 × 1000 pixels"),
            (Action::PlanChanged, "school-1: 1 cameras, 0 zones, 0 sensors"),
            (Action::PlanChanged, "school-1: a picture, image/png, 1600 × 1000 pixels"),
            (Action::PlanRemoved, "school-1"),
        ]
    );
    store.close().await;
}

#[tokio::test]
async fn of_two_who_change_it_at_once_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&testing::fresh(dir.path())).await.unwrap();
    schools(&store).await;
    let (school, now) = (site("school-1"), Timestamp::now());
    let first =
        store.put_plan_picture(&school, PlanVersion::NONE, &picture("a"), "li.na", now).await.unwrap();
    let again = store.put_plan_picture(&school, PlanVersion::NONE, &picture("b"), "wang.li", now).await;
    assert!(
        matches!(again, Err(PlanError::Changed { now, ref by }) if now == first.version.get() && by == "li.na")
    );
    let second =
        store.put_placements(&school, first.version, &placed("gate-1"), "wang.li", now).await.unwrap();
    let refused = store.put_placements(&school, first.version, &Placements::default(), "li.na", now).await;
    assert!(matches!(refused, Err(PlanError::Changed { ref by, .. }) if by == "wang.li"), "{refused:?}");
    assert!(matches!(
        store.remove_plan(&school, first.version, "li.na", now).await,
        Err(PlanError::Changed { .. })
    ));
    assert_eq!(store.plan(&school).await.unwrap().unwrap(), second);

    // A plan that was removed and drawn anew is another one: its versions go on.
    store.remove_plan(&school, second.version, "li.na", now).await.unwrap();
    let gone = store.put_placements(&school, second.version, &placed("gate-1"), "wang.li", now).await;
    assert!(matches!(gone, Err(PlanError::NoPlan(_))), "{gone:?}");
    let anew = store.put_plan_picture(&school, PlanVersion::NONE, &picture("a"), "li.na", now).await.unwrap();
    assert!(anew.version.get() > second.version.get());
    store.close().await;
}

#[tokio::test]
async fn nothing_of_another_site_is_placed_and_a_site_takes_its_plan_along() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&testing::fresh(dir.path())).await.unwrap();
    schools(&store).await;
    let (school, now) = (site("school-1"), Timestamp::now());
    let nowhere =
        store.put_plan_picture(&site("school-9"), PlanVersion::NONE, &picture("a"), "li.na", now).await;
    assert!(matches!(nowhere, Err(PlanError::UnknownSite(_))), "{nowhere:?}");
    let early = store.put_placements(&school, PlanVersion::NONE, &placed("gate-1"), "li.na", now).await;
    assert!(matches!(early, Err(PlanError::NoPlan(_))), "{early:?}");
    let first =
        store.put_plan_picture(&school, PlanVersion::NONE, &picture("a"), "li.na", now).await.unwrap();
    let foreign = store.put_placements(&school, first.version, &placed("gate-2"), "li.na", now).await;
    assert!(
        matches!(foreign, Err(PlanError::NotOfSite(ref edge)) if edge.as_str() == "gate-2"),
        "{foreign:?}"
    );

    store.remove_site(&school, "li.na", now).await.unwrap();
    assert!(store.plan_picture(&school).await.unwrap().is_none());
    assert!(matches!(store.remove_site(&school, "li.na", now).await, Err(SiteError::Unknown(_))));
    store.close().await;
}
