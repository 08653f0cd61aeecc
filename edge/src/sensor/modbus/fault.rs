//! What goes wrong on a Modbus line, in words for the person who must mend it.

use std::io;
use std::time::Duration;

use super::plan::Block;
use crate::config::RegisterTable;

/// Nothing is heard on a line.
#[derive(Debug, thiserror::Error)]
pub(in crate::sensor) enum LineFault {
    /// Nobody answers there.
    #[error("{place}: it cannot be reached: check `url`, the cable and the device's power ({source})")]
    Unreachable {
        /// The address.
        place: String,
        /// What the system said.
        source: io::Error,
    },
    /// The serial adapter cannot be opened.
    #[error(
        "{place}: the serial line cannot be opened: is the adapter plugged in, and may this user use it? ({source})"
    )]
    Unopened {
        /// The address.
        place: String,
        /// What the system said.
        source: tokio_serial::Error,
    },
    /// Connecting takes too long.
    #[error("{place}: nobody answers within {within:?}: check `url`, the cable and the device's power")]
    Silent {
        /// The address.
        place: String,
        /// How long it was waited for.
        within: Duration,
    },
}

/// A device made no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DeviceFault {
    /// It did not answer.
    #[error("no answer within {0:?}: check the unit id, the wires and the device's power")]
    Silent(Duration),
    /// It answered that it will not.
    #[error("it refuses to read {block}: {why}: check `profile`")]
    Refused {
        /// What it was asked for.
        block: Block,
        /// The exception.
        why: String,
    },
    /// It answered something else than it was asked.
    #[error("the answer is not to what was asked, or of another unit: {0}")]
    Stray(String),
    /// It answered too much or too little.
    #[error("it was asked for {block} and sent {came} values")]
    Odd {
        /// What it was asked for.
        block: Block,
        /// How many came.
        came: usize,
    },
    /// The connection broke.
    #[error("the connection broke ({0})")]
    Broken(String),
}

impl DeviceFault {
    /// Is the connection good for nothing any more? What comes late would be taken for the answer to the next request.
    pub fn ends_connection(&self) -> bool {
        match self {
            Self::Silent(_) | Self::Stray(_) | Self::Broken(_) => true,
            Self::Refused { .. } | Self::Odd { .. } => false,
        }
    }
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let table = match self.table {
            RegisterTable::Coil => "coils",
            RegisterTable::Discrete => "discrete inputs",
            RegisterTable::Input => "input registers",
            RegisterTable::Holding => "holding registers",
        };
        write!(f, "{} {table} from {}", self.count, self.first)
    }
}
