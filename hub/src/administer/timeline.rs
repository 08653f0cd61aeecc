//! The timeline of incidents, out of the database and checked without it.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use gatepost_hub::config;
use gatepost_hub::incident::timeline;

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
    },
}

impl TimelineCommand {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Export(file) => export(&file),
            Self::Verify { file } => {
                let path = file.display().to_string();
                let export = File::open(&file).with_context(|| path.clone())?;
                let whole = timeline::verify(BufReader::new(export)).with_context(|| path)?;
                println!("whole: {} steps, the last has {}", whole.steps, whole.last);
                if whole.deleted > 0 {
                    println!("of {} of them only the hash is left: their time was over", whole.deleted);
                }
                Ok(())
            }
        }
    }
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
