//! A TPM's ECDSA signature in the form that TLS and X.509 want (`Ecdsa-Sig-Value` of RFC 3279, DER).

/// From its two numbers, big endian, with or without leading zeros.
pub(super) fn to_der(r: &[u8], s: &[u8]) -> Vec<u8> {
    yasna::construct_der(|writer| {
        writer.write_sequence(|numbers| {
            for number in [r, s] {
                numbers.next().write_bigint_bytes(number, true);
            }
        });
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    };

    use super::*;

    fn key() -> EcdsaKeyPair {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
    }

    /// As some TPMs give a number: nothing before its first digit; or with zeros before it.
    fn respelt(number: &[u8], zeros: usize) -> Vec<u8> {
        let digits = number.iter().skip_while(|byte| **byte == 0);
        std::iter::repeat_n(&0, zeros).chain(digits).copied().collect()
    }

    proptest! {
        /// Half of all numbers begin with a bit that DER takes for a sign, one in 256 with a zero.
        #[test]
        fn whoever_knows_the_key_takes_it(message: Vec<u8>, zeros in 0_usize..3) {
            let key = key();
            let fixed = key.sign(&SystemRandom::new(), &message).unwrap();
            let (r, s) = fixed.as_ref().split_at(32);
            let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public_key().as_ref());
            for der in [to_der(r, s), to_der(&respelt(r, zeros), &respelt(s, zeros))] {
                prop_assert!(public.verify(&message, &der).is_ok(), "{der:02x?}");
            }
            prop_assert!(public.verify(&message, &to_der(s, r)).is_err());
        }
    }
}
