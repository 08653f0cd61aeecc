//! What the TPM is asked to make.

use tss_esapi::Result;
use tss_esapi::attributes::ObjectAttributesBuilder;
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::structures::{
    EccPoint, EccScheme, HashScheme, Public, PublicBuilder, PublicEccParameters, PublicEccParametersBuilder,
    SymmetricDefinitionObject,
};

/// The primary key below which keys are wrapped: template H-2 of the TCG's EK Credential Profile (ECC P-256, for storage), so that
/// other programs find the same one.
pub(super) fn primary() -> Result<Public> {
    let attributes = unmovable().with_restricted(true).with_decrypt(true);
    let parameters = PublicEccParametersBuilder::new_restricted_decryption_key(
        SymmetricDefinitionObject::AES_128_CFB,
        EccCurve::NistP256,
    );
    public(attributes, parameters.build()?)
}

/// A key that signs by ECDSA with SHA-256 and does nothing else.
pub(super) fn signing() -> Result<Public> {
    let scheme = EccScheme::EcDsa(HashScheme::new(HashingAlgorithm::Sha256));
    let parameters = PublicEccParametersBuilder::new_unrestricted_signing_key(scheme, EccCurve::NistP256);
    public(unmovable().with_sign_encrypt(true), parameters.build()?)
}

/// Made by this TPM and for this TPM.
fn unmovable() -> ObjectAttributesBuilder {
    ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_sensitive_data_origin(true)
        .with_user_with_auth(true)
        // There is no password to guess, so a lockout for guessing at others must not keep alarms from the hub.
        .with_no_da(true)
}

fn public(attributes: ObjectAttributesBuilder, parameters: PublicEccParameters) -> Result<Public> {
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::Ecc)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes.build()?)
        .with_ecc_parameters(parameters)
        .with_ecc_unique_identifier(EccPoint::default())
        .build()
}
