//! `/api/v1/session` and `/api/v1/invitation`: signing in and out, and what people change about their own account.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gatepost_wire::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::caller::{Address, Caller, cookie};
use super::params::Body;
use super::problem::Problem;
use crate::access::{self, AccessError, Password, Permission, Person, Token};

/// Who is signed in, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Who.
    person: Person,
    /// What they may do, at the sites of the person.
    may: BTreeSet<Permission>,
    /// The session ends then.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

impl From<access::Session> for Session {
    fn from(session: access::Session) -> Self {
        Self { may: session.person.roles.permissions(), person: session.person, expires: session.until }
    }
}

/// By what somebody proves who they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The name to sign in by.
    #[schema(example = "wang.li")]
    name: String,
    /// The password.
    #[schema(value_type = String, format = Password, example = "hedge, ladder, lantern")]
    password: Password,
    /// Six digits from the authenticator app, where the account has a second factor.
    #[schema(pattern = "^[0-9]{6}$", example = "123456")]
    code: Option<String>,
}

/// A one-time link, and the password it is to set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// What follows the name in the link.
    #[schema(example = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    token: String,
    /// 12 to 128 characters.
    #[schema(
        value_type = String, format = Password, min_length = 12, max_length = 128,
        example = "hedge, ladder, lantern"
    )]
    password: Password,
}

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present one.
    #[schema(value_type = String, format = Password, example = "hedge, ladder, lantern")]
    old: Password,
    /// 12 to 128 characters.
    #[schema(
        value_type = String, format = Password, min_length = 12, max_length = 128,
        example = "ferry, basket, thimble"
    )]
    new: Password,
}

/// The password once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// The password.
    #[schema(value_type = String, format = Password, example = "hedge, ladder, lantern")]
    password: Password,
}

/// The first code of a new second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Six digits from the authenticator app.
    #[schema(pattern = "^[0-9]{6}$", example = "123456")]
    code: String,
}

/// A second factor to be confirmed.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewFactor {
    /// For typing into an authenticator app: base 32.
    #[schema(example = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")]
    secret: String,
    /// The same for a QR code.
    #[schema(example = "otpauth://totp/Gatepost:wang.li?secret=…&issuer=Gatepost")]
    uri: String,
}

/// Who is signed in
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses(
    (status = 200, description = "The session of this request's cookie", body = Session),
))]
pub async fn show(caller: Caller) -> Json<Session> {
    Json(caller.session.into())
}

/// Signs in
///
/// The answer sets the cookie that every other request needs.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignIn, responses(
    (status = 201, description = "Signed in", body = Session),
    (status = 400, description = "The request is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Name or password is wrong; with `parameter` `code`: the code is needed, or wrong",
        body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many failures: Retry-After says how many seconds to wait",
        body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be written, or too many sign in", body = Problem, content_type = "application/problem+json"),
))]
pub async fn sign_in(
    State(app): State<App>,
    Address(address): Address,
    Body(given): Body<SignIn>,
) -> Result<Response, Problem> {
    let opened = app.desk.sign_in(&given.name, given.password, given.code.as_deref(), &address).await;
    let (token, session) = opened.map_err(|error| refusal(error, "password", StatusCode::UNAUTHORIZED))?;
    Ok(opened_answer(&token, session))
}

/// Sets a password by a one-time link, and signs in
#[utoipa::path(post, path = "/api/v1/invitation", tag = "session", request_body = Acceptance, responses(
    (status = 201, description = "It is set; signed in", body = Session),
    (status = 400, description = "The password is not good enough", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "The link was used or has ended", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
))]
pub async fn accept(
    State(app): State<App>,
    Address(address): Address,
    Body(given): Body<Acceptance>,
) -> Result<Response, Problem> {
    let opened = app.desk.accept(&Token::shown(given.token), given.password, &address).await;
    let (token, session) = opened.map_err(|error| refusal(error, "password", StatusCode::BAD_REQUEST))?;
    Ok(opened_answer(&token, session))
}

/// Signs out
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses(
    (status = 204, description = "The session is over"),
    (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
))]
pub async fn sign_out(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    app.desk.sign_out(&caller.session, &caller.address).await?;
    Ok(with_cookie(None, StatusCode::NO_CONTENT))
}

