//! What a test needs of HTTP: get, post, an event stream, and waiting with a deadline. Blocking, no TLS.
//!
//! Where somebody is [signed in](sign_in), requests carry the session's cookie, as a browser's do. Unlike a browser it tells ports
//! of a machine apart, since many hubs run on it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use crate::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(10);
const MAX_BODY: u64 = 64 << 20;

/// Calls `poll` every 20 ms until it gives something. `what` is named in the error.
pub fn wait_until<T>(what: &str, timeout: Duration, mut poll: impl FnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(got) = poll() {
            return Ok(got);
        }
        if Instant::now() >= deadline {
            return Err(Error::Timeout { what: what.into(), waited: timeout });
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// An answer with any status.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Header `content-type`, empty if there is none.
    pub content_type: String,
    /// Header `set-cookie`, if there is one.
    pub set_cookie: Option<String>,
    /// Header `retry-after`, if there is one.
    pub retry_after: Option<String>,
    /// Body.
    pub body: Vec<u8>,
    url: String,
}

impl Answer {
    /// Body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Body as JSON; an error if the status is no success.
    pub fn json<T: DeserializeOwned>(self) -> Result<T> {
        let good = self.success()?;
        serde_json::from_slice(&good.body).map_err(|source| Error::Json {
            source,
            body: good.text(),
            url: good.url,
        })
    }

    /// Itself if the status is 2xx.
    pub fn success(self) -> Result<Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        Err(Error::Status { status: self.status, body: self.text(), url: self.url })
    }
}

/// The cookie of who is signed in, by scheme, host and port.
static SESSIONS: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

/// From now on requests to this address carry this cookie.
pub fn sign_in(page: &str, cookie: &str) {
    let mut sessions = SESSIONS.lock().unwrap_or_else(PoisonError::into_inner);
    sessions.insert(origin(page).to_owned(), cookie.to_owned());
}

fn session(url: &str) -> Option<String> {
    SESSIONS.lock().unwrap_or_else(PoisonError::into_inner).get(origin(url)).cloned()
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| host + at);
    url.get(..end).unwrap_or(url)
}

/// Asks for anything, with this cookie or none; any status is an answer.
pub fn send(method: &str, url: &str, cookie: Option<&str>, body: Option<&impl Serialize>) -> Result<Answer> {
    let json = |source| Error::Json { source, body: String::new(), url: url.into() };
    match body {
        Some(body) => {
            let body = serde_json::to_vec(body).map_err(json)?;
            send_body(method, url, cookie, Some("application/json"), body)
        }
        None => send_body(method, url, cookie, None, Vec::new()),
    }
}

/// Sends bytes that are said to be of this type; any status is an answer.
pub fn send_bytes(method: &str, url: &str, cookie: Option<&str>, said: &str, body: &[u8]) -> Result<Answer> {
    send_body(method, url, cookie, Some(said), body.to_vec())
}

fn send_body(
    method: &str,
    url: &str,
    cookie: Option<&str>,
    media_type: Option<&str>,
    body: Vec<u8>,
) -> Result<Answer> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in [("cookie", cookie), ("content-type", media_type)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let failed = |error: ureq::http::Error| Error::Http { url: url.into(), source: Box::new(error.into()) };
    let request = request.body(body).map_err(failed)?;
    answer(url, agent(Some(PATIENCE)).run(request))
}

/// Gets `url`; any status is an answer.
pub fn get(url: &str) -> Result<Answer> {
    send("GET", url, session(url).as_deref(), None::<&()>)
}

/// Gets JSON from `url`.
pub fn get_json<T: DeserializeOwned>(url: &str) -> Result<T> {
    get(url)?.json()
}

/// Gets the bytes of `url`, a snapshot for example.
pub fn get_bytes(url: &str) -> Result<Vec<u8>> {
    Ok(get(url)?.success()?.body)
}

/// Posts `body` as JSON; any status is an answer.
pub fn post_json(url: &str, body: &impl Serialize) -> Result<Answer> {
    send("POST", url, session(url).as_deref(), Some(body))
}

