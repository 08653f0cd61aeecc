//! A TCP server on a free loopback port, a thread for each connection.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::{Error, Result, port};

/// A running server. Dropping it stops it and closes its connections.
pub(crate) struct Server {
    addr: SocketAddr,
    stopping: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves each connection with `serve`; it is closed when that returns.
    pub(crate) fn start(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Result<Self> {
        let addr: SocketAddr = (Ipv4Addr::LOCALHOST, port::free()?).into();
        let listener = TcpListener::bind(addr).map_err(Error::io(format!("listening on {addr}")))?;
        let (stopping, open) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (told, connections, serve) = (Arc::clone(&stopping), Arc::clone(&open), Arc::new(serve));
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(kept) = stream.try_clone() else { continue };
                connections.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
                let serve = Arc::clone(&serve);
                // How a connection ends is seen by who is at its other end.
                thread::spawn(move || {
                    let _ = serve(stream.try_clone()?);
                    stream.shutdown(Shutdown::Both)
                });
            }
        });
        Ok(Self { addr, stopping, open, accepting: Some(accepting) })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        // Wakes it. If nobody can connect any more it has ended already.
        let _ = TcpStream::connect(self.addr);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
