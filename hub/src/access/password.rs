//! Passwords: what is one, and how one is kept (argon2id, RFC 9106, with the parameters OWASP names: 19 MiB, 2 passes).

use std::fmt;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

use super::person::PersonName;

/// NIST SP 800-63B, 5.1.1.2: length counts, rules about kinds of characters do harm.
const SHORTEST: usize = 12;
const LONGEST: usize = 128;

/// A text is not good enough as a password, or cannot be kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too easy to try out.
    #[error("it is too short: at least {SHORTEST} characters are needed")]
    Short,
    /// Hashing it would take too long.
    #[error("it is too long: at most {LONGEST} characters are taken")]
    Long,
    /// The first a stranger tries.
    #[error("it is too easy to guess: not one character again and again, and not the name")]
    Easy,
    /// No randomness, no memory.
    #[error("it cannot be kept: {0}")]
    Unkept(String),
}

/// What somebody gave as a password; it is never printed.
#[derive(Clone, serde::Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// Is it good enough for this person?
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, name: &PersonName) -> Result<(), PasswordError> {
        let length = self.0.chars().count();
        if length < SHORTEST {
            return Err(PasswordError::Short);
        }
        if length > LONGEST {
            return Err(PasswordError::Long);
        }
        let first = self.0.chars().next();
        let one_character = self.0.chars().all(|c| Some(c) == first);
        let lower = self.0.to_lowercase();
        let only_name = lower.replace(name.as_str(), "").chars().count() < 4;
        if one_character || only_name { Err(PasswordError::Easy) } else { Ok(()) }
    }

    /// Its hash with a new salt. Takes tens of milliseconds and 19 MiB: call it where that may block.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn hash(&self) -> Result<PasswordHash, PasswordError> {
        let unkept = |error: &dyn fmt::Display| PasswordError::Unkept(error.to_string());
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| unkept(&error))?;
        let hash = Argon2::default()
            .hash_password_with_salt(self.0.as_bytes(), &salt)
            .map_err(|error| unkept(&error))?;
        Ok(PasswordHash(hash.to_string()))
    }
}

/// A password as it is kept: argon2id in PHC form.
#[derive(Clone)]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl PasswordHash {
    /// One that was kept.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// One that no password fits. Comparing with it takes as long as with a real one, so that nobody can tell from the time
    /// whether there is a person of some name.
    pub fn of_nobody() -> Self {
        const SALT_AND_HASH: &str = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let params = argon2::Params::default();
        let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        Self(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${SALT_AND_HASH}"))
    }

    /// For the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is it this password? Takes as long as [`Password::hash`].
    pub fn is_of(&self, password: &Password) -> bool {
        password.0.chars().count() <= LONGEST
            && Argon2::default().verify_password(password.0.as_bytes(), self.0.as_str()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let kept = password("a good long one 好").hash().unwrap();
        assert!(kept.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.as_str());
        assert!(kept.is_of(&password("a good long one 好")));
        assert!(!kept.is_of(&password("a good long one")));
        assert!(!PasswordHash::of_nobody().is_of(&password("")));
        assert_ne!(kept.as_str(), password("a good long one 好").hash().unwrap().as_str(), "salted");
        assert!(!format!("{:?} {kept:?}", password("a good long one")).contains("good"));
    }

    /// The parser has to accept it, or the answer would come at once.
    #[test]
    fn nobodys_hash_is_really_computed() {
        let error = Argon2::default().verify_password(b"x", PasswordHash::of_nobody().as_str()).unwrap_err();
        assert_eq!(error, argon2::password_hash::Error::PasswordInvalid);
    }

    #[test]
    fn easy_ones_are_refused() {
        let name: PersonName = "wang.li".parse().unwrap();
        for (text, error) in [
            ("short", PasswordError::Short),
            ("门岗门岗门岗门岗门岗门", PasswordError::Short),
            ("aaaaaaaaaaaaaaa", PasswordError::Easy),
            ("Wang.Li123wang.li", PasswordError::Easy),
            (&"x y".repeat(50), PasswordError::Long),
        ] {
            assert_eq!(password(text).check(&name), Err(error), "{text}");
        }
        for good in ["correct horse", "门岗看守着学校的大门口啊", "wang.li likes tea"] {
            assert_eq!(password(good).check(&name), Ok(()), "{good}");
        }
    }
}
