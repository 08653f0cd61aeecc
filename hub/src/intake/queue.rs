//! What waits for the writer, in two queues: what is new, and what waited in a box already. News does not wait behind a
//! backlog, and a backlog is not starved by news.

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::Receipt;
use crate::store::Record;

/// Messages that may wait in each queue; more wait in their connections.
const WAITING: usize = 4096;

/// Of so many records in one transaction one is kept for a backlog, if there is any.
const BACKLOG_SHARE: usize = 4;

/// The records of one message, and who waits for them.
#[derive(Debug)]
pub(super) struct Waiting {
    pub records: Vec<Record>,
    pub receipt: oneshot::Sender<Receipt>,
    /// What its bytes take of the room for evidence.
    pub room: Option<OwnedSemaphorePermit>,
}

/// Where it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// It has just happened.
    News,
    /// It waited before it was sent.
    Backlog,
}

/// The ends that are filled; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Entrance {
    news: mpsc::Sender<Waiting>,
    backlog: mpsc::Sender<Waiting>,
}

/// The ends that are emptied.
#[derive(Debug)]
pub(super) struct Queues {
    news: mpsc::Receiver<Waiting>,
    backlog: mpsc::Receiver<Waiting>,
}

pub(super) fn queues() -> (Entrance, Queues) {
    let (to_news, news) = mpsc::channel(WAITING);
    let (to_backlog, backlog) = mpsc::channel(WAITING);
    (Entrance { news: to_news, backlog: to_backlog }, Queues { news, backlog })
}

impl Entrance {
    /// Waits for room. When the writer has ended, `waiting` is dropped, and whoever waits is told "not stored" by that.
    pub async fn put(&self, urgency: Urgency, waiting: Waiting) {
        let queue = match urgency {
            Urgency::News => &self.news,
            Urgency::Backlog => &self.backlog,
        };
        let _ = queue.send(waiting).await;
    }

    /// How many wait: news, backlog.
    pub fn waiting(&self) -> (usize, usize) {
        let filled = |queue: &mpsc::Sender<Waiting>| queue.max_capacity() - queue.capacity();
        (filled(&self.news), filled(&self.backlog))
    }
}

impl Queues {
    pub fn is_closed(&self) -> bool {
        self.news.is_closed()
    }

    /// Takes nothing more in; what waits comes out still.
    pub fn close(&mut self) {
        self.news.close();
        self.backlog.close();
    }

    /// Waits for a message and takes with it what waits already, up to about `records` records. False once the queues
    /// are closed and empty. Can be cancelled.
    pub async fn take(&mut self, batch: &mut Vec<Waiting>, records: usize) -> bool {
        let first = tokio::select! {
            biased;
            Some(waiting) = self.news.recv() => waiting,
            Some(waiting) = self.backlog.recv() => waiting,
            else => return false,
        };
        let mut taken = first.records.len();
        batch.push(first);
        let for_news = records - records / BACKLOG_SHARE;
        for (urgency, limit) in
            [(Urgency::News, for_news), (Urgency::Backlog, records), (Urgency::News, records)]
        {
            let queue = self.of(urgency);
            while taken < limit
                && let Ok(waiting) = queue.try_recv()
            {
                taken += waiting.records.len();
                batch.push(waiting);
            }
        }
        true
    }

    fn of(&mut self, urgency: Urgency) -> &mut mpsc::Receiver<Waiting> {
        match urgency {
            Urgency::News => &mut self.news,
            Urgency::Backlog => &mut self.backlog,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retention::Cause;
    use crate::store::Deletion;

    fn message(records: usize) -> Waiting {
        let record = || {
            Record::Deletion(Deletion {
                event: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
                sha256: String::new(),
                cause: Cause::Age,
                time: gatepost_wire::Timestamp::UNIX_EPOCH,
            })
        };
        let (receipt, _) = oneshot::channel();
        Waiting { records: (0..records).map(|_| record()).collect(), receipt, room: None }
    }

    /// Sizes of the messages in the next transaction.
    async fn next(queues: &mut Queues, records: usize) -> Vec<usize> {
        let mut batch = Vec::new();
        queues.take(&mut batch, records).await;
        batch.iter().map(|waiting| waiting.records.len()).collect()
    }

    #[tokio::test]
    async fn news_goes_first_and_leaves_a_share() {
        let (entrance, mut queues) = queues();
        for _ in 0..3 {
            entrance.put(Urgency::Backlog, message(5)).await;
        }
        for _ in 0..16 {
            entrance.put(Urgency::News, message(1)).await;
        }
        assert_eq!(next(&mut queues, 16).await, [[1; 12].as_slice(), &[5]].concat(), "12 of 16 are for news");
        assert_eq!(next(&mut queues, 16).await, [1, 1, 1, 1, 5, 5]);
        entrance.put(Urgency::News, message(1)).await;
        queues.close();
        assert_eq!(next(&mut queues, 16).await, [1], "what waits comes out");
        assert!(!queues.take(&mut Vec::new(), 16).await);
    }

    #[tokio::test]
    async fn a_message_is_never_taken_apart() {
        let (entrance, mut queues) = queues();
        for _ in 0..3 {
            entrance.put(Urgency::Backlog, message(10)).await;
        }
        assert_eq!(next(&mut queues, 15).await, [10, 10]);
        assert_eq!(next(&mut queues, 1).await, [10]);
    }
}