fn agent(timeout: Option<Duration>) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_global(timeout)
        .build()
        .into()
}

fn answer(url: &str, result: Result<Response<Body>, ureq::Error>) -> Result<Answer> {
    let failed = |source| Error::Http { url: url.into(), source: Box::new(source) };
    let mut response = result.map_err(failed)?;
    let body = response.body_mut().with_config().limit(MAX_BODY).read_to_vec().map_err(failed)?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(Answer {
        status: response.status().as_u16(),
        content_type: header("content-type").unwrap_or_default(),
        set_cookie: header("set-cookie"),
        retry_after: header("retry-after"),
        body,
        url: url.into(),
    })
}

/// One server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentEvent {
    /// Field `event`; empty if the server gave none.
    pub event: String,
    /// Field `id`, if this event has one.
    pub id: Option<String>,
    /// Field `data`, lines joined by a line feed.
    pub data: String,
}

/// An open stream of server-sent events, read by a thread, so that waiting has a deadline.
pub struct EventStream {
    url: String,
    events: Receiver<SentEvent>,
}

impl EventStream {
    /// Opens the stream; it is open when this returns.
    pub fn open(url: &str) -> Result<Self> {
        Self::open_after(url, None)
    }

    /// Opens the stream as a page does after a break, naming the last event it has seen.
    pub fn open_after(url: &str, last_event_id: Option<&str>) -> Result<Self> {
        let mut request = agent(None).get(url).header("accept", "text/event-stream");
        if let Some(cookie) = session(url) {
            request = request.header("cookie", cookie);
        }
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let failed = |source| Error::Http { url: url.into(), source: Box::new(source) };
        let response = request.call().map_err(failed)?;
        if !response.status().is_success() {
            answer(url, Ok(response))?.success()?;
            return Err(Error::StreamEnded(url.into()));
        }
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(response.into_body().into_reader()).lines();
            let mut parser = Parser::default();
            for line in lines.map_while(Result::ok) {
                if let Some(event) = parser.line(&line)
                    && sender.send(event).is_err()
                {
                    break;
                }
            }
        });
        Ok(EventStream { url: url.into(), events })
    }

    /// The next event, waiting for it.
    pub fn next(&self, timeout: Duration) -> Result<SentEvent> {
        self.events.recv_timeout(timeout).map_err(|why| match why {
            RecvTimeoutError::Disconnected => Error::StreamEnded(self.url.clone()),
            RecvTimeoutError::Timeout => {
                Error::Timeout { what: format!("an event from {}", self.url), waited: timeout }
            }
        })
    }
}

/// The line grammar of the HTML standard, chapter server-sent events, without `retry`.
#[derive(Default)]
struct Parser {
    event: SentEvent,
    data: Vec<String>,
}

impl Parser {
    fn line(&mut self, line: &str) -> Option<SentEvent> {
        if line.is_empty() {
            let mut event = std::mem::take(&mut self.event);
            let data = std::mem::take(&mut self.data);
            event.data = data.join("\n");
            return (!data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event.event = value.into(),
            "id" => self.event.id = Some(value.into()),
            "data" => self.data.push(value.into()),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<SentEvent> {
        let mut parser = Parser::default();
        text.lines().filter_map(|line| parser.line(line)).collect()
    }

    #[test]
    fn events_of_several_lines_and_comments() {
        let events = parse(": keep-alive\n\nevent: alert\nid: 7\ndata: {\ndata:}\n\ndata: x\n\n");
        let first = SentEvent { event: "alert".into(), id: Some("7".into()), data: "{\n}".into() };
        assert_eq!(events, [first, SentEvent { data: "x".into(), ..SentEvent::default() }]);
    }

    #[test]
    fn waiting_ends_with_what_was_awaited() {
        let error = wait_until("rain", Duration::from_millis(50), || None::<()>).unwrap_err();
        assert_eq!(error.to_string(), "rain did not happen within 50ms");
    }
}
