//! How each box fared over time: what its reports say, put together by five minutes and by hours, and what changed when.
//!
//! Reports are put together in memory once they are stored, and what five minutes of a box say is written once, when they are over: of a
//! box that reports every half minute that is a tenth of what writing each report would be (docs/SCALE.md). A hub that is killed loses
//! the five minutes under way; one that is stopped writes them. Several hubs at one database each write what they heard of a box, and
//! the database adds it up.

mod course;
mod desk;
mod recording;
mod sample;
mod standing;
mod stretch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_wire::{EdgeId, Timestamp};

pub use course::{CameraCourse, Course, DeviceHistory, StateChange};
use desk::Desk;
pub use recording::Recording;
pub use sample::{Amount, BoxSample, CameraSample, Width};
pub use standing::{Change, Standing, State};
pub use stretch::{FINE_KEPT, Stretch, StretchError};

use crate::store::{Content, Fate, Record, Store};

/// Takes in what boxes report; cheap to clone, and clones are one.
#[derive(Debug, Clone, Default)]
pub struct Telemetry(Arc<Mutex<Desk>>);

impl Telemetry {
    /// With the task that writes what comes together.
    pub fn start(store: Store) -> (Self, Recording) {
        let telemetry = Self::default();
        let recording = Recording::start(store, telemetry.clone());
        (telemetry, recording)
    }

    /// Takes in what was stored in a transaction; of anything but reports and presence it knows nothing.
    pub fn take<'r>(&self, stored: impl IntoIterator<Item = (&'r Record, &'r Fate)>) {
        let mut desk = self.lock();
        for (record, fate) in stored {
            let Record::Message { delivery, content } = record else { continue };
            match content {
                // What the broker kept from earlier says nothing about now.
                Content::Health { health, .. } if *fate == Fate::Stored && !delivery.retained => {
                    desk.take_report(health, delivery.received);
                }
                Content::Presence(presence) if *fate == Fate::Stored => {
                    desk.take_presence(&presence.edge, presence.state, delivery.received);
                }
                _ => {}
            }
        }
    }

    /// What is known of a box and not yet written: five minutes each, by their beginnings.
    pub fn unwritten(&self, edge: &EdgeId) -> Vec<(Timestamp, BoxSample)> {
        self.lock().unwritten(edge)
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        // Each of its methods leaves it whole; a panic between two costs a report.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
