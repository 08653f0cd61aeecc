//! The outbox against a model that is a list: whatever is done in whatever order, with restarts between.

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// A group of events of these severities, with a picture or without.
    Record(Vec<(u8, bool)>),
    /// The broker acknowledges the n-th of what a lane shows.
    Acknowledge(Lane, usize),
    /// The hub refuses it.
    SetAside(Lane, usize),
    /// The backlog has outgrown its limit.
    Lose,
    /// The daemon is started again.
    Restart,
    /// The write of a group breaks off, and it is tried again or the daemon is killed.
    BreakOff(Vec<u8>, prop::sample::Index, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let lane = prop::sample::select(Lane::ALL.to_vec());
    prop_oneof![
        6 => prop::collection::vec((1u8..=4, any::<bool>()), 1..60).prop_map(Step::Record),
        8 => (lane.clone(), 0usize..4).prop_map(|(lane, n)| Step::Acknowledge(lane, n)),
        1 => (lane, 0usize..4).prop_map(|(lane, n)| Step::SetAside(lane, n)),
        1 => Just(Step::Lose),
        1 => Just(Step::Restart),
        1 => (prop::collection::vec(1u8..=4, 1..60), any::<prop::sample::Index>(), any::<bool>())
            .prop_map(|(group, cut, is_killed)| Step::BreakOff(group, cut, is_killed)),
    ]
}

/// What waits, in the order of recording.
type Model = Vec<(Severity, Item)>;

fn items_of(event: &Event) -> Vec<(Severity, Item)> {
    let severity = event.data.severity;
    let mut items = vec![(severity, Item::Event { id: event.id, json: event.to_json().unwrap() })];
    if !event.data.evidence.is_empty() {
        items.push((severity, Item::Picture { event: event.id }));
    }
    items
}

/// Everything that waits, in the order of recording.
fn list(delivery: &Delivery) -> Model {
    let mut entries = waiting(delivery);
    entries.sort_by_key(|entry| entry.position.number);
    entries.into_iter().map(|entry| (entry.severity, entry.item)).collect()
}

fn of_lane(model: &Model, lane: Lane) -> Vec<Item> {
    model.iter().filter(|(severity, _)| Lane::of(*severity) == lane).map(|(_, item)| item.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn it_is_a_list_on_the_disk(steps in prop::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let mut model = Model::new();
        let (mut recorder, mut delivery, _) = open_small(folder.path());
        let mut last = Seq(0);
        let mut acknowledged = Vec::new();
        for step in steps {
            match step {
                Step::Record(group) => {
                    let drafts: Vec<_> = group
                        .iter()
                        .map(|(severity, pictured)| {
                            let mut draft = bulky(Severity::try_from(*severity).unwrap());
                            draft.data.evidence =
                                vec![Evidence::covered(MediaType::Jpeg, "0".into(), 1); usize::from(*pictured)];
                            draft
                        })
                        .collect();
                    for (event, (_, pictured)) in recorder.record(&drafts).unwrap().iter().zip(group) {
                        last = last.next();
                        prop_assert_eq!(event.seq, last);
                        prop_assert_eq!(!event.data.evidence.is_empty(), pictured);
                        model.extend(items_of(event));
                    }
                }
                Step::Acknowledge(lane, n) | Step::SetAside(lane, n) => {
                    if let Some(entry) = delivery.pending(lane, None, n + 1).unwrap().get(n) {
                        if matches!(step, Step::SetAside(..)) {
                            delivery.set_aside(entry.position).unwrap();
                        } else {
                            prop_assert_eq!(delivery.remove(entry.position).unwrap(), Some(entry.item.clone()));
                        }
                        model.retain(|(_, item)| *item != entry.item);
                        acknowledged.push(entry.item.clone());
                    }
                }
                Step::Lose => {
                    if let Some(loss) = recorder.next_loss(0).unwrap() {
                        let before = model.len();
                        recorder.let_go(&loss).unwrap();
                        let left: Vec<_> = waiting(&delivery).into_iter().map(|entry| entry.item).collect();
                        let gone: Vec<_> = model.iter().filter(|(_, item)| !left.contains(item)).cloned().collect();
                        prop_assert!(gone.iter().all(|(severity, _)| *severity == loss.severity));
                        let events = gone.iter().filter(|(_, item)| matches!(item, Item::Event { .. })).count();
                        prop_assert_eq!((events as u64, gone.len() - events), (loss.events, loss.pictures.len()));
                        model.retain(|entry| !gone.contains(entry));
                        prop_assert_eq!(model.len(), before - gone.len());
                    }
                }
                Step::Restart => {
                    drop((recorder, delivery));
                    (recorder, delivery, _) = open_small(folder.path());
                    last = Seq(0);
                }
                Step::BreakOff(group, cut, is_killed) => {
                    let drafts = group_of(&group);
                    let broken = break_off(&mut recorder, folder.path(), &drafts, cut);
                    let items: Model = broken.events.iter().flat_map(items_of).collect();
                    if is_killed {
                        drop((recorder, delivery));
                        broken.befall();
                        (recorder, delivery, _) = open_small(folder.path());
                        last = Seq(0);
                        if list(&delivery).ends_with(&items) {
                            model.extend(items);
                        }
                    } else {
                        broken.befall();
                        prop_assert_eq!(recorder.record(&drafts).unwrap(), broken.events);
                        last.0 += drafts.len() as u64;
                        model.extend(items);
                    }
                    let found = list(&delivery);
                    // What was acknowledged since the last write comes again.
                    let is_known =
                        |entry: &&(Severity, Item)| model.contains(entry) || !acknowledged.contains(&entry.1);
                    prop_assert_eq!(&found.iter().filter(is_known).cloned().collect::<Model>(), &model);
                    model = found;
                }
            }
            for lane in Lane::ALL {
                let shown = delivery.pending(lane, None, usize::MAX).unwrap();
                let items: Vec<_> = shown.into_iter().map(|entry| entry.item).collect();
                prop_assert_eq!(items, of_lane(&model, lane));
            }
            prop_assert_eq!(delivery.health().queued, model.len() as u64);
        }
        prop_assert_eq!(recorder.untold_damages(), []);
    }
}
