//! What people are told of who is told.

use serde::Serialize;
use utoipa::ToSchema;

use crate::access::SiteId;
use crate::config::{Tells, Webhook};

/// A webhook of the configuration without what lets somebody in: its secret, and the path and query of its address, in which many a
/// receiver has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Receiver {
    /// Which webhook.
    #[serde(skip)]
    pub name: String,
    /// Host and port of its address.
    #[schema(example = "hooks.example")]
    pub host: String,
    /// Of what it is told.
    pub tells: Vec<Tells>,
    /// Of boxes of these sites only; null: of all.
    #[schema(value_type = Option<Vec<String>>, example = json!(["school-3"]))]
    pub sites: Option<Vec<SiteId>>,
}

impl From<&Webhook> for Receiver {
    fn from(webhook: &Webhook) -> Self {
        Self {
            name: webhook.name.as_str().to_owned(),
            host: webhook.url.authority.clone(),
            tells: webhook.tells.clone(),
            sites: webhook.sites.clone(),
        }
    }
}
