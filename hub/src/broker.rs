//! Where edges' messages come from: the hub's own broker, or one run by someone else. Both hand every message to
//! [`crate::intake`] and tell its sender nothing before the receipt. Commands go out by a [`Publisher`].

mod acl;
mod devices;
mod embedded;
mod external;
mod front;
mod outside;
mod publisher;
mod retained;

use tokio::sync::watch;

pub use devices::Devices;
pub use embedded::StartError;
pub use outside::{FilesError, Product, write_files};
pub use publisher::Publisher;

use crate::authority::Authority;
use crate::config::{self, Config};
use crate::intake::{Intake, Storage};
use crate::store::Store;
use crate::tls::{self, ClientCertificate};

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
        config: &Config,
        authority: &Authority,
        store: &Store,
        intake: Intake,
        storage: watch::Receiver<Storage>,
    ) -> Result<Self, StartError> {
        match &config.broker {
            config::Broker::Embedded(broker) => {
                let tls = || tls::server(authority, &config.tls.names, ClientCertificate::Required);
                let door = match broker.tls_listen {
                    Some(_) => Some(embedded::Door { config: tls()?, store: store.clone() }),
                    None => None,
                };
                Ok(Self::Embedded(embedded::Embedded::start(broker, intake, door).await?))
            }
            config::Broker::External(broker) => {
                let authority = authority.clone();
                Ok(Self::External(external::External::start(broker, authority, intake, storage)))
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
