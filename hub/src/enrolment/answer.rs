//! What a box is answered.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use gatepost_wire::enrolment::{Ask, Issued, NotIssued};
use gatepost_wire::{EdgeId, Timestamp};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::SignedDuration;

use super::Peer;
use super::code::hash;
use crate::authority::{Authority, DeviceCertificate, IssueError};
use crate::store::{Redeemed, Store, StoreError};

/// From one address, each minute. A site's boxes may share one; a code has more bits than anybody can try.
const REQUESTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// Addresses that are remembered; then those that have not asked for a while are forgotten.
const MOST_ADDRESSES: usize = 10_000;

/// Who answers.
pub(super) struct Desk {
    authority: Authority,
    store: Store,
    valid: SignedDuration,
    limiter: DefaultKeyedRateLimiter<IpAddr>,
}

/// Why a box gets nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("too many requests from this address; wait a minute")]
    TooMany,
    #[error("{0}")]
    Malformed(String),
    #[error("no code came with the request")]
    NoCode,
    #[error(
        "this hub knows no such code for {0}: let it print a new one with `gatepost-hub device enrol {0}`"
    )]
    Unknown(EdgeId),
    #[error(
        "this code let a box in on {at} already: let the hub print a new one with `gatepost-hub device enrol {edge}`"
    )]
    Used { edge: EdgeId, at: Timestamp },
    #[error("this code ended on {at}: let the hub print a new one with `gatepost-hub device enrol {edge}`")]
    Late { edge: EdgeId, at: Timestamp },
    #[error("the certificate that came with the request does not count: enrol the box again")]
    Certificate,
    #[error("the certificate that came with the request is not {0}'s")]
    AnotherEdge(EdgeId),
    #[error("{0}")]
    Request(IssueError),
    #[error("the hub cannot issue a certificate now; its log says why")]
    Hub,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Malformed(_) | Self::NoCode | Self::Request(_) => StatusCode::BAD_REQUEST,
            Self::Unknown(_) | Self::Used { .. } | Self::Late { .. } => StatusCode::FORBIDDEN,
            Self::Certificate | Self::AnotherEdge(_) => StatusCode::FORBIDDEN,
            Self::Hub => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "an enrolment cannot be noted");
        Self::Hub
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), Json(NotIssued { error: self.to_string() })).into_response()
    }
}

impl Desk {
    pub fn new(authority: Authority, store: Store, valid: SignedDuration) -> Self {
        Self { authority, store, valid, limiter: RateLimiter::keyed(Quota::per_minute(REQUESTS_PER_MINUTE)) }
    }

    fn admit(&self, from: IpAddr) -> Result<(), Refusal> {
        if self.limiter.len() > MOST_ADDRESSES {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&from).map_err(|_| Refusal::TooMany)
    }

    async fn enrol(&self, ask: &Ask, now: Timestamp) -> Result<Issued, Refusal> {
        let code = ask.code.as_ref().ok_or(Refusal::NoCode)?;
        let certificate = self.issue(ask, now)?;
        let edge = ask.edge.clone();
        match self.store.redeem(&edge, &hash(code), &certificate, now).await? {
            Redeemed::Yes => Ok(self.issued(certificate)),
            Redeemed::Unknown => Err(Refusal::Unknown(edge)),
            Redeemed::Used(at) => Err(Refusal::Used { edge, at }),
            Redeemed::Late(at) => Err(Refusal::Late { edge, at }),
        }
    }

    async fn renew(&self, ask: &Ask, peer: &Peer, now: Timestamp) -> Result<Issued, Refusal> {
        let shown = peer.certificate.as_ref().ok_or(Refusal::Certificate)?;
        let known = self.store.certificate(shown).await?;
        let known = known.filter(|known| known.counts(now)).ok_or(Refusal::Certificate)?;
        if known.edge != ask.edge {
            return Err(Refusal::AnotherEdge(ask.edge.clone()));
        }
        let certificate = self.issue(ask, now)?;
        self.store.add_certificate(&ask.edge, &certificate, now).await?;
        Ok(self.issued(certificate))
    }

    fn issue(&self, ask: &Ask, now: Timestamp) -> Result<DeviceCertificate, Refusal> {
        self.authority.issue(&ask.edge, &ask.request, now, self.valid).map_err(|error| match error {
            IssueError::Request(_) => Refusal::Request(error),
            other => {
                tracing::error!(error = %other, "a certificate cannot be issued");
                Refusal::Hub
            }
        })
    }

    fn issued(&self, certificate: DeviceCertificate) -> Issued {
        Issued {
            certificate: certificate.pem,
            authority: self.authority.pem().to_owned(),
            command_key: self.authority.commands().verifying_key(),
            from: certificate.from,
            until: certificate.until,
        }
    }
}

/// With a code.
pub(super) async fn enrol(
    State(desk): State<Arc<Desk>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Json<Issued>, Refusal> {
    let ask = heard(&desk, &peer, request).await?;
    let outcome = desk.enrol(&ask, Timestamp::now()).await;
    tell("enrolled", &ask.edge, &peer, outcome)
}

/// With the certificate that is to be renewed.
pub(super) async fn renew(
    State(desk): State<Arc<Desk>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Json<Issued>, Refusal> {
    let ask = heard(&desk, &peer, request).await?;
    let outcome = desk.renew(&ask, &peer, Timestamp::now()).await;
    tell("renewed its certificate", &ask.edge, &peer, outcome)
}

/// The limit comes before the body is read.
async fn heard(desk: &Desk, peer: &Peer, request: Request) -> Result<Ask, Refusal> {
    desk.admit(peer.remote.ip())?;
    let read = Json::<Ask>::from_request(request, &()).await;
    read.map(|Json(ask)| ask).map_err(|rejection| Refusal::Malformed(rejection.body_text()))
}

fn tell(
    done: &str,
    edge: &EdgeId,
    peer: &Peer,
    outcome: Result<Issued, Refusal>,
) -> Result<Json<Issued>, Refusal> {
    match &outcome {
        Ok(issued) => {
            tracing::info!(device = %edge, remote = %peer.remote, until = %issued.until, "device {done}")
        }
        Err(refusal) => tracing::warn!(device = %edge, remote = %peer.remote, "enrolment refused: {refusal}"),
    }
    outcome.map(Json)
}
