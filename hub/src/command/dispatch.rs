//! Brings commands to their boxes: at once where the box is connected, otherwise when it comes back, and again until it
//! answers or the command expires. What is open stands in the database alone, so a restart forgets nothing.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use gatepost_wire::{CommandId, EdgeId, Timestamp, Topic};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::broker::Publisher;
use crate::store::{Open, Store};

/// A connected box that does not answer is asked again so often.
const AGAIN: Duration = Duration::from_secs(30);

/// Rest between two looks, so that a storm of events does not become a storm of queries.
const REST: Duration = Duration::from_millis(200);

/// The running task.
#[derive(Debug)]
pub struct Dispatch {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Dispatch {
    /// Begins to send; `changes` says when something in the database changed.
    pub fn start(store: Store, publisher: Publisher, changes: watch::Receiver<i64>) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(store, publisher, changes, stop.clone()));
        Self { task, stop }
    }

    /// Sends nothing more.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the sending of commands did not end well");
        }
    }
}

async fn run(store: Store, publisher: Publisher, mut changes: watch::Receiver<i64>, stop: CancellationToken) {
    let mut desk = Desk::default();
    let mut failed = false;
    loop {
        match store.open_commands(Timestamp::now()).await {
            Ok(open) => {
                failed = false;
                for command in desk.due(open, Instant::now()) {
                    send(&publisher, &command).await;
                }
            }
            Err(error) if !failed => {
                failed = true;
                tracing::error!(%error, "commands cannot be read, so none is sent");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(AGAIN) => {}
        }
        tokio::time::sleep(REST).await;
    }
}

async fn send(publisher: &Publisher, command: &Open) {
    let left = command.expires.duration_since(Timestamp::now());
    let Ok(left) = Duration::try_from(left) else { return };
    let topic = Topic::Command(command.edge.clone());
    match publisher.publish(&topic, command.document.clone().into_bytes(), left).await {
        Ok(()) => tracing::info!(edge = %command.edge, command = %command.id, "command sent"),
        Err(error) => {
            tracing::warn!(edge = %command.edge, command = %command.id, %error, "command not sent, it is tried again");
        }
    }
}

/// Which commands were sent to whom, and when.
#[derive(Debug, Default)]
struct Desk {
    sent: HashMap<CommandId, Instant>,
    online: BTreeSet<EdgeId>,
}

impl Desk {
    /// What has to be sent now. A box that is not known to be connected gets nothing; one that came back gets everything.
    fn due(&mut self, open: Vec<Open>, now: Instant) -> Vec<Open> {
        let online: BTreeSet<EdgeId> =
            open.iter().filter(|command| command.online).map(|command| command.edge.clone()).collect();
        let known = std::mem::replace(&mut self.online, online);
        let mut before = std::mem::take(&mut self.sent);
        let mut due = Vec::new();
        for command in open {
            let sent = before.remove(&command.id).filter(|_| known.contains(&command.edge));
            if !command.online {
                continue;
            }
            match sent {
                Some(sent) if now.duration_since(sent) < AGAIN => {
                    self.sent.insert(command.id, sent);
                }
                _ => {
                    self.sent.insert(command.id, now);
                    due.push(command);
                }
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(number: u8, edge: &str, online: bool) -> Open {
        Open {
            id: format!("01ARZ3NDEKTSV4RRFFQ69G5F{number:02}").parse().unwrap(),
            edge: edge.parse().unwrap(),
            expires: Timestamp::UNIX_EPOCH,
            document: String::new(),
            online,
        }
    }

    fn due(desk: &mut Desk, open: Vec<Open>, at: Instant) -> Vec<String> {
        desk.due(open, at).into_iter().map(|command| command.edge.to_string()).collect()
    }

    #[test]
    fn a_box_gets_a_command_once_until_it_stays_silent_or_comes_back() {
        let mut desk = Desk::default();
        let start = Instant::now();
        let both = |online| vec![open(1, "gate-1", online), open(2, "gate-2", true)];
        assert_eq!(due(&mut desk, both(false), start), ["gate-2"]);
        assert_eq!(due(&mut desk, both(true), start), ["gate-1"]);
        assert_eq!(due(&mut desk, both(true), start + REST), Vec::<String>::new());
        // Offline and back: whatever was on its way may be lost.
        assert_eq!(due(&mut desk, both(false), start + 2 * REST), Vec::<String>::new());
        assert_eq!(due(&mut desk, both(true), start + 3 * REST), ["gate-1"]);
        assert_eq!(due(&mut desk, both(true), start + AGAIN), ["gate-2"]);
        // Answered: it is not open any more, and nothing is remembered of it.
        assert_eq!(due(&mut desk, vec![], start + 2 * AGAIN), Vec::<String>::new());
        assert!(desk.sent.is_empty());
    }
}
