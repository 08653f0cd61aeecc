//! What changed, as it changes: the store's changes, read once and told to every open page.
//!
//! A change is the present state of an alarm, a device, a command or an incident under the number of its last change. Whoever knows a
//! number and asks for what came after it misses nothing; states in between may be skipped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gatepost_wire::{EdgeId, Timestamp};
use serde::Serialize;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::access::{Permission, PersonName};
use crate::store::{Store, StoreError};

/// Changes of one kind that are read at a time, and told again after a break; a page that missed more starts over.
const REPLAYED: u16 = 500;

/// Changes a slow page may be behind before it is told to start over: two looks' worth of all four kinds, or a page that reads as fast as it
/// can would be told so by a single look.
const BEHIND: usize = 2 * 4 * REPLAYED as usize;

/// Rest between two looks, so that a storm of changes is read in handfuls.
const REST: Duration = Duration::from_millis(20);

/// After a failed look.
const RETRY: Duration = Duration::from_secs(1);

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An alarm.
    Alert,
    /// An edge.
    Device,
    /// A command to an edge.
    Command,
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
            Self::Incident => Permission::SeeIncidents,
        }
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Device => "device",
            Self::Command => "command",
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
    told: watch::Receiver<i64>,
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
        let (position, told) = watch::channel(store.last_change().await?);
        let task = tokio::spawn(run(store.clone(), changes, sender.clone(), position, stop));
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

    /// The number up to which everything has been told.
    pub fn position(&self) -> i64 {
        *self.told.borrow()
    }

    /// What came after change `number`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn missed(&self, number: i64) -> Result<Missed, StoreError> {
        if number > self.store.last_change().await? {
            return Ok(Missed::TooMuch);
        }
        let some = changes_after(&self.store, number, REPLAYED).await?;
        Ok(if some.more { Missed::TooMuch } else { Missed::Changes(some.changes) })
    }
}

async fn run(
    store: Store,
    mut changes: watch::Receiver<i64>,
    sender: broadcast::Sender<Arc<Change>>,
    position: watch::Sender<i64>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
        loop {
            let last = *position.borrow();
            let rest = match look(&store, last, &sender).await {
                Ok(some) => {
                    for change in some.changes {
                        // Fails when no page is open.
                        let _ = sender.send(Arc::new(change));
                    }
                    position.send_replace(some.upto);
                    if !some.more {
                        break;
                    }
                    REST
                }
                Err(error) => {
                    tracing::error!(%error, "changes cannot be read; live pages wait");
                    RETRY
                }
            };
            tokio::time::sleep(rest).await;
        }
        tokio::time::sleep(REST).await;
    }
}

/// What to tell. With no page open that is nothing, and reading it would only cost the writer the processor.
async fn look(
    store: &Store,
    last: i64,
    pages: &broadcast::Sender<Arc<Change>>,
) -> Result<Stretch, StoreError> {
    // In this order: a page that begins to listen after the second line loads its lists later still, and finds in them whatever
    // the first line saw.
    let upto = store.last_change().await?;
    if pages.receiver_count() == 0 {
        return Ok(Stretch { changes: Vec::new(), upto, more: false });
    }
    changes_after(store, last, REPLAYED).await
}

/// Changes in order; there are none between them and `upto` that are not among them.
struct Stretch {
    changes: Vec<Change>,
    upto: i64,
    more: bool,
}

async fn changes_after(store: &Store, last: i64, limit: u16) -> Result<Stretch, StoreError> {
    // Read first: what changes while the lists are read gets a higher number and comes next time.
    let mut upto = store.last_change().await?;
    let alerts = store.alerts_changed(last, limit).await?;
    let devices = store.devices_changed(last, limit).await?;
    let commands = store.commands_changed(last, limit, Timestamp::now()).await?;
    let incidents = store.incidents_changed(last, limit, Timestamp::now()).await?;
    let mut more = false;
    for cut in [
        (alerts.len(), alerts.last().map(|a| a.0)),
        (devices.len(), devices.last().map(|d| d.0)),
        (commands.len(), commands.last().map(|c| c.0)),
        (incidents.len(), incidents.last().map(|i| i.0)),
    ] {
        if let (length, Some(number)) = cut
            && length >= usize::from(limit)
        {
            more = true;
            upto = upto.min(number);
        }
    }
    let mut changes = Vec::with_capacity(alerts.len() + devices.len() + commands.len() + incidents.len());
    for (number, alert) in &alerts {
        changes.push(change(*number, &alert.edge, Subject::Alert, alert)?);
    }
    for (number, device) in &devices {
        changes.push(change(*number, &device.edge, Subject::Device, device)?);
    }
    for (number, command) in &commands {
        changes.push(change(*number, &command.edge, Subject::Command, command)?);
    }
    for (number, incident, people) in incidents {
        let told = change(number, &incident.place.edge, Subject::Incident, &incident)?;
        changes.push(Change { people, ..told });
    }
    changes.retain(|change| change.number <= upto);
    changes.sort_unstable_by_key(|change| change.number);
    Ok(Stretch { changes, upto, more })
}

fn change<T: Serialize>(
    number: i64,
    edge: &EdgeId,
    subject: Subject,
    state: &T,
) -> Result<Change, StoreError> {
    let json = serde_json::to_string(state)
        .map_err(|error| StoreError::Unreadable { column: subject.name(), value: error.to_string() })?;
    Ok(Change { number, edge: edge.clone(), people: BTreeSet::new(), subject, json })
}
