//! Query, path and body; what is wrong is named in the answer.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::{Json, RequestExt as _};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::problem::Problem;

/// The query string as a type.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(deserializer)
            .map(Self)
            .map_err(|error| Problem::parameter(&error.path().to_string(), error.inner()))
    }
}

/// A named part of the path as a type.
pub struct Id<T>(pub T);

impl<T: std::str::FromStr<Err: std::fmt::Display>, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::parameter("id", error.body_text()))?;
        text.parse().map(Self).map_err(|error| Problem::parameter("id", error))
    }
}

/// A body has at most some kilobytes; who dribbles it only keeps a connection busy.
const BODY: Duration = Duration::from_secs(10);

/// A JSON body as a type.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let read: Result<Json<serde_json::Value>, JsonRejection> = in_time(BODY, request.extract()).await?;
        let Json(value) = read.map_err(|refused| Problem::new(refused.status(), refused.body_text()))?;
        serde_path_to_error::deserialize(value).map(Self).map_err(|error| {
            let path = error.path().to_string();
            match path.as_str() {
                "." | "?" => Problem::new(StatusCode::BAD_REQUEST, error.inner().to_string()),
                path => Problem::parameter(path, error.inner()),
            }
        })
    }
}

/// A picture may come by a slow line.
const RAW_BODY: Duration = Duration::from_secs(60);

/// A body as it came, up to the limit of its route.
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let read = in_time(RAW_BODY, request.extract::<Bytes, _>()).await?;
        read.map(Self).map_err(|refused| Problem::new(refused.status(), refused.body_text()))
    }
}

async fn in_time<T>(most: Duration, reading: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(most, reading).await.map_err(|_| {
        let seconds = most.as_secs();
        Problem::new(StatusCode::REQUEST_TIMEOUT, format!("the body took longer than {seconds} seconds"))
    })
}

/// The cursor of a list that is ordered by number.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Cursor(pub i64);

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        // A parser of numbers takes signs, which no cursor has.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits && text.len() <= 18);
        number.map(Self).ok_or("not a cursor: use `next` of the page before, unchanged")
    }
}

/// At most so many of a list: 1 to `MAX`.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Limit<const MAX: u16>(u16);

impl<const MAX: u16> Limit<MAX> {
    /// The number, or `default` when none was asked for.
    pub fn or(limit: Option<Self>, default: u16) -> u16 {
        limit.map_or(default, |limit| limit.0)
    }
}

impl<const MAX: u16> TryFrom<String> for Limit<MAX> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse() {
            Ok(number) if (1..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(format!("a number from 1 to {MAX} is needed")),
        }
    }
}

/// Which page of a list that is asked for by nothing else.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// At most so many.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit<200>>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, format = "cursor")]
    before: Option<Cursor>,
}

impl Page {
    /// At most so many.
    pub fn limit(&self) -> u16 {
        Limit::or(self.limit, 50)
    }

    /// Only what comes before this number.
    pub fn before(&self) -> Option<i64> {
        self.before.map(|Cursor(number)| number)
    }
}
