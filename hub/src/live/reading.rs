//! Changes of one lane, out of the store.

use std::collections::BTreeSet;

use gatepost_wire::command::Order;
use gatepost_wire::{EdgeId, Timestamp};
use serde::Serialize;

use super::{Change, Lane, Subject};
use crate::store::{Store, StoreError};

/// Changes of one kind that are read at a time, and told again after a break; a page that missed more starts over.
pub const AT_ONCE: u16 = 500;

/// Changes in order; there are none between them and `upto` that are not among them.
pub struct Stretch {
    pub changes: Vec<Change>,
    pub upto: i64,
    pub more: bool,
}

/// `upto`: the number of the last change, read before. What changes while the lists are read gets a higher one and comes next time.
pub async fn changes_after(store: &Store, lane: Lane, last: i64, upto: i64) -> Result<Stretch, StoreError> {
    let mut stretch = Stretch { changes: Vec::new(), upto, more: false };
    match lane {
        Lane::People => {
            for (number, alert) in stretch.cut(store.alerts_changed(last, AT_ONCE).await?, |alert| alert.0) {
                stretch.tell(number, &alert.edge, Subject::Alert, &alert)?;
            }
            let commands = store.commands_changed(last, AT_ONCE, Timestamp::now()).await?;
            for (number, command) in stretch.cut(commands, |command| command.0) {
                let subject = match command.order {
                    Order::HoldEvidence(_) => Subject::HoldCommand,
                    _ => Subject::Command,
                };
                stretch.tell(number, &command.edge, subject, &command)?;
            }
            let incidents = store.incidents_changed(last, AT_ONCE, Timestamp::now()).await?;
            for (number, incident, people) in stretch.cut(incidents, |incident| incident.0) {
                stretch.tell(number, &incident.place.edge, Subject::Incident, &incident)?.people = people;
            }
        }
        Lane::Devices => {
            for (number, device) in
                stretch.cut(store.devices_changed(last, AT_ONCE).await?, |device| device.0)
            {
                stretch.tell(number, &device.edge, Subject::Device, &device)?;
            }
        }
    }
    let upto = stretch.upto;
    stretch.changes.retain(|change| change.number <= upto);
    stretch.changes.sort_unstable_by_key(|change| change.number);
    Ok(stretch)
}

impl Stretch {
    /// A list that is full may go on: the stretch ends where it does.
    fn cut<T>(&mut self, list: Vec<T>, number: impl Fn(&T) -> i64) -> Vec<T> {
        if let Some(last) = list.last()
            && list.len() >= usize::from(AT_ONCE)
        {
            self.more = true;
            self.upto = self.upto.min(number(last));
        }
        list
    }

    fn tell<T: Serialize>(
        &mut self,
        number: i64,
        edge: &EdgeId,
        subject: Subject,
        state: &T,
    ) -> Result<&mut Change, StoreError> {
        let json = serde_json::to_string(state)
            .map_err(|error| StoreError::Unreadable { column: subject.name(), value: error.to_string() })?;
        let change = Change { number, edge: edge.clone(), people: BTreeSet::new(), subject, json };
        Ok(self.changes.push_mut(change))
    }
}
