//! Between the contract's types and the core's. Names are the same on both sides.

use iamseal_core as core_;

use crate::contract::exports::iamseal::plugin::{auditing, opening};
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
            core_::Error::FormRefused(form) => Self::FormRefused(form.into()),
            core_::Error::Outdated(text) => Self::Outdated(text),
            core_::Error::NoKey => Self::NoKey,
            core_::Error::Key { key, error } => Self::Key(types::KeyFailure {
                key,
                error: error.into(),
            }),
            core_::Error::HeaderNotAuthentic(key) => Self::HeaderNotAuthentic(key),
            core_::Error::NoCredential => Self::NoCredential,
            core_::Error::CredentialNotAuthentic => Self::CredentialNotAuthentic,
            core_::Error::CredentialUntried { tried, lent } => {
                Self::CredentialUntried(types::Tries { tried, lent })
            }
            core_::Error::BodyNotAuthentic => Self::BodyNotAuthentic,
            core_::Error::CutShort => Self::CutShort,
            core_::Error::Storage(error) => Self::Storage(error.into()),
            core_::Error::Other(text) => Self::Other(text),
        }
    }
}

impl From<core_::KeyDerivation> for types::KeyDerivation {
    fn from(how: core_::KeyDerivation) -> Self {
        match how {
            core_::KeyDerivation::Argon2id => Self::Argon2id,
            core_::KeyDerivation::Pbkdf2 => Self::Pbkdf2,
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

impl From<core_::Description> for opening::Description {
    fn from(seen: core_::Description) -> Self {
        Self {
            form: seen.form.into(),
            size: seen.size,
            plaintext_size: seen.plaintext_size,
            key: seen.key,
            cipher: seen.cipher.map(Into::into),
            data_key_encoding: seen.data_key_encoding.map(Into::into),
            key_derivation: seen.key_derivation.map(Into::into),
        }
    }
}

impl From<opening::Policy> for core_::Policy {
    fn from(policy: opening::Policy) -> Self {
        match policy {
            opening::Policy::Compatible => Self::Compatible,
            opening::Policy::Sealed => Self::Sealed,
            opening::Policy::Current => Self::Current,
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
            try_all_credentials: scope.try_all_credentials,
        }
    }
}

impl From<core_::Finding> for auditing::Finding {
    fn from(finding: core_::Finding) -> Self {
        Self {
            path: finding.path,
            size: finding.size,
            key: finding.key,
            verdict: match finding.verdict {
                core_::Verdict::Opens(found) => auditing::Verdict::Opens(found.into()),
                core_::Verdict::Exempt(text) => auditing::Verdict::Exempt(text),
                core_::Verdict::Fails { error, reason } => {
                    auditing::Verdict::Fails(auditing::Failure {
                        error: error.into(),
                        reason: reason.map(|reason| match reason {
                            core_::Reason::OtherKeyBytes => auditing::Reason::OtherKeyBytes,
                            core_::Reason::OtherPath(path) => auditing::Reason::OtherPath(path),
                            core_::Reason::EarlierKey => auditing::Reason::EarlierKey,
                            core_::Reason::DamagedDataKey => auditing::Reason::DamagedDataKey,
                        }),
                    })
                }
            },
        }
    }
}
