//! `/api/v1/people`: who has an account, and what they may do with it.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_wire::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::App;
use super::caller::Caller;
use super::openapi::formats::names_or_null;
use super::params::{Body, Id};
use super::problem::Problem;
use crate::access::{Desk, DisplayName, Person, PersonChange, PersonName, ProviderName, Role, Roles, SiteId};
use crate::store::PersonError;

/// Everybody who has an account, or had one.
#[derive(Debug, Serialize, ToSchema)]
pub struct People {
    /// By name.
    people: Vec<Person>,
}

/// An account to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "wang.li", "display_name": "王丽", "roles": ["operator"], "sites": ["school-3"] }))]
pub struct NewPerson {
    /// By what they sign in. It is never used again for somebody else.
    #[schema(value_type = String, format = "person-name")]
    name: PersonName,
    /// What others call them: one line of at most 60 characters.
    #[schema(value_type = String, format = "line", min_length = 1, max_length = 60)]
    display_name: DisplayName,
    /// What they work as.
    #[schema(value_type = Vec<Role>, min_items = 1)]
    roles: Roles,
    /// The sites they are limited to; null: none. Administrators and auditors cannot be limited.
    #[schema(schema_with = names_or_null)]
    sites: Option<BTreeSet<SiteId>>,
    /// What the OpenID Connect provider calls them, if they sign in by it: one line of at most 255 characters, exactly as the provider
    /// writes it.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    provider: Option<ProviderName>,
}

/// What is to change about an account. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "display_name": "王丽", "roles": ["operator"], "sites": ["school-3"],
    "provider": "wang.li@school.example", "unbind": false, "disabled": false
}))]
pub struct Change {
    /// What others call them.
    #[schema(value_type = Option<String>, format = "line", min_length = 1, max_length = 60, example = "王丽")]
    display_name: Option<DisplayName>,
    /// What they work as.
    #[schema(value_type = Option<Vec<Role>>, min_items = 1)]
    roles: Option<Roles>,
    /// The sites they are limited to; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = names_or_null, required = false)]
    sites: Option<Option<BTreeSet<SiteId>>>,
    /// What the provider calls them; null: they do not sign in by it. Another name than before unbinds the account, too.
    #[serde(default, deserialize_with = "given")]
    #[schema(
        value_type = Option<String>, min_length = 1, max_length = 255, example = "wang.li@school.example"
    )]
    provider: Option<Option<ProviderName>>,
    /// Whoever came by the provider so far is not let in by it any more, and sessions of the account are over: the account is bound
    /// to who comes next by its name there.
    #[serde(default)]
    unbind: bool,
    /// Nobody can sign in with the account, and its sessions are over.
    disabled: Option<bool>,
}

/// Tells null from what is left out.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A one-time link: `/#welcome=` and the name, `:` and the token.
#[derive(Debug, Serialize, ToSchema)]
pub struct Link {
    /// What it is known by. It is shown only here.
    #[schema(example = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    token: String,
    /// It is useless from then on.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// An account that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Added {
    /// Who.
    person: Person,
    /// By what they set their password; null when they sign in by the provider. Another request makes one for them, too.
    invitation: Option<Link>,
}

/// Everybody who has an account
#[utoipa::path(get, path = "/api/v1/people", tag = "people", responses(
    (status = 200, description = "All of them", body = People),
    (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<App>) -> Result<Json<People>, Problem> {
    Ok(Json(People { people: app.store.people().await? }))
}

/// Makes an account, and a one-time link by which its person sets a password unless they sign in by the provider
#[utoipa::path(post, path = "/api/v1/people", tag = "people", request_body = NewPerson, responses(
    (status = 201, description = "It is made", body = Added),
    (status = 400, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The name is taken", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
))]
pub async fn add(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewPerson>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let NewPerson { name, display_name, roles, sites, provider } = new;
    let person = Person::invited(name, display_name, roles, sites).linked(provider);
    app.store.add_person(&person, caller.name(), Timestamp::now()).await?;
    let invitation = match person.provider {
        None => Some(link(&app, &caller, &person.name).await?),
        Some(_) => None,
    };
    Ok((StatusCode::CREATED, Json(Added { person, invitation })))
}

/// Changes an account; it holds at once, for open sessions too
#[utoipa::path(patch, path = "/api/v1/people/{name}", tag = "people",
    params(("name" = String, Path, format = "person-name", description = "By what the person signs in", example = "wang.li")),
    request_body = Change, responses(
        (status = 200, description = "The account as it is now", body = Person),
        (status = 400, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such person", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "No administrator would be left", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Id(name): Id<PersonName>,
    Body(change): Body<Change>,
) -> Result<Json<Person>, Problem> {
    let Change { display_name, roles, sites, provider, unbind, disabled } = change;
    let change = PersonChange { display_name, roles, sites, provider, unbind, disabled };
    Ok(Json(app.store.change_person(&name, change, caller.name(), Timestamp::now()).await?))
}

/// Makes a new one-time link, for who has lost the password or the second factor
///
/// Earlier links end. Until it is used nothing else changes; then the password is a new one, the second factor is removed and all
/// sessions end.
#[utoipa::path(post, path = "/api/v1/people/{name}/invitation", tag = "people",
    params(("name" = String, Path, format = "person-name", description = "By what the person signs in", example = "wang.li")),
    responses(
        (status = 201, description = "The link", body = Link),
        (status = 400, description = "No name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such person", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be written", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn invite(
    State(app): State<App>,
    caller: Caller,
    Id(name): Id<PersonName>,
) -> Result<(StatusCode, Json<Link>), Problem> {
    Ok((StatusCode::CREATED, Json(link(&app, &caller, &name).await?)))
}

async fn link(app: &App, caller: &Caller, name: &PersonName) -> Result<Link, Problem> {
    let invitation = Desk::invite(&app.store, name, caller.name()).await?;
    Ok(Link { token: invitation.token.reveal().to_owned(), until: invitation.until })
}

impl From<PersonError> for Problem {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::Taken(_) | PersonError::LastAdministrator(_) => {
                Self::new(StatusCode::CONFLICT, error.to_string())
            }
            PersonError::Unknown(_) => Self::not_found(error.to_string()),
            PersonError::NeedsAllSites(_) | PersonError::UnknownSite(_) => Self::parameter("sites", error),
            PersonError::ProviderNameTaken(_) => Self::parameter("provider", error),
            PersonError::Store(error) => error.into(),
        }
    }
}
