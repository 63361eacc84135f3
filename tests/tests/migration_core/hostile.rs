//! Stores that fail or lie.

use std::sync::Arc;

use iamseal_core::{Error, Policy, Run, SealedForm};
use iamseal_tests::backend::{Backend, Native};
use iamseal_tests::errors::outcome;
use iamseal_tests::keys::Keys;
use iamseal_tests::lent::Lent;
use iamseal_tests::store::MemoryStore;
use iamseal_tests::trick::Trick;

use crate::mixed::{options, secret_keys};
use crate::plans::{STORE, outcomes, run, to};

const PATHS: [&str; 5] = ["o/1", "o/2", "o/3", "o/4", "o/5"];
const VICTIM: &str = "o/2";

fn store(trick: Trick) -> Arc<MemoryStore> {
    let store = MemoryStore::with(PATHS.map(|path| (path, format!("{{\"at\":\"{path}\"}}"))));
    store.play(trick);
    store
}

/// Migrates all with a trick played on the victim: it must fail with `wanted`, all others be done.
fn only_the_victim_fails(trick: Trick, wanted: &str) -> Arc<MemoryStore> {
    let store = store(trick);
    let steps = run(&secret_keys(), &store, to(SealedForm::Minio, "a"));
    assert_eq!(steps.len(), PATHS.len());
    for (path, outcome) in outcomes(&steps) {
        let wanted = if path == VICTIM { wanted } else { "migrated" };
        assert_eq!(outcome, wanted, "{path}");
    }
    for path in PATHS.iter().filter(|path| **path != VICTIM) {
        assert!(opens(&store, path), "{path}");
    }
    store
}

fn opens(store: &MemoryStore, path: &str) -> bool {
    let reader = Native::new(secret_keys(), STORE);
    let stored = store.get(path.as_bytes()).unwrap();
    let opened = reader.unseal(path.as_bytes(), &stored, Policy::Sealed);
    opened.is_ok_and(|opened| opened.plaintext == format!("{{\"at\":\"{path}\"}}").as_bytes())
}

fn is_as_it_was(store: &MemoryStore) -> bool {
    store.get(VICTIM.as_bytes()).unwrap() == format!("{{\"at\":\"{VICTIM}\"}}").into_bytes()
}

#[test]
fn one_failure_does_not_stop_the_rest_and_keeps_the_old_bytes() {
    for trick in [
        Trick::ReadFails(VICTIM),
        Trick::StageFails(VICTIM),
        Trick::ReadBackFails(VICTIM),
        Trick::CommitFails(VICTIM),
    ] {
        assert!(is_as_it_was(&only_the_victim_fails(
            trick,
            "storage: other"
        )));
    }
}

#[test]
fn a_draft_that_reads_back_otherwise_is_not_committed() {
    let sealed = |key: &str, path: &str, plaintext: &str| {
        let native = Native::new(secret_keys().default_to(key), STORE);
        let options = options(SealedForm::Minio);
        let stored = native.seal(path.as_bytes(), plaintext.as_bytes(), &options);
        stored.unwrap()
    };
    let own = format!("{{\"at\":\"{VICTIM}\"}}");
    let mut damaged = sealed("a", VICTIM, &own);
    *damaged.last_mut().unwrap() ^= 1;
    for (what, bytes, wanted) in [
        ("the old bytes", own.clone().into_bytes(), "other"),
        ("another plaintext", sealed("a", VICTIM, "{}"), "other"),
        ("another key", sealed("b", VICTIM, &own), "other"),
        (
            "another object",
            sealed("a", "o/1", &own),
            "header-not-authentic",
        ),
        ("a damaged body", damaged, "body-not-authentic"),
        ("nothing", Vec::new(), "empty"),
    ] {
        let store = only_the_victim_fails(Trick::ReadsBack(VICTIM, bytes), wanted);
        assert!(is_as_it_was(&store), "{what}");
    }
}

#[test]
fn a_store_that_answers_for_too_few_drafts_is_not_believed() {
    for trick in [Trick::StagesTooFew, Trick::CommitsTooFew] {
        let store = store(trick);
        let steps = run(&secret_keys(), &store, to(SealedForm::Minio, "a"));
        // The last one of each batch of 4 was not answered for.
        let wanted = ["migrated", "migrated", "migrated", "other", "other"];
        for ((path, outcome), wanted) in outcomes(&steps).iter().zip(wanted) {
            assert_eq!(*outcome, wanted, "{path}");
            assert_eq!(opens(&store, path), wanted == "migrated", "{path}");
        }
    }
}

#[test]
fn an_object_that_is_gone_when_it_is_read_is_passed_over() {
    let store = store(Trick::Lists(vec!["o/1", "o/1a", "o/2", "o/9"]));
    let steps = run(&secret_keys(), &store, to(SealedForm::Compact, "b"));
    let paths: Vec<_> = outcomes(&steps).into_keys().collect();
    assert_eq!(paths, ["o/1", "o/2"]);
}

/// The first batch's error; nothing may have been written before it.
fn ends_with(store: &Arc<MemoryStore>, keys: &Keys, batch: u32) -> Error {
    let before = store.all();
    let mut plan = to(SealedForm::Minio, "a");
    plan.prefix = b"o/".to_vec();
    let mut run = Run::new(Lent::new(keys.clone(), store), plan).unwrap();
    let error = run.next(batch).unwrap_err();
    assert_eq!(store.all(), before);
    assert_eq!(store.open_drafts(), 0);
    error
}

#[test]
fn a_listing_that_fails_ends_the_run_and_changes_nothing() {
    let error = ends_with(&store(Trick::ListFails), &secret_keys(), 100);
    assert_eq!(outcome(&Err::<(), _>(error)), "storage: other");
    let broken = store(Trick::SecondPageFails);
    broken.set_page(2);
    let error = ends_with(&broken, &secret_keys(), 100);
    assert_eq!(outcome(&Err::<(), _>(error)), "storage: other");
}

#[test]
fn a_listing_out_of_order_ends_the_run() {
    let disorder = Error::Other("the store's listing is out of order".to_string());
    for paths in [
        vec!["o/1", "o/1"],
        vec!["o/2", "o/1"],
        vec!["o/1", "p/1"],
        vec!["n/1"],
        vec!["o"],
        vec!["o/1", ""],
    ] {
        let store = store(Trick::Lists(paths));
        assert_eq!(ends_with(&store, &secret_keys(), 100), disorder);
    }
    let endless = store(Trick::ListsForEver);
    assert_eq!(ends_with(&endless, &secret_keys(), 100), disorder);
}

#[test]
fn a_listed_path_that_climbs_is_refused_and_not_read() {
    for path in ["../secret", "o/../../secret", ""] {
        let store = store(Trick::Lists(vec![path]));
        let steps = run(&secret_keys(), &store, to(SealedForm::Minio, "a"));
        assert_eq!(outcomes(&steps)[path], "refused");
        assert_eq!(store.counts().reads, 0);
    }
}
