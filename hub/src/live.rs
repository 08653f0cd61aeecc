//! What changed, as it changes: the store's changes, read once and told to every open page.
//!
//! A change is the present state of an alarm, a device, a command or an incident under the number of its last change. What people wait for
//! and what boxes report of themselves are told in two [lanes](Lane), each in the order of its numbers. Whoever knows a [place](Place) in
//! both and asks for what came after it misses nothing; states in between may be skipped.

mod place;
mod reading;
mod telling;

pub use place::{Lane, Place};

use std::collections::BTreeSet;
use std::sync::Arc;

use gatepost_wire::EdgeId;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::access::{Permission, PersonName};
use crate::store::{Store, StoreError};

/// Changes a slow page may be behind before it is told to start over: two looks' worth of all four kinds, or a page that reads as fast as it
/// can would be told so by a single look.
const BEHIND: usize = 2 * 4 * reading::AT_ONCE as usize;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An alarm.
    Alert,
    /// An edge.
    Device,
    /// A command to an edge.
    Command,
    /// A command to an edge about a legal hold.
    HoldCommand,
    /// An incident.
    Incident,
}

impl Subject {
    /// Who may hear of it.
    pub const fn permission(self) -> Permission {
        match self {
            Self::Alert => Permission::SeeAlerts,
            Self::Device => Permission::SeeDevices,
            Self::Command => Permission::SeeCommands,
            Self::HoldCommand => Permission::HoldEvidence,
            Self::Incident => Permission::SeeIncidents,
        }
    }

    /// In which order it is told.
    pub const fn lane(self) -> Lane {
        match self {
            Self::Alert | Self::Command | Self::HoldCommand | Self::Incident => Lane::People,
            Self::Device => Lane::Devices,
        }
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Device => "device",
            Self::Command | Self::HoldCommand => "command",
            Self::Incident => "incident",
        }
    }
}

/// One change, ready to be told.
#[derive(Debug)]
pub struct Change {
    /// Its number.
    pub number: i64,
    /// At which box.
    pub edge: EdgeId,
    /// Who handles or handled it, of an incident.
    pub people: BTreeSet<PersonName>,
    /// What changed.
    pub subject: Subject,
    /// Its present state.
    pub json: String,
}

/// What someone who was away has missed.
#[derive(Debug)]
pub enum Missed {
    /// All of it.
    Changes(Vec<Change>),
    /// Too much, or of another database: load everything anew.
    TooMuch,
}

/// Tells changes; cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    store: Store,
    sender: broadcast::Sender<Arc<Change>>,
    told: watch::Receiver<Place>,
}

impl Feed {
    /// Starts to read changes; `changes` says when there are new ones.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn start(
        store: Store,
        changes: watch::Receiver<i64>,
        stop: CancellationToken,
    ) -> Result<(Self, JoinHandle<()>), StoreError> {
        let (sender, _) = broadcast::channel(BEHIND);
        let (place, told) = watch::channel(Place::all_up_to(store.last_change().await?));
        let task = tokio::spawn(telling::run(store.clone(), changes, sender.clone(), place, stop));
        Ok((Self { store, sender, told }, task))
    }

    /// Everything told from now on.
    pub fn listen(&self) -> broadcast::Receiver<Arc<Change>> {
        self.sender.subscribe()
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.sender.receiver_count()
    }

    /// Up to where everything has been told.
    pub fn place(&self) -> Place {
        *self.told.borrow()
    }

    /// What came after a place.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn missed(&self, place: Place) -> Result<Missed, StoreError> {
        let last = self.store.last_change().await?;
        let mut missed = Vec::new();
        for lane in Lane::ALL {
            let after = place.in_lane(lane);
            if after > last {
                return Ok(Missed::TooMuch);
            }
            let some = reading::changes_after(&self.store, lane, after, last).await?;
            if some.more {
                return Ok(Missed::TooMuch);
            }
            missed.extend(some.changes);
        }
        Ok(Missed::Changes(missed))
    }
}
