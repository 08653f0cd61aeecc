//! One request over HTTP and its answer, to the configured host only, whatever addresses the device names.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use super::login::Login;
use super::soap::Ask;

/// No answer is larger: a hundred messages of a kilobyte each.
const MOST_BYTES: usize = 512 * 1024;

/// No answer came.
#[derive(Debug, thiserror::Error)]
pub(in crate::sensor) enum PostFault {
    /// Nobody is there.
    #[error("it cannot be reached: check `url`, the cable and the device's power ({0})")]
    Unreachable(#[from] std::io::Error),
    /// The connection broke.
    #[error("the connection broke ({0})")]
    Broken(#[from] hyper::Error),
    /// The request cannot be made.
    #[error("no request can be made to it ({0})")]
    Request(#[from] hyper::http::Error),
    /// It is too long, or it is no text.
    #[error("the answer is longer than {MOST_BYTES} bytes, or no text")]
    Unreadable,
    /// It does not believe who asks, and says so by HTTP.
    #[error("the device refuses the login: check `username` and `password_file`")]
    Login,
    /// It wants to know in a way that would give the password away, or in none that is known.
    #[error("the device does not ask for the login by digest: allow digest in its settings ({0})")]
    NoDigest(String),
    /// It takes too long.
    #[error("no answer within {0:?}")]
    Silent(Duration),
}

/// The configured address with the path of the one a device names: what is behind a gateway or has several names, names
/// addresses that cannot be reached from here, and nobody else is to be asked.
pub(super) fn at(configured: &Url, named: &str) -> Url {
    let mut url = configured.clone();
    if let Ok(named) = Url::parse(named) {
        url.set_path(named.path());
        url.set_query(named.query());
    }
    url
}

/// Posts a request and gives the answer's text, whatever its status: a refusal has one of its own. Who asks is said to a
/// device that wants to know by HTTP.
pub(super) async fn post(
    url: &Url,
    ask: Ask,
    envelope: String,
    login: Option<&Login>,
    within: Duration,
) -> Result<String, PostFault> {
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let envelope = Bytes::from(envelope);
    let asked = async {
        let refusal = match exchange(url, &path, ask, envelope.clone(), None).await? {
            Answer::Text(text) => return Ok(text),
            Answer::Unauthorized(refusal) => refusal,
        };
        let login = login.ok_or(PostFault::Login)?;
        let who = login.respond(&refusal, &path, &envelope).map_err(PostFault::NoDigest)?;
        match exchange(url, &path, ask, envelope, Some(who)).await? {
            Answer::Text(text) => Ok(text),
            Answer::Unauthorized(_) => Err(PostFault::Login),
        }
    };
    timeout(within, asked).await.unwrap_or(Err(PostFault::Silent(within)))
}

enum Answer {
    Text(String),
    /// Its headers say how to tell who asks.
    Unauthorized(HeaderMap),
}

async fn exchange(
    url: &Url,
    path: &str,
    ask: Ask,
    envelope: Bytes,
    who: Option<String>,
) -> Result<Answer, PostFault> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this exchange.
    let mut carrying = JoinSet::new();
    carrying.spawn(connection);
    let content = format!("application/soap+xml; charset=utf-8; action=\"{}\"", ask.action());
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, format!("{host}:{port}"))
        .header(header::CONTENT_TYPE, content)
        .header(header::CONNECTION, "close");
    if let Some(who) = who {
        request = request.header(header::AUTHORIZATION, who);
    }
    let answer = sender.send_request(request.body(Full::new(envelope))?).await?;
    if answer.status() == StatusCode::UNAUTHORIZED {
        return Ok(Answer::Unauthorized(answer.into_parts().0.headers));
    }
    let body =
        Limited::new(answer.into_body(), MOST_BYTES).collect().await.map_err(|_| PostFault::Unreadable)?;
    String::from_utf8(body.to_bytes().to_vec()).map(Answer::Text).map_err(|_| PostFault::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_configured_host_is_asked() {
        let configured: Url = "http://192.0.2.10:8080/onvif/device_service".parse().unwrap();
        let url = |named: &str| at(&configured, named).to_string();
        assert_eq!(url("http://10.0.0.7/Subscription?Idx=0"), "http://192.0.2.10:8080/Subscription?Idx=0");
        assert_eq!(url("https://evil.example/x"), "http://192.0.2.10:8080/x");
        assert_eq!(url("no address"), "http://192.0.2.10:8080/onvif/device_service");
    }
}
