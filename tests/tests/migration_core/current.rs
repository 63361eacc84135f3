//! The policy `current`: it opens what a migration to the present key leaves, and nothing else.

use iamseal_core::{Error, Finding, KeyError, Policy, SealOptions, SealedForm, Target, Verdict};
use iamseal_tests::backend::backends;
use iamseal_tests::errors::outcome;
use iamseal_tests::keys::Keys;
use iamseal_tests::store::MemoryStore;
use iamseal_tests::vectors;

use crate::mixed::{KEYS, Mixed, REMOTE, options};
use crate::plans::{STORE, audit, outcomes, plan, run};
use crate::through::audit_through;
use crate::transitions::targets;

const PATH: &[u8] = b"config/config.json";

fn sealed(keys: &Keys, options: &SealOptions) -> Vec<u8> {
    let [native, ..] = &*backends(keys, STORE) else {
        panic!("no backend");
    };
    native.seal(PATH, b"{}", options).unwrap()
}

/// What both ways to run the core say of an object under the policy.
fn said(keys: &Keys, path: &[u8], stored: &[u8]) -> Result<Vec<u8>, Error> {
    let mut said = backends(keys, STORE).into_iter().map(|backend| {
        let opened = backend.unseal(path, stored, Policy::Current);
        opened.map(|opened| opened.plaintext)
    });
    let first = said.next().unwrap();
    assert!(said.all(|other| other == first));
    first
}

fn outdated(text: &str) -> Result<Vec<u8>, Error> {
    Err(Error::Outdated(text.to_string()))
}

#[test]
fn another_key_an_older_key_and_the_old_context_are_outdated_and_said() {
    let [(a, old), (b, new)] = KEYS;
    let both = Keys::one(a, &old).secret(b, &new);
    for form in [SealedForm::Minio, SealedForm::Compact] {
        let stored = sealed(&Keys::one(a, &old), &options(form));
        assert_eq!(said(&both, PATH, &stored), Ok(b"{}".to_vec()));
        let text = "it is under the key \"a\", the policy wants \"b\"";
        assert_eq!(
            said(&both.clone().default_to(b), PATH, &stored),
            outdated(text)
        );
        let replaced = Keys::one(a, &new).secret(a, &old);
        let text = "it is under an older key of the name \"a\"";
        assert_eq!(said(&replaced, PATH, &stored), outdated(text));
    }
    let bare = vectors::case("dev-080");
    assert_eq!(
        said(&bare.keys(), &bare.path(), &bare.stored()),
        outdated("it is bound to the old context")
    );
}

#[test]
fn cipher_and_encoding_do_not_make_an_object_outdated() {
    let [(a, key), _] = KEYS;
    let older = SealOptions {
        cipher: Some(iamseal_core::Cipher::Aes256Gcm),
        data_key_encoding: Some(iamseal_core::DataKeyEncoding::Json),
        ..options(SealedForm::Minio)
    };
    let keys = Keys::one(a, &key);
    assert!(said(&keys, PATH, &sealed(&keys, &older)).is_ok());
}

#[test]
fn what_is_not_sealed_is_refused_and_without_a_default_key_everything_is() {
    let [(a, key), _] = KEYS;
    let keys = Keys::one(a, &key).credential("minioadmin", "minioadmin");
    let root = vectors::case("dev-069").stored();
    assert_eq!(outcome(&said(&keys, PATH, b"{}")), "form-refused");
    assert_eq!(outcome(&said(&keys, PATH, &root)), "form-refused");
    assert_eq!(outcome(&said(&Keys::none(), PATH, b"{}")), "form-refused");
    let stored = sealed(&keys, &options(SealedForm::Minio));
    let unnamed = keys.without_default();
    assert_eq!(said(&unnamed, PATH, &stored), Err(Error::NoKey));
    assert_eq!(outcome(&said(&unnamed, PATH, b"\xff?")), "unknown-form");
}

#[test]
fn an_object_is_called_outdated_only_after_it_was_authenticated() {
    let [(a, old), (b, new)] = KEYS;
    let keys = Keys::one(b, &new).secret(a, &old);
    for form in [SealedForm::Minio, SealedForm::Compact] {
        let mut stored = sealed(&Keys::one(a, &old), &options(form));
        assert_eq!(outcome(&said(&keys, PATH, &stored)), "outdated");
        assert_eq!(
            outcome(&said(&keys, b"elsewhere", &stored)),
            "header-not-authentic"
        );
        let other = Keys::one(b, &new).secret(a, &[9; 32]);
        assert_eq!(
            outcome(&said(&other, PATH, &stored)),
            "header-not-authentic"
        );
        let missing = Err(Error::Key {
            key: a.to_string(),
            error: KeyError::NotFound,
        });
        assert_eq!(said(&Keys::one(b, &new), PATH, &stored), missing);
        *stored.last_mut().unwrap() ^= 1;
        assert_eq!(outcome(&said(&keys, PATH, &stored)), "body-not-authentic");
    }
}

/// Paths that open under the policy, natively and through the component alike.
fn current(mixed: &Mixed, keys: &Keys) -> Vec<Vec<u8>> {
    let findings = audit(keys, &mixed.store, Policy::Current);
    assert_eq!(audit_through(keys, &mixed.store, Policy::Current), findings);
    let opens = |finding: &Finding| matches!(finding.verdict, Verdict::Opens(_));
    findings
        .into_iter()
        .filter(opens)
        .map(|finding| finding.path)
        .collect()
}

#[test]
fn what_a_migration_to_the_default_key_leaves_passes_and_what_it_would_change_does_not() {
    for name in [KEYS[0].0, KEYS[1].0, REMOTE] {
        let mixed = Mixed::new();
        let keys = mixed.keys.clone().default_to(name);
        let mut under_name: Vec<_> = mixed
            .objects
            .iter()
            .filter(|object| object.found.key.as_deref() == Some(name))
            .map(|object| object.path.clone().into_bytes())
            .collect();
        under_name.sort();
        assert_eq!(current(&mixed, &keys), under_name);
    }
    for options in targets().into_iter().flatten() {
        let mixed = Mixed::new();
        let name = options.key.clone().unwrap_or_else(|| KEYS[0].0.to_string());
        let keys = mixed.keys.clone().default_to(&name);
        let steps = run(&mixed.keys, &mixed.store, plan(Target::Sealed(options)));
        let done = outcomes(&steps);
        let done = done
            .into_iter()
            .filter(|(_, outcome)| ["migrated", "unchanged"].contains(outcome));
        assert!(
            current(&mixed, &keys)
                .into_iter()
                .eq(done.map(|(path, _)| path.into_bytes()))
        );
    }
}

#[test]
fn an_audit_says_the_key_of_what_is_outdated() {
    let [(a, old), (b, new)] = KEYS;
    let store = MemoryStore::with([(
        PATH,
        sealed(&Keys::one(a, &old), &options(SealedForm::Minio)),
    )]);
    let findings = audit(&Keys::one(b, &new).secret(a, &old), &store, Policy::Current);
    let [
        Finding {
            key,
            verdict: Verdict::Fails { error, reason },
            ..
        },
    ] = &findings[..]
    else {
        panic!("{findings:?}");
    };
    assert_eq!(key.as_deref(), Some(a));
    assert_eq!(
        (outcome(&Err::<(), _>(error.clone())), reason),
        ("outdated", &None)
    );
}
