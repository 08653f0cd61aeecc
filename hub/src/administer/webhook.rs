//! What webhooks were told in vain.

use anyhow::bail;
use clap::Subcommand;
use gatepost_hub::config::{self, WebhookName};
use gatepost_hub::store::Letters;
use gatepost_wire::Timestamp;

use super::{BY, with_store};
use crate::ConfigFile;

#[derive(Subcommand)]
pub enum WebhookCommand {
    /// Lists what was not taken: webhook, number of the step, when it was tried last, how often, why not
    Dead(ConfigFile),
    /// Has everything that a webhook did not take sent again by the running hub
    Retry {
        /// The webhook
        name: WebhookName,
        #[command(flatten)]
        config: ConfigFile,
    },
}

impl WebhookCommand {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Dead(file) => {
                let config = config::load(&file.config)?;
                for dead in with_store(&config, async |store| Ok(store.dead_letters().await?))? {
                    println!(
                        "{:<24} {:>8} {} {:>4} {}",
                        dead.name,
                        dead.step.number,
                        dead.refused.time,
                        dead.refused.attempts,
                        dead.refused.reason
                    );
                }
            }
            Self::Retry { name, config: file } => {
                let config = config::load(&file.config)?;
                if !config.webhooks.iter().any(|webhook| webhook.name == name) {
                    bail!("{}: there is no webhook {}", file.config.display(), name.as_str());
                }
                let count = with_store(&config, async |store| {
                    Ok(store.send_again(name.as_str(), Letters::All, BY, Timestamp::now()).await?)
                })?;
                println!("{count} will be sent again");
            }
        }
        Ok(())
    }
}
