//! Takes connections and their TLS handshakes, many at a time, and none for long.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::authority::Fingerprint;

/// Whoever takes longer has no box at the other end.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A district that comes back after a power cut knocks with thousands of boxes; more than this wait in the kernel.
const HANDSHAKES: usize = 512;
/// After an error of the listener, such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);

/// A connection that speaks TLS.
pub struct Connection {
    /// Decrypted.
    pub stream: TlsStream<TcpStream>,
    /// Who is at the other end.
    pub remote: SocketAddr,
    /// The certificate it proved to be its own, signed by the authority.
    pub certificate: Option<Fingerprint>,
}

/// A listening address.
pub struct Listener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the address is taken or not this machine's.
    pub async fn bind(address: SocketAddr, config: Arc<ServerConfig>) -> io::Result<Self> {
        Ok(Self { tcp: TcpListener::bind(address).await?, acceptor: TlsAcceptor::from(config) })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Hands every connection to `serve`, each in a task of its own, until `stop`.
    pub async fn run<F, S>(self, stop: CancellationToken, serve: F)
    where
        F: Fn(Connection) -> S + Clone + Send + 'static,
        S: Future<Output = ()> + Send,
    {
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
        loop {
            let next = async {
                let permit = Arc::clone(&handshakes).acquire_owned().await;
                (permit, self.tcp.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                () = stop.cancelled() => return,
                next = next => next,
            };
            let (socket, remote) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let (acceptor, serve, stop) = (self.acceptor.clone(), serve.clone(), stop.clone());
            tokio::spawn(async move {
                let connection = shake_hands(acceptor, socket, remote).await;
                drop(permit);
                if let Some(connection) = connection {
                    stop.run_until_cancelled(serve(connection)).await;
                }
            });
        }
    }
}

async fn shake_hands(acceptor: TlsAcceptor, socket: TcpStream, remote: SocketAddr) -> Option<Connection> {
    // A small event must not wait for the next one.
    let no_delay = socket.set_nodelay(true);
    let stream = match tokio::time::timeout(HANDSHAKE, acceptor.accept(socket)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::info!(%remote, %error, "a TLS handshake failed");
            return None;
        }
        Err(_) => {
            tracing::info!(%remote, "a TLS handshake took too long");
            return None;
        }
    };
    if let Err(error) = no_delay {
        tracing::debug!(%remote, %error, "TCP_NODELAY");
    }
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(|chain| chain.first()).map(Fingerprint::of);
    Some(Connection { stream, remote, certificate })
}
