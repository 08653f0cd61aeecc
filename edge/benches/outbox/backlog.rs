//! Many events wait, and are taken: what it costs in memory and on the disk, and what of it is given back.

use std::fs;
use std::path::Path;
use std::time::Instant;

use gatepost_edge::outbox::Draft;

use crate::event::drafts;
use crate::measure::{Figures, GROUP};

/// What is measured.
pub trait Backlog {
    /// Writes a group, in order; returns once it would survive a power cut.
    fn append(&mut self, group: &[Draft]);

    /// Reads and removes the oldest, at most so many; how many there were. Need not survive a power cut.
    fn take(&mut self, most: usize) -> usize;
}

/// Fills the store, then takes everything.
pub fn of(store: &mut dyn Backlog, folder: &Path, events: usize) -> Figures {
    let mut figures = Figures::default();
    let began = Instant::now();
    for _ in 0..events / GROUP {
        store.append(&drafts(GROUP));
    }
    figures.set("filled_s", began.elapsed().as_secs_f64());
    figures.set("disk_mib", disk_mib(folder));
    figures.set("memory_mib", memory_mib());
    let began = Instant::now();
    let mut taken = 0;
    loop {
        match store.take(GROUP) {
            0 => break,
            some => taken += some,
        }
    }
    assert_eq!(taken, events / GROUP * GROUP, "everything that was written is there");
    figures.set("taken_s", began.elapsed().as_secs_f64());
    figures.set("left_mib", disk_mib(folder));
    figures
}

fn disk_mib(folder: &Path) -> f64 {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // A store may delete files meanwhile.
        for file in fs::read_dir(folder).into_iter().flatten().flatten() {
            match file.metadata() {
                Ok(meta) if meta.is_dir() => folders.push(file.path()),
                Ok(meta) => bytes += meta.blocks() * 512,
                Err(_) => {}
            }
        }
    }
    bytes as f64 / f64::from(1 << 20)
}

/// What the process holds now, files it has mapped included (`VmRSS`).
fn memory_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
