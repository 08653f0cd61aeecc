//! The TPM of this box: makes keys, signs with them, and never gives one away.
//!
//! It is opened for each use and closed after it: a TPM may be reset while the daemon runs, the technician's `enrol` and `check`
//! need it beside the daemon, and it is asked once for each connection.

mod signature;
mod template;
mod wrapped;

use std::fs::OpenOptions;
use std::io;
use std::str::FromStr as _;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::runtime::{Handle, RuntimeFlavor};
use tss_esapi::Context;
use tss_esapi::constants::response_code::Tss2ResponseCodeKind;
use tss_esapi::constants::tss::{TPM2_RH_NULL, TPM2_ST_HASHCHECK};
use tss_esapi::handles::KeyHandle;
use tss_esapi::interface_types::resource_handles::Hierarchy;
use tss_esapi::interface_types::session_handles::AuthSession;
use tss_esapi::structures::{Digest, Signature, SignatureScheme};
use tss_esapi::tcti_ldr::TctiNameConf;
use tss_esapi::tss2_esys::TPMT_TK_HASHCHECK;

pub(super) use wrapped::WrappedKey;

use crate::config::Tcti;

/// The TPM does not do what it is wanted for.
#[derive(Debug, thiserror::Error)]
pub enum TpmError {
    /// There is none, or it may not be used.
    #[error("no TPM can be used at {tcti}: {problem}")]
    Unreachable {
        /// Where it was looked for.
        tcti: Tcti,
        /// Why, and what to do.
        problem: String,
    },
    /// The key is not one of this TPM.
    #[error(
        "the key of this box was made by another TPM than the one at {tcti}, or this one was cleared since: enrol the box again"
    )]
    Foreign {
        /// The TPM.
        tcti: Tcti,
    },
    /// It answers with an error.
    #[error("the TPM at {tcti} cannot {what}: {source}")]
    Failed {
        /// The TPM.
        tcti: Tcti,
        /// What it was asked for.
        what: &'static str,
        /// What it said.
        source: tss_esapi::Error,
    },
    /// It answers with something else than it was asked for.
    #[error("the TPM at {tcti} gives no key or signature of the kind it was asked for: {problem}")]
    Wrong {
        /// The TPM.
        tcti: Tcti,
        /// What it gave.
        problem: String,
    },
}

/// A TPM, reached anew for each use.
#[derive(Debug)]
pub(super) struct Tpm {
    tcti: Tcti,
    /// Without a resource manager before it, it takes one user at a time.
    turn: Mutex<()>,
}

impl Tpm {
    pub fn at(tcti: Tcti) -> Self {
        Self { tcti, turn: Mutex::new(()) }
    }

    /// Does this box have one? Whether it can be used is another question.
    pub fn is_there(&self) -> bool {
        self.tcti.device().is_none_or(std::path::Path::exists)
    }

    /// Does it answer, and can keys be made below its primary key?
    pub fn test(&self) -> Result<(), TpmError> {
        self.with_primary(|_, _| Ok(()))
    }

    /// Can it use this key?
    pub fn test_key(&self, key: &WrappedKey) -> Result<(), TpmError> {
        self.with_primary(|context, primary| self.load(context, primary, key).map(drop))
    }

    /// Makes a key that only this TPM can use.
    pub fn create(&self) -> Result<WrappedKey, TpmError> {
        self.with_primary(|context, primary| {
            let public = template::signing().map_err(|error| self.failed("describe a key", error))?;
            let made = context
                .create(primary, public, None, None, None, None)
                .map_err(|error| self.failed("make a key", error))?;
            WrappedKey::new(made.out_public, made.out_private).map_err(|problem| self.wrong(problem))
        })
    }

