//! Between the contract's types and the core's, what only the world `plugin` has.

use iamseal_core as core_;

use crate::contract::exports::iamseal::plugin::{migration, sealing};
use crate::contract::iamseal::plugin::types;

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

impl From<types::DataKeyEncoding> for core_::DataKeyEncoding {
    fn from(encoding: types::DataKeyEncoding) -> Self {
        match encoding {
            types::DataKeyEncoding::Binary => Self::Binary,
            types::DataKeyEncoding::Json => Self::Json,
            types::DataKeyEncoding::MessagePack => Self::MessagePack,
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
            try_all_credentials: plan.try_all_credentials,
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
            retaken: step.retaken,
        }
    }
}
