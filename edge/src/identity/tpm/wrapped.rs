//! A key as its TPM hands it out: the public part, and the private one encrypted so that only this TPM can use it.
//!
//! Kept as `TSS2 PRIVATE KEY`, the PEM that OpenSSL's TPM provider and tpm2-tss's engine write as well
//! (draft-bottomley-tpm2-keys). Its parent is no stored key but the owner hierarchy, from which anybody who may use the TPM makes
//! the same primary key by the TCG's template for ECC P-256.

use std::fmt;

use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::structures::{Private, Public};
use tss_esapi::traits::{Marshall as _, UnMarshall as _};
use yasna::models::ObjectIdentifier;
use yasna::{ASN1Result, BERReader, Tag};

const LABEL: &str = "TSS2 PRIVATE KEY";
/// A key that is loaded below its parent.
const LOADABLE: &[u64] = &[2, 23, 133, 10, 1, 3];
/// `TPM_RH_OWNER`.
const OWNER: u64 = 0x4000_0001;
/// Of a coordinate of P-256.
const COORDINATE_BYTES: usize = 32;
/// Of an uncompressed point: 4, x, y.
const POINT_BYTES: usize = 1 + 2 * COORDINATE_BYTES;

/// A key wrapped by its TPM.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::identity) struct WrappedKey {
    public: Public,
    private: Private,
    point: [u8; POINT_BYTES],
}

impl WrappedKey {
    /// From what a TPM gave.
    pub(super) fn new(public: Public, private: Private) -> Result<Self, String> {
        let Public::Ecc { parameters, unique, .. } = &public else {
            return Err("it is no key on an elliptic curve".into());
        };
        if parameters.ecc_curve() != EccCurve::NistP256 {
            return Err("its curve is not P-256".into());
        }
        let mut point = [0; POINT_BYTES];
        point[0] = 4;
        let (x, y) = point[1..].split_at_mut(COORDINATE_BYTES);
        for (place, coordinate) in [(x, unique.x()), (y, unique.y())] {
            let bytes = coordinate.value();
            // A TPM may leave out leading zeros.
            let start = place.len().checked_sub(bytes.len()).ok_or("a coordinate is too long for P-256")?;
            place[start..].copy_from_slice(bytes);
        }
        Ok(Self { public, private, point })
    }

    pub(super) fn public(&self) -> &Public {
        &self.public
    }

    pub(super) fn private(&self) -> &Private {
        &self.private
    }

    /// The public key, an uncompressed point.
    pub fn point(&self) -> &[u8] {
        &self.point
    }

    /// For a file.
    ///
    /// # Errors
    /// When the library cannot write the public part.
    pub(super) fn to_pem(&self) -> tss_esapi::Result<String> {
        let public = self.public.marshall()?;
        let der = yasna::construct_der(|writer| {
            writer.write_sequence(|fields| {
                fields.next().write_oid(&ObjectIdentifier::from_slice(LOADABLE));
                // Nothing has to be known to use it.
                fields.next().write_tagged(Tag::context(0), |tagged| tagged.write_bool(true));
                fields.next().write_u64(OWNER);
                fields.next().write_bytes(&with_length(&public));
                fields.next().write_bytes(&with_length(self.private.value()));
            });
        });
        let form = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        Ok(pem::encode_config(&pem::Pem::new(LABEL, der), form))
    }

    /// From a file; none if that holds a key of another kind.
    pub fn from_pem(text: &str) -> Option<Result<Self, String>> {
        if !text.contains(LABEL) {
            return None;
        }
        let parsed = pem::parse(text).map_err(|error| error.to_string());
        Some(parsed.and_then(|pem| Self::from_der(pem.contents())))
    }

    fn from_der(der: &[u8]) -> Result<Self, String> {
        let (kind, parent, public, private) =
            yasna::parse_der(der, fields).map_err(|error| format!("no {LABEL}: {error}"))?;
        if kind.components() != LOADABLE || parent != OWNER {
            return Err(format!("a {LABEL} of another kind than this program makes"));
        }
        let wrong = |error: tss_esapi::Error| format!("no {LABEL}: {error}");
        let public = Public::unmarshall(without_length(&public)?).map_err(wrong)?;
        let private = Private::try_from(without_length(&private)?.to_vec()).map_err(wrong)?;
        Self::new(public, private)
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKey").finish_non_exhaustive()
    }
}

