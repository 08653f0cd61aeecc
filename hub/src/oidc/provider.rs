//! The provider: what is known of it, and what it is asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType,
    CoreIdTokenClaims, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, OAuth2TokenResponse as _, PkceCodeChallenge,
    RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, SubjectIdentifier, TokenResponse as _,
};
use tokio::sync::{Mutex, Semaphore};

use super::Attempt;
use super::questions::Questions;
use super::token::believe;
use crate::access::{ProviderName, Subject};
use crate::config::{Claim, Oidc, Prompt, SecureUrl};
use crate::outbound::Outbound;
use crate::tls::TlsError;

/// What the provider says of itself is asked for again after so long.
const KNOWN_FOR: Duration = Duration::from_secs(3600);

/// Who did not answer is left alone for so long: the others need not wait for it, too.
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// A token that names a key nobody knows has the keys asked for again, but no more often than this.
const KEYS_AGAIN: Duration = Duration::from_secs(60);

/// So many are asked about side by side; each is a few requests to the provider.
const ASKING: usize = 8;

/// Who waits for longer to be asked about is sent away.
const PATIENCE: Duration = Duration::from_secs(5);

/// The provider does not vouch for anybody.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It does not answer, or nothing that makes sense.
    #[error("the provider cannot be asked: {0}")]
    Unreachable(String),
    /// It does not take the code.
    #[error("the provider refuses the code: {0}")]
    CodeRefused(String),
    /// What it says cannot be believed.
    #[error("what the provider says is not believed: {0}")]
    NotBelieved(String),
    /// Too many people sign in at this moment.
    #[error("too many people sign in at this moment")]
    Busy,
}

/// Somebody whom the provider vouches for.
#[derive(Debug)]
pub struct Proven {
    /// Who they are there, for good.
    pub subject: Subject,
    identifier: SubjectIdentifier,
    name: Option<ProviderName>,
    /// By what the rest may be asked for.
    access: AccessToken,
}

/// A provider.
#[derive(Debug)]
pub struct Provider {
    config: Oidc,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    questions: Questions,
    known: Mutex<Known>,
    asking: Semaphore,
}

/// What is known of it.
#[derive(Debug, Default)]
struct Known {
    described: Option<(Instant, Arc<CoreProviderMetadata>)>,
    failed: Option<(Instant, String)>,
    keys_asked: Option<Instant>,
}

/// Nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Its certificate could not be checked.
    #[error("oidc.ca_file: {0}")]
    Tls(#[from] TlsError),
    /// An address is none.
    #[error("oidc.issuer: {0}")]
    Address(#[from] openidconnect::url::ParseError),
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Provider {
    /// The one of the configuration. It is asked nothing yet: it may be down while the hub starts.
    ///
    /// # Errors
    /// When its authorities cannot be read.
    pub fn new(config: &Oidc) -> Result<Self, ProviderError> {
        Ok(Self {
            issuer: IssuerUrl::new(config.issuer.as_str().to_owned())?,
            redirect: RedirectUrl::new(config.redirect_uri())?,
            questions: Questions::new(Outbound::new(config.issuer.url(), &config.ca_file)?),
            config: config.clone(),
            known: Mutex::default(),
            asking: Semaphore::new(ASKING),
        })
    }

    /// Its configuration.
    pub fn config(&self) -> &Oidc {
        &self.config
    }

    /// Where the browser of an attempt is sent.
    ///
    /// # Errors
    /// When the provider does not say where that is.
    pub async fn address(&self, attempt: &Attempt) -> Result<String, Failure> {
        let client = self.client(&*self.describe().await?);
        let (state, nonce) = (attempt.state(), attempt.nonce());
        let mut wanted = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&attempt.verifier()));
        wanted = match self.config.claim {
            Claim::PreferredUsername => wanted.add_scope(Scope::new("profile".into())),
            Claim::Email => wanted.add_scope(Scope::new("email".into())),
            Claim::Sub => wanted,
        };
        wanted = match self.config.prompt {
            Prompt::Login => wanted.add_prompt(CoreAuthPrompt::Login),
            Prompt::SelectAccount => wanted.add_prompt(CoreAuthPrompt::SelectAccount),
            Prompt::Provider => wanted,
        };
        let address = wanted.url().0;
        // A browser is sent nowhere the hub itself would not go.
        match SecureUrl::try_from(address.to_string()) {
            Ok(url) if url.tls == self.config.issuer.url().tls => Ok(address.into()),
            _ => Err(Failure::NotBelieved("its authorization_endpoint is without TLS".into())),
        }
    }

    /// Who came back with this code.
    ///
    /// # Errors
    /// When the provider does not vouch for them.
    pub async fn prove(&self, attempt: &Attempt, code: String) -> Result<Proven, Failure> {
        let _turn = self.turn().await?;
        let described = self.describe().await?;
        let client = self.client(&described);
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| Failure::NotBelieved(error.to_string()))?
            .set_pkce_verifier(attempt.verifier())
            .request_async(&self.questions)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(said)
                    if *said.error() == CoreErrorResponseType::InvalidGrant =>
                {
                    Failure::CodeRefused(said.to_string())
                }
                // It does not take the hub for who it is: `client_id`, or the secret.
                RequestTokenError::ServerResponse(said) => {
                    Failure::NotBelieved(format!("it refuses the hub: {said}"))
                }
                RequestTokenError::Request(error) => Failure::Unreachable(error.to_string()),
                RequestTokenError::Parse(error, _) => Failure::NotBelieved(error.to_string()),
                RequestTokenError::Other(error) => Failure::NotBelieved(error),
            })?;
        let token = answer.id_token().ok_or_else(|| Failure::NotBelieved("it sent no ID token".into()))?;
        let (id, nonce) = (self.client_id(), attempt.nonce());
        let claims = match believe(token, client.id_token_verifier(), &id, &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let fresh = self.client(&*self.describe_anew(&described).await?);
                believe(token, fresh.id_token_verifier(), &id, &nonce)
            }
            told => told,
        };
        let claims = claims.map_err(|error| Failure::NotBelieved(error.to_string()))?;
        let identifier = claims.subject().clone();
        let subject = Subject::new(self.config.issuer.as_str(), &identifier).ok_or_else(|| {
            Failure::NotBelieved("its `sub` is longer than 255 characters, or not ASCII".into())
        })?;
        Ok(Proven { subject, name: self.name_in(claims), identifier, access: answer.access_token().clone() })
    }

    /// What the provider calls them, in the claim of the configuration: most say so in the ID token, others when asked at their
    /// `userinfo_endpoint`.
    ///
    /// # Errors
    /// When the provider does not answer.
    pub async fn name(&self, proven: &Proven) -> Result<Option<ProviderName>, Failure> {
        if proven.name.is_some() || self.config.claim == Claim::Sub {
            return Ok(proven.name.clone());
        }
        let _turn = self.turn().await?;
        let client = self.client(&*self.describe().await?);
        // It has to be about the same person: an access token could be another's.
        let wanted = client.user_info(proven.access.clone(), Some(proven.identifier.clone()));
        let Ok(wanted) = wanted else { return Ok(None) };
        let told: CoreUserInfoClaims = wanted
            .request_async(&self.questions)
            .await
            .map_err(|error| Failure::NotBelieved(error.to_string()))?;
        Ok(match self.config.claim {
            Claim::PreferredUsername => told.preferred_username().and_then(|name| name.parse().ok()),
            Claim::Email if told.email_verified() == Some(true) => {
                told.email().and_then(|mail| mail.parse().ok())
            }
            Claim::Email | Claim::Sub => None,
        })
    }

    fn name_in(&self, claims: &CoreIdTokenClaims) -> Option<ProviderName> {
        match self.config.claim {
            Claim::PreferredUsername => claims.preferred_username()?.parse().ok(),
            // Where anybody may call themselves by any address, an address says nothing.
            Claim::Email if claims.email_verified() == Some(true) => claims.email()?.parse().ok(),
            Claim::Email => None,
            Claim::Sub => claims.subject().parse().ok(),
        }
    }

    /// What the provider says of itself, with its keys.
    async fn describe(&self) -> Result<Arc<CoreProviderMetadata>, Failure> {
        // Held while it is asked: who comes meanwhile hears the same answer.
        let mut known = self.known.lock().await;
        let fresh = known.described.as_ref().filter(|(when, _)| when.elapsed() < KNOWN_FOR);
        if let Some((_, described)) = fresh {
            return Ok(Arc::clone(described));
        }
        if let Some((when, why)) = &known.failed
            && when.elapsed() < LEFT_ALONE
        {
            return known.described.as_ref().map_or_else(
                || Err(Failure::Unreachable(why.clone())),
                |(_, described)| Ok(Arc::clone(described)),
            );
        }
        match self.discover().await {
            Ok(described) => Ok(known.learn(described)),
            Err(error) => {
                let why = error.to_string();
                tracing::warn!(issuer = self.config.issuer.as_str(), "{why}");
                known.failed = Some((Instant::now(), why));
                // What it said an hour ago is better than nothing.
                known.described.as_ref().map(|(_, described)| Arc::clone(described)).ok_or(error)
            }
        }
    }

    /// The same once more, for a token that names a key which is not among those of `stale`: the provider has new ones, or somebody
    /// made the name up.
    async fn describe_anew(
        &self,
        stale: &Arc<CoreProviderMetadata>,
    ) -> Result<Arc<CoreProviderMetadata>, Failure> {
        let mut known = self.known.lock().await;
        if let Some((_, described)) = &known.described
            && !Arc::ptr_eq(described, stale)
        {
            return Ok(Arc::clone(described));
        }
        if known.keys_asked.is_some_and(|when| when.elapsed() < KEYS_AGAIN) {
            return Err(Failure::NotBelieved("it is signed by a key that the provider does not name".into()));
        }
        known.keys_asked = Some(Instant::now());
        tracing::info!(
            issuer = self.config.issuer.as_str(),
            "a token names a key that is not known: asking for the keys"
        );
        let described = self.discover().await?;
        Ok(known.learn(described))
    }

    async fn discover(&self) -> Result<CoreProviderMetadata, Failure> {
        let described = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.questions).await;
        described.map_err(|error| match error {
            openidconnect::DiscoveryError::Request(error) => Failure::Unreachable(error.to_string()),
            error => Failure::Unreachable(format!("its description makes no sense: {}", chain(&error))),
        })
    }

    fn client(&self, described: &CoreProviderMetadata) -> Client {
        let secret =
            self.config.client_secret.as_ref().map(|secret| ClientSecret::new(secret.reveal().to_owned()));
        // Where nothing is said, it is by the header (OpenID Connect Discovery, 3).
        let only_in_body = described.token_endpoint_auth_methods_supported().is_some_and(|taken| {
            taken.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !taken.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        CoreClient::from_provider_metadata(described.clone(), self.client_id(), secret)
            .set_redirect_uri(self.redirect.clone())
            .set_auth_type(if only_in_body { AuthType::RequestBody } else { AuthType::BasicAuth })
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.config.client_id.as_str().to_owned())
    }

    async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Failure> {
        match tokio::time::timeout(PATIENCE, self.asking.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(Failure::Busy),
        }
    }
}

impl Known {
    fn learn(&mut self, described: CoreProviderMetadata) -> Arc<CoreProviderMetadata> {
        let described = Arc::new(described);
        self.described = Some((Instant::now(), Arc::clone(&described)));
        self.failed = None;
        described
    }
}

/// An error with what it came from.
fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told.push_str(": ");
        told.push_str(&cause.to_string());
        source = cause.source();
    }
    told
}
