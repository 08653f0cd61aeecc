//! Incidents that turn out to be one happening: alarms that came late lie between them. A box that was cut off tells what happens now before
//! what happened meanwhile, so what was going on all the time begins as two.

use std::collections::HashMap;

use gatepost_wire::Timestamp;
use serde_json::json;
use sqlx::AnyConnection;

use super::handful::{MOST_ALARMS, worsen};
use super::table;
use crate::incident::{Kind, Stage};
use crate::store::StoreError;
use crate::store::change::next_change;
use crate::store::incident::Row;
use crate::store::incident::deadline::DeadlinesAt;
use crate::store::incident::step::Chain;

/// Two incidents, by their ids, that an alarm is near to both of.
#[derive(PartialEq, Eq)]
pub(super) struct Meeting(pub [String; 2]);

/// Makes one of each two, if they are open, are not too large together, and people have done something with one of them at most:
/// that one goes on, or else the one that was opened first. Gives the number of the last change.
pub(super) async fn merge(
    connection: &mut AnyConnection,
    meetings: &[Meeting],
    deadlines: &DeadlinesAt<'_>,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let mut change = None;
    // Which incident has the alarms of one that has ended.
    let mut went: HashMap<String, String> = HashMap::new();
    for Meeting(pair) in meetings {
        let [one, other] = pair.each_ref().map(|id| went.get(id).unwrap_or(id).as_str());
        if one == other {
            continue;
        }
        let mut rows = table::with_ids(connection, &[one, other]).await?;
        rows.sort_unstable_by_key(|row| row.number);
        let Ok([earlier, later]) = <[Row; 2]>::try_from(rows) else { continue };
        if earlier.is_open == 0 || later.is_open == 0 || earlier.alarms + later.alarms > MOST_ALARMS {
            continue;
        }
        let touched = table::touched(connection, &[&earlier.id, &later.id]).await?;
        let (into, from) = match (touched.contains(&earlier.id), touched.contains(&later.id)) {
            (true, true) => continue,
            (false, true) => (later, earlier),
            (_, false) => (earlier, later),
        };
        let (ended, goes_on) = (from.id.clone(), into.id.clone());
        change = Some(take_over(connection, into, from, deadlines, now).await?);
        for incident in went.values_mut().filter(|incident| **incident == ended) {
            incident.clone_from(&goes_on);
        }
        went.insert(ended, goes_on);
    }
    Ok(change)
}

async fn take_over(
    connection: &mut AnyConnection,
    mut into: Row,
    mut from: Row,
    deadlines: &DeadlinesAt<'_>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let mut chain = Chain::read(connection).await?;
    let detail = json!({ "into": into.id, "number": into.number });
    from.version += 1;
    chain.add_own(&from, Kind::Merge, Stage::Closed, detail, now)?;
    from.change = next_change(connection).await?;
    table::hand_over(connection, &from, &into, now).await?;

    let detail = json!({ "from": from.id, "number": from.number });
    into.version += 1;
    chain.add_own(&into, Kind::Merge, into.state()?.stage, detail, now)?;
    let graver = from.severity()?;
    if graver.level() < into.severity()?.level() {
        let detail = json!({ "severity": graver.level() });
        worsen(&mut into, graver, detail, deadlines.at(&from.edge), &mut chain, now)?;
    }
    into.alarms += from.alarms;
    into.ongoing += from.ongoing;
    (into.first, into.last) = (into.first.min(from.first), into.last.max(from.last));
    into.change = next_change(connection).await?;
    table::update(connection, &into).await?;
    chain.write(connection).await?;
    Ok(into.change)
}