    /// Signs a message by ECDSA with SHA-256; the signature is in DER.
    pub fn sign(&self, key: &WrappedKey, message: &[u8]) -> Result<Vec<u8>, TpmError> {
        self.with_primary(|context, primary| {
            let key = self.load(context, primary, key)?;
            let failed = |error| self.failed("sign", error);
            let digest = Digest::try_from(Sha256::digest(message).to_vec()).map_err(failed)?;
            // That the digest is none of the TPM's own statements would have to be shown only by a restricted key.
            let unchecked = TPMT_TK_HASHCHECK {
                tag: TPM2_ST_HASHCHECK,
                hierarchy: TPM2_RH_NULL,
                digest: Default::default(),
            };
            let unchecked = unchecked.try_into().map_err(failed)?;
            match context.sign(key, digest, SignatureScheme::Null, unchecked).map_err(failed)? {
                Signature::EcDsa(numbers) => {
                    Ok(signature::to_der(numbers.signature_r().value(), numbers.signature_s().value()))
                }
                other => Err(self.wrong(format!("{other:?}"))),
            }
        })
    }

    /// A key for a file.
    pub fn to_pem(&self, key: &WrappedKey) -> Result<String, TpmError> {
        key.to_pem().map_err(|error| self.wrong(error.to_string()))
    }

    fn load(
        &self,
        context: &mut Context,
        primary: KeyHandle,
        key: &WrappedKey,
    ) -> Result<KeyHandle, TpmError> {
        context.load(primary, key.private().clone(), key.public().clone()).map_err(|error| {
            match is_foreign(&error) {
                true => TpmError::Foreign { tcti: self.tcti.clone() },
                false => self.failed("load the key of this box", error),
            }
        })
    }

    /// Opens it, makes its primary key (the same each time), and lets go of everything afterwards.
    fn with_primary<T>(
        &self,
        work: impl FnOnce(&mut Context, KeyHandle) -> Result<T, TpmError>,
    ) -> Result<T, TpmError> {
        aside(|| {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let mut context = self.open()?;
            // No key here asks for a password, nor does the owner of a box's TPM.
            context.execute_with_session(Some(AuthSession::Password), |context| {
                let failed = |error| self.failed("make its primary key", error);
                let template = template::primary().map_err(failed)?;
                let primary = context
                    .create_primary(Hierarchy::Owner, template, None, None, None, None)
                    .map_err(failed)?;
                work(context, primary.key_handle)
            })
        })
    }

    fn open(&self) -> Result<Context, TpmError> {
        let context = TctiNameConf::from_str(&self.tcti.to_string()).and_then(Context::new);
        context
            .map_err(|error| TpmError::Unreachable { tcti: self.tcti.clone(), problem: self.problem(&error) })
    }

    /// Of a device the system says more clearly what is the matter.
    fn problem(&self, error: &tss_esapi::Error) -> String {
        let Some(device) = self.tcti.device() else { return format!("nothing answers there ({error})") };
        match OpenOptions::new().read(true).write(true).open(device).map_err(|error| error.kind()) {
            Err(io::ErrorKind::NotFound) => {
                "the box has none, or it is switched off in the firmware; `uplink.key_store = \"file\"` does without".into()
            }
            Err(io::ErrorKind::PermissionDenied) => {
                "this user may not open it: it has to be in the group `tss`".into()
            }
            Err(io::ErrorKind::ResourceBusy) => "another program has it: name /dev/tpmrm0, which several can use".into(),
            _ => error.to_string(),
        }
    }

    fn failed(&self, what: &'static str, source: tss_esapi::Error) -> TpmError {
        TpmError::Failed { tcti: self.tcti.clone(), what, source }
    }

    fn wrong(&self, problem: String) -> TpmError {
        TpmError::Wrong { tcti: self.tcti.clone(), problem }
    }
}

/// A TPM takes up to a second for its answers: whatever else the runtime does goes on meanwhile.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// The TPM finds that it has not wrapped this itself, or not since it was cleared.
fn is_foreign(error: &tss_esapi::Error) -> bool {
    matches!(error, tss_esapi::Error::Tss2Error(code) if code.kind() == Some(Tss2ResponseCodeKind::Integrity))
}
