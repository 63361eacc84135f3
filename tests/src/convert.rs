//! Between the contract's types and the core's, the other way round than the plugin does it.

use iamseal::contract;
use iamseal_core as core;

use crate::errors::from_contract;

/// The core's options as the contract's.
///
/// # Panics
/// If they ask for what is never written, which the contract cannot say.
pub fn seal_options(options: &core::SealOptions) -> contract::SealOptions {
    let minio = contract::MinioOptions {
        cipher: options.cipher.map(|cipher| match cipher {
            core::Cipher::Aes256Gcm => contract::WrittenCipher::Aes256Gcm,
            core::Cipher::ChaCha20Poly1305 => contract::WrittenCipher::Chacha20Poly1305,
            never => panic!("{never:?} is never written"),
        }),
        data_key_encoding: options.data_key_encoding.map(|encoding| match encoding {
            core::DataKeyEncoding::Binary => contract::WrittenEncoding::Binary,
            core::DataKeyEncoding::Json => contract::WrittenEncoding::Json,
            never @ core::DataKeyEncoding::MessagePack => panic!("{never:?} is never written"),
        }),
    };
    contract::SealOptions {
        form: match options.form {
            core::SealedForm::Minio => contract::SealedForm::Minio(minio),
            core::SealedForm::Compact => contract::SealedForm::Compact,
            core::SealedForm::Rustfs => contract::SealedForm::Rustfs,
        },
        key: options.key.clone(),
    }
}

pub(crate) fn found(found: contract::Found) -> core::Found {
    core::Found {
        form: form(found.form),
        key: found.key,
        context: found.context.map(|context| match context {
            contract::Context::Joined => core::Context::Joined,
            contract::Context::Bare => core::Context::Bare,
        }),
        user: found.user,
    }
}

pub(crate) fn form(form: contract::Form) -> core::Form {
    match form {
        contract::Form::Plaintext => core::Form::Plaintext,
        contract::Form::RootCredential => core::Form::RootCredential,
        contract::Form::Minio => core::Form::Minio,
        contract::Form::Compact => core::Form::Compact,
    }
}

pub(crate) fn cipher(cipher: contract::Cipher) -> core::Cipher {
    match cipher {
        contract::Cipher::Aes256Gcm => core::Cipher::Aes256Gcm,
        contract::Cipher::Aes128Gcm => core::Cipher::Aes128Gcm,
        contract::Cipher::Chacha20Poly1305 => core::Cipher::ChaCha20Poly1305,
        contract::Cipher::Xchacha20Poly1305 => core::Cipher::XChaCha20Poly1305,
    }
}

pub(crate) fn encoding(encoding: contract::DataKeyEncoding) -> core::DataKeyEncoding {
    match encoding {
        contract::DataKeyEncoding::Binary => core::DataKeyEncoding::Binary,
        contract::DataKeyEncoding::Json => core::DataKeyEncoding::Json,
        contract::DataKeyEncoding::MessagePack => core::DataKeyEncoding::MessagePack,
    }
}

pub(crate) fn derivation(how: contract::KeyDerivation) -> core::KeyDerivation {
    match how {
        contract::KeyDerivation::Argon2id => core::KeyDerivation::Argon2id,
        contract::KeyDerivation::Pbkdf2 => core::KeyDerivation::Pbkdf2,
    }
}

/// The core's policy as the contract's.
pub fn policy(policy: core::Policy) -> contract::Policy {
    match policy {
        core::Policy::Compatible => contract::Policy::Compatible,
        core::Policy::Sealed => contract::Policy::Sealed,
        core::Policy::Current => contract::Policy::Current,
        core::Policy::Rustfs => contract::Policy::Rustfs,
    }
}

/// The core's target as the contract's.
pub fn target(target: &core::Target) -> contract::Target {
    match target {
        core::Target::Plaintext => contract::Target::Plaintext,
        core::Target::Sealed(options) => contract::Target::Sealed(seal_options(options)),
    }
}

/// The contract's step as the core's.
pub fn step(step: contract::Step) -> core::Step {
    core::Step {
        path: step.path,
        outcome: match step.outcome {
            contract::Outcome::Unchanged(it) => core::Outcome::Unchanged(found(it)),
            contract::Outcome::Migrated(it) => core::Outcome::Migrated(found(it)),
            contract::Outcome::WouldMigrate(it) => core::Outcome::WouldMigrate(found(it)),
            contract::Outcome::Exempt(why) => core::Outcome::Exempt(why),
            contract::Outcome::Failed(error) => core::Outcome::Failed(from_contract(error)),
        },
        retries: step.retries,
    }
}

fn content(content: contract::Content) -> core::Content {
    let fault = |fault: contract::Fault| core::Fault {
        is_error: fault.is_error,
        text: fault.text,
    };
    core::Content {
        faults: content.faults.into_iter().map(fault).collect(),
        names: content.names,
        signer: content.signer.map(|signer| match signer {
            contract::Signer::Account => core::Signer::Account,
            contract::Signer::PresentRoot(user) => core::Signer::PresentRoot(user),
            contract::Signer::EarlierRoot(user) => core::Signer::EarlierRoot(user),
            contract::Signer::Unknown => core::Signer::Unknown,
        }),
    }
}

/// The contract's finding as the core's.
pub fn finding(finding: contract::Finding) -> core::Finding {
    core::Finding {
        path: finding.path,
        size: finding.size,
        key: finding.key,
        content: content(finding.content),
        verdict: match finding.verdict {
            contract::Verdict::Opens(it) => core::Verdict::Opens(found(it)),
            contract::Verdict::Exempt(why) => core::Verdict::Exempt(why),
            contract::Verdict::Fails(failure) => core::Verdict::Fails {
                error: from_contract(failure.error),
                reason: failure.reason.map(|reason| match reason {
                    contract::Reason::OtherKeyBytes => core::Reason::OtherKeyBytes,
                    contract::Reason::OtherPath(path) => core::Reason::OtherPath(path),
                    contract::Reason::EarlierKey => core::Reason::EarlierKey,
                    contract::Reason::DamagedDataKey => core::Reason::DamagedDataKey,
                }),
            },
        },
    }
}
