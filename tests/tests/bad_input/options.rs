//! Sealing that cannot be asked for.

use iamseal_core::{Cipher, DataKeyEncoding, SealOptions, SealedForm};
use iamseal_tests::backend::{Backend as _, Native, backends};
use iamseal_tests::errors::outcome;
use iamseal_tests::keys::Keys;

use crate::samples::{KEY, NAME, PATH, PLAINTEXT, STORE, options};

/// Of the component it cannot be asked: the contract has no words for it.
#[test]
fn what_is_never_written_is_unsupported() {
    let native = Native::new(Keys::one(NAME, &KEY), STORE);
    let minio = options(SealedForm::Minio);
    for asked in [
        SealOptions {
            cipher: Some(Cipher::Aes128Gcm),
            ..minio.clone()
        },
        SealOptions {
            cipher: Some(Cipher::XChaCha20Poly1305),
            ..minio.clone()
        },
        SealOptions {
            data_key_encoding: Some(DataKeyEncoding::MessagePack),
            ..minio
        },
        SealOptions {
            cipher: Some(Cipher::Aes256Gcm),
            ..options(SealedForm::Compact)
        },
    ] {
        let made = native.seal(PATH, PLAINTEXT, &asked);
        assert_eq!(outcome(&made), "unsupported", "{asked:?}");
    }
}

#[test]
fn sealing_without_a_key_says_so() {
    for form in [SealedForm::Minio, SealedForm::Compact] {
        for backend in backends(&Keys::none(), STORE) {
            let made = backend.seal(PATH, PLAINTEXT, &options(form));
            assert_eq!(outcome(&made), "no-key");
        }
        for backend in backends(&Keys::one(NAME, &KEY), STORE) {
            let asked = SealOptions {
                key: Some("other".to_string()),
                ..options(form)
            };
            let made = backend.seal(PATH, PLAINTEXT, &asked);
            assert_eq!(outcome(&made), "key: not-found");
        }
    }
}

#[test]
fn a_key_name_has_at_most_1024_bytes() {
    for (size, wanted) in [(1024, "ok"), (1025, "refused")] {
        for backend in backends(&Keys::one(&"n".repeat(size), &KEY), STORE) {
            for form in [SealedForm::Minio, SealedForm::Compact] {
                let made = backend.seal(PATH, PLAINTEXT, &options(form));
                assert_eq!(outcome(&made), wanted);
            }
        }
    }
}

#[test]
fn files_that_minio_reads_without_iam_encryption_are_not_sealed() {
    for backend in backends(&Keys::one(NAME, &KEY), STORE) {
        for path in [
            "config/tier-config.bin",
            "config//tier-config.bin",
            "config/site-replication/state.json",
        ] {
            let made = backend.seal(path.as_bytes(), PLAINTEXT, &options(SealedForm::Minio));
            assert_eq!(outcome(&made), "refused", "{path}");
        }
    }
}
