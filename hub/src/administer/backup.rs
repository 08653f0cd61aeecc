//! Backups from the command line.

use std::path::PathBuf;

use clap::Args;
use gatepost_hub::{backup, config};
use gatepost_wire::Timestamp;

use super::hold::tell_after_restore;
use super::with_store;
use crate::ConfigFile;

/// Where a backup goes.
#[derive(Args)]
pub struct BackupCommand {
    /// A folder that is not there yet, or empty
    folder: PathBuf,
    #[command(flatten)]
    config: ConfigFile,
}

impl BackupCommand {
    pub fn run(self) -> anyhow::Result<()> {
        let config = config::load(&self.config.config)?;
        let taken = with_store(&config, async |store| {
            Ok(backup::take(&config, store, &self.folder, Timestamp::now()).await?)
        })?;
        println!("{}: {} files, {} bytes", self.folder.display(), taken.files, taken.bytes);
        eprintln!(
            "It holds the hub's private keys and pictures of people: keep it where only few can read it."
        );
        if config.tls.authority.external.is_some() {
            eprintln!("The authority of `tls.authority_key` is not in it: it stands elsewhere.");
        }
        Ok(())
    }
}

/// Which backup, and where to.
#[derive(Args)]
pub struct RestoreCommand {
    /// The folder of a backup
    backup: PathBuf,
    /// The data_dir of a hub that does not run: a folder that is not there yet, or empty
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

impl RestoreCommand {
    pub fn run(self) -> anyhow::Result<()> {
        let (manifest, extent) = backup::restore(&self.backup, &self.to)?;
        println!(
            "{}: {} files, {} bytes, as they stood on {} (hub {})",
            self.to.display(),
            extent.files,
            extent.bytes,
            manifest.taken,
            manifest.version
        );
        // Boxes may have been told otherwise since.
        tell_after_restore(&self.to.join(backup::DATABASE))
    }
}
