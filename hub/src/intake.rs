//! From a message on any broker to a row on disk.
//!
//! The promise: a [`Receipt`] that says [`Receipt::Stored`] is given only after the transaction is on disk.
//! While the disk does not take anything, everyone gets [`Receipt::NotStored`] and keeps what they have.

mod parse;
mod writing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot, watch};

use crate::evidence::{Folder, Picture};
use crate::store::{Content, Delivery, Record};

pub use writing::{Storage, Writing};

/// Messages that may wait for the writer; more wait in their connections.
const WAITING: usize = 4096;

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
    pictures_fail: Arc<AtomicBool>,
}

/// One record and who waits for it.
#[derive(Debug)]
struct Waiting {
    record: Record,
    receipt: oneshot::Sender<Receipt>,
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
        let intake = Self { queue, folder, pictures_fail: Arc::default() };
        (intake, Writing::start(writer, waiting, changes))
    }

    /// Takes a message and gives the receipt.
    pub async fn deliver(&self, delivery: Delivery) -> Receipt {
        self.take(delivery).await.receipt().await
    }

    /// Takes a message. Messages are stored in the order they were taken, but a picture goes to disk first
    /// and is overtaken meanwhile.
    pub async fn take(&self, delivery: Delivery) -> Promise {
        let (receipt, promise) = oneshot::channel();
        match parse::read(&delivery) {
            parse::Message::Plain(content) => {
                // Fails only when the writer has ended; the promise then says "not stored" by itself, here
                // and below.
                let _ = self.queue.send(Waiting { record: Record { delivery, content }, receipt }).await;
            }
            parse::Message::Picture { edge, event, picture } => {
                let intake = self.clone();
                tokio::spawn(async move {
                    let sha256 = picture.sha256().to_owned();
                    // Before the row that vouches for it.
                    if intake.keep(picture).await {
                        let content = Content::Picture { edge, event, sha256 };
                        let _ = intake
                            .queue
                            .send(Waiting { record: Record { delivery, content }, receipt })
                            .await;
                    }
                });
            }
        }
        Promise(promise)
    }

    /// Puts a picture on disk; says once that this fails, and once that it works again.
    async fn keep(&self, picture: Picture) -> bool {
        let kept = self.folder.keep(picture).await;
        let failed_before = self.pictures_fail.swap(kept.is_err(), Ordering::Relaxed);
        let directory = self.folder.path().display();
        match &kept {
            Err(error) if !failed_before => tracing::error!(
                %directory, %error,
                "pictures cannot be written, so none is acknowledged and edges keep theirs: free space or mend the disk"
            ),
            Ok(()) if failed_before => tracing::info!(%directory, "pictures are written again"),
            _ => {}
        }
        kept.is_ok()
    }
}
