//! One request over HTTP and its answer, to the configured host only, whatever addresses the device names.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

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

/// Posts a request and gives the answer's text, whatever its status: a refusal has one of its own.
pub(super) async fn post(
    url: &Url,
    ask: Ask,
    envelope: String,
    within: Duration,
) -> Result<String, PostFault> {
    timeout(within, exchange(url, ask, envelope)).await.unwrap_or(Err(PostFault::Silent(within)))
}

async fn exchange(url: &Url, ask: Ask, envelope: String) -> Result<String, PostFault> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this exchange.
    let mut carrying = JoinSet::new();
    carrying.spawn(connection);
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, format!("{host}:{port}"))
        .header(
            header::CONTENT_TYPE,
            format!("application/soap+xml; charset=utf-8; action=\"{}\"", ask.action()),
        )
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(envelope)))?;
    let answer = sender.send_request(request).await?;
    if answer.status() == StatusCode::UNAUTHORIZED {
        return Err(PostFault::Login);
    }
    let body =
        Limited::new(answer.into_body(), MOST_BYTES).collect().await.map_err(|_| PostFault::Unreadable)?;
    String::from_utf8(body.to_bytes().to_vec()).map_err(|_| PostFault::Unreadable)
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
