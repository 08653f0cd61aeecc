//! Each device is a connection, and each connection an open file. Many systems start a program with 1024 of them and let it
//! take more if it asks.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Asks for as many open files as the system lets this process have.
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        let current = current.unwrap_or(u64::MAX);
        tracing::warn!(
            %error,
            "open files stay limited to {current}, so fewer devices can connect: set LimitNOFILE of the service"
        );
    }
}
