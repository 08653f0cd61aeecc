//! Signing in by OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636).
//!
//! A browser that begins gets the secret of an [`Attempt`] in a cookie, and is sent to the [`Provider`] with what can be derived from it.
//! It comes back with a code, for which the provider tells this hub who they are. Whose account that is, is decided by
//! [`Desk`](crate::access::Desk); nothing the provider says gives a role or a site.

mod attempt;
mod provider;
mod questions;
mod token;

pub use attempt::{Attempt, LASTS_S};
pub use provider::{Failure, Proven, Provider, ProviderError};
