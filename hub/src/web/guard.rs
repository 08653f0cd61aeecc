//! What every answer passes: whom the request means, and what a browser may do with the answer.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// Names a request may call this hub by.
///
/// A page of a stranger can make its own name point to 127.0.0.1 and so talk to this hub from a visitor's browser
/// (DNS rebinding). Its requests still carry its own name.
#[derive(Debug)]
pub struct Hosts {
    listen: IpAddr,
    names: Vec<String>,
}

impl Hosts {
    /// The address it listens on, and configured names and addresses.
    pub fn new(listen: IpAddr, names: Vec<String>) -> Self {
        Self { listen, names }
    }

    fn allow(&self, authority: &str) -> bool {
        let host = host_of(authority);
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip == self.listen)
            || self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((ip, _)) => ip,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
}

fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match headers.get(header::HOST) {
        Some(host) => host.to_str().ok(),
        None => uri.authority().map(|authority| authority.as_str()),
    }
}

pub async fn check_host(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    if authority(request.uri(), request.headers()).is_some_and(|name| hosts.allow(name)) {
        return next.run(request).await;
    }
    let detail = "this hub does not answer to the name in the Host header: use localhost, or put the name into \
        `web.host_names` or `tls.names`";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).into_response()
}

/// Only this hub's own page, or a program that is no browser, may change something. A page of a stranger could otherwise
/// have its visitor's browser send a request here (cross-site request forgery). Browsers say where a request comes
/// from: `Sec-Fetch-Site`, and older ones `Origin`.
pub async fn check_site(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || own_site(&hosts, request.headers()) {
        return next.run(request).await;
    }
    let detail = "this came from another site's page; only this hub's own page may do that";
    Problem::new(StatusCode::FORBIDDEN, detail).into_response()
}

fn own_site(hosts: &Hosts, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    headers.get(header::ORIGIN).is_none_or(|origin| {
        origin
            .to_str()
            .ok()
            .and_then(|origin| origin.split_once("://"))
            .is_some_and(|(_, authority)| hosts.allow(authority))
    })
}

const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

pub async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        // What people attached is allowed less than the page.
        response.headers_mut().entry(name).or_insert(value);
    }
    // Answers of the API are never to be kept; pictures and the page's files say themselves how long they hold.
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_page_changes_something() {
        let hosts = Hosts::new("127.0.0.1".parse().unwrap(), Vec::new());
        let from = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            own_site(&hosts, &headers)
        };
        assert!(own_site(&hosts, &HeaderMap::new()), "a program");
        assert!(from("sec-fetch-site", "same-origin"));
        assert!(from("origin", "http://127.0.0.1:8080"));
        for site in ["cross-site", "same-site"] {
            assert!(!from("sec-fetch-site", site), "{site}");
        }
        for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
            assert!(!from("origin", origin), "{origin}");
        }
    }

    #[test]
    fn only_own_names_are_answered() {
        let hosts = Hosts::new(
            "127.0.0.1".parse().unwrap(),
            vec!["gatepost.school.example".to_owned(), "192.0.2.1".to_owned()],
        );
        for good in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::1]",
            "Gatepost.school.example:443",
            "192.0.2.1:8443",
        ] {
            assert!(hosts.allow(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "localhost.evil.example:8080",
            "127.0.0.1.evil.example",
            "192.168.1.2",
            "[::2]:80",
        ] {
            assert!(!hosts.allow(bad), "{bad}");
        }
    }
}
