//! A backlog that has grown beyond its limit: what goes first, and how it is told.
//!
//! What a box says of its own state (health) never waits here, only its newest report is kept: it is gone before any event.
//! Then go the least severe events, the oldest of them first, segment by segment, with their pictures.

use std::collections::BTreeMap;

use gatepost_wire::{BootId, Event, EventId, Seq, Severity};

use super::entry::Item;
use super::segment::Fault;
use super::store::Chain;

/// The order in which severities go.
const LEAST_FIRST: [Severity; 4] = [Severity::LOW, Severity::MEDIUM, Severity::HIGH, Severity::CRITICAL];

/// What has to go next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    segment: u64,
    /// All of one severity.
    pub severity: Severity,
    /// How many events.
    pub events: u64,
    /// Between which numbers of which boots they lie.
    pub places: BTreeMap<BootId, (Seq, Seq)>,
    /// Whose pictures go with them.
    pub pictures: Vec<EventId>,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} events of severity {} are deleted undelivered", self.events, self.severity.level())?;
        for (boot, (first, last)) in &self.places {
            write!(f, ", numbers between {first} and {last} of boot {boot}")?;
        }
        Ok(())
    }
}

/// The next to go while the chain is larger than `limit_bytes`. The newest segment is never touched.
pub(super) fn next_loss(chain: &mut Chain, limit_bytes: u64) -> Result<Option<Loss>, Fault> {
    if chain.disk_bytes() <= limit_bytes {
        return Ok(None);
    }
    for severity in LEAST_FIRST {
        while let Some(segment) = chain.oldest_with(severity) {
            let loss = look_up(chain, segment, severity)?;
            // What was counted may have been delivered long ago.
            if loss.events > 0 || !loss.pictures.is_empty() {
                return Ok(Some(loss));
            }
            if chain.oldest_with(severity) == Some(segment) {
                break;
            }
        }
    }
    Ok(None)
}

fn look_up(chain: &mut Chain, segment: u64, severity: Severity) -> Result<Loss, Fault> {
    chain.with_segment(segment, |opened| {
        let mut loss = Loss { segment, severity, events: 0, places: BTreeMap::new(), pictures: Vec::new() };
        opened.for_each(|entry| {
            if entry.severity != severity {
                return;
            }
            match &entry.item {
                Item::Picture { event } => loss.pictures.push(*event),
                Item::Event { json, .. } => {
                    loss.events += 1;
                    if let Ok(event) = Event::from_json(json) {
                        let (first, last) = loss.places.entry(event.boot).or_insert((event.seq, event.seq));
                        (*first, *last) = ((*first).min(event.seq), (*last).max(event.seq));
                    }
                }
            }
        })?;
        Ok(loss)
    })
}

pub(super) fn let_go(chain: &mut Chain, loss: &Loss) -> Result<(), Fault> {
    chain.thin_out(loss.segment, |entry| entry.severity != loss.severity)
}
