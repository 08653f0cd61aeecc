//! How long evidence is kept: a released original until the end its command set, pictures and clips as many days as
//! configured, attachments as many after their incident was closed; and records, which stay for longer. What is over is deleted, and that it was is noted. How boxes fared is deleted,
//! too, after its days, without a note. The database alone says what is over, so a hub that was off catches up at its next start.

mod attachments;
mod records;
mod telemetry;

use std::time::{Duration, Instant};

use gatepost_wire::{EventId, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::attachment;
use crate::config::Kept;
use crate::intake::{Intake, Receipt};
use crate::store::{Deletion, Duty, Store};

/// So often is looked for what is over.
const EVERY: Duration = Duration::from_secs(10);

/// Deleted in one go; alarms that come meanwhile wait for no more than that.
const AT_ONCE: u16 = 50;

/// So often is looked for what is kept in days and may go some hours later: records, and how boxes fared.
const HOUR: Duration = Duration::from_secs(3600);

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Why evidence was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An original, at the end that the command which released it had set.
    ReleasedUntil,
    /// Kept for as long as configured.
    Age,
    /// An attachment: somebody took it back, and said why in the timeline.
    Withdrawn,
}

/// Evidence whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The event it belongs to.
    pub event: EventId,
    /// Of its bytes, lower-case hex.
    pub sha256: String,
    /// Why it is over.
    pub cause: Cause,
}

/// The running task.
#[derive(Debug)]
pub struct Retention {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Retention {
    /// Begins to delete what is over.
    pub fn start(store: Store, intake: Intake, attachments: attachment::Folder, kept: Kept) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(store, intake, attachments, kept, stop.clone()));
        Self { task, stop }
    }

    /// Deletes nothing more.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the deleting of old evidence did not end well");
        }
    }
}

async fn run(store: Store, intake: Intake, folder: attachment::Folder, kept: Kept, stop: CancellationToken) {
    let mut leadership = store.leadership(Duty::Retention);
    let mut failed = false;
    let (mut for_parts, mut for_records, mut for_telemetry) =
        (Hourly::default(), Hourly::default(), Hourly::default());
    loop {
        // While the database cannot be asked, nothing could be deleted either.
        let ours = leadership.is_ours().await.unwrap_or(false);
        let swept = match ours {
            true => {
                let now = Timestamp::now();
                let swept = sweep(&store, &intake, kept.evidence.get(), now, &stop).await;
                let swept = swept
                    .and(attachments::sweep(&store, &folder, kept.attachments, now, &stop).await)
                    .and(attachments::sweep_strays(&store, &folder, now, &stop).await)
                    .and(for_parts.run(attachments::sweep_parts(&folder)).await);
                swept.and(for_records.run(records::sweep(&store, kept.records, now, &stop)).await)
            }
            false => Ok(()),
        };
        match swept {
            Ok(()) => failed = false,
            // Once, not every ten seconds.
            Err(error) if !failed => {
                failed = true;
                tracing::error!(error, "what is over cannot be deleted; it is tried again");
            }
            Err(_) => {}
        }
        if ours {
            let sweep = telemetry::sweep(&store, kept.health, Timestamp::now(), &stop);
            // What keeps the database from being written was told above.
            if let Err(error) = for_telemetry.run(sweep).await {
                tracing::debug!(%error, "how boxes fared long ago cannot be deleted");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Work that is done once an hour. What failed is tried again at the next look.
#[derive(Default)]
struct Hourly {
    done: Option<Instant>,
}

impl Hourly {
    /// Does it, if an hour has passed since it was done.
    async fn run<E>(&mut self, work: impl Future<Output = Result<(), E>>) -> Result<(), E> {
        if self.done.is_none_or(|done| done.elapsed() >= HOUR) {
            work.await?;
            self.done = Some(Instant::now());
        }
        Ok(())
    }
}

/// Deletes everything that is over.
async fn sweep(
    store: &Store,
    intake: &Intake,
    days: u16,
    now: Timestamp,
    stop: &CancellationToken,
) -> Result<(), String> {
    // Before the beginning of time nothing can be too old.
    let oldest = now.checked_sub(DAY * i32::from(days)).unwrap_or(Timestamp::MIN);
    loop {
        let due = store.evidence_due(now, oldest, AT_ONCE).await.map_err(|error| error.to_string())?;
        for Due { event, sha256, cause } in &due {
            if stop.is_cancelled() {
                return Ok(());
            }
            let deletion = Deletion { event: *event, sha256: sha256.clone(), cause: *cause, time: now };
            match intake.delete(deletion).await {
                Receipt::Stored => {
                    tracing::info!(%event, sha256, ?cause, "evidence deleted: its time is over");
                }
                Receipt::Duplicate => {}
                Receipt::Refused(reason) => return Err(format!("{sha256} of event {event}: {reason}")),
                Receipt::NotStored => return Err("the database does not take anything".into()),
            }
        }
        if due.len() < usize::from(AT_ONCE) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
