//! The provider by which people may sign in besides by password.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use utoipa::ToSchema;

use super::address::SecureUrl;
use crate::access::line;

/// The provider by which people may sign in besides by password.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// Who it is.
    pub issuer: Issuer,
    /// By what it knows this hub.
    pub client_id: ClientId,
    /// By what this hub proves that it is the one; none for a public client.
    pub client_secret: Option<ClientSecret>,
    /// What it says of a person that an account is found by, the first time.
    pub claim: Claim,
    /// Whether it asks who is there each time.
    pub prompt: Prompt,
    /// What the button says.
    pub label: Label,
    /// Authorities its certificate may come from, PEM.
    pub ca_file: PathBuf,
    /// Where people open the page, without a slash at the end: there the provider sends them back.
    pub page: String,
}

impl Oidc {
    /// Where the provider sends people back; it has to know this address.
    pub fn redirect_uri(&self) -> String {
        format!("{}/api/v1/oidc/callback", self.page)
    }

    /// Where signing in begins.
    pub fn start(&self) -> String {
        format!("{}/api/v1/oidc/start", self.page)
    }
}

/// A provider as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcTable {
    /// `https://…`, exactly as the provider calls itself; its description is looked for below it, at
    /// `/.well-known/openid-configuration`. `http://` only to a program of this machine.
    #[schemars(with = "String")]
    pub issuer: Spanned<Issuer>,
    /// By what the provider knows this hub.
    #[schemars(with = "String")]
    pub client_id: ClientId,
    /// File that holds the secret the provider gave for it and nothing else. Without it this hub is a public client, which PKCE protects.
    #[schemars(with = "Option<PathBuf>")]
    pub client_secret_file: Option<Spanned<PathBuf>>,
    /// What the provider says of a person that their account is found by when they first come (default `preferred_username`).
    #[serde(default)]
    pub claim: Claim,
    /// Whether the provider asks who is there each time (default `login`).
    #[serde(default)]
    pub prompt: Prompt,
    /// What the button says.
    #[serde(default)]
    pub label: Label,
    /// Certificates in PEM of the authorities the provider's may come from (default: those of the system, `/etc/ssl/certs/ca-certificates.crt`).
    pub ca_file: Option<PathBuf>,
}

/// What a provider calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Issuer {
    text: String,
    url: SecureUrl,
}

impl Issuer {
    /// Exactly as it stands in the configuration.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where it is.
    pub fn url(&self) -> &SecureUrl {
        &self.url
    }
}

impl TryFrom<String> for Issuer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.contains(['?', '#']) {
            return Err(format!("{text:?}: an issuer has neither `?` nor `#`"));
        }
        let url = SecureUrl::try_from(text.clone())?;
        Ok(Self { text, url })
    }
}

/// By what a provider knows this hub: printable characters of ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ClientId(String);

impl ClientId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClientId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // RFC 6749, appendix A.1.
        if text.is_empty() || !text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            return Err(format!("{text:?} is no client id: take it from the provider, unchanged"));
        }
        Ok(Self(text))
    }
}

/// By what this hub proves to a provider that it is the client.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// What stands in its file.
    pub(super) fn kept(text: String) -> Self {
        Self(text)
    }

    /// For the provider, and for nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientSecret")
    }
}

/// What a provider says of a person that their account is found by when they first come; afterwards only `sub` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// The name they sign in with there.
    #[default]
    PreferredUsername,
    /// Their e-mail address, which the provider has to call verified.
    Email,
    /// What the provider knows them by, which never changes: the safest, and the hardest to type.
    Sub,
}

/// Whether a provider asks who is there each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// They prove it anew each time: at a desk many sit at, who comes next would otherwise be let in as who was there before.
    #[default]
    Login,
    /// They choose among the accounts that are signed in there.
    SelectAccount,
    /// As the provider likes: who is signed in there is let in without being asked.
    Provider,
}

/// What a button says, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Label {
    /// In Chinese: one line of at most 40 characters.
    #[schemars(with = "String", length(min = 1, max = 40))]
    #[schema(value_type = String, example = "统一身份认证登录")]
    pub zh: LabelText,
    /// In English: one line of at most 40 characters.
    #[schemars(with = "String", length(min = 1, max = 40))]
    #[schema(value_type = String, example = "Sign in with your organisation")]
    pub en: LabelText,
}

impl Default for Label {
    fn default() -> Self {
        let text = |text: &str| LabelText(text.to_owned());
        Self { zh: text("统一身份认证登录"), en: text("Sign in with your organisation") }
    }
}

/// One line of 1 to 40 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct LabelText(String);

impl TryFrom<String> for LabelText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        line(&text, 40).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_known_by_tls_or_is_here() {
        for good in ["https://id.example", "https://id.example/realms/school/", "http://127.0.0.1:9000"] {
            assert_eq!(Issuer::try_from(good.to_owned()).unwrap().as_str(), good);
        }
        for bad in [
            "http://id.example",
            "http://localhost:9000",
            "https://id.example?x",
            "https://id.example/#x",
            "id",
        ] {
            assert!(Issuer::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", ClientSecret::kept("secret".into())), "ClientSecret");
    }
}
