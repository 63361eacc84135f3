//! Between the contract's types and the core's. Names are the same on both sides.

use alloc::string::ToString;

use iamseal_core as core_;

use crate::contract::exports::iamseal::plugin::{auditing, migration, sealing};
use crate::contract::iamseal::plugin::types;

impl From<types::KeyError> for core_::KeyError {
    fn from(error: types::KeyError) -> Self {
        match error {
            types::KeyError::NotFound => Self::NotFound,
            types::KeyError::Denied(text) => Self::Denied(text),
            types::KeyError::Unavailable(text) => Self::Unavailable(text),
            types::KeyError::NotAuthentic => Self::NotAuthentic,
            types::KeyError::Other(text) => Self::Other(text),
        }
    }
}

impl From<core_::KeyError> for types::KeyError {
    fn from(error: core_::KeyError) -> Self {
        match error {
            core_::KeyError::NotFound => Self::NotFound,
            core_::KeyError::Denied(text) => Self::Denied(text),
            core_::KeyError::Unavailable(text) => Self::Unavailable(text),
            core_::KeyError::NotAuthentic => Self::NotAuthentic,
            core_::KeyError::Other(text) => Self::Other(text),
        }
    }
}

impl From<types::StorageError> for core_::StorageError {
    fn from(error: types::StorageError) -> Self {
        match error {
            types::StorageError::NotFound => Self::NotFound,
            types::StorageError::Conflict => Self::Conflict,
            types::StorageError::TooLarge(types::SizeLimit { asked, allowed }) => {
                Self::TooLarge { asked, allowed }
            }
            types::StorageError::Refused(text) => Self::Refused(text),
            types::StorageError::Other(text) => Self::Other(text),
        }
    }
}

impl From<core_::StorageError> for types::StorageError {
    fn from(error: core_::StorageError) -> Self {
        match error {
            core_::StorageError::NotFound => Self::NotFound,
            core_::StorageError::Conflict => Self::Conflict,
            core_::StorageError::TooLarge { asked, allowed } => {
                Self::TooLarge(types::SizeLimit { asked, allowed })
            }
            core_::StorageError::Refused(text) => Self::Refused(text),
            core_::StorageError::Other(text) => Self::Other(text),
        }
    }
}

impl From<core_::Error> for types::Error {
    fn from(error: core_::Error) -> Self {
        match error {
            core_::Error::Empty => Self::Empty,
            core_::Error::UnknownForm(text) => Self::UnknownForm(text),
            core_::Error::Malformed(text) => Self::Malformed(text),
            core_::Error::Unsupported(text) => Self::Unsupported(text),
            core_::Error::Refused(text) => Self::Refused(text),
            core_::Error::NoKey => Self::NoKey,
            core_::Error::Key { key, error } => Self::Key(types::KeyFailure {
                key,
                error: error.into(),
            }),
            core_::Error::HeaderNotAuthentic(key) => Self::HeaderNotAuthentic(key),
            core_::Error::NoCredential => Self::NoCredential,
            core_::Error::CredentialNotAuthentic => Self::CredentialNotAuthentic,
            core_::Error::BodyNotAuthentic => Self::BodyNotAuthentic,
            core_::Error::Storage(error) => Self::Storage(error.into()),
            core_::Error::Other(text) => Self::Other(text),
        }
    }
}

impl From<core_::Form> for types::Form {
    fn from(form: core_::Form) -> Self {
        match form {
            core_::Form::Plaintext => Self::Plaintext,
            core_::Form::RootCredential => Self::RootCredential,
            core_::Form::Minio => Self::Minio,
            core_::Form::Compact => Self::Compact,
        }
    }
}

impl From<types::Cipher> for core_::Cipher {
    fn from(cipher: types::Cipher) -> Self {
        match cipher {
            types::Cipher::Aes256Gcm => Self::Aes256Gcm,
            types::Cipher::Aes128Gcm => Self::Aes128Gcm,
            types::Cipher::Chacha20Poly1305 => Self::ChaCha20Poly1305,
            types::Cipher::Xchacha20Poly1305 => Self::XChaCha20Poly1305,
        }
    }
}

impl From<core_::Cipher> for types::Cipher {
    fn from(cipher: core_::Cipher) -> Self {
        match cipher {
            core_::Cipher::Aes256Gcm => Self::Aes256Gcm,
            core_::Cipher::Aes128Gcm => Self::Aes128Gcm,
            core_::Cipher::ChaCha20Poly1305 => Self::Chacha20Poly1305,
            core_::Cipher::XChaCha20Poly1305 => Self::Xchacha20Poly1305,
        }
    }
}

