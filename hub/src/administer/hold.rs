//! Legal holds after the database was put back to an earlier state.

use std::path::Path;

use clap::Subcommand;
use gatepost_hub::config::{self, Config};
use gatepost_hub::store::{Database, Store};
use gatepost_wire::Timestamp;

use super::{with_database, with_store};
use crate::ConfigFile;

#[derive(Subcommand)]
pub enum HoldCommand {
    /// Tells boxes of every hold that stands anew: for a PostgreSQL database that was put back to an earlier state
    Tell(ConfigFile),
}

impl HoldCommand {
    pub fn run(self) -> anyhow::Result<()> {
        let Self::Tell(file) = self;
        let config: Config = config::load(&file.config)?;
        say(with_store(&config, tell)?);
        Ok(())
    }
}

/// The same for a SQLite file that was just restored.
pub(super) fn tell_after_restore(file: &Path) -> anyhow::Result<()> {
    say(with_database(&Database::File(file.to_owned()), tell)?);
    Ok(())
}

async fn tell(store: &Store) -> anyhow::Result<usize> {
    Ok(store.tell_boxes_of_holds_anew(Timestamp::now()).await?)
}

fn say(holds: usize) {
    println!(
        "{holds} legal hold(s) stand; their boxes are told anew by the hub, within half a minute if it runs"
    );
}
