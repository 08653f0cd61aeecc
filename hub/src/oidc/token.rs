//! What an ID token has to be so that it is believed (OpenID Connect Core, 3.1.3.7).

use gatepost_wire::Timestamp;
use openidconnect::core::{CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
use openidconnect::{ClaimsVerificationError, ClientId, Nonce};

/// Whose clocks differ by more do not understand each other.
const SKEW_S: i64 = 300;

/// A token is made for this very sign-in, so it is not older.
const OLDEST_S: i64 = 600;

/// By what a token may be signed, whatever the provider offers: never by nothing (`none`), nor by the client's secret (HS256), which
/// is no proof of who the provider is.
const SIGNED_BY: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a token says, if it is signed by the provider, for this hub, for this attempt, and now.
///
/// Issuer, audience (this hub and nobody besides), signature, expiry and nonce are the library's to check; it leaves `azp` and the
/// age to whoever uses it.
pub(super) fn believe<'t>(
    token: &'t openidconnect::core::CoreIdToken,
    verifier: CoreIdTokenVerifier<'_>,
    client_id: &ClientId,
    nonce: &Nonce,
) -> Result<&'t CoreIdTokenClaims, ClaimsVerificationError> {
    let verifier = verifier.set_allowed_algs(SIGNED_BY).set_issue_time_verifier_fn(|made| {
        let age = Timestamp::now().as_second().saturating_sub(made.timestamp());
        if (-SKEW_S..=OLDEST_S).contains(&age) {
            Ok(())
        } else {
            Err(format!("it was made {age} s ago: do the clocks differ?"))
        }
    });
    let claims = token.claims(&verifier, nonce)?;
    match claims.authorized_party() {
        Some(party) if party != client_id => {
            Err(ClaimsVerificationError::InvalidAudience("it was made for another client (azp)".into()))
        }
        _ => Ok(claims),
    }
}