/// Changes the password; other sessions of the person end
#[utoipa::path(put, path = "/api/v1/session/password", tag = "session", request_body = PasswordChange, responses(
    (status = 204, description = "It is changed"),
    (status = 400, description = "`old` is wrong, or `new` is not good enough", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many failures", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
))]
pub async fn change_password(
    State(app): State<App>,
    caller: Caller,
    Body(given): Body<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let changed = app.desk.change_password(&caller.session, given.old, given.new, &caller.address).await;
    changed.map_err(|error| {
        let parameter = if matches!(error, AccessError::Unfit(_)) { "new" } else { "old" };
        refusal(error, parameter, StatusCode::BAD_REQUEST)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins to set up a second factor
#[utoipa::path(post, path = "/api/v1/session/second-factor", tag = "session", request_body = Again, responses(
    (status = 200, description = "It counts once it is confirmed", body = NewFactor),
    (status = 400, description = "The password is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many failures", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
))]
pub async fn want_factor(
    State(app): State<App>,
    caller: Caller,
    Body(given): Body<Again>,
) -> Result<Json<NewFactor>, Problem> {
    let name = &caller.session.person.name;
    let key = app.desk.want_factor(name, given.password, &caller.address).await;
    let key = key.map_err(|error| refusal(error, "password", StatusCode::BAD_REQUEST))?;
    Ok(Json(NewFactor { secret: key.base32(), uri: key.uri(name) }))
}

/// Confirms a second factor by its first code
#[utoipa::path(put, path = "/api/v1/session/second-factor", tag = "session", request_body = Code, responses(
    (status = 200, description = "Signing in takes a code from now on", body = Session),
    (status = 400, description = "The code is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
))]
pub async fn confirm_factor(
    State(app): State<App>,
    caller: Caller,
    Body(given): Body<Code>,
) -> Result<Json<Session>, Problem> {
    let done = app.desk.confirm_factor(&caller.session.person.name, &given.code, &caller.address).await;
    done.map_err(|error| refusal(error, "code", StatusCode::BAD_REQUEST))?;
    Ok(Json(with_factor(caller, true)))
}

/// Removes the second factor
#[utoipa::path(delete, path = "/api/v1/session/second-factor", tag = "session", request_body = Again, responses(
    (status = 200, description = "Signing in takes the password alone", body = Session),
    (status = 400, description = "The password is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many failures", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
))]
pub async fn remove_factor(
    State(app): State<App>,
    caller: Caller,
    Body(given): Body<Again>,
) -> Result<Json<Session>, Problem> {
    let done = app.desk.remove_factor(&caller.session.person.name, given.password, &caller.address).await;
    done.map_err(|error| refusal(error, "password", StatusCode::BAD_REQUEST))?;
    Ok(Json(with_factor(caller, false)))
}

fn with_factor(caller: Caller, second_factor: bool) -> Session {
    let person = Person { second_factor, ..caller.session.person };
    access::Session { person, ..caller.session }.into()
}

fn opened_answer(token: &Token, session: access::Session) -> Response {
    with_cookie(Some(token), (StatusCode::CREATED, Json(Session::from(session))))
}

fn with_cookie(token: Option<&Token>, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    // The hub's tokens are hexadecimal digits, so this is always a header.
    if let Ok(value) = HeaderValue::try_from(cookie(token)) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// `status`: what a wrong password is answered with. Signed in, 401 would say that the session is over.
fn refusal(error: AccessError, parameter: &str, status: StatusCode) -> Problem {
    match error {
        AccessError::WrongPassword if status == StatusCode::UNAUTHORIZED => {
            Problem::new(status, error.to_string())
        }
        AccessError::WrongPassword => Problem::parameter(parameter, "it is wrong"),
        AccessError::CodeNeeded | AccessError::CodeWrong => {
            Problem::parameter("code", error).with_status(status)
        }
        AccessError::NothingToConfirm => Problem::parameter("code", error),
        AccessError::Unfit(_) => Problem::parameter(parameter, error),
        AccessError::UselessLink => Problem::not_found(error.to_string()),
        AccessError::Wait(wait) => {
            Problem::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()).retry_after(wait.as_secs() + 1)
        }
        AccessError::Busy => Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).retry_after(5),
        AccessError::Random(error) => {
            tracing::error!(%error, "no secret can be made");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no secret can be made; the hub's log says why")
        }
        AccessError::Store(error) => error.into(),
    }
}
