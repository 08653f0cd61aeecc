//! Who asks, and whether they may: looked up before any handler of the API runs. What is not in [`RULES`] is answered to nobody.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use gatepost_wire::EdgeId;

use super::App;
use super::problem::Problem;
use crate::access::{Permission, Scope, Session, SiteId, Token};

/// What a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: whoever comes gets an answer.
    Nothing,
    /// That somebody is signed in; the handler decides the rest, or it is about themselves.
    Session,
    /// That they have this permission.
    May(Permission),
}

/// What each request of the API takes.
pub const RULES: &[(&str, &str, Needs)] = {
    use Needs::{May, Nothing, Session};
    use Permission::{
        DrawPlans, Export, HoldEvidence, ManagePeople, ManageWebhooks, ReleaseOriginal, SeeAccessLog,
        SeeAlerts, SeeAllIncidents, SeeCommands, SeeDeletions, SeeDevices, SeeEvidence, SeeIncidents,
        SeePlans, SeeRegister, WorkIncidents,
    };
    &[
        ("GET", "/api/v1/openapi.json", Nothing),
        ("POST", "/api/v1/session", Nothing),
        ("POST", "/api/v1/invitation", Nothing),
        ("GET", "/api/v1/sign-in-ways", Nothing),
        ("GET", "/api/v1/oidc/start", Nothing),
        ("GET", "/api/v1/oidc/callback", Nothing),
        ("GET", "/api/v1/session", Session),
        ("DELETE", "/api/v1/session", Session),
        ("PUT", "/api/v1/session/password", Session),
        ("POST", "/api/v1/session/second-factor", Session),
        ("PUT", "/api/v1/session/second-factor", Session),
        ("DELETE", "/api/v1/session/second-factor", Session),
        // Sends what the person may see of each kind.
        ("GET", "/api/v1/live", Session),
        ("GET", "/api/v1/alerts", May(SeeAlerts)),
        ("GET", "/api/v1/events", May(SeeAlerts)),
        ("GET", "/api/v1/events/{id}", May(SeeAlerts)),
        ("POST", "/api/v1/viewings", May(SeeEvidence)),
        ("GET", "/api/v1/viewings", May(SeeRegister)),
        // Both take an opening besides.
        ("GET", "/api/v1/events/{id}/snapshot", May(SeeEvidence)),
        ("GET", "/api/v1/events/{id}/evidence/{sha256}", May(SeeEvidence)),
        ("GET", "/api/v1/incidents", May(SeeIncidents)),
        ("GET", "/api/v1/incidents/{id}", May(SeeIncidents)),
        ("GET", "/api/v1/incidents/{id}/alerts", May(SeeIncidents)),
        ("GET", "/api/v1/incidents/{id}/timeline", May(SeeIncidents)),
        // Each step takes a permission of its own.
        ("POST", "/api/v1/incidents/{id}/steps", May(SeeIncidents)),
        ("GET", "/api/v1/incidents/{id}/attachments", May(SeeIncidents)),
        // As a step does.
        ("POST", "/api/v1/incidents/{id}/attachments", May(SeeIncidents)),
        // It takes an opening besides.
        ("GET", "/api/v1/incidents/{id}/attachments/{number}", May(SeeEvidence)),
        ("GET", "/api/v1/handlers", May(WorkIncidents)),
        ("GET", "/api/v1/incident-figures", May(SeeAllIncidents)),
        ("GET", "/api/v1/shift-report", May(SeeAllIncidents)),
        ("GET", "/api/v1/exports/alerts", May(Export)),
        ("GET", "/api/v1/exports/incidents", May(Export)),
        ("GET", "/api/v1/commands", May(SeeCommands)),
        ("GET", "/api/v1/commands/{id}", May(SeeCommands)),
        // Each order takes a permission of its own.
        ("POST", "/api/v1/commands", Session),
        // Not who asked for it.
        ("POST", "/api/v1/commands/{id}/decision", May(ReleaseOriginal)),
        ("GET", "/api/v1/deletions", May(SeeDeletions)),
        ("GET", "/api/v1/disposals", May(SeeAccessLog)),
        ("GET", "/api/v1/holds", May(HoldEvidence)),
        ("POST", "/api/v1/holds", May(HoldEvidence)),
        ("POST", "/api/v1/holds/{id}/steps", May(HoldEvidence)),
        ("GET", "/api/v1/devices", May(SeeDevices)),
        // Of a box they see.
        ("GET", "/api/v1/devices/{edge}/history", May(SeeDevices)),
        ("GET", "/api/v1/people", May(ManagePeople)),
        ("POST", "/api/v1/people", May(ManagePeople)),
        ("PATCH", "/api/v1/people/{name}", May(ManagePeople)),
        ("POST", "/api/v1/people/{name}/invitation", May(ManagePeople)),
        ("GET", "/api/v1/sites", May(ManagePeople)),
        ("PUT", "/api/v1/sites/{site}", May(ManagePeople)),
        ("DELETE", "/api/v1/sites/{site}", May(ManagePeople)),
        // Of a site they see.
        ("GET", "/api/v1/plans", May(SeePlans)),
        ("GET", "/api/v1/sites/{site}/plan", May(SeePlans)),
        ("PUT", "/api/v1/sites/{site}/plan", May(DrawPlans)),
        ("DELETE", "/api/v1/sites/{site}/plan", May(DrawPlans)),
        ("GET", "/api/v1/sites/{site}/plan/picture", May(SeePlans)),
        ("PUT", "/api/v1/sites/{site}/plan/picture", May(DrawPlans)),
        ("GET", "/api/v1/webhooks", May(ManageWebhooks)),
        ("GET", "/api/v1/webhooks/{name}/dead", May(ManageWebhooks)),
        ("POST", "/api/v1/webhooks/{name}/dead/retry", May(ManageWebhooks)),
        ("POST", "/api/v1/webhooks/{name}/dead/{step}/retry", May(ManageWebhooks)),
        ("GET", "/api/v1/access-log", May(SeeAccessLog)),
    ]
};

