//! The second factor: a code of six digits that changes every 30 seconds (TOTP, RFC 6238, with HMAC-SHA-1, which is what
//! authenticator apps take).

use std::fmt;

use data_encoding::BASE32_NOPAD;
use gatepost_wire::Timestamp;
use ring::hmac;

const STEP_S: i64 = 30;

/// A phone's clock may be a step early or late.
const TOLERATED: i64 = 1;

/// A key that a person's phone and the hub share; it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct FactorKey(Vec<u8>);

impl fmt::Debug for FactorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactorKey(…)")
    }
}

impl FactorKey {
    /// A new one of 160 bits, as RFC 4226, 4, recommends.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = vec![0; 20];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    /// One that was kept.
    pub fn kept(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// For the database.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As a person types it into an app.
    pub fn base32(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// As an app reads it from a QR code (Key URI format).
    pub fn uri(&self, person: &super::PersonName) -> String {
        format!("otpauth://totp/Gatepost:{person}?secret={}&issuer=Gatepost", self.base32())
    }

    /// The time step whose code this is, if that step is near `now` and later than `after`, the last that counted: a code that was
    /// seen over somebody's shoulder is no use any more.
    pub fn step_of(&self, code: &str, now: Timestamp, after: i64) -> Option<i64> {
        let present = now.as_second().div_euclid(STEP_S);
        // Which of them it is shows in the time this takes, and is no secret.
        (present - TOLERATED..=present + TOLERATED)
            .filter(|step| *step > after)
            .find(|step| same(self.code(*step).as_bytes(), code.as_bytes()))
    }

    pub(super) fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let digest = tag.as_ref();
        // RFC 4226, 5.3: the last four bits say where the 31 bits begin that count.
        let offset = usize::from(digest.last().copied().unwrap_or(0) & 0xf);
        let bits = digest.iter().skip(offset).take(4).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        format!("{:06}", (bits & 0x7fff_ffff) % 1_000_000)
    }
}

/// Does not end at the first byte that differs.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let key = FactorKey::kept(b"12345678901234567890".to_vec());
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(key.step_of(code, at(second), 0), Some(second / 30), "{second}");
        }
        assert_eq!(key.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_counts_once_and_for_a_step_to_either_side() {
        let key = FactorKey::new().unwrap();
        let code = key.code(100);
        for (second, counts) in [(2969, false), (2970, true), (3000, true), (3059, true), (3060, false)] {
            assert_eq!(key.step_of(&code, at(second), 0).is_some(), counts, "{second}");
        }
        assert_eq!(key.step_of(&code, at(3000), 100), None);
        for nonsense in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(key.step_of(nonsense, at(3000), 0), None, "{nonsense}");
        }
    }

    #[test]
    fn an_app_can_read_it() {
        let key = FactorKey::kept(b"12345678901234567890".to_vec());
        let uri = key.uri(&"wang.li".parse().unwrap());
        assert_eq!(
            uri,
            "otpauth://totp/Gatepost:wang.li?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Gatepost"
        );
        assert!(!format!("{key:?}").contains("GEZ"));
    }
}
