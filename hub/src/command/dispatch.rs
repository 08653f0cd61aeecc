//! Brings commands to their boxes, signed: at once where the box is connected, otherwise when it comes back, and again until it
//! answers or the command expires. What is open stands in the database alone, so a restart forgets nothing. Boxes that have to be told of a legal
//! hold without anybody doing anything now are given their commands here, too.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use gatepost_wire::{CommandId, EdgeId, Timestamp, Topic};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::authority::Authority;
use crate::broker::Publisher;
use crate::store::{Duty, Open, Store, tell};

/// A connected box that does not answer is asked again so often.
const AGAIN: Duration = Duration::from_secs(30);

/// How often it is looked whether a box has to be told of a hold.
const HOLDS: Duration = Duration::from_secs(60);

/// Rest between two looks, so that a storm of events does not become a storm of queries.
const REST: Duration = Duration::from_millis(200);

/// The running task.
#[derive(Debug)]
pub struct Dispatch {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Dispatch {
    /// Begins to send; `changed` says when something in the database changed, and is told of commands that are given here.
    pub fn start(
        store: Store,
        authority: Authority,
        publisher: Publisher,
        changed: watch::Sender<i64>,
    ) -> Self {
        let stop = CancellationToken::new();
        let post = Post { authority, publisher };
        let task = tokio::spawn(run(store, post, changed, stop.clone()));
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

async fn run(store: Store, post: Post, changed: watch::Sender<i64>, stop: CancellationToken) {
    let mut leadership = store.leadership(Duty::Commands);
    let mut changes = changed.subscribe();
    let mut desk = Desk::default();
    let mut holds = Holds::default();
    let mut failed = false;
    loop {
        let open = match leadership.is_ours().await {
            Ok(true) => {
                holds.look(&store, &changed).await;
                store.open_commands(Timestamp::now()).await
            }
            Ok(false) => {
                desk = Desk::default();
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        };
        match open {
            Ok(open) => {
                failed = false;
                let due = desk.due(open, Instant::now());
                for command in &due {
                    post.send(command).await;
                }
                if desk.has_answers() {
                    // One that refused a hold may have to be told again under another number.
                    holds.look_at_once(&store, &changed).await;
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

/// When it was last looked whether a box has to be told of a hold.
#[derive(Debug, Default)]
struct Holds {
    looked: Option<Instant>,
}

impl Holds {
    /// What is wrong with holds keeps no command from being sent.
    async fn look(&mut self, store: &Store, changed: &watch::Sender<i64>) {
        if self.looked.is_none_or(|looked| looked.elapsed() >= HOLDS) {
            self.look_at_once(store, changed).await;
        }
    }

    async fn look_at_once(&mut self, store: &Store, changed: &watch::Sender<i64>) {
        self.looked = Some(Instant::now());
        match store.tell_boxes_of_holds(Timestamp::now()).await {
            Ok(Some(change)) => tell(changed, change),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "boxes cannot be told of legal holds; it is tried again"),
        }
    }
}

/// Signs and publishes.
struct Post {
    authority: Authority,
    publisher: Publisher,
}

impl Post {
    async fn send(&self, open: &Open) {
        let left = open.command.command.expires.duration_since(Timestamp::now());
        let Ok(left) = Duration::try_from(left) else { return };
        let (edge, command) = (&open.command.command.edge, open.command.command.id);
        let signed = match self.authority.commands().sign(&open.command) {
            Ok(signed) => signed,
            Err(error) => {
                tracing::error!(%edge, %command, %error, "command not sent: it cannot be signed");
                return;
            }
        };
        match self.publisher.publish(&Topic::Command(edge.clone()), signed, left).await {
            Ok(()) => tracing::info!(%edge, %command, "command sent"),
            Err(error) => tracing::warn!(%edge, %command, %error, "command not sent, it is tried again"),
        }
    }
}

/// Which commands were sent to whom, and when.
#[derive(Debug, Default)]
struct Desk {
    sent: HashMap<CommandId, Instant>,
    online: BTreeSet<EdgeId>,
    answered: bool,
}

impl Desk {
    /// What has to be sent now. A box that is not known to be connected gets nothing; one that came back gets everything.
    fn due(&mut self, open: Vec<Open>, now: Instant) -> Vec<Open> {
        let online: BTreeSet<EdgeId> =
            open.iter().filter(|open| open.online).map(|open| open.edge().clone()).collect();
        let known = std::mem::replace(&mut self.online, online);
        let mut before = std::mem::take(&mut self.sent);
        let mut due = Vec::new();
        for open in open {
            let id = open.command.command.id;
            let sent = before.remove(&id).filter(|_| known.contains(open.edge()));
            if !open.online {
                continue;
            }
            match sent {
                Some(sent) if now.duration_since(sent) < AGAIN => {
                    self.sent.insert(id, sent);
                }
                _ => {
                    self.sent.insert(id, now);
                    due.push(open);
                }
            }
        }
        self.answered = !before.is_empty();
        due
    }

    /// Is something that was sent not open any more since the last look? It was answered, or it has expired.
    fn has_answers(&self) -> bool {
        self.answered
    }
}

#[cfg(test)]
mod tests {
    use gatepost_wire::Command;
    use gatepost_wire::command::NumberedCommand;

    use super::*;

    fn open(number: u8, edge: &str, online: bool) -> Open {
        let json = format!(
            r#"{{"id":"01ARZ3NDEKTSV4RRFFQ69G5F{number:02}","edge":"{edge}","who":"Li","why":"open day",
            "issued":"2026-11-25T08:00:00Z","expires":"2026-11-26T08:00:00Z","order":{{"kind":"self_test"}}}}"#
        );
        let command = Command::from_json(json.as_bytes()).unwrap();
        Open { command: NumberedCommand { sequence: number.into(), command }, online }
    }

    fn due(desk: &mut Desk, open: Vec<Open>, at: Instant) -> Vec<String> {
        desk.due(open, at).into_iter().map(|open| open.edge().to_string()).collect()
    }

    #[test]
    fn a_box_gets_a_command_once_until_it_stays_silent_or_comes_back() {
        let mut desk = Desk::default();
        let start = Instant::now();
        let both = |online| vec![open(1, "gate-1", online), open(2, "gate-2", true)];
        assert_eq!(due(&mut desk, both(false), start), ["gate-2"]);
        assert!(!desk.has_answers());
        assert_eq!(due(&mut desk, both(true), start), ["gate-1"]);
        assert_eq!(due(&mut desk, both(true), start + REST), Vec::<String>::new());
        // Offline and back: whatever was on its way may be lost.
        assert_eq!(due(&mut desk, both(false), start + 2 * REST), Vec::<String>::new());
        assert_eq!(due(&mut desk, both(true), start + 3 * REST), ["gate-1"]);
        assert_eq!(due(&mut desk, both(true), start + AGAIN), ["gate-2"]);
        // Answered: it is not open any more, and nothing is remembered of it.
        assert_eq!(due(&mut desk, vec![], start + 2 * AGAIN), Vec::<String>::new());
        assert!(desk.sent.is_empty() && desk.has_answers());
        assert_eq!(due(&mut desk, vec![], start + 3 * REST), Vec::<String>::new());
        assert!(!desk.has_answers());
    }
}
