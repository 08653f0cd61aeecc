//! A command as it travels: signed by the hub, so that a broker in between, or whoever may publish there, cannot give
//! orders.
//!
//! The form is a JSON Web Signature in compact serialisation (RFC 7515, 7.1) by Ed25519 (RFC 8037, `EdDSA`) over a
//! [`NumberedCommand`]. One algorithm is taken and no other, whatever a header says, so there is none to be talked down to.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Command, CommandError, MAX_COMMAND_BYTES};

/// `{"alg":"EdDSA","typ":"gatepost-command"}`: the only header there is, so it is compared and never interpreted.
const HEADER: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6ImdhdGVwb3N0LWNvbW1hbmQifQ";

/// Room for the sequence number beside the command, before base64 makes four bytes of three.
const MAX_PAYLOAD_BYTES: usize = MAX_COMMAND_BYTES + 64;
/// No signed command is longer: header, payload and 64 bytes of signature, each in base64, and two points.
pub const MAX_SIGNED_BYTES: usize = HEADER.len() + MAX_PAYLOAD_BYTES.div_ceil(3) * 4 + 86 + 2;

/// Content type of a signed command on MQTT.
pub const SIGNED_CONTENT_TYPE: &str = "application/jose";

const KEY_BYTES: usize = 32;

/// A command with its place among all a hub gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NumberedCommand {
    /// Grows with every command of a hub, by more than one if others went to other boxes. A box that forgets an old
    /// command remembers the highest number it forgot and takes none up to it.
    pub sequence: u64,
    /// The command.
    pub command: Command,
}

/// What a hub signs its commands with. Never printed.
pub struct SigningKey(Ed25519KeyPair);

/// What a box knows its hub's commands by: 32 bytes, in unpadded base64url as text.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifyingKey([u8; KEY_BYTES]);

/// A key cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system gives no randomness.
    #[error("no key can be made: the system gives no randomness")]
    Random,
    /// No Ed25519 key in PKCS #8.
    #[error("it holds no Ed25519 key in PKCS #8")]
    Private,
    /// Not 32 bytes in base64url.
    #[error("a hub's public key is one line of 43 characters, as `gatepost-hub signing-key` prints it")]
    Public,
}

/// What came is no command of this hub.
#[derive(Debug, thiserror::Error)]
pub enum SignedError {
    /// Longer than [`MAX_SIGNED_BYTES`].
    #[error("a signed command has at most {MAX_SIGNED_BYTES} bytes, this one has {0}")]
    TooLarge(usize),
    /// Not of the form at all.
    #[error("it is no command signed by Ed25519 (a JSON Web Signature)")]
    Form,
    /// Signed by somebody else, or changed on the way.
    #[error("its signature is not the hub's")]
    Signature,
    /// The hub signed what this version does not understand.
    #[error("the hub signed it, but {0}")]
    Command(#[from] CommandError),
}

impl SigningKey {
    /// Makes a new key, as PKCS #8.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate_pkcs8() -> Result<Vec<u8>, KeyError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::Random)?;
        Ok(document.as_ref().to_vec())
    }

    /// Reads a key from PKCS #8.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, KeyError> {
        Ed25519KeyPair::from_pkcs8(document).map(Self).map_err(|_| KeyError::Private)
    }

    /// What boxes are given to know it by.
    pub fn verifying_key(&self) -> VerifyingKey {
        let mut bytes = [0; KEY_BYTES];
        // An Ed25519 public key has 32 bytes (RFC 8032, 5.1.5).
        bytes.copy_from_slice(self.0.public_key().as_ref());
        VerifyingKey(bytes)
    }

    /// Signs.
    ///
    /// # Errors
    /// Only what [`serde_json`] cannot write.
    pub fn sign(&self, command: &NumberedCommand) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(command)?));
        let signature = self.0.sign(text.as_bytes());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut text);
        Ok(text.into_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.verifying_key()).finish_non_exhaustive()
    }
}

