//! Keys that a key service holds, and how often it is asked.

use std::sync::Arc;

use iamseal_core::{Form, Policy, SealedForm, Verdict};
use iamseal_tests::backend::{Backend as _, Native};
use iamseal_tests::keys::Keys;
use iamseal_tests::service::Service;
use iamseal_tests::store::MemoryStore;

use crate::mixed::{REMOTE, options};
use crate::plans::{STORE, audit, outcomes, run, to};

const COUNT: usize = 50;

fn plain() -> Arc<MemoryStore> {
    MemoryStore::with((0..COUNT).map(|n| (format!("o/{n:02}"), "{}")))
}

fn remote(service: &Arc<Service>) -> Keys {
    Keys::none().remote(REMOTE, service)
}

fn all_open(keys: &Keys, store: &Arc<MemoryStore>, form: Form) -> bool {
    let findings = audit(keys, store, Policy::Sealed);
    let opens = |verdict: &Verdict| matches!(verdict, Verdict::Opens(found) if found.form == form);
    findings.len() == COUNT && findings.iter().all(|finding| opens(&finding.verdict))
}

#[test]
fn compact_objects_of_a_remote_key_cost_two_calls_to_seal_and_one_to_open() {
    let service = Arc::new(Service::default());
    let store = plain();
    let steps = run(&remote(&service), &store, to(SealedForm::Compact, REMOTE));
    assert!(
        outcomes(&steps)
            .values()
            .all(|outcome| *outcome == "migrated")
    );
    // The seed is opened once before it is trusted with any object.
    assert_eq!((service.generated(), service.decrypted()), (1, 1));
    assert!(all_open(&remote(&service), &store, Form::Compact));
    assert_eq!((service.generated(), service.decrypted()), (1, 2));
}

#[test]
fn nothing_is_sealed_under_a_data_key_that_the_service_does_not_open() {
    for form in [SealedForm::Compact, SealedForm::Minio] {
        let service = Arc::new(Service::default());
        service.forget_what_it_makes();
        let store = plain();
        let before = store.all();
        let steps = run(&remote(&service), &store, to(form, REMOTE));
        assert!(
            outcomes(&steps)
                .values()
                .all(|outcome| *outcome != "migrated")
        );
        assert_eq!(store.all(), before);
    }
}

#[test]
fn minio_objects_of_a_remote_key_have_a_data_key_each() {
    let service = Arc::new(Service::default());
    let store = plain();
    run(&remote(&service), &store, to(SealedForm::Minio, REMOTE));
    // Each is opened once before it replaces the old one.
    assert_eq!((service.generated(), service.decrypted()), (COUNT, COUNT));
    assert!(all_open(&remote(&service), &store, Form::Minio));
    assert_eq!(
        (service.generated(), service.decrypted()),
        (COUNT, 2 * COUNT)
    );
}

#[test]
fn many_seeds_open_though_only_some_are_kept() {
    let service = Arc::new(Service::default());
    let store = Arc::new(MemoryStore::default());
    const SEEDS: usize = 80; // more than a session keeps
    for n in 0..SEEDS {
        let path = format!("o/{n}");
        store.put(path.as_bytes(), b"{}");
        let mut plan = to(SealedForm::Compact, REMOTE);
        plan.prefix = path.into_bytes();
        run(&remote(&service), &store, plan);
    }
    assert_eq!(service.generated(), SEEDS);
    let findings = audit(&remote(&service), &store, Policy::Sealed);
    let opens = |verdict: &Verdict| matches!(verdict, Verdict::Opens(_));
    assert!(findings.iter().all(|finding| opens(&finding.verdict)));
    assert_eq!((findings.len(), service.decrypted()), (SEEDS, 2 * SEEDS));
}

#[test]
fn a_key_service_that_is_down_keeps_only_its_own_objects() {
    let service = Arc::new(Service::default());
    let keys = Keys::one("a", &[1; 32]).remote(REMOTE, &service);
    for form in [SealedForm::Minio, SealedForm::Compact] {
        let store = MemoryStore::with([("o/1", "{}"), ("o/2", "{}")]);
        let mut first = to(form, REMOTE);
        first.prefix = b"o/1".to_vec();
        run(&keys, &store, first);

        service.set_down(true);
        let before = store.get(b"o/1");
        let short = outcomes(&run(&keys, &store, to(form, "a")));
        assert_eq!(short["o/1"], "key: unavailable");
        assert_eq!(short["o/2"], "migrated");
        assert_eq!(store.get(b"o/1"), before);
        let short = outcomes(&run(&keys, &store, to(form, REMOTE)));
        assert!(short.values().all(|outcome| *outcome == "key: unavailable"));

        service.set_down(false);
        let short = outcomes(&run(&keys, &store, to(form, "a")));
        assert_eq!(short["o/1"], "migrated");
        assert_eq!(short["o/2"], "unchanged");
    }
}

#[test]
fn a_seed_of_another_key_of_the_name_is_shown_to_the_service_once() {
    let service = Arc::new(Service::default());
    let store = plain();
    run(
        &Keys::one("k", &[3; 32]),
        &store,
        to(SealedForm::Compact, "k"),
    );
    let both = Keys::none().remote("k", &service).secret("k", &[3; 32]);
    assert!(all_open(&both, &store, Form::Compact));
    assert_eq!(service.decrypted(), 1);
}

#[test]
fn a_service_that_did_not_know_a_seed_is_asked_again() {
    let (old, new) = (Arc::new(Service::default()), Arc::new(Service::default()));
    let path = b"config/config.json";
    let sealed = Native::new(remote(&old), STORE)
        .seal(path, b"{}", &options(SealedForm::Compact))
        .unwrap();
    let reader = Native::new(remote(&new), STORE);
    let open = || reader.unseal(path, &sealed, Policy::Sealed);
    assert!(open().is_err());
    let [[ciphertext, context, seed]] = old.known().try_into().unwrap();
    new.learn(REMOTE, &ciphertext, &context, &seed);
    assert_eq!(open().unwrap().plaintext, b"{}");
    assert!(open().is_ok());
    assert_eq!(new.decrypted(), 2);
}

#[test]
fn a_secret_key_that_became_remote_under_its_name_is_left_behind() {
    let service = Arc::new(Service::default());
    let both = Keys::none().remote("k", &service).secret("k", &[3; 32]);
    for form in [SealedForm::Minio, SealedForm::Compact] {
        let store = plain();
        run(&Keys::one("k", &[3; 32]), &store, to(form, "k"));
        let short = outcomes(&run(&both, &store, to(form, "k")));
        assert!(short.values().all(|outcome| *outcome == "migrated"));
        let alone = Keys::none().remote("k", &service);
        let short = outcomes(&run(&alone, &store, to(form, "k")));
        assert!(short.values().all(|outcome| *outcome == "unchanged"));
    }
}
