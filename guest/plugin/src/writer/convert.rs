//! Between the contract's types and the core's, what only the world `plugin` has.

use iamseal_core as core_;

use crate::contract::exports::iamseal::plugin::{migration, sealing};
use crate::contract::iamseal::plugin::types;

impl From<sealing::WrittenCipher> for core_::Cipher {
    fn from(cipher: sealing::WrittenCipher) -> Self {
        match cipher {
            sealing::WrittenCipher::Aes256Gcm => Self::Aes256Gcm,
            sealing::WrittenCipher::Chacha20Poly1305 => Self::ChaCha20Poly1305,
        }
    }
}

impl From<types::WrittenEncoding> for core_::DataKeyEncoding {
    fn from(encoding: types::WrittenEncoding) -> Self {
        match encoding {
            types::WrittenEncoding::Binary => Self::Binary,
            types::WrittenEncoding::Json => Self::Json,
        }
    }
}

impl From<sealing::SealOptions> for core_::SealOptions {
    fn from(options: sealing::SealOptions) -> Self {
        let (form, cipher, data_key_encoding) = match options.form {
            sealing::SealedForm::Minio(minio) => (
                core_::SealedForm::Minio,
                minio.cipher.map(Into::into),
                minio.data_key_encoding.map(Into::into),
            ),
            sealing::SealedForm::Compact => (core_::SealedForm::Compact, None, None),
        };
        Self {
            form,
            key: options.key,
            cipher,
            data_key_encoding,
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
            retries: step.retries,
        }
    }
}