impl VerifyingKey {
    /// Takes what the hub signed and nobody else.
    ///
    /// # Errors
    /// [`SignedError`]; the bytes may be anything.
    pub fn open(&self, signed: &[u8]) -> Result<NumberedCommand, SignedError> {
        if signed.len() > MAX_SIGNED_BYTES {
            return Err(SignedError::TooLarge(signed.len()));
        }
        let text = std::str::from_utf8(signed).map_err(|_| SignedError::Form)?;
        let (covered, signature) = text.rsplit_once('.').ok_or(SignedError::Form)?;
        let payload = covered.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('.'));
        let payload = payload.ok_or(SignedError::Form)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| SignedError::Form)?;
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(covered.as_bytes(), &signature)
            .map_err(|_| SignedError::Signature)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| SignedError::Form)?;
        let numbered: NumberedCommand = serde_json::from_slice(&payload)
            .map_err(|error| CommandError::Json { what: "command", error })?;
        numbered.command.check()?;
        Ok(numbered)
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| KeyError::Public)?;
        bytes.try_into().map(Self).map_err(|_| KeyError::Public)
    }
}

impl TryFrom<String> for VerifyingKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<VerifyingKey> for String {
    fn from(key: VerifyingKey) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_pkcs8(&SigningKey::generate_pkcs8().unwrap()).unwrap()
    }

    fn command() -> NumberedCommand {
        let text = r#"{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","edge":"gate-1","who":"王丽","why":"open day",
            "issued":"2026-11-25T08:00:00Z","expires":"2026-11-26T08:00:00Z",
            "order":{"kind":"set_mode","area":"yard","mode":{"name":"disarmed"}}}"#;
        NumberedCommand { sequence: 7, command: Command::from_json(text.as_bytes()).unwrap() }
    }

    #[test]
    fn what_the_hub_signed_is_taken_and_what_another_signed_is_not() {
        let (hub, other) = (key(), key());
        let signed = hub.sign(&command()).unwrap();
        assert_eq!(hub.verifying_key().open(&signed).unwrap(), command());
        let refusal = other.verifying_key().open(&signed).unwrap_err();
        assert!(matches!(refusal, SignedError::Signature), "{refusal}");
        assert_eq!(hub.verifying_key().to_string().parse::<VerifyingKey>().unwrap(), hub.verifying_key());
        assert!(!format!("{hub:?}").is_empty());
    }

    #[test]
    fn the_header_says_what_it_should_and_no_other_is_taken() {
        assert_eq!(URL_SAFE_NO_PAD.decode(HEADER).unwrap(), br#"{"alg":"EdDSA","typ":"gatepost-command"}"#);
        let hub = key();
        let signed = String::from_utf8(hub.sign(&command()).unwrap()).unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let payload = signed.split('.').nth(1).unwrap();
        for forged in [
            format!("{none}.{payload}."),
            format!("{HEADER}.{payload}."),
            format!("{HEADER}.{payload}"),
            payload.into(),
        ] {
            assert!(hub.verifying_key().open(forged.as_bytes()).is_err(), "{forged}");
        }
        // As it travelled before commands were signed.
        let plain = command().command.to_json().unwrap();
        assert!(matches!(hub.verifying_key().open(&plain), Err(SignedError::Form)));
        assert!(matches!(
            hub.verifying_key().open(&vec![b'a'; MAX_SIGNED_BYTES + 1]),
            Err(SignedError::TooLarge(_))
        ));
    }

    #[test]
    fn a_signed_command_that_would_never_have_been_valid_is_refused() {
        let hub = key();
        let mut wrong = command();
        wrong.command.expires = wrong.command.issued;
        let signed = hub.sign(&wrong).unwrap();
        assert!(matches!(hub.verifying_key().open(&signed), Err(SignedError::Command(_))));
    }

    proptest! {
        #[test]
        fn no_byte_can_be_changed(at in 0usize..400, to in any::<u8>()) {
            let hub = key();
            let mut signed = hub.sign(&command()).unwrap();
            let at = at % signed.len();
            prop_assume!(signed[at] != to);
            signed[at] = to;
            prop_assert!(hub.verifying_key().open(&signed).is_err());
        }

        #[test]
        fn anything_is_answered_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(key().verifying_key().open(&bytes).is_err());
        }
    }
}
