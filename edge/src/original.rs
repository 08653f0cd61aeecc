//! Originals: clips with nobody covered, for a site that allows them at all. They are encrypted in memory for the
//! site's own keys before anything is written; the box holds no key that opens them.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

/// The original cannot be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// What age says.
    #[error("the original cannot be encrypted: {0}")]
    Encrypt(#[from] age::EncryptError),
    /// What its writer says.
    #[error("the original cannot be encrypted: {0}")]
    Write(#[from] std::io::Error),
}

/// A public key of age (<https://age-encryption.org/v1>, X25519), `age1…`, made by `age-keygen`.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Recipient(age::x25519::Recipient);

impl TryFrom<String> for Recipient {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // Never repeated in the message: somebody may have put in the secret key.
        if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
            return Err("this is a secret key: whoever has it opens every original. Take it away from here, and give the \
                        public key that `age-keygen -y` prints for it"
                .into());
        }
        age::x25519::Recipient::from_str(&text).map(Self).map_err(|_| {
            "this is no public key of age: `age1` and 58 letters and digits, as `age-keygen` prints".into()
        })
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl JsonSchema for Recipient {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Recipient".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^age1[02-9ac-hj-np-z]{58}$" })
    }
}

/// Those who can open originals; at least one.
#[derive(Debug, Clone)]
pub struct Recipients(Vec<Recipient>);

impl Recipients {
    /// None for an empty list: then there are no originals.
    pub fn new(recipients: Vec<Recipient>) -> Option<Self> {
        (!recipients.is_empty()).then_some(Self(recipients))
    }

    /// Encrypts for each of them; any one opens it.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let recipients = self.0.iter().map(|Recipient(key)| key as &dyn age::Recipient);
        let mut sealed = Vec::with_capacity(plain.len() + plain.len() / 1024 + 1024);
        let mut writer = age::Encryptor::with_recipients(recipients)?.wrap_output(&mut sealed)?;
        writer.write_all(plain)?;
        writer.finish()?;
        Ok(sealed)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn whoever_has_a_key_opens_it_and_nobody_else() {
        let keys: Vec<_> = (0..3).map(|_| age::x25519::Identity::generate()).collect();
        let recipients =
            keys[..2].iter().map(|key| Recipient::try_from(key.to_public().to_string()).unwrap()).collect();
        let plain: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
        let sealed = Recipients::new(recipients).unwrap().seal(&plain).unwrap();
        assert!(sealed.starts_with(b"age-encryption.org/v1"));
        assert!(!sealed.windows(64).any(|part| part == &plain[..64]));
        let open = |key: &age::x25519::Identity| {
            let decryptor = age::Decryptor::new(sealed.as_slice()).unwrap();
            let mut reader = decryptor.decrypt(std::iter::once(key as &dyn age::Identity)).ok()?;
            let mut opened = Vec::new();
            reader.read_to_end(&mut opened).ok()?;
            Some(opened)
        };
        assert_eq!(open(&keys[0]).as_ref(), Some(&plain));
        assert_eq!(open(&keys[1]).as_ref(), Some(&plain));
        assert_eq!(open(&keys[2]), None);
    }

    #[test]
    fn a_secret_key_is_refused_and_not_repeated() {
        use age::secrecy::ExposeSecret;
        let secret = age::x25519::Identity::generate().to_string().expose_secret().to_owned();
        let said = Recipient::try_from(secret.clone()).unwrap_err();
        assert!(said.contains("secret key") && !said.contains(&secret[20..]), "{said}");
        assert!(Recipient::try_from("age1abc".to_owned()).unwrap_err().contains("age-keygen"));
        assert!(Recipients::new(Vec::new()).is_none());
    }
}
