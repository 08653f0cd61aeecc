//! Where edges' messages come from: the hub's own broker, or one run by someone else. Both hand every message to
//! [`crate::intake`] and tell its sender nothing before the receipt. Commands go out by a [`Publisher`].

mod acl;
mod devices;
mod embedded;
mod external;
mod publisher;
mod retained;

use tokio::sync::watch;

pub use devices::Devices;
pub use embedded::StartError;
pub use publisher::Publisher;

use crate::config;
use crate::intake::{Intake, Storage};

/// The running end of the broker.
pub enum Broker {
    /// Inside the process.
    Embedded(embedded::Embedded),
    /// Somewhere else.
    External(external::External),
}

impl Broker {
    /// Begins to take messages.
    ///
    /// # Errors
    /// When the embedded one cannot listen. An external one that is away is waited for.
    pub async fn start(
        config: &config::Broker,
        intake: Intake,
        storage: watch::Receiver<Storage>,
    ) -> Result<Self, StartError> {
        match config {
            config::Broker::Embedded(config) => {
                Ok(Self::Embedded(embedded::Embedded::start(config, intake).await?))
            }
            config::Broker::External(config) => {
                Ok(Self::External(external::External::start(config, intake, storage)))
            }
        }
    }

    /// What commands go out by.
    pub fn publisher(&self) -> Publisher {
        match self {
            Self::Embedded(broker) => Publisher::Embedded(broker.context()),
            Self::External(broker) => Publisher::External(broker.connection()),
        }
    }

    /// Takes nothing more.
    pub async fn stop(self) {
        match self {
            Self::Embedded(broker) => broker.stop().await,
            Self::External(broker) => broker.stop().await,
        }
    }
}
