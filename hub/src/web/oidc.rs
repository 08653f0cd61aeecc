//! Signing in by OpenID Connect: which ways there are, where it begins, and where the provider sends people back. A browser goes from
//! one to the next by itself, so what goes wrong is told by the page, in words of its own.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use gatepost_wire::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::caller::{self, Address};
use crate::access::{Session, Stranger, Token};
use crate::config::Label;
use crate::oidc::{Attempt, Failure, LASTS_S, Provider};

/// A browser keeps it to this host, like the session's. It is `Lax`, not `Strict`: coming back from the provider is a navigation that
/// another site began, and with `Strict` the browser would come back without what binds it to its attempt. Only navigations bring it;
/// and it opens nothing by itself.
const COOKIE: &str = "__Host-gatepost-oidc";

/// By what people can sign in here.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ways {
    /// By an OpenID Connect provider, besides by password; null: by password alone.
    oidc: Option<ByProvider>,
}

/// By a provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct ByProvider {
    /// What its button says.
    label: Label,
    /// Where a browser goes to begin.
    #[schema(example = "https://gatepost.school.example/api/v1/oidc/start")]
    start: String,
}

/// Why somebody is not let in, as the page is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// There is no provider here.
    NotOffered,
    /// The provider does not answer.
    Unreachable,
    /// They did not go through with it there.
    Cancelled,
    /// It was begun in another browser, or too long ago, or came back before.
    Stale,
    /// What the provider says is not believed.
    NotBelieved,
    /// No account here is linked to them.
    Nobody,
    /// The account is bound to somebody else.
    Another,
    /// The account is disabled.
    Disabled,
    /// Too many sign in at this moment.
    Busy,
    /// The hub's own fault.
    Hub,
}

impl Refusal {
    const fn word(self) -> &'static str {
        match self {
            Self::NotOffered => "not_offered",
            Self::Unreachable => "unreachable",
            Self::Cancelled => "cancelled",
            Self::Stale => "stale",
            Self::NotBelieved => "not_believed",
            Self::Nobody => "nobody",
            Self::Another => "another",
            Self::Disabled => "disabled",
            Self::Busy => "busy",
            Self::Hub => "hub",
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        // What a provider sent stands in the log with its line breaks escaped.
        let why: String = failure.to_string().chars().take(400).collect();
        tracing::warn!(?why, "nobody is let in by OpenID Connect");
        match failure {
            Failure::Unreachable(_) => Self::Unreachable,
            // The code was used, or has ended.
            Failure::CodeRefused(_) => Self::Stale,
            Failure::NotBelieved(_) => Self::NotBelieved,
            Failure::Busy => Self::Busy,
        }
    }
}

impl From<Stranger> for Refusal {
    fn from(stranger: Stranger) -> Self {
        match stranger {
            Stranger::Nobody => Self::Nobody,
            Stranger::Another => Self::Another,
            Stranger::Disabled => Self::Disabled,
            Stranger::Access(error) => {
                tracing::error!(%error, "nobody can be let in");
                Self::Hub
            }
        }
    }
}

/// By what people can sign in here
#[utoipa::path(get, path = "/api/v1/sign-in-ways", tag = "session", responses(
    (status = 200, description = "The ways there are", body = Ways),
))]
pub async fn ways(State(app): State<App>) -> Json<Ways> {
    let oidc = app.provider.as_ref().map(|provider| {
        let config = provider.config();
        ByProvider { label: config.label.clone(), start: config.start() }
    });
    Json(Ways { oidc })
}

/// Begins to sign in by the provider, in a browser
///
/// What goes wrong is told to the page: `/#sign-in-failed=` and a word.
#[utoipa::path(get, path = "/api/v1/oidc/start", tag = "session", responses(
    (status = 303, description = "To the provider, or back to the page"),
))]
pub async fn start(State(app): State<App>) -> Response {
    match begin(&app).await {
        Ok((address, attempt)) => to(&address, &[cookie(Some(&attempt))]),
        Err(refusal) => back(refusal),
    }
}

async fn begin(app: &App) -> Result<(String, Attempt), Refusal> {
    let provider = app.provider.as_ref().ok_or(Refusal::NotOffered)?;
    let attempt = Attempt::new(Timestamp::now()).map_err(|error| {
        tracing::error!(%error, "no secret can be made");
        Refusal::Hub
    })?;
    Ok((provider.address(&attempt).await?, attempt))
}

