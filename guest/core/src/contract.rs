//! Between the contract's types and those of this crate. Names are the same on both sides.
//!
//! The contract's types are generated, by the plugin for itself and by the fuzz targets for their host. These
//! macros make implementations of `From`, and find the generated interfaces by their names in the module that
//! they stand in.

/// What both worlds have, from the generated `auditing`, `opening` and `types`.
#[macro_export]
macro_rules! contract_to_read {
    () => {
        impl From<types::KeyError> for $crate::KeyError {
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

        impl From<$crate::KeyError> for types::KeyError {
            fn from(error: $crate::KeyError) -> Self {
                match error {
                    $crate::KeyError::NotFound => Self::NotFound,
                    $crate::KeyError::Denied(text) => Self::Denied(text),
                    $crate::KeyError::Unavailable(text) => Self::Unavailable(text),
                    $crate::KeyError::NotAuthentic => Self::NotAuthentic,
                    $crate::KeyError::Other(text) => Self::Other(text),
                }
            }
        }

        impl From<types::StorageError> for $crate::StorageError {
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

        impl From<$crate::StorageError> for types::StorageError {
            fn from(error: $crate::StorageError) -> Self {
                match error {
                    $crate::StorageError::NotFound => Self::NotFound,
                    $crate::StorageError::Conflict => Self::Conflict,
                    $crate::StorageError::TooLarge { asked, allowed } => {
                        Self::TooLarge(types::SizeLimit { asked, allowed })
                    }
                    $crate::StorageError::Refused(text) => Self::Refused(text),
                    $crate::StorageError::Other(text) => Self::Other(text),
                }
            }
        }

        impl From<$crate::Error> for types::Error {
            fn from(error: $crate::Error) -> Self {
                match error {
                    $crate::Error::Empty => Self::Empty,
                    $crate::Error::UnknownForm(text) => Self::UnknownForm(text),
                    $crate::Error::Malformed(text) => Self::Malformed(text),
                    $crate::Error::Unsupported(text) => Self::Unsupported(text),
                    $crate::Error::Refused(text) => Self::Refused(text),
                    $crate::Error::FormRefused(form) => Self::FormRefused(form.into()),
                    $crate::Error::Outdated(text) => Self::Outdated(text),
                    $crate::Error::NoKey => Self::NoKey,
                    $crate::Error::Key { key, error } => Self::Key(types::KeyFailure {
                        key,
                        error: error.into(),
                    }),
                    $crate::Error::HeaderNotAuthentic(key) => Self::HeaderNotAuthentic(key),
                    $crate::Error::NoCredential => Self::NoCredential,
                    $crate::Error::CredentialNotAuthentic => Self::CredentialNotAuthentic,
                    $crate::Error::CredentialUntried { tried, lent } => {
                        Self::CredentialUntried(types::Tries { tried, lent })
                    }
                    $crate::Error::BodyNotAuthentic => Self::BodyNotAuthentic,
                    $crate::Error::CutShort => Self::CutShort,
                    $crate::Error::NotLoadable(text) => Self::NotLoadable(text),
                    $crate::Error::Storage(error) => Self::Storage(error.into()),
                    $crate::Error::Other(text) => Self::Other(text),
                }
            }
        }

        impl From<$crate::KeyDerivation> for types::KeyDerivation {
            fn from(how: $crate::KeyDerivation) -> Self {
                match how {
                    $crate::KeyDerivation::Argon2id => Self::Argon2id,
                    $crate::KeyDerivation::Pbkdf2 => Self::Pbkdf2,
                }
            }
        }

        impl From<$crate::Form> for types::Form {
            fn from(form: $crate::Form) -> Self {
                match form {
                    $crate::Form::Plaintext => Self::Plaintext,
                    $crate::Form::RootCredential => Self::RootCredential,
                    $crate::Form::Minio => Self::Minio,
                    $crate::Form::Compact => Self::Compact,
                }
            }
        }

        impl From<$crate::Cipher> for types::Cipher {
            fn from(cipher: $crate::Cipher) -> Self {
                match cipher {
                    $crate::Cipher::Aes256Gcm => Self::Aes256Gcm,
                    $crate::Cipher::Aes128Gcm => Self::Aes128Gcm,
                    $crate::Cipher::ChaCha20Poly1305 => Self::Chacha20Poly1305,
                    $crate::Cipher::XChaCha20Poly1305 => Self::Xchacha20Poly1305,
                }
            }
        }

        impl From<$crate::DataKeyEncoding> for types::DataKeyEncoding {
            fn from(encoding: $crate::DataKeyEncoding) -> Self {
                match encoding {
                    $crate::DataKeyEncoding::Binary => Self::Binary,
                    $crate::DataKeyEncoding::Json => Self::Json,
                    $crate::DataKeyEncoding::MessagePack => Self::MessagePack,
                }
            }
        }

        impl From<$crate::Found> for types::Found {
            fn from(found: $crate::Found) -> Self {
                Self {
                    form: found.form.into(),
                    key: found.key,
                    context: found.context.map(|context| match context {
                        $crate::Context::Joined => types::Context::Joined,
                        $crate::Context::Bare => types::Context::Bare,
                    }),
                    user: found.user,
                }
            }
        }

        impl From<$crate::Description> for opening::Description {
            fn from(seen: $crate::Description) -> Self {
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

        impl From<opening::Policy> for $crate::Policy {
            fn from(policy: opening::Policy) -> Self {
                match policy {
                    opening::Policy::Compatible => Self::Compatible,
                    opening::Policy::Sealed => Self::Sealed,
                    opening::Policy::Current => Self::Current,
                    opening::Policy::Rustfs => Self::Rustfs,
                }
            }
        }

        impl From<auditing::Scope> for $crate::Scope {
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

        impl From<$crate::Content> for auditing::Content {
            fn from(content: $crate::Content) -> Self {
                let fault = |fault: $crate::Fault| auditing::Fault {
                    is_error: fault.is_error,
                    text: fault.text,
                };
                Self {
                    faults: content.faults.into_iter().map(fault).collect(),
                    names: content.names,
                    signer: content.signer.map(|signer| match signer {
                        $crate::Signer::Account => auditing::Signer::Account,
                        $crate::Signer::PresentRoot(user) => auditing::Signer::PresentRoot(user),
                        $crate::Signer::EarlierRoot(user) => auditing::Signer::EarlierRoot(user),
                        $crate::Signer::Unknown => auditing::Signer::Unknown,
                    }),
                }
            }
        }

        impl From<$crate::Finding> for auditing::Finding {
            fn from(finding: $crate::Finding) -> Self {
                Self {
                    path: finding.path,
                    size: finding.size,
                    key: finding.key,
                    content: finding.content.into(),
                    verdict: match finding.verdict {
                        $crate::Verdict::Opens(found) => auditing::Verdict::Opens(found.into()),
                        $crate::Verdict::Exempt(text) => auditing::Verdict::Exempt(text),
                        $crate::Verdict::Fails { error, reason } => {
                            auditing::Verdict::Fails(auditing::Failure {
                                error: error.into(),
                                reason: reason.map(|reason| match reason {
                                    $crate::Reason::OtherKeyBytes => {
                                        auditing::Reason::OtherKeyBytes
                                    }
                                    $crate::Reason::OtherPath(path) => {
                                        auditing::Reason::OtherPath(path)
                                    }
                                    $crate::Reason::EarlierKey => auditing::Reason::EarlierKey,
                                    $crate::Reason::DamagedDataKey => {
                                        auditing::Reason::DamagedDataKey
                                    }
                                }),
                            })
                        }
                    },
                }
            }
        }
    };
}

/// What only the world `plugin` has, from the generated `migration`, `sealing` and `types`.
#[macro_export]
macro_rules! contract_to_write {
    () => {
        impl From<sealing::WrittenCipher> for $crate::Cipher {
            fn from(cipher: sealing::WrittenCipher) -> Self {
                match cipher {
                    sealing::WrittenCipher::Aes256Gcm => Self::Aes256Gcm,
                    sealing::WrittenCipher::Chacha20Poly1305 => Self::ChaCha20Poly1305,
                }
            }
        }

        impl From<types::WrittenEncoding> for $crate::DataKeyEncoding {
            fn from(encoding: types::WrittenEncoding) -> Self {
                match encoding {
                    types::WrittenEncoding::Binary => Self::Binary,
                    types::WrittenEncoding::Json => Self::Json,
                }
            }
        }

        impl From<sealing::SealOptions> for $crate::SealOptions {
            fn from(options: sealing::SealOptions) -> Self {
                let (form, cipher, data_key_encoding) = match options.form {
                    sealing::SealedForm::Minio(minio) => (
                        $crate::SealedForm::Minio,
                        minio.cipher.map(Into::into),
                        minio.data_key_encoding.map(Into::into),
                    ),
                    sealing::SealedForm::Compact => ($crate::SealedForm::Compact, None, None),
                    sealing::SealedForm::Rustfs => ($crate::SealedForm::Rustfs, None, None),
                };
                Self {
                    form,
                    key: options.key,
                    cipher,
                    data_key_encoding,
                }
            }
        }

        impl From<migration::Plan> for $crate::Plan {
            fn from(plan: migration::Plan) -> Self {
                Self {
                    store: plan.store,
                    prefix: plan.prefix,
                    start_after: plan.start_after,
                    shard: plan
                        .shard
                        .map(|migration::Shard { index, count }| $crate::Shard { index, count }),
                    target: match plan.target {
                        migration::Target::Plaintext => $crate::Target::Plaintext,
                        migration::Target::Sealed(options) => {
                            $crate::Target::Sealed(options.into())
                        }
                    },
                    dry_run: plan.dry_run,
                    try_all_credentials: plan.try_all_credentials,
                    not_loadable_too: plan.not_loadable_too,
                }
            }
        }

        impl From<$crate::Step> for migration::Step {
            fn from(step: $crate::Step) -> Self {
                use migration::Outcome;
                Self {
                    path: step.path,
                    outcome: match step.outcome {
                        $crate::Outcome::Unchanged(found) => Outcome::Unchanged(found.into()),
                        $crate::Outcome::Migrated(found) => Outcome::Migrated(found.into()),
                        $crate::Outcome::WouldMigrate(found) => Outcome::WouldMigrate(found.into()),
                        $crate::Outcome::Exempt(text) => Outcome::Exempt(text),
                        $crate::Outcome::Failed(error) => Outcome::Failed(error.into()),
                    },
                    retries: step.retries,
                }
            }
        }
    };
}
