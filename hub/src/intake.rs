//! From a message on any broker to a row on disk. What the hub itself has to write, a command or a deletion, takes the same
//! way, because there is one writer.
//!
//! The promise: a [`Receipt`] that says [`Receipt::Stored`] is given only after the transaction is on disk.
//! While the disk does not take anything, everyone gets [`Receipt::NotStored`] and keeps what they have.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod parse;
mod writing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_wire::Command;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::evidence::{Folder, Piece};
use crate::store::{Content, Deletion, Delivery, Record};

pub use writing::{Storage, Writing};

/// Messages that may wait for the writer; more wait in their connections.
const WAITING: usize = 4096;

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
    queue: mpsc::Sender<Waiting>,
    folder: Folder,
    files_fail: Arc<AtomicBool>,
    evidence_room: Arc<Semaphore>,
}

/// One record and who waits for it.
#[derive(Debug)]
struct Waiting {
    record: Record,
    receipt: oneshot::Sender<Receipt>,
    /// What its bytes take of the room for evidence.
    room: Option<OwnedSemaphorePermit>,
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
    /// Starts the one task that writes.
    pub fn start(
        writer: crate::store::Writer,
        folder: Folder,
        changes: watch::Sender<i64>,
    ) -> (Self, Writing) {
        let (queue, waiting) = mpsc::channel(WAITING);
        let evidence_room = Arc::new(Semaphore::new(EVIDENCE_KIB));
        let intake = Self { queue, folder, files_fail: Arc::default(), evidence_room };
        (intake, Writing::start(writer, waiting, changes))
    }

    /// Takes a message and gives the receipt.
    pub async fn deliver(&self, delivery: Delivery) -> Receipt {
        self.take(delivery).await.receipt().await
    }

    /// Stores a command that a person gave.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub async fn give(&self, command: Command) -> Result<Receipt, serde_json::Error> {
        let text = serde_json::to_string(&command)?;
        Ok(self.enqueue(Record::Command { command: Box::new(command), text }).await.receipt().await)
    }

    /// Deletes evidence and notes that it was.
    pub async fn delete(&self, deletion: Deletion) -> Receipt {
        self.enqueue(Record::Deletion(deletion)).await.receipt().await
    }

    async fn enqueue(&self, record: Record) -> Promise {
        let (receipt, promise) = oneshot::channel();
        // Fails only when the writer has ended; the promise then says "not stored" by itself, here and below.
        let _ = self.queue.send(Waiting { record, receipt, room: None }).await;
        Promise(promise)
    }

    /// Takes a message. Messages are stored in the order they were taken, but evidence goes to disk first
    /// and is overtaken meanwhile.
    pub async fn take(&self, delivery: Delivery) -> Promise {
        match parse::read(&delivery) {
            parse::Message::Plain(content) => self.enqueue(Record::Message { delivery, content }).await,
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
                        let record = Record::Message { delivery, content };
                        let _ = intake.queue.send(Waiting { record, receipt, room }).await;
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
