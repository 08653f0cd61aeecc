//! The limit: the bytes of a group at the end of a file, and one `fdatasync`.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use gatepost_edge::outbox::Draft;
use gatepost_wire::BootId;
use ulid::Ulid;

use crate::backlog::Backlog;
use crate::event::json;

pub struct Bare {
    file: File,
    boot: BootId,
    lengths: std::collections::VecDeque<usize>,
    number: u64,
    read_to: u64,
}

impl Bare {
    pub fn open(folder: &Path) -> Self {
        let file = File::options().read(true).append(true).create(true).open(folder.join("log")).unwrap();
        let boot = BootId::from_ulid(Ulid::generate());
        Self { file, boot, lengths: Default::default(), number: 0, read_to: 0 }
    }
}

impl Backlog for Bare {
    fn append(&mut self, group: &[Draft]) {
        let mut bytes = Vec::new();
        for draft in group {
            self.number += 1;
            let json = json(draft, self.boot, self.number);
            self.lengths.push_back(json.len());
            bytes.extend(json);
        }
        self.file.write_all(&bytes).unwrap();
        self.file.sync_data().unwrap();
    }

    fn take(&mut self, most: usize) -> usize {
        let some = most.min(self.lengths.len());
        for length in self.lengths.drain(..some) {
            let mut bytes = vec![0; length];
            self.file.read_exact_at(&mut bytes, self.read_to).unwrap();
            self.read_to += length as u64;
        }
        if self.lengths.is_empty() {
            self.file.set_len(0).unwrap();
        }
        some
    }
}
