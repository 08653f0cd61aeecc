//! Who may do what, and where: people with roles and sites, how they prove who they are, and what is written down of it.
//!
//! A person's [roles](Role) give [permissions](Permission), their sites the [boxes](Scope) these hold for. Signing in is done at
//! the [desk](Desk), which opens a [session](Session); each request shows its token again.

mod backoff;
mod desk;
mod password;
mod permission;
mod person;
mod provider;
mod record;
mod second_factor;
mod session;
mod site;
mod token;

pub use backoff::{FORGOTTEN, wait};
pub use desk::{AccessError, Desk, Stranger};
pub use password::{Password, PasswordError, PasswordHash};
pub use permission::{Permission, Role};
pub(crate) use person::line;
pub use person::{DisplayName, NameError, Person, PersonChange, PersonName, PersonState, Roles};
pub use provider::{Found, ProviderLink, ProviderName, Subject};
pub use record::{AccessRecord, Action, Entry};
pub use second_factor::FactorKey;
pub use session::{Proof, Session};
pub use site::{Scope, Site, SiteId, SiteLabel};
pub use token::{Invitation, Token, TokenHash};
