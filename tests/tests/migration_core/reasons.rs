//! What the rest of a store tells of an object whose header is not authentic.

use std::sync::Arc;

use iamseal_core::{Error, Policy, Reason, SealedForm, Verdict};
use iamseal_tests::backend::{Backend as _, Native};
use iamseal_tests::keys::Keys;
use iamseal_tests::objects::with_metadata;
use iamseal_tests::store::MemoryStore;

use crate::mixed::{options, secret_keys};
use crate::plans::{STORE, audit};
use crate::through::audit_through;

const FORMS: [SealedForm; 2] = [SealedForm::Minio, SealedForm::Compact];

/// The path of one of many users.
fn user(number: usize) -> String {
    format!("config/iam/users/{number:04}/identity.json")
}

fn seal(keys: &Keys, form: SealedForm, path: &str) -> Vec<u8> {
    let native = Native::new(keys.clone(), STORE);
    native.seal(path.as_bytes(), b"{}", &options(form)).unwrap()
}

/// A key `a` with other bytes than those of `secret_keys`.
fn other_bytes() -> Keys {
    Keys::one("a", &[9; 32])
}

/// The reason for the object at `path`, of which both ways to run the core say the same. Its error
/// names the key `a`.
fn reason(store: &Arc<MemoryStore>, path: &str) -> Option<Reason> {
    let findings = audit(&secret_keys(), store, Policy::Compatible);
    let through = audit_through(&secret_keys(), store, Policy::Compatible);
    assert_eq!(through, findings);
    let finding = findings
        .into_iter()
        .find(|finding| finding.path == path.as_bytes());
    let finding = finding.unwrap();
    assert_eq!(finding.key.as_deref(), Some("a"));
    match finding.verdict {
        Verdict::Fails { error, reason } => {
            assert_eq!(error, Error::HeaderNotAuthentic("a".to_owned()));
            reason
        }
        other => panic!("{path}: {other:?}"),
    }
}

/// Users 0 to 4, sealed under the key of `secret_keys`.
fn five(form: SealedForm) -> Arc<MemoryStore> {
    let keys = secret_keys();
    MemoryStore::with((0..5).map(|number| (user(number), seal(&keys, form, &user(number)))))
}

#[test]
fn a_key_that_opens_nothing_has_other_bytes() {
    for form in FORMS {
        let other = other_bytes();
        let store = MemoryStore::with((0..5).map(|n| (user(n), seal(&other, form, &user(n)))));
        // That another key opens something says nothing of this one.
        store.put(b"config/config.json", b"{}");
        for number in 0..5 {
            assert_eq!(reason(&store, &user(number)), Some(Reason::OtherKeyBytes));
        }
    }
}

#[test]
fn one_object_alone_tells_nothing() {
    for form in FORMS {
        let store = MemoryStore::with([(user(0), seal(&other_bytes(), form, &user(0)))]);
        assert_eq!(reason(&store, &user(0)), None);
    }
}

#[test]
fn an_object_in_the_place_of_another_is_told_with_its_own_place() {
    for form in FORMS {
        let store = five(form);
        let third = store.get(user(3).as_bytes()).unwrap();
        store.put(user(1).as_bytes(), &third);
        let wanted = Some(Reason::OtherPath(user(3).into_bytes()));
        assert_eq!(reason(&store, &user(1)), wanted);
        // From a folder that is not near, and to one before all others.
        store.put(b"config/a.json", &third);
        assert_eq!(reason(&store, "config/a.json"), wanted);
    }
}

#[test]
fn a_damaged_data_key_and_a_place_that_is_gone_look_alike() {
    for form in FORMS {
        let store = five(form);
        let path = "config/iam/users/9999/identity.json";
        let moved = seal(&secret_keys(), form, "config/iam/users/gone/identity.json");
        store.put(path.as_bytes(), &moved);
        assert_eq!(reason(&store, path), Some(Reason::DamagedDataKey));
        let damaged = damage(form, &seal(&secret_keys(), form, path));
        store.put(path.as_bytes(), &damaged);
        assert_eq!(reason(&store, path), Some(Reason::DamagedDataKey));
    }
}

#[test]
fn several_that_their_key_does_not_open_were_sealed_under_an_earlier_one() {
    for form in FORMS {
        let store = five(form);
        let old = [5, 1, 7].map(user);
        for path in &old {
            store.put(path.as_bytes(), &seal(&other_bytes(), form, path));
        }
        for path in &old {
            assert_eq!(reason(&store, path), Some(Reason::EarlierKey), "{path}");
        }

        // However many of them are listed before one that the key opens.
        let store = MemoryStore::with((0..20).map(|number| {
            let keys = if number < 19 {
                other_bytes()
            } else {
                secret_keys()
            };
            (user(number), seal(&keys, form, &user(number)))
        }));
        for path in (0..19).map(user) {
            assert_eq!(reason(&store, &path), Some(Reason::EarlierKey), "{path}");
        }

        // One that was moved is explained by that.
        let store = five(form);
        let third = store.get(user(3).as_bytes()).unwrap();
        store.put(user(0).as_bytes(), &third);
        store.put(user(4).as_bytes(), &seal(&other_bytes(), form, &user(4)));
        assert_eq!(reason(&store, &user(4)), Some(Reason::DamagedDataKey));
        let moved = Some(Reason::OtherPath(user(3).into_bytes()));
        assert_eq!(reason(&store, &user(0)), moved);
    }
}

/// The object with one bit of its data key changed, or, in the compact form, of its salt.
fn damage(form: SealedForm, stored: &[u8]) -> Vec<u8> {
    if form == SealedForm::Compact {
        let mut damaged = stored.to_vec();
        damaged[10] ^= 1; // within the salt, which begins after four bytes
        return damaged;
    }
    with_metadata(stored, |text| {
        let at = text.find("\"kmskey\":\"").unwrap() + 11;
        let digit = if &text[at..=at] == "A" { "B" } else { "A" };
        [&text[..at], digit, &text[at + 1..]].concat()
    })
}

#[test]
fn thousands_under_another_key_cost_little_more_than_reading_them() {
    let other = other_bytes();
    let count = 3000;
    let sealed = seal(&other, SealedForm::Minio, &user(0));
    let store = MemoryStore::with((0..count).map(|number| (user(number), sealed.clone())));
    let findings = audit(&secret_keys(), &store, Policy::Compatible);
    assert_eq!(findings.len(), count);
    let another = |verdict: &Verdict| {
        let reason = Some(Reason::OtherKeyBytes);
        matches!(verdict, Verdict::Fails { reason: told, .. } if *told == reason)
    };
    assert!(findings.iter().all(|finding| another(&finding.verdict)));
    // As many others were read as are ever looked at, once, before the key was taken for another.
    assert_eq!(store.counts().reads, count + 1024);
}

#[test]
fn what_is_exempt_is_not_read_for_the_sake_of_another() {
    let store = MemoryStore::with([
        (
            b"config/site-replication/state.json".to_vec(),
            b"{}".to_vec(),
        ),
        (
            user(0).into_bytes(),
            seal(&other_bytes(), SealedForm::Minio, &user(0)),
        ),
    ]);
    audit(&secret_keys(), &store, Policy::Compatible);
    assert_eq!(store.counts().reads, 1);
}
