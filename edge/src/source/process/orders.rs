//! What waits for a camera's process to take it: so much and no more, because it may have stopped taking anything.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::Bytes;

use super::message::{self, Order};

/// As many encoded pictures as a camera that wakes brings along, and a second more.
const MOST_WAITING: usize = 200;
/// The same in bytes, and the largest picture beside it.
const MOST_WAITING_BYTES: usize = 32 << 20;

/// Gives orders to a process.
pub(in crate::source) struct Orders {
    give: SyncSender<(Order, Bytes)>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// Where orders wait.
pub(in crate::source) struct Given {
    given: Receiver<(Order, Bytes)>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// A way for orders.
pub(in crate::source) fn orders() -> (Orders, Given) {
    let (give, given) = sync_channel(MOST_WAITING);
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    (Orders { give, waiting_bytes: Arc::clone(&waiting_bytes) }, Given { given, waiting_bytes })
}

impl Orders {
    /// Orders something, with the picture it is about; false when too much waits already, and this was left out.
    pub fn give(&self, order: Order, picture: Bytes) -> bool {
        let bytes = picture.len();
        let fits = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= MOST_WAITING_BYTES;
        let given = fits && self.give.try_send((order, picture)).is_ok();
        if !given {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        given
    }
}

impl Given {
    /// Hands everything on until nobody orders any more, or nobody takes it.
    pub(super) fn pass_on(self, to: impl Write) -> io::Result<()> {
        let mut to = BufWriter::new(to);
        for next in &self.given {
            self.hand_on(next, &mut to)?;
            for next in self.given.try_iter() {
                self.hand_on(next, &mut to)?;
            }
            to.flush()?;
        }
        Ok(())
    }

    fn hand_on(&self, (order, picture): (Order, Bytes), to: &mut impl Write) -> io::Result<()> {
        let written = message::write(to, &order, &picture);
        self.waiting_bytes.fetch_sub(picture.len(), Ordering::Relaxed);
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_makes_room_again() {
        let (orders, given) = orders();
        let picture = |bytes| Bytes::from(vec![1; bytes]);
        assert_eq!((0..300).filter(|_| orders.give(Order::End, picture(10))).count(), MOST_WAITING);
        given.given.try_iter().for_each(|next| given.hand_on(next, &mut io::sink()).unwrap());

        let half = MOST_WAITING_BYTES / 2;
        assert!(orders.give(Order::End, picture(half)) && orders.give(Order::End, picture(half)));
        assert!(!orders.give(Order::End, picture(1)), "too many bytes");
        assert!(orders.give(Order::End, Bytes::new()), "what is small always finds room");
        drop(orders);
        let mut sent = Vec::new();
        let left = Arc::clone(&given.waiting_bytes);
        given.pass_on(&mut sent).unwrap();
        assert!(sent.len() > MOST_WAITING_BYTES);
        assert_eq!(left.load(Ordering::Relaxed), 0);
    }
}
