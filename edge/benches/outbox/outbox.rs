//! The outbox itself, as the recording thread and the uplink use it.

use std::path::Path;

use gatepost_edge::outbox::{self, Delivery, Draft, Lane, Recorder};

use crate::backlog::Backlog;
use crate::event::edge;

pub struct Outbox {
    recorder: Recorder,
    delivery: Delivery,
}

impl Outbox {
    pub fn open(folder: &Path) -> Self {
        let (recorder, delivery, _) = outbox::open(&folder.join("outbox"), edge()).unwrap();
        Self { recorder, delivery }
    }
}

impl Backlog for Outbox {
    fn append(&mut self, group: &[Draft]) {
        self.recorder.record(group).unwrap();
    }

    fn take(&mut self, most: usize) -> usize {
        let entries = self.delivery.pending(Lane::Routine, None, most).unwrap();
        for entry in &entries {
            self.delivery.remove(entry.position).unwrap();
        }
        entries.len()
    }
}
