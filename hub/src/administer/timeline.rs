//! The timeline of incidents, out of the database and checked without it.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use gatepost_hub::config;
use gatepost_hub::incident::timeline::{self, AttachedFile};

use super::with_store;
use crate::ConfigFile;

/// Steps read at a time.
const HANDFUL: u16 = 1000;

#[derive(Subcommand)]
pub enum TimelineCommand {
    /// Writes every step of every incident, one to a line
    Export(ConfigFile),
    /// Checks that nothing in an export was changed, removed or slipped in; needs no hub
    Verify {
        /// The export
        file: PathBuf,
        /// Attachments as they were downloaded: says by whom each was attached to what, if its bytes are still those
        attachments: Vec<PathBuf>,
    },
}

impl TimelineCommand {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Export(file) => export(&file),
            Self::Verify { file, attachments } => verify(&file, &attachments),
        }
    }
}

fn verify(file: &Path, attachments: &[PathBuf]) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for path in attachments {
        let content = File::open(path).with_context(|| path.display().to_string())?;
        files.push(AttachedFile::of(content).with_context(|| path.display().to_string())?);
    }
    let export = File::open(file).with_context(|| file.display().to_string())?;
    let whole = timeline::verify_and(BufReader::new(export), |step| {
        files.iter_mut().for_each(|file| file.look_at(step));
    })
    .with_context(|| file.display().to_string())?;
    println!("whole: {} steps, the last has {}", whole.steps, whole.last);
    if whole.deleted > 0 {
        println!("of {} of them only the hash is left: their time was over", whole.deleted);
    }
    let mut unknown = 0;
    for (path, file) in attachments.iter().zip(&files) {
        for mention in file.mentions() {
            println!("{}: {mention}", path.display());
        }
        if file.mentions().is_empty() {
            unknown += 1;
            eprintln!("{}: no step names these bytes", path.display());
        }
    }
    if unknown > 0 {
        bail!(
            "{unknown} of the files were not attached as they are now, or after this export, or their steps are deleted"
        );
    }
    Ok(())
}

fn export(file: &ConfigFile) -> anyhow::Result<()> {
    with_store(&config::load(&file.config)?, async |store| {
        let mut out = std::io::stdout().lock();
        let mut after = 0;
        loop {
            let lines = store.steps_after(after, HANDFUL).await?;
            for line in &lines {
                serde_json::to_writer(&mut out, line)?;
                out.write_all(b"\n")?;
            }
            if lines.len() < usize::from(HANDFUL) {
                return Ok(out.flush()?);
            }
            // Their numbers have no gap.
            after += i64::from(HANDFUL);
        }
    })
}