fn fields(reader: BERReader<'_, '_>) -> ASN1Result<(ObjectIdentifier, u64, Vec<u8>, Vec<u8>)> {
    reader.read_sequence(|fields| {
        let kind = fields.next().read_oid()?;
        fields.read_optional(|field| field.read_tagged(Tag::context(0), |tagged| tagged.read_bool()))?;
        let parent = fields.next().read_u64()?;
        Ok((kind, parent, fields.next().read_bytes()?, fields.next().read_bytes()?))
    })
}

/// As a TPM2B: its length goes before it. What a TPM gives is far below 64 KiB.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn without_length(bytes: &[u8]) -> Result<&[u8], String> {
    let (length, rest) = bytes.split_first_chunk().ok_or("it ends too early")?;
    if usize::from(u16::from_be_bytes(*length)) != rest.len() {
        return Err("a length does not fit".into());
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tss_esapi::structures::{EccParameter, EccPoint};

    use super::*;
    use crate::identity::tpm::template;

    /// As a TPM gives one; only a TPM could tell that nobody wrapped it.
    fn key(x: &[u8], y: &[u8]) -> Result<WrappedKey, String> {
        let parameter = |bytes: &[u8]| EccParameter::try_from(bytes.to_vec()).unwrap();
        let mut public = template::signing().unwrap();
        let Public::Ecc { unique, .. } = &mut public else { panic!("{public:?}") };
        *unique = EccPoint::new(parameter(x), parameter(y));
        WrappedKey::new(public, Private::try_from(vec![7; 126]).unwrap())
    }

    fn der(key: &WrappedKey) -> Vec<u8> {
        pem::parse(key.to_pem().unwrap()).unwrap().into_contents()
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let written = key(&[1; 32], &[2; 31]).unwrap();
        let text = written.to_pem().unwrap();
        assert!(text.starts_with("-----BEGIN TSS2 PRIVATE KEY-----\n"), "{text}");
        assert_eq!(WrappedKey::from_pem(&text).unwrap().as_ref(), Ok(&written));
        assert_eq!(written.point(), [&[4][..], &[1; 32], &[0], &[2; 31]].concat());
        assert!(key(&[1; 33], &[2; 32]).is_err());
    }

    /// By the draft: type, emptyAuth [0], parent, TPM2B_PUBLIC of an ECC key with SHA-256 names.
    #[test]
    fn it_has_the_form_other_programs_know() {
        let der = der(&key(&[1; 32], &[2; 32]).unwrap());
        let head = [
            &[0x30, 0x81, 0xf2][..],
            &[0x06, 0x06, 0x67, 0x81, 0x05, 0x0a, 0x01, 0x03],
            &[0xa0, 0x03, 0x01, 0x01, 0xff],
            &[0x02, 0x04, 0x40, 0x00, 0x00, 0x01],
            &[0x04, 0x5a, 0x00, 0x58, 0x00, 0x23, 0x00, 0x0b],
        ];
        assert!(der.starts_with(&head.concat()), "{der:02x?}");
    }

    #[test]
    fn another_kind_of_key_is_none_and_a_damaged_one_says_so() {
        assert!(
            WrappedKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").is_none()
        );
        let text = key(&[1; 32], &[2; 32]).unwrap().to_pem().unwrap();
        let damaged = [text.replacen('A', "*", 1), text.replacen("END", "EN", 1), format!("{:.60}", text)];
        for text in damaged {
            assert!(WrappedKey::from_pem(&text).unwrap().is_err(), "{text}");
        }
        let der = der(&key(&[1; 32], &[2; 32]).unwrap());
        for end in 0..der.len() {
            assert!(WrappedKey::from_der(&der[..end]).is_err(), "{end}");
        }
        let mut importable = der;
        importable[10] = 4;
        assert!(WrappedKey::from_der(&importable).unwrap_err().contains("another kind"));
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_program(place in 0_usize..240, byte: u8, rubbish: Vec<u8>) {
            let mut der = der(&key(&[1; 32], &[2; 32]).unwrap());
            if let Some(it) = der.get_mut(place) {
                *it = byte;
            }
            let _ = WrappedKey::from_der(&der);
            prop_assert!(WrappedKey::from_der(&rubbish).is_err());
        }
    }
}
