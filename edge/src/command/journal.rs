//! What was answered, one file for each command, so that a command that comes again is not carried out again, and
//! that anybody who looks at the box later sees who asked for what and why.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_wire::{Command, CommandId, Reply, Timestamp};
use serde::{Deserialize, Serialize};

use crate::evidence::write_durably;

/// Much longer than any command is valid.
const REMEMBERED: Duration = Duration::from_secs(366 * 24 * 3600);

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    command: Command,
    reply: Reply,
}

/// Remembers answers.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    answers: BTreeMap<CommandId, Reply>,
}

impl Journal {
    /// Reads what was answered, and forgets what is more than a year old.
    pub fn open(folder: &Path, now: Timestamp) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut answers = BTreeMap::new();
        for file in fs::read_dir(folder)? {
            let file = file?.path();
            if file.extension().is_none_or(|kind| kind != "json") {
                continue;
            }
            match serde_json::from_slice::<Note>(&fs::read(&file)?) {
                Ok(note) if note.command.expires + REMEMBERED < now => fs::remove_file(&file)?,
                Ok(Note { command, reply }) => drop(answers.insert(command.id, reply)),
                Err(error) => {
                    tracing::warn!("{}: it does not say what was answered: {error}", file.display());
                }
            }
        }
        Ok(Self { folder: folder.to_owned(), answers })
    }

    /// The answer a command got.
    pub fn answered(&self, command: CommandId) -> Option<Reply> {
        self.answers.get(&command).cloned()
    }

    /// Writes an answer down.
    pub fn note(&mut self, command: &Command, reply: &Reply, now: Timestamp) -> io::Result<()> {
        let note = Note { command: command.clone(), reply: reply.clone() };
        let file = self.folder.join(format!("{}.json", command.id));
        // What came far too late is refused again in the same words, whether or not it is remembered.
        if command.expires + REMEMBERED >= now {
            write_durably(&file, &serde_json::to_vec(&note)?)?;
        }
        self.answers.insert(command.id, reply.clone());
        Ok(())
    }
}
