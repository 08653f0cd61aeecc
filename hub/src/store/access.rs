//! Accounts and what is done with them.

mod invitation;
mod log;
mod person;
mod provider;
mod session;
mod sign_in;
mod site;

pub(super) use log::write as log_access;
pub(super) use person::account;
pub use person::{Account, PersonError};
pub use site::SiteError;
pub(super) use site::{holds, own_deadlines, within};
