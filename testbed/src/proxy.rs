//! A network that can fail: a TCP proxy on a loopback port between a client and a server.
//!
//! What TCP hides (loss and reordering of packets) looks to the programs like what can be set here: nothing for a while, a
//! trickle, or the end, also in the middle of a message.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::{Error, Result, port};

const CHUNK: usize = 64 * 1024;

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Everything passes.
    Whole,
    /// Connections end and no new one is made.
    Cut,
    /// Connections stay, and nothing arrives: half open, as behind a router that lost its power.
    Silent,
    /// So many bytes, then a pause, and so on.
    Slow {
        /// How many at once.
        bytes: usize,
        /// Between them.
        pause: Duration,
    },
    /// So many more bytes in all, then every connection ends, and the network is whole again.
    CutAfter(usize),
}

/// The proxy; it ends with its process.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    network: Network,
    server: SocketAddr,
    connections: Vec<TcpStream>,
}

impl Proxy {
    /// Starts one before the server on this loopback port.
    pub fn before(server: u16) -> Result<Self> {
        let port = port::free()?;
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(Error::io(format!("port {port}")))?;
        let state = State {
            network: Network::Whole,
            server: (Ipv4Addr::LOCALHOST, server).into(),
            connections: Vec::new(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepting.connect(client);
            }
        });
        Ok(Self { port, shared })
    }

    /// The port clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on the network does this.
    pub fn set(&self, network: Network) {
        let mut state = self.shared.state();
        state.network = network;
        if network == Network::Cut {
            state.end_connections();
        }
        self.shared.changed.notify_all();
    }
}

impl Shared {
    // A panic while the lock is held leaves nothing half done, so poisoning is ignored.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        let server = {
            let state = self.state();
            if state.network == Network::Cut {
                return;
            }
            state.server
        };
        // A client whose server is down sees its own connection end, as if it had been refused.
        let Ok(server) = TcpStream::connect_timeout(&server, Duration::from_secs(1)) else { return };
        let pairs =
            [(&client, &server), (&server, &client)].map(|(from, to)| (from.try_clone(), to.try_clone()));
        for (from, to) in pairs {
            if let (Ok(from), Ok(to)) = (from, to) {
                let shared = Arc::clone(self);
                thread::spawn(move || shared.carry(from, to));
            }
        }
        self.state().connections.extend([client, server]);
    }

    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; CHUNK];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let mut rest = &buffer[..read];
            while !rest.is_empty() {
                let (now, pause) = self.allowance(rest.len());
                thread::sleep(pause);
                if now == 0 || to.write_all(&rest[..now]).is_err() {
                    rest = &[];
                    let _ = from.shutdown(Shutdown::Both);
                } else {
                    rest = &rest[now..];
                }
            }
        }
        // Whichever side is gone already needs no farewell.
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// How many of so many bytes may pass now, after which pause; 0 at the end of the connection.
    fn allowance(&self, wanted: usize) -> (usize, Duration) {
        let mut state = self.state();
        loop {
            match state.network {
                Network::Whole => return (wanted, Duration::ZERO),
                Network::Cut => return (0, Duration::ZERO),
                Network::Slow { bytes, pause } => return (wanted.min(bytes.max(1)), pause),
                Network::CutAfter(0) => {
                    state.network = Network::Whole;
                    state.end_connections();
                    return (0, Duration::ZERO);
                }
                Network::CutAfter(left) => {
                    let now = wanted.min(left);
                    state.network = Network::CutAfter(left - now);
                    return (now, Duration::ZERO);
                }
                Network::Silent => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl State {
    fn end_connections(&mut self) {
        for connection in self.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}
