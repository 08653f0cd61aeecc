//! From a message on any broker to a row on disk. What the hub itself has to write, a command or a deletion, takes the same
//! way, because there is one writer.
//!
//! The promise: a [`Receipt`] that says [`Receipt::Stored`] is given only after the transaction is on disk.
//! While the disk does not take anything, everyone gets [`Receipt::NotStored`] and keeps what they have.

mod counters;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod parse;
mod queue;
mod traced;
mod writing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_wire::Command;
use tokio::sync::{Semaphore, oneshot};

use crate::access::PersonName;
use crate::evidence::{Folder, Piece};
use crate::store::{Content, Deletion, Delivery, Record};

pub use counters::Counters;
use queue::{Entrance, Urgency, Waiting};
pub use writing::{Listeners, Storage, Writing};

/// Evidence that may be in memory at the same time, in KiB; more waits in its connections.
const EVIDENCE_KIB: usize = 64 * 1024;

/// What a sender may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It is on disk.
    Stored,
    /// It was on disk already.
    Duplicate,
    /// It is of no use and never will be: do not send it again.
    Refused(String),
    /// It is not on disk: keep it and send it again later.
    NotStored,
}

/// Takes messages in; cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    queue: Entrance,
    folder: Folder,
    files_fail: Arc<AtomicBool>,
    evidence_room: Arc<Semaphore>,
}

/// Will become a [`Receipt`].
#[derive(Debug)]
pub struct Promise(oneshot::Receiver<Receipt>);

impl Promise {
    /// Waits for the transaction.
    pub async fn receipt(self) -> Receipt {
        // A writer that ended without an answer has stored nothing.
        self.0.await.unwrap_or(Receipt::NotStored)
    }
}

impl Intake {
    /// Starts the one task that writes, and tells the listeners of what was written.
    pub fn start(writer: crate::store::Writer, folder: Folder, listeners: Listeners) -> (Self, Writing) {
        let (queue, waiting) = queue::queues();
        let evidence_room = Arc::new(Semaphore::new(EVIDENCE_KIB));
        let intake = Self { queue, folder, files_fail: Arc::default(), evidence_room };
        (intake, Writing::start(writer, waiting, listeners))
    }

    /// Takes a message of a sender who waits for the receipt before sending the next, and gives it. A batch of what waited at
    /// its sender lets news of others go first.
    pub async fn deliver(&self, delivery: Delivery) -> Receipt {
        let backlog =
            if gatepost_wire::batch::is_batch(&delivery.payload) { Urgency::Backlog } else { Urgency::News };
        self.sort(delivery, backlog).await.receipt().await
    }

    /// Stores a command that a person gave.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub async fn give(&self, command: Command, person: PersonName) -> Result<Receipt, serde_json::Error> {
        let text = serde_json::to_string(&command)?;
        Ok(self
            .enqueue(Urgency::News, vec![Record::Command { command: Box::new(command), person, text }])
            .await
            .receipt()
            .await)
    }

    /// Deletes evidence and notes that it was.
    pub async fn delete(&self, deletion: Deletion) -> Receipt {
        self.enqueue(Urgency::News, vec![Record::Deletion(deletion)]).await.receipt().await
    }

    async fn enqueue(&self, urgency: Urgency, records: Vec<Record>) -> Promise {
        let (receipt, promise) = oneshot::channel();
        self.queue.put(urgency, Waiting { records, receipt, room: None }).await;
        Promise(promise)
    }

    /// Messages that wait for the writer now: news, and what waited in a box already.
    pub fn waiting(&self) -> (usize, usize) {
        self.queue.waiting()
    }

    /// Takes a message. Messages are stored in the order they were taken, but evidence goes to disk first
    /// and is overtaken meanwhile.
    pub async fn take(&self, delivery: Delivery) -> Promise {
        self.sort(delivery, Urgency::News).await
    }

    async fn sort(&self, delivery: Delivery, urgency: Urgency) -> Promise {
        match parse::read(&delivery) {
            parse::Message::Plain(content) => {
                self.enqueue(urgency, vec![Record::Message { delivery, content }]).await
            }
            parse::Message::Batch(events) => {
                let record = |(delivery, content)| Record::Message { delivery, content };
                self.enqueue(urgency, events.into_iter().map(record).collect()).await
            }
            parse::Message::Evidence { edge, event, piece } => {
                let (receipt, promise) = oneshot::channel();
                let kib = u32::try_from(delivery.payload.len().div_ceil(1024)).unwrap_or(u32::MAX);
                // The semaphore is never closed, and no piece is larger than it.
                let room = self.evidence_room.clone().acquire_many_owned(kib).await.ok();
                let intake = self.clone();
                tokio::spawn(async move {
                    let (sha256, format) = (piece.sha256().to_owned(), piece.format());
                    // Before the row that vouches for it.
                    if intake.keep(piece).await {
                        let content = Content::Evidence { edge, event, sha256, format };
                        let records = vec![Record::Message { delivery, content }];
                        intake.queue.put(Urgency::News, Waiting { records, receipt, room }).await;
                    }
                });
                Promise(promise)
            }
        }
    }

    /// Puts a piece on disk; says once that this fails, and once that it works again.
    async fn keep(&self, piece: Piece) -> bool {
        let kept = self.folder.keep(piece).await;
        let failed_before = self.files_fail.swap(kept.is_err(), Ordering::Relaxed);
        let directory = self.folder.path().display();
        match &kept {
            Err(error) if !failed_before => tracing::error!(
                %directory, %error,
                "evidence cannot be written, so none is acknowledged and edges keep theirs: free space or mend the disk"
            ),
            Ok(()) if failed_before => tracing::info!(%directory, "evidence is written again"),
            _ => {}
        }
        kept.is_ok()
    }
}
