//! The broker's door for boxes elsewhere: TLS 1.3, a certificate this hub issued and has not revoked, and behind it the
//! embedded broker's own listener.
//!
//! rmqtt's TLS offers 1.2 and knows no revocation, and takes no streams from outside; so what is decrypted here goes on to
//! the listener on loopback. Who stands behind such a connection is known by its source address there, which no other
//! program can have while it lasts.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatepost_wire::{EdgeId, Timestamp};
use tokio::io::{AsyncWriteExt as _, copy_bidirectional_with_sizes};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::authority::Fingerprint;
use crate::store::{KnownCertificate, Store, StoreError};
use crate::tls::{Connection, Listener};

/// A revoked certificate is shut out within this time, wherever the revocation was written.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const GOODBYE: Duration = Duration::from_secs(1);
/// Bytes under way in each direction: clips come in, only commands go out.
const IN_BYTES: usize = 32 * 1024;
const OUT_BYTES: usize = 4 * 1024;

/// Who stands behind a connection from the front.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    /// By its certificate.
    pub edge: EdgeId,
    /// Where it really comes from.
    pub remote: SocketAddr,
}

#[derive(Debug)]
struct Live {
    admission: Admission,
    certificate: Fingerprint,
    end: CancellationToken,
}

/// The connections that came through the front, by their address on loopback; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Admitted(Arc<Mutex<HashMap<SocketAddr, Live>>>);

impl Admitted {
    /// Who connected to the inner listener from there, if it came through the front.
    pub fn at(&self, inner: SocketAddr) -> Option<Admission> {
        self.with(|live| live.get(&inner).map(|live| live.admission.clone()))
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<SocketAddr, Live>) -> T) -> T {
        // A panic while the lock is held leaves a whole map behind.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The connection is known until the guard is dropped.
    fn enter(&self, inner: SocketAddr, live: Live) -> Inside {
        self.with(|all| all.insert(inner, live));
        Inside { admitted: self.clone(), inner }
    }

    fn end_revoked(&self, revoked: &[Fingerprint]) {
        self.with(|all| {
            for live in all.values().filter(|live| revoked.contains(&live.certificate)) {
                if !live.end.is_cancelled() {
                    tracing::warn!(device = %live.admission.edge, remote = %live.admission.remote, "device cut off: its certificate was revoked");
                    live.end.cancel();
                }
            }
        });
    }

    fn is_empty(&self) -> bool {
        self.with(|all| all.is_empty())
    }
}

struct Inside {
    admitted: Admitted,
    inner: SocketAddr,
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.admitted.with(|all| all.remove(&self.inner));
    }
}

/// The running door.
pub(super) struct Front {
    accepting: JoinHandle<()>,
    watching: JoinHandle<()>,
    stop: CancellationToken,
}

impl Front {
    /// Hands connections on to `inner`, which is on loopback.
    pub fn start(listener: Listener, inner: SocketAddr, store: Store, admitted: Admitted) -> Self {
        let stop = CancellationToken::new();
        let door = Door { inner, store: store.clone(), admitted: admitted.clone() };
        let accepting = tokio::spawn(listener.run(stop.clone(), move |connection| {
            let door = door.clone();
            async move { door.pass(connection).await }
        }));
        let watching = tokio::spawn(watch(store, admitted, stop.clone()));
        Self { accepting, watching, stop }
    }

    /// Lets nobody more in; those who are inside stay until the broker closes their connections.
    pub fn close(&self) {
        self.accepting.abort();
    }

    /// Ends what is left.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in [self.accepting, self.watching] {
            match task.await {
                Err(error) if error.is_panic() => {
                    tracing::error!(%error, "the broker's front did not end well")
                }
                _ => {}
            }
        }
    }
}

async fn watch(store: Store, admitted: Admitted, stop: CancellationToken) {
    let mut failed = false;
    while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        if admitted.is_empty() {
            continue;
        }
        match store.revoked(Timestamp::now()).await {
            Ok(revoked) => {
                failed = false;
                let revoked: Vec<_> = revoked.into_iter().map(|(certificate, _)| certificate).collect();
                admitted.end_revoked(&revoked);
            }
            Err(error) if !failed => {
                failed = true;
                tracing::error!(%error, "revocations cannot be read");
            }
            Err(_) => {}
        }
    }
}

/// Why a box with a certificate of the authority stays outside.
#[derive(Debug, thiserror::Error)]
enum Turned {
    #[error("this hub did not issue its certificate")]
    Unknown,
    #[error("the certificate of {0} was revoked or has ended: enrol the box again")]
    Ended(EdgeId),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the broker behind the front: {0}")]
    Inner(#[from] io::Error),
}

#[derive(Clone)]
struct Door {
    inner: SocketAddr,
    store: Store,
    admitted: Admitted,
}

impl Door {
    async fn pass(&self, connection: Connection) {
        let remote = connection.remote;
        if let Err(turned) = self.try_pass(connection).await {
            tracing::warn!(%remote, "device refused: {turned}");
        }
    }

    async fn try_pass(&self, mut connection: Connection) -> Result<(), Turned> {
        let certificate = connection.certificate.take().ok_or(Turned::Unknown)?;
        let known = self.store.certificate(&certificate).await?.ok_or(Turned::Unknown)?;
        let (socket, from) = source(self.inner)?;
        let end = CancellationToken::new();
        let admission = Admission { edge: known.edge.clone(), remote: connection.remote };
        // Entered first and looked at again after: a revocation in between finds it.
        let inside =
            self.admitted.enter(from, Live { admission, certificate: certificate.clone(), end: end.clone() });
        let known = self.store.certificate(&certificate).await?.ok_or(Turned::Unknown)?;
        if !known.counts(Timestamp::now()) {
            return Err(Turned::Ended(known.edge));
        }
        let mut broker = socket.connect(self.inner).await?;
        broker.set_nodelay(true)?;
        tokio::select! {
            // Whoever ends it, the other side sees it end.
            _ = forward(&mut connection, &mut broker) => {}
            () = end.cancelled() => {}
            () = tokio::time::sleep(left(&known)) => {
                tracing::warn!(device = %known.edge, "device cut off: its certificate has ended");
            }
        }
        drop(inside);
        // So that the box sees an end and not a break.
        if tokio::time::timeout(GOODBYE, connection.stream.shutdown()).await.is_err() {
            tracing::debug!(device = %known.edge, "the connection was cut");
        }
        Ok(())
    }
}

async fn forward(connection: &mut Connection, broker: &mut TcpStream) -> io::Result<(u64, u64)> {
    copy_bidirectional_with_sizes(&mut connection.stream, broker, IN_BYTES, OUT_BYTES).await
}

/// A socket that has its address already, before it connects.
fn source(inner: SocketAddr) -> io::Result<(TcpSocket, SocketAddr)> {
    let socket = match inner.ip() {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(SocketAddr::new(inner.ip(), 0))?;
    let from = socket.local_addr()?;
    Ok((socket, from))
}

fn left(certificate: &KnownCertificate) -> Duration {
    certificate.until.duration_since(Timestamp::now()).try_into().unwrap_or(Duration::ZERO)
}
