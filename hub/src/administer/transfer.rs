//! From SQLite to PostgreSQL, from the command line.

use std::path::PathBuf;

use clap::Args;
use gatepost_hub::config;
use gatepost_hub::store::transfer;

use crate::ConfigFile;

/// What is taken along, and where to.
#[derive(Args)]
pub struct TransferCommand {
    /// The SQLite file of a hub that does not run
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    config: ConfigFile,
}

impl TransferCommand {
    pub fn run(self) -> anyhow::Result<()> {
        let config = config::load(&self.config.config)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(transfer(&self.from, &config.database))?;
        println!("{}: {} rows of {} tables", config.database, done.rows, done.tables);
        eprintln!(
            "Pictures, clips and keys stay in {}: let the hub on this database go on with the same data_dir.",
            config.data_dir.display()
        );
        eprintln!("{} is as it was: keep it until you are sure, then delete it.", self.from.display());
        Ok(())
    }
}