/// A browser sends a cookie of this name only to the host that set it, over TLS or on the machine itself, and no other host can set
/// it (RFC 6265bis, 4.1.3.2).
pub const COOKIE: &str = "__Host-gatepost";

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Their session.
    pub session: Session,
    /// From where.
    pub address: String,
}

impl Caller {
    /// Which boxes they see.
    pub fn scope(&self) -> Scope {
        self.session.person.scope()
    }

    /// How records name them.
    pub fn name(&self) -> &str {
        self.session.person.name.as_str()
    }

    /// Only who has the permission goes on.
    pub fn must(&self, permission: Permission) -> Result<(), Problem> {
        if self.session.person.may(permission) { Ok(()) } else { Err(forbidden(permission)) }
    }

    /// Only who sees the box goes on. One that does not exist is answered alike, so that nobody learns what other sites have.
    pub async fn must_see(&self, app: &App, edge: &EdgeId) -> Result<(), Problem> {
        if app.store.scope_holds(&self.scope(), edge).await? {
            return Ok(());
        }
        let detail = format!("there is no box {edge} at a site of yours");
        Err(Problem::new(StatusCode::FORBIDDEN, detail))
    }

    /// Only who is for the site goes on. One that does not exist is answered alike.
    pub fn must_see_site(&self, site: &SiteId) -> Result<(), Problem> {
        match self.scope() {
            Scope::Sites(sites) if !sites.contains(site) => {
                Err(Problem::not_found(format!("there is no site {site}")))
            }
            Scope::All | Scope::Sites(_) => Ok(()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unknown)
    }
}

/// From where a request comes.
pub struct Address(pub String);

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(address(&parts.extensions)))
    }
}

fn address(extensions: &axum::http::Extensions) -> String {
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    info.map_or_else(String::new, |ConnectInfo(address)| address.ip().to_string())
}

/// Lets a request through to its handler, or not.
pub async fn check(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let needs = needs(request.method(), request.extensions().get::<MatchedPath>());
    if needs == Some(Needs::Nothing) {
        return next.run(request).await;
    }
    let session = match token(request.headers()) {
        Some(token) => match app.desk.session(&token).await {
            Ok(session) => session,
            Err(error) => return Problem::from(error).into_response(),
        },
        None => None,
    };
    let Some(session) = session else {
        return match request.extensions().get::<MatchedPath>() {
            Some(path) if needs.is_none() && is_open(path.as_str()) => no_such_method(path.as_str()),
            _ => unknown().into_response(),
        };
    };
    match needs {
        // There is no such path or method; its handler says so, to people who are signed in.
        None | Some(Needs::Nothing | Needs::Session) => {}
        Some(Needs::May(permission)) if session.person.may(permission) => {}
        Some(Needs::May(permission)) => return forbidden(permission).into_response(),
    }
    let address = address(request.extensions());
    request.extensions_mut().insert(Caller { session, address });
    next.run(request).await
}

fn needs(method: &Method, path: Option<&MatchedPath>) -> Option<Needs> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let path = path?.as_str();
    RULES.iter().find(|(of, at, _)| *of == method.as_str() && *at == path).map(|(.., needs)| *needs)
}

/// Anybody may do something to it, so anybody may know what can be done.
fn is_open(path: &str) -> bool {
    RULES.iter().any(|(_, at, needs)| *at == path && *needs == Needs::Nothing)
}

fn no_such_method(path: &str) -> Response {
    let methods = RULES.iter().filter(|(_, at, _)| *at == path).map(|(method, ..)| *method);
    let allow = [(header::ALLOW, methods.collect::<Vec<_>>().join(", "))];
    let detail = "this is not done to it; /api/v1/openapi.json lists what is";
    (allow, Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)).into_response()
}

/// What the session's cookie holds.
pub fn token(headers: &HeaderMap) -> Option<Token> {
    cookie_of(headers, COOKIE).map(Token::shown)
}

/// What the cookie of this name holds.
pub fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The header that gives a browser the session's token, or takes it away.
pub fn cookie(token: Option<&Token>) -> String {
    // Without an age a browser forgets it when it ends; the hub ends the session anyway.
    let (value, age) = match token {
        Some(token) => (token.reveal(), ""),
        None => ("", "; Max-Age=0"),
    };
    format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{age}")
}

fn unknown() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "sign in first: POST /api/v1/session, or by the page")
}

fn forbidden(permission: Permission) -> Problem {
    let detail = format!(
        "your account does not have the permission `{}`; an administrator can give it",
        permission.name()
    );
    Problem::new(StatusCode::FORBIDDEN, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        assert_eq!(token(&headers), None);
        headers.append(header::COOKIE, "a=1; gatepost=x; __Host-gatepostal=y".parse().unwrap());
        assert_eq!(token(&headers), None);
        headers.append(header::COOKIE, "b=2; __Host-gatepost=secret; c=3".parse().unwrap());
        assert_eq!(token(&headers), Some(Token::shown("secret")));
    }

    #[test]
    fn a_browser_keeps_it_to_itself() {
        let set = cookie(Some(&Token::shown("secret")));
        assert_eq!(set, "__Host-gatepost=secret; Path=/; Secure; HttpOnly; SameSite=Strict");
        assert!(cookie(None).starts_with("__Host-gatepost=; ") && cookie(None).ends_with("Max-Age=0"));
    }
}