impl From<types::DataKeyEncoding> for core_::DataKeyEncoding {
    fn from(encoding: types::DataKeyEncoding) -> Self {
        match encoding {
            types::DataKeyEncoding::Binary => Self::Binary,
            types::DataKeyEncoding::Json => Self::Json,
            types::DataKeyEncoding::MessagePack => Self::MessagePack,
        }
    }
}

impl From<core_::DataKeyEncoding> for types::DataKeyEncoding {
    fn from(encoding: core_::DataKeyEncoding) -> Self {
        match encoding {
            core_::DataKeyEncoding::Binary => Self::Binary,
            core_::DataKeyEncoding::Json => Self::Json,
            core_::DataKeyEncoding::MessagePack => Self::MessagePack,
        }
    }
}

impl From<core_::Found> for types::Found {
    fn from(found: core_::Found) -> Self {
        Self {
            form: found.form.into(),
            key: found.key,
            context: found.context.map(|context| match context {
                core_::Context::Joined => types::Context::Joined,
                core_::Context::Bare => types::Context::Bare,
            }),
            user: found.user,
        }
    }
}

impl From<core_::Description> for sealing::Description {
    fn from(seen: core_::Description) -> Self {
        Self {
            form: seen.form.into(),
            size: seen.size,
            plaintext_size: seen.plaintext_size,
            key: seen.key,
            cipher: seen.cipher.map(Into::into),
            data_key_encoding: seen.data_key_encoding.map(Into::into),
            key_derivation: seen.key_derivation.map(ToString::to_string),
        }
    }
}

impl From<sealing::SealOptions> for core_::SealOptions {
    fn from(options: sealing::SealOptions) -> Self {
        Self {
            form: match options.form {
                sealing::SealedForm::Minio => core_::SealedForm::Minio,
                sealing::SealedForm::Compact => core_::SealedForm::Compact,
            },
            key: options.key,
            cipher: options.cipher.map(Into::into),
            data_key_encoding: options.data_key_encoding.map(Into::into),
        }
    }
}

impl From<sealing::Policy> for core_::Policy {
    fn from(policy: sealing::Policy) -> Self {
        match policy {
            sealing::Policy::Compatible => Self::Compatible,
            sealing::Policy::Sealed => Self::Sealed,
        }
    }
}

impl From<auditing::Scope> for core_::Scope {
    fn from(scope: auditing::Scope) -> Self {
        Self {
            store: scope.store,
            prefix: scope.prefix,
            start_after: scope.start_after,
            policy: scope.policy.into(),
        }
    }
}

impl From<core_::Finding> for auditing::Finding {
    fn from(finding: core_::Finding) -> Self {
        Self {
            path: finding.path,
            size: finding.size,
            verdict: match finding.verdict {
                core_::Verdict::Opens(found) => auditing::Verdict::Opens(found.into()),
                core_::Verdict::Exempt(text) => auditing::Verdict::Exempt(text),
                core_::Verdict::Fails(error) => auditing::Verdict::Fails(error.into()),
            },
        }
    }
}

impl From<migration::Plan> for core_::Plan {
    fn from(plan: migration::Plan) -> Self {
        Self {
            store: plan.store,
            prefix: plan.prefix,
            start_after: plan.start_after,
            shard: plan
                .shard
                .map(|migration::Shard { index, count }| core_::Shard { index, count }),
            target: match plan.target {
                migration::Target::Plaintext => core_::Target::Plaintext,
                migration::Target::Sealed(options) => core_::Target::Sealed(options.into()),
            },
            dry_run: plan.dry_run,
        }
    }
}

impl From<core_::Step> for migration::Step {
    fn from(step: core_::Step) -> Self {
        use migration::Outcome;
        Self {
            path: step.path,
            outcome: match step.outcome {
                core_::Outcome::Unchanged(found) => Outcome::Unchanged(found.into()),
                core_::Outcome::Migrated(found) => Outcome::Migrated(found.into()),
                core_::Outcome::WouldMigrate(found) => Outcome::WouldMigrate(found.into()),
                core_::Outcome::Exempt(text) => Outcome::Exempt(text),
                core_::Outcome::Failed(error) => Outcome::Failed(error.into()),
            },
        }
    }
}
