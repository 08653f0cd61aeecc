//! Commands: what people at the hub order this box to do. Each is carried out once, whoever sends it how often; what
//! was answered stays on the disk, with who asked for it and why.

mod hold;
mod journal;
mod release;

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use gatepost_wire::command::{NumberedCommand, Order, Outcome, Reason};
use gatepost_wire::{Command, EdgeId, Reply, Timestamp};
use tokio::sync::mpsc;

use crate::clip::{Archive, locked};
use crate::clock::Clock;
use crate::event::Reporter;
use crate::evidence::EvidenceStore;
use crate::identity::HubKey;
use journal::Journal;
use release::Release;

/// Commands that may wait; a hub that sends more sends them again.
const WAITING: usize = 16;

/// A command cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    reason: Reason,
    detail: String,
}

impl Refusal {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// Takes commands as they come from the broker.
#[derive(Clone)]
pub struct Orders {
    sender: SyncSender<Told>,
}

/// What the thread is told.
enum Told {
    Command(Vec<u8>),
    Stop,
}

impl Orders {
    /// Hands over what came; never waits.
    pub fn take(&self, payload: Vec<u8>) {
        if self.sender.try_send(Told::Command(payload)).is_err() {
            tracing::warn!("too many commands at once, or the daemon stops; the hub sends this one again");
        }
    }
}

/// What a box needs to carry out orders.
pub struct Means {
    /// Who it is.
    pub edge: EdgeId,
    /// Whose commands are carried out.
    pub hub_key: HubKey,
    /// What time it is.
    pub clock: Arc<Clock>,
    /// Does the site allow originals at all?
    pub originals_allowed: bool,
    /// Where clips and originals are.
    pub archive: Arc<Mutex<Archive>>,
    /// Where what is released waits for the hub.
    pub evidence: EvidenceStore,
    /// Who writes down that it is.
    pub reporter: Reporter,
}

/// The running thread.
pub struct CommandThread {
    thread: JoinHandle<()>,
    orders: Orders,
}

impl CommandThread {
    /// Starts it; `folder` remembers what was answered. Answers come out where the last part says. Once it has started the archive knows what is
    /// on hold, so nothing of it may be deleted before.
    ///
    /// # Errors
    /// When the folder cannot be read or made, or the system gives no thread.
    pub fn start(folder: &Path, means: Means) -> io::Result<(Self, Orders, mpsc::UnboundedReceiver<Reply>)> {
        let (_, now) = means.clock.now();
        let mut desk = Desk::open(folder, now, means)?;
        let (sender, orders) = sync_channel(WAITING);
        let (answer, replies) = mpsc::unbounded_channel();
        let thread =
            std::thread::Builder::new().name("command".into()).spawn(move || desk.run(&orders, &answer))?;
        let orders = Orders { sender };
        Ok((Self { thread, orders: orders.clone() }, orders, replies))
    }

    /// Waits until what came is answered; what comes later is not taken.
    pub fn close(self) {
        // It has ended already if it does not take this.
        let _ = self.orders.sender.send(Told::Stop);
        if self.thread.join().is_err() {
            tracing::error!("the thread that carries out commands panicked");
        }
    }
}

struct Desk {
    journal: Journal,
    means: Means,
}

impl Desk {
    fn open(folder: &Path, now: Timestamp, means: Means) -> io::Result<Self> {
        let mut journal = Journal::open(folder, now)?;
        locked(&means.archive).resume(journal.take_holds());
        Ok(Self { journal, means })
    }

    fn run(&mut self, orders: &Receiver<Told>, answer: &mpsc::UnboundedSender<Reply>) {
        for told in orders {
            let Told::Command(payload) = told else { return };
            let command = match self.opened(&payload) {
                Ok(command) => command,
                Err(error) => {
                    tracing::warn!("a message on the command topic is no command: {error}");
                    continue;
                }
            };
            if let Some(reply) = self.reply(&command)
                && answer.send(reply).is_err()
            {
                return;
            }
        }
    }

    /// What the hub signed. Nothing else is answered: whoever sent it is nobody to this box.
    fn opened(&self, payload: &[u8]) -> anyhow::Result<NumberedCommand> {
        Ok(self.means.hub_key.read()?.open(payload)?)
    }

    /// The answer, on the disk; none where there must be none or the disk does not take it: then the command comes again.
    fn reply(&mut self, numbered: &NumberedCommand) -> Option<Reply> {
        let command = &numbered.command;
        if command.edge != self.means.edge {
            tracing::warn!(command = %command.id, edge = %command.edge, "a command for another box");
            return None;
        }
        if let Some(first) = self.journal.answered(command.id) {
            tracing::info!(command = %command.id, "a command came again; the first answer stands");
            return Some(first);
        }
        let (_, now) = self.means.clock.now();
        let outcome = match self.carry_out(numbered, now) {
            Ok(()) => Outcome::Done,
            Err(Refusal { reason, detail }) => {
                let is_behind = matches!(reason, Reason::Superseded | Reason::Replayed);
                let highest = is_behind.then(|| self.journal.highest());
                Outcome::Refused { reason, detail, highest }
            }
        };
        let reply = Reply { command: command.id, time: now, outcome, extra: Default::default() };
        if let Err(error) = self.journal.note(numbered, &reply, now) {
            tracing::error!(command = %command.id, "the answer to a command cannot be written down: {error}");
            return None;
        }
        tracing::info!(
            command = %command.id, order = command.order.kind(), who = command.who.as_str(),
            why = command.why.as_str(), outcome = ?reply.outcome, "a command is answered"
        );
        Some(reply)
    }

    fn carry_out(&self, numbered: &NumberedCommand, now: Timestamp) -> Result<(), Refusal> {
        let command: &Command = &numbered.command;
        if self.journal.has_forgotten(numbered.sequence) {
            let detail =
                "it is as old as commands this box has forgotten, and may have been carried out then";
            return Err(Refusal::new(Reason::Replayed, detail));
        }
        if command.expires <= now {
            return Err(Refusal::new(Reason::Expired, format!("it is {now} here")));
        }
        match &command.order {
            Order::ReleaseOriginal(order) => {
                Release { means: &self.means, command: command.id, order }.carry_out(now)
            }
            Order::SetMode(order) => {
                let (who, why) = (command.who.clone(), command.why.clone());
                match self.means.reporter.set_mode(order.clone(), who, why) {
                    Some(done) => done.map_err(|r| Refusal::new(r.reason(), r.to_string())),
                    None => Err(Refusal::new(Reason::Failed, "the daemon stops")),
                }
            }
            Order::HoldEvidence(order) => hold::carry_out(&self.means.archive, numbered, order, now),
            Order::Unknown(_) => {
                let detail = format!("version {} of the box does not know it", env!("CARGO_PKG_VERSION"));
                Err(Refusal::new(Reason::UnknownOrder, detail))
            }
        }
    }
}

#[cfg(test)]
mod tests;
