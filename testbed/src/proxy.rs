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

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends everything back, and a client of it through the proxy.
    fn echo() -> (Proxy, impl Fn() -> TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::before(listener.local_addr().unwrap().port()).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
            }
        });
        let port = proxy.port();
        let connect = move || {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream
        };
        (proxy, connect)
    }

    fn exchange(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
        stream.write_all(text)?;
        let mut back = vec![0; text.len()];
        stream.read_exact(&mut back)?;
        Ok(back)
    }

    #[test]
    fn a_network_does_what_it_is_told() {
        let (proxy, connect) = echo();
        let mut stream = connect();
        assert_eq!(exchange(&mut stream, b"hello").unwrap(), b"hello");
        proxy.set(Network::Slow { bytes: 2, pause: Duration::from_millis(1) });
        assert_eq!(exchange(&mut stream, b"slowly").unwrap(), b"slowly");

        proxy.set(Network::Silent);
        stream.write_all(b"late").unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        assert!(stream.read(&mut [0; 4]).is_err(), "nothing passes");
        proxy.set(Network::Whole);
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut back = [0; 4];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"late", "and nothing was lost");

        proxy.set(Network::CutAfter(3));
        stream.write_all(b"broken").unwrap();
        let mut rest = Vec::new();
        // An end with or without an error.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.len() <= 3, "{rest:?}");
        assert_eq!(exchange(&mut connect(), b"again").unwrap(), b"again");

        proxy.set(Network::Cut);
        assert!(exchange(&mut connect(), b"nobody").is_err());
        proxy.set(Network::Whole);
        assert_eq!(exchange(&mut connect(), b"back").unwrap(), b"back");
    }
}
