//! The wrong path, store, key, credential or policy.

use iamseal_core::{Context, Error, KeyError, Policy, SealedForm};
use iamseal_tests::backend::{Backend as _, Native, backends};
use iamseal_tests::errors::outcome;
use iamseal_tests::keys::Keys;
use iamseal_tests::vectors::case;

use crate::samples::{KEY, NAME, PATH, PLAINTEXT, STORE, options, sealed};

const FORMS: [SealedForm; 2] = [SealedForm::Minio, SealedForm::Compact];

/// Unseals with both backends and expects the same of both.
fn expect(keys: &Keys, store: &str, path: &[u8], stored: &[u8], wanted: &str) {
    for backend in backends(keys, store) {
        let opened = backend.unseal(path, stored, Policy::Compatible);
        let what = format!("{}: {}", backend.name(), path.escape_ascii());
        assert_eq!(outcome(&opened), wanted, "{what}");
    }
}

#[test]
fn a_sealed_object_opens_at_its_own_path_alone() {
    let keys = Keys::one(NAME, &KEY);
    for form in FORMS {
        let stored = sealed(form);
        for other in [
            "config/iam/users/bob/identity.json",
            "config/iam/users/alice/identity.jso",
            "config/iam/users/Alice/identity.json",
            "iam/users/alice/identity.json",
        ] {
            expect(
                &keys,
                STORE,
                other.as_bytes(),
                &stored,
                "header-not-authentic",
            );
        }
        for same in [
            "/config/iam/users/alice/identity.json",
            "config//iam/./users/bob/../alice/identity.json/",
        ] {
            expect(&keys, STORE, same.as_bytes(), &stored, "ok");
        }
    }
}

#[test]
fn the_bare_context_of_minio_knows_an_object_below_its_own_root() {
    // Joined with the root, the one path is the other as it stands; MinIO reads it there too.
    let inside = [b".minio.sys/", PATH].concat();
    let keys = Keys::one(NAME, &KEY);
    for backend in backends(&keys, STORE) {
        let stored = sealed(SealedForm::Minio);
        let opened = backend.unseal(&inside, &stored, Policy::Sealed).unwrap();
        assert_eq!(opened.found.context, Some(Context::Bare));
    }
    let stored = sealed(SealedForm::Compact);
    expect(&keys, STORE, &inside, &stored, "header-not-authentic");
}

#[test]
fn a_path_that_names_nothing_or_climbs_is_refused() {
    for backend in backends(&Keys::one(NAME, &KEY), STORE) {
        for path in ["", "/", ".", "a/..", "..", "../x", "a/../../a"] {
            let path = path.as_bytes();
            for form in FORMS {
                let made = backend.seal(path, PLAINTEXT, &options(form));
                assert_eq!(outcome(&made), "refused");
            }
            let opened = backend.unseal(path, b"{}", Policy::Compatible);
            assert_eq!(outcome(&opened), "refused");
        }
    }
}

#[test]
fn compact_is_bound_to_its_store_and_minio_is_not() {
    let keys = Keys::one(NAME, &KEY);
    let compact = sealed(SealedForm::Compact);
    for other in ["", "stor", "store2"] {
        expect(&keys, other, PATH, &compact, "header-not-authentic");
        expect(&keys, other, PATH, &sealed(SealedForm::Minio), "ok");
    }
}

#[test]
fn other_key_bytes_and_another_key_name_are_told_apart() {
    for form in FORMS {
        let stored = sealed(form);
        let mut other = KEY;
        other[31] ^= 1;
        expect(
            &Keys::one(NAME, &other),
            STORE,
            PATH,
            &stored,
            "header-not-authentic",
        );
        expect(
            &Keys::one("my-keyx", &KEY),
            STORE,
            PATH,
            &stored,
            "key: not-found",
        );
        expect(&Keys::none(), STORE, PATH, &stored, "key: not-found");
        let rotated = Keys::one(NAME, &other).secret(NAME, &KEY);
        expect(&rotated, STORE, PATH, &stored, "ok");
    }
}

#[test]
fn a_key_of_another_size_is_an_error_of_the_keyring() {
    for size in [0, 16, 31, 33, 64] {
        let keys = Keys::one(NAME, &vec![7; size]);
        // The component gets handles, and of such a key there is none.
        let native = Native::new(keys.clone(), STORE);
        for form in FORMS {
            let opened = native.unseal(PATH, &sealed(form), Policy::Compatible);
            assert_eq!(outcome(&opened), "key: other");
            let made = native.seal(PATH, PLAINTEXT, &options(form));
            let error = KeyError::Other(format!("a key of {size} bytes, not 32"));
            let key = NAME.to_string();
            assert_eq!(made, Err(Error::Key { key, error }));
        }
        // It must not keep the right candidate from being tried.
        let with_right = keys.secret(NAME, &KEY);
        expect(&with_right, STORE, PATH, &sealed(SealedForm::Minio), "ok");
    }
}

#[test]
fn root_credentials_are_tried_in_turn() {
    let case = case("dev-069");
    let stored = case.stored();
    let wrong = Keys::none().credential("minioadmin", "other-password");
    expect(&Keys::none(), STORE, PATH, &stored, "no-credential");
    expect(&wrong, STORE, PATH, &stored, "credential-not-authentic");
    for backend in backends(&wrong.credential("minioadmin", "minioadmin"), STORE) {
        // Such an object is bound to no path.
        for path in [PATH, b"config/config.json"] {
            let opened = backend.unseal(path, &stored, Policy::Compatible).unwrap();
            assert_eq!(opened.plaintext, case.plaintext());
            assert_eq!(opened.found.user.as_deref(), Some("minioadmin"));
        }
    }
}

#[test]
fn the_strict_policy_opens_sealed_objects_alone() {
    let keys = Keys::one(NAME, &KEY).credential("minioadmin", "minioadmin");
    for backend in backends(&keys, STORE) {
        let strict = |stored: &[u8]| outcome(&backend.unseal(PATH, stored, Policy::Sealed));
        assert_eq!(strict(PLAINTEXT), "form-refused");
        assert_eq!(strict(&case("dev-069").stored()), "form-refused");
        assert_eq!(strict(b""), "empty");
        for form in FORMS {
            assert_eq!(strict(&sealed(form)), "ok");
        }
    }
}
