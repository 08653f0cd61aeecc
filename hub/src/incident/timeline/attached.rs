//! Whether a file is one that was attached: its hash stands in a step of the timeline.

use std::fmt;
use std::io::{self, Read};

use gatepost_wire::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Document;
use crate::evidence::hex;
use crate::incident::Kind;

/// A file, and the steps that name its bytes.
#[derive(Debug)]
pub struct AttachedFile {
    sha256: String,
    mentions: Vec<Mention>,
}

/// A step that names a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    incident: String,
    number: u64,
    name: String,
    who: String,
    time: Timestamp,
    action: Kind,
}

impl AttachedFile {
    /// Reads a file to its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(mut content: impl Read) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let mut piece = vec![0; 64 * 1024];
        loop {
            match content.read(&mut piece)? {
                0 => break,
                read => hash.update(&piece[..read]),
            }
        }
        Ok(Self { sha256: hex(&hash.finalize()), mentions: Vec::new() })
    }

    /// Does the step tell of it?
    pub fn look_at(&mut self, step: &Document) {
        let is_about_one = matches!(step.action, Kind::Attach | Kind::Withdraw);
        if is_about_one && step.detail["sha256"] == *self.sha256 {
            self.mentions.push(Mention {
                incident: step.incident.clone(),
                number: step.detail["attachment"].as_u64().unwrap_or(0),
                name: step.detail["name"].as_str().unwrap_or_default().to_owned(),
                who: step.who.clone().unwrap_or_default(),
                time: step.time,
                action: step.action,
            });
        }
    }

    /// The steps that do, in their order.
    pub fn mentions(&self) -> &[Mention] {
        &self.mentions
    }
}

impl fmt::Display for Mention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { incident, number, name, who, time, action } = self;
        let what = if *action == Kind::Withdraw { "withdrawn from" } else { "attached to" };
        // An export comes from outside: whatever is in it stays on its line.
        write!(f, "{what} incident {incident:?} as number {number}, {name:?}, by {who:?} at {time}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Stage;

    #[test]
    fn a_file_is_known_by_its_bytes_and_by_nothing_else() {
        let mut file = AttachedFile::of(&b"abc"[..]).unwrap();
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let step = |action, sha256: &str| Document {
            number: 1,
            incident: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
            version: 2,
            time: Timestamp::UNIX_EPOCH,
            who: Some("王丽 (wang.li)".into()),
            action,
            to: Stage::Reported,
            text: None,
            detail: serde_json::json!({ "attachment": 3, "name": "gate.jpg\n", "sha256": sha256 }),
            previous: String::new(),
        };
        for (action, hash) in [(Kind::Attach, "00"), (Kind::Note, sha256)] {
            file.look_at(&step(action, hash));
        }
        assert_eq!(file.mentions(), []);
        for action in [Kind::Attach, Kind::Withdraw] {
            file.look_at(&step(action, sha256));
        }
        let [attached, withdrawn] = file.mentions() else { panic!("{file:?}") };
        let said = "attached to incident \"01ARZ3NDEKTSV4RRFFQ69G5FAV\" as number 3, \"gate.jpg\\n\", by \"王丽 (wang.li)\" at \
                    1970-01-01T00:00:00Z";
        assert_eq!(attached.to_string(), said);
        assert!(withdrawn.to_string().starts_with("withdrawn from"));
    }
}
