//! One attempt to sign in: what binds the provider's answer to the browser that asked.

use data_encoding::HEXLOWER;
use gatepost_wire::Timestamp;
use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};
use ring::hmac;

use crate::access::Token;

/// Who takes longer at the provider begins anew.
pub const LASTS_S: i64 = 600;

/// Hubs that share a database share attempts; their clocks differ by no more.
const SKEW_S: i64 = 60;

/// One attempt. Its secret is in the browser's cookie and nowhere else; state, nonce and PKCE's verifier are each derived from it in
/// one direction, so the hub has to remember nothing, and who sees the state in an address learns neither of the others.
#[derive(Debug, Clone)]
pub struct Attempt {
    secret: Token,
    /// Seconds since 1970. What is derived depends on it, so it cannot be put off.
    began: i64,
}

impl Attempt {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(now: Timestamp) -> Result<Self, getrandom::Error> {
        Ok(Self { secret: Token::new()?, began: now.as_second() })
    }

    /// The one of a cookie, while it lasts.
    pub fn shown(cookie: &str, now: Timestamp) -> Option<Self> {
        let (secret, began) = cookie.split_once('.')?;
        let is_secret = secret.len() == 64 && HEXLOWER.decode(secret.as_bytes()).is_ok();
        let began = began.parse().ok().filter(|_| is_secret)?;
        let age = now.as_second().checked_sub(began)?;
        (-SKEW_S..LASTS_S).contains(&age).then(|| Self { secret: Token::shown(secret), began })
    }

    /// What its cookie holds.
    pub fn cookie(&self) -> String {
        format!("{}.{}", self.secret.reveal(), self.began)
    }

    /// Is this the state of this attempt?
    pub fn is_of(&self, state: &str) -> bool {
        // In a time that does not tell how much of it is right.
        HEXLOWER
            .decode(state.as_bytes())
            .is_ok_and(|tag| hmac::verify(&self.key(), self.purpose("state").as_bytes(), &tag).is_ok())
    }

    /// What the provider hands back as it is.
    pub(super) fn state(&self) -> CsrfToken {
        CsrfToken::new(self.derive("state"))
    }

    /// What the provider puts into the ID token.
    pub(super) fn nonce(&self) -> Nonce {
        Nonce::new(self.derive("nonce"))
    }

    /// What proves to the provider that who brings the code asked for it.
    pub(super) fn verifier(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.derive("verifier"))
    }

    fn derive(&self, what: &str) -> String {
        HEXLOWER.encode(hmac::sign(&self.key(), self.purpose(what).as_bytes()).as_ref())
    }

    fn purpose(&self, what: &str) -> String {
        format!("gatepost oidc {what} {}", self.began)
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.secret.reveal().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn it_is_known_by_its_cookie_for_ten_minutes() {
        let began = Timestamp::from_second(1_800_000_000).unwrap();
        let attempt = Attempt::new(began).unwrap();
        let state = attempt.state().secret().clone();
        let after = |seconds| began + SignedDuration::from_secs(seconds);
        let shown = |seconds| Attempt::shown(&attempt.cookie(), after(seconds));
        assert!(shown(0).unwrap().is_of(&state) && shown(599).unwrap().is_of(&state));
        assert!(shown(600).is_none() && shown(-61).is_none());
        let put_off = attempt.cookie().replace("1800000000", "1800000300");
        assert!(!Attempt::shown(&put_off, after(700)).unwrap().is_of(&state));
        assert!(!Attempt::new(began).unwrap().is_of(&state), "another browser");
        for bad in ["", ".", "x.1800000000", &"0".repeat(64), &format!("{}.x", "0".repeat(64))] {
            assert!(Attempt::shown(bad, began).is_none(), "{bad}");
        }
        for bad in ["", "00", &state[1..], &state.to_uppercase()] {
            assert!(!attempt.is_of(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_derived_differs() {
        let attempt = Attempt::new(Timestamp::now()).unwrap();
        let (state, nonce, verifier) = (attempt.state(), attempt.nonce(), attempt.verifier());
        let all = [state.secret(), nonce.secret(), verifier.secret(), attempt.secret.reveal()];
        for (index, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 64);
            assert!(all[index + 1..].iter().all(|other| other != one));
        }
        assert!(!format!("{attempt:?}").contains(attempt.secret.reveal()));
    }
}
