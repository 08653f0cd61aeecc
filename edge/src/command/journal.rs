//! What was answered, one file for each command, so that a command that comes again is not carried out again, and
//! that anybody who looks at the box later sees who asked for what and why.
//!
//! Which alarms are on [hold](Holds) follows from what was answered, so that it outlives a power cut like the answer itself.
//!
//! An answer is forgotten a year after its command expired. What is left of it is its number: a command up to the highest
//! number forgotten is a replay, even if the box's clock has been set back so that it seems not to have expired.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_wire::command::{HoldEvidence, NumberedCommand, Order, Outcome, Reason};
use gatepost_wire::{Command, CommandId, Reply, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clip::Holds;
use crate::evidence::write_durably;

/// Longer than commands are valid, but for holds, which last as long: what lifted one is remembered until the hold would be over.
const REMEMBERED: Duration = Duration::from_secs(366 * 24 * 3600);
const FORGOTTEN: &str = "forgotten";

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// 0: from before commands had numbers.
    #[serde(default)]
    sequence: u64,
    command: Command,
    reply: Reply,
}

impl Note {
    /// The hold that was put on or lifted. What the box had nothing of is held all the same, should it come to something.
    fn hold(&self) -> Option<&HoldEvidence> {
        let taken =
            matches!(&self.reply.outcome, Outcome::Done | Outcome::Refused { reason: Reason::NotFound, .. });
        match &self.command.order {
            Order::HoldEvidence(order) if taken => Some(order),
            _ => None,
        }
    }
}

/// Remembers answers.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    answers: BTreeMap<CommandId, Reply>,
    /// The highest number of those that were forgotten.
    forgotten: u64,
    /// And of all.
    highest: u64,
    holds: Holds,
}

impl Journal {
    /// Reads what was answered, and forgets what is more than a year old.
    pub fn open(folder: &Path, now: Timestamp) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut answers = BTreeMap::new();
        let before = read_forgotten(folder)?;
        let (mut forgotten, mut highest) = (before, before);
        let (mut old, mut holds) = (Vec::new(), Holds::default());
        for file in fs::read_dir(folder)? {
            let file = file?.path();
            if file.extension().is_none_or(|kind| kind != "json") {
                continue;
            }
            match serde_json::from_slice::<Note>(&fs::read(&file)?) {
                Ok(note) if note.command.expires + REMEMBERED < now => {
                    forgotten = forgotten.max(note.sequence);
                    old.push(file);
                }
                Ok(note) => {
                    highest = highest.max(note.sequence);
                    if let Some(order) = note.hold() {
                        // Files come in any order, and a later one stands.
                        let _ = holds.take(note.sequence, note.command.id, order);
                    }
                    answers.insert(note.command.id, note.reply);
                }
                Err(error) => {
                    tracing::warn!("{}: it does not say what was answered: {error}", file.display());
                }
            }
        }
        // Its number is on the disk before an answer is gone.
        if forgotten > before {
            write_durably(&folder.join(FORGOTTEN), forgotten.to_string().as_bytes())?;
        }
        for file in old {
            fs::remove_file(&file)?;
        }
        let highest = highest.max(forgotten);
        Ok(Self { folder: folder.to_owned(), answers, forgotten, highest, holds })
    }

    /// Which alarms were on hold when it was opened, once: whoever keeps them takes the orders that follow.
    pub fn take_holds(&mut self) -> Holds {
        std::mem::take(&mut self.holds)
    }

    /// The answer a command got.
    pub fn answered(&self, command: CommandId) -> Option<Reply> {
        self.answers.get(&command).cloned()
    }

    /// May a command of this number have been answered and forgotten?
    pub fn has_forgotten(&self, sequence: u64) -> bool {
        sequence <= self.forgotten
    }

    /// The highest number of a command that was ever answered.
    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// Writes an answer down.
    pub fn note(&mut self, numbered: &NumberedCommand, reply: &Reply, now: Timestamp) -> io::Result<()> {
        let NumberedCommand { sequence, command } = numbered.clone();
        let (id, expires) = (command.id, command.expires);
        let note = Note { sequence, command, reply: reply.clone() };
        // What came far too late is refused again in the same words, whether or not it is remembered.
        if expires + REMEMBERED >= now {
            write_durably(&self.folder.join(format!("{id}.json")), &serde_json::to_vec(&note)?)?;
        }
        self.highest = self.highest.max(sequence);
        self.answers.insert(id, reply.clone());
        Ok(())
    }
}

fn read_forgotten(folder: &Path) -> io::Result<u64> {
    let file = folder.join(FORGOTTEN);
    match fs::read_to_string(&file) {
        // Unreadable it would let replays through: better no command than an old one again.
        Ok(text) => text.trim().parse().map_err(|_| {
            io::Error::other(format!("{}: no number: delete it if commands may be repeated", file.display()))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use gatepost_wire::command::Outcome;
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn what_is_forgotten_is_not_carried_out_again_whatever_the_clock_says() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let text = format!(
            r#"{{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","edge":"gate-1","who":"Li","why":"open day","issued":"{now}",
            "expires":"{}","order":{{"kind":"self_test"}}}}"#,
            now + SignedDuration::from_secs(60)
        );
        let command = Command::from_json(text.as_bytes()).unwrap();
        let reply =
            Reply { command: command.id, time: now, outcome: Outcome::Done, extra: Default::default() };
        let numbered = NumberedCommand { sequence: 7, command };
        let mut journal = Journal::open(dir.path(), now).unwrap();
        assert!(!journal.has_forgotten(1) && journal.highest() == 0);
        journal.note(&numbered, &reply, now).unwrap();
        let id = numbered.command.id;
        let again = Journal::open(dir.path(), now).unwrap();
        assert_eq!((again.answered(id), again.highest(), journal.highest()), (Some(reply), 7, 7));

        let years_later = now + SignedDuration::from_hours(24 * 400);
        assert_eq!(Journal::open(dir.path(), years_later).unwrap().answered(id), None);
        let set_back = Journal::open(dir.path(), now).unwrap();
        assert!(set_back.has_forgotten(7) && !set_back.has_forgotten(8));
        assert_eq!(set_back.highest(), 7, "its number is what is left of it");
        fs::write(dir.path().join(FORGOTTEN), "x").unwrap();
        assert!(Journal::open(dir.path(), now).unwrap_err().to_string().contains("no number"));
    }
}