/// Where the provider sends a browser back
///
/// What goes wrong is told to the page: `/#sign-in-failed=` and a word.
#[utoipa::path(get, path = "/api/v1/oidc/callback", tag = "session",
    params(
        ("code" = Option<String>, Query, description = "For what the provider says who they are"),
        ("state" = Option<String>, Query, description = "What binds the answer to the browser that asked"),
        ("iss" = Option<String>, Query, description = "Which provider answers (RFC 9207)"),
        ("error" = Option<String>, Query, description = "Why there is no code"),
    ),
    responses(
        (status = 303, description = "To the page, signed in or not"),
    ))]
pub async fn callback(
    State(app): State<App>,
    Address(address): Address,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let answer = Answer::read(query.as_deref().unwrap_or_default());
    let cookie_of = caller::cookie_of(&headers, COOKIE);
    match finish(&app, answer, cookie_of, &address).await {
        Ok((token, _)) => to("/", &[caller::cookie(Some(&token)), cookie(None)]),
        Err(refusal) => back(refusal),
    }
}

async fn finish(
    app: &App,
    answer: Answer,
    cookie: Option<&str>,
    address: &str,
) -> Result<(Token, Session), Refusal> {
    let provider = app.provider.as_ref().ok_or(Refusal::NotOffered)?;
    // Which of these it is, only a technician needs to know.
    let stale = |why: &str| {
        tracing::info!(address, "an answer of the provider is not taken: {why}");
        Refusal::Stale
    };
    let now = Timestamp::now();
    let attempt = cookie.and_then(|cookie| Attempt::shown(cookie, now));
    let attempt = attempt.ok_or_else(|| stale("nothing was begun in that browser, or too long ago"))?;
    if !answer.state.is_some_and(|state| attempt.is_of(&state)) {
        return Err(stale("it is for another attempt"));
    }
    if answer.iss.is_some_and(|iss| iss != provider.config().issuer.as_str()) {
        return Err(stale("it is of another issuer"));
    }
    let code = match (answer.code, answer.error.as_deref()) {
        (Some(code), None) => code,
        (_, Some("temporarily_unavailable" | "server_error")) => return Err(Refusal::Unreachable),
        (_, Some("access_denied" | "login_required" | "interaction_required")) => {
            return Err(Refusal::Cancelled);
        }
        (_, error) => {
            tracing::warn!(?error, "the provider refuses to say who somebody is");
            return Err(Refusal::NotBelieved);
        }
    };
    let_in(app, provider, &attempt, code, address).await
}

async fn let_in(
    app: &App,
    provider: &Provider,
    attempt: &Attempt,
    code: String,
    address: &str,
) -> Result<(Token, Session), Refusal> {
    let proven = provider.prove(attempt, code).await?;
    if let Some(opened) = app.desk.recognise(&proven.subject, address).await? {
        return Ok(opened);
    }
    let name = provider.name(&proven).await?;
    Ok(app.desk.admit(&proven.subject, name.as_ref(), address).await?)
}

/// What the provider has the browser bring. Providers add what they like.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

impl Answer {
    fn read(query: &str) -> Self {
        let mut answer = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "iss" => &mut answer.iss,
                "error" => &mut answer.error,
                _ => continue,
            };
            *place = Some(value.into_owned());
        }
        answer
    }
}

fn cookie(attempt: Option<&Attempt>) -> String {
    let (value, age_s) = attempt.map_or_else(|| (String::new(), 0), |attempt| (attempt.cookie(), LASTS_S));
    format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age_s}")
}

/// To the page, which says why. What was begun is over.
fn back(refusal: Refusal) -> Response {
    to(&format!("/#sign-in-failed={}", refusal.word()), &[cookie(None)])
}

fn to(address: &str, cookies: &[String]) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    // Addresses of the library are percent-encoded, cookies hexadecimal digits, so these are always headers.
    if let Ok(location) = HeaderValue::try_from(address) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    for cookie in cookies.iter().filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_provider_adds_is_of_no_interest() {
        let answer = Answer::read("code=a%2Fb&session_state=x&state=s");
        assert_eq!(answer, Answer { code: Some("a/b".into()), state: Some("s".into()), ..Answer::default() });
    }

    #[test]
    fn the_cookie_comes_back_from_the_provider_and_is_read_by_no_script() {
        let attempt = Attempt::new(Timestamp::now()).unwrap();
        let set = cookie(Some(&attempt));
        for word in
            ["__Host-gatepost-oidc=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=600"]
        {
            assert!(set.contains(word), "{set}");
        }
        assert!(cookie(None).ends_with("Max-Age=0"));
    }
}
