//! Sensors behind panels that tell of them by HTTP: `POST /v1/sensors/{id}`, a JSON body, `Authorization: Bearer TOKEN`.
//!
//! Whoever reaches the port may send anything: each exchange has a time, a size and a rate it must not exceed, and the
//! number of exchanges at once is bounded.

mod rate;
mod token;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use gatepost_wire::SensorId;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::message::read;
use super::sign::{Line, Said, Sign};
use crate::clock::Clock;
use crate::config::{self, Meaning, WebhookPoint};
use rate::Rate;
use token::{Token, TokenFault};

/// No panel says more.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// From the connection to the end of the answer.
const EXCHANGE: Duration = Duration::from_secs(10);
/// Exchanges at once; whoever comes then waits in the system's queue.
const AT_ONCE: usize = 32;
/// Signs that may wait while the disk is slow; then panels wait.
const WAITING: usize = 64;
/// When the system has no more sockets to give.
const PAUSE: Duration = Duration::from_millis(200);

/// Where panels reach this box.
pub(super) struct Webhook {
    config: config::Webhook,
    sensors: HashMap<SensorId, (usize, Meaning)>,
    running: Option<Running>,
    clock: Arc<Clock>,
}

struct Running {
    signs: mpsc::Receiver<Sign>,
    /// Ends with this.
    _server: JoinSet<()>,
}

/// No panel can reach this box.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebhookFault {
    #[error("webhook.listen {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("`webhook.token_file`: {0}")]
    Token(#[from] TokenFault),
    #[error("webhook.listen {0}: the server ended")]
    Ended(SocketAddr),
}

/// What an exchange works with.
struct Desk {
    token: Token,
    sensors: HashMap<SensorId, (usize, Meaning)>,
    rates: Mutex<HashMap<usize, Rate>>,
    signs: mpsc::Sender<Sign>,
    clock: Arc<Clock>,
}

impl Webhook {
    /// The server, with the points that are its sensors in their order.
    pub fn new(config: config::Webhook, points: &[(SensorId, WebhookPoint)], clock: Arc<Clock>) -> Self {
        let sensor = |(place, (id, point)): (usize, &(SensorId, WebhookPoint))| {
            (id.clone(), (place, point.meaning.clone()))
        };
        Self { config, sensors: points.iter().enumerate().map(sensor).collect(), running: None, clock }
    }

    /// Whether the server could start, but for the address.
    pub fn check(config: &config::Webhook) -> Result<(), WebhookFault> {
        Token::read(&config.token_file)?;
        Ok(())
    }

    async fn start(&self) -> Result<Running, WebhookFault> {
        let token = Token::read(&self.config.token_file)?;
        let address = self.config.listen;
        let failed = |source| WebhookFault::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let (sender, signs) = mpsc::channel(WAITING);
        let (sensors, clock) = (self.sensors.clone(), Arc::clone(&self.clock));
        let desk = Desk { token, sensors, rates: Mutex::default(), signs: sender, clock };
        let mut server = JoinSet::new();
        server.spawn(serve(listener, router(Arc::new(desk))));
        tracing::info!(address = %format_args!("http://{address}"), "panels may tell what their sensors say");
        Ok(Running { signs, _server: server })
    }
}

impl Line for Webhook {
    type Fault = WebhookFault;

    async fn listen(&mut self) -> Result<Vec<Sign>, WebhookFault> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => {
                self.running = Some(self.start().await?);
                let (at, _) = self.clock.now();
                let linked = |sensor| Sign { sensor, at, said: Said::Linked };
                return Ok((0..self.sensors.len()).map(linked).collect());
            }
        };
        let sign = running.signs.recv().await.ok_or(WebhookFault::Ended(self.config.listen))?;
        self.running = Some(running);
        Ok(vec![sign])
    }
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/v1/sensors/{id}", post(tell))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(desk)
}

/// Answers for ever. A connection is good for one exchange, so that nobody can hold on to one.
async fn serve(listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut exchanges = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        exchanges.spawn(async move {
            let exchange =
                http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
            // How it ends is the panel's affair.
            let _ = timeout(EXCHANGE, exchange).await;
            drop(place);
        });
        while exchanges.try_join_next().is_some() {}
    }
}

/// A panel says something of a sensor. It is answered once that is handed on.
async fn tell(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, String)> {
    let shown =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if !shown.is_some_and(|shown| desk.token.is(shown)) {
        return Err((StatusCode::UNAUTHORIZED, "Authorization: Bearer TOKEN is needed\n".into()));
    }
    let id = id.parse::<SensorId>().ok();
    let Some((sensor, meaning)) = id.as_ref().and_then(|id| desk.sensors.get(id)) else {
        return Err((StatusCode::NOT_FOUND, "this box has no such sensor with a table `webhook`\n".into()));
    };
    if !desk.may_speak(*sensor) {
        return Err((StatusCode::TOO_MANY_REQUESTS, "more slowly, please\n".into()));
    }
    let (at, _) = desk.clock.now();
    let (said, answer) = match read(meaning, &body) {
        Ok(reading) => (Said::Reading(reading), Ok(StatusCode::ACCEPTED)),
        Err(fault) => {
            (Said::Failed(fault.to_string()), Err((StatusCode::UNPROCESSABLE_ENTITY, format!("{fault}\n"))))
        }
    };
    let handed_on = desk.signs.send(Sign { sensor: *sensor, at, said }).await;
    handed_on.map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, "this box is stopping\n".to_owned()))?;
    answer
}

impl Desk {
    fn may_speak(&self, sensor: usize) -> bool {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.entry(sensor).or_default().takes(Instant::now())
    }
}
