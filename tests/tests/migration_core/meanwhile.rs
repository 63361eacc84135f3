//! Others who write to the store at the same time: theirs wins, and the object is taken again.

use std::sync::Arc;

use iamseal_core::{Outcome, Policy, Run, SealedForm, Step};
use iamseal_tests::backend::{Backend, Native};
use iamseal_tests::errors::case;
use iamseal_tests::keys::Keys;
use iamseal_tests::lent::Lent;
use iamseal_tests::store::MemoryStore;
use iamseal_tests::trick::Trick;
use iamseal_tests::vectors;

use crate::mixed::{USER, options, secret_keys};
use crate::plans::{STORE, outcomes, run, to};
use crate::through::run_through;

const PATHS: [&str; 4] = ["o/1", "o/2", "o/3", "o/4"];
const VICTIM: &str = "o/2";

/// What somebody else writes at the `n`th time.
fn theirs(n: usize) -> Vec<u8> {
    format!("{{\"theirs\":{n}}}").into_bytes()
}

/// A store in which somebody else puts these bytes there, one at each staging.
fn changing(theirs: impl IntoIterator<Item = Vec<u8>>) -> Arc<MemoryStore> {
    let store = MemoryStore::with(PATHS.map(|path| (path, "{}")));
    let mut theirs: Vec<_> = theirs.into_iter().collect();
    theirs.reverse();
    store.play(Trick::ChangesMeanwhile(VICTIM, theirs));
    store
}

/// Migrates natively and through the component, expects the same, and returns the victim's step and
/// one of the stores.
fn victim(make: impl Fn() -> Arc<MemoryStore>) -> (Step, Arc<MemoryStore>) {
    let (native, through) = (make(), make());
    let plan = || to(SealedForm::Minio, "a");
    let steps = run(&secret_keys(), &native, plan());
    let theirs = run_through(&secret_keys(), &through, &plan());
    assert_eq!(theirs.unwrap(), steps);
    assert_eq!(through.counts(), native.counts());
    for step in &steps {
        if step.path != VICTIM.as_bytes() {
            assert!(matches!(step.outcome, Outcome::Migrated(_)));
            assert_eq!(step.retries, 0);
        }
    }
    let is_victim = |step: &Step| step.path == VICTIM.as_bytes();
    (steps.into_iter().find(is_victim).unwrap(), native)
}

fn plaintext(store: &MemoryStore, path: &str) -> Vec<u8> {
    let reader = Native::new(secret_keys(), STORE);
    let stored = store.get(path.as_bytes()).unwrap();
    let opened = reader.unseal(path.as_bytes(), &stored, Policy::Current);
    opened.unwrap().plaintext
}

#[test]
fn the_newer_object_is_migrated_instead() {
    for times in [1, 2] {
        let (step, store) = victim(|| changing((1..=times).map(theirs)));
        assert!(matches!(step.outcome, Outcome::Migrated(_)), "{step:?}");
        assert_eq!(step.retries as usize, times);
        assert_eq!(plaintext(&store, VICTIM), theirs(times));
        // One batch of four, and of the victim alone one for each time more.
        assert_eq!(store.counts().batches, 1 + times);
        assert_eq!(store.counts().staged, 4 + times);
        assert_eq!(store.counts().replaced, 4);
    }
}

#[test]
fn what_changes_all_the_time_is_left_to_whoever_changes_it() {
    let (step, store) = victim(|| changing((1..=9).map(theirs)));
    let Outcome::Failed(error) = &step.outcome else {
        panic!("{step:?}");
    };
    assert_eq!((case(error), step.retries), ("storage: conflict", 2));
    assert_eq!(store.get(VICTIM.as_bytes()).unwrap(), theirs(3));
    assert_eq!(store.counts().staged, 4 + 2);
}

#[test]
fn the_newer_object_has_an_outcome_of_its_own() {
    let native = Native::new(secret_keys(), STORE);
    let sealed = native.seal(VICTIM.as_bytes(), b"{}", &options(SealedForm::Minio));
    let sealed = sealed.unwrap();
    let (step, store) = victim(|| changing([sealed.clone()]));
    assert!(matches!(step.outcome, Outcome::Unchanged(_)), "{step:?}");
    assert_eq!(step.retries, 1);
    assert_eq!(store.get(VICTIM.as_bytes()).unwrap(), sealed);

    let (step, store) = victim(|| changing([b"\xff?".to_vec()]));
    let Outcome::Failed(error) = &step.outcome else {
        panic!("{step:?}");
    };
    assert_eq!((case(error), step.retries), ("unknown-form", 1));
    assert_eq!(store.get(VICTIM.as_bytes()).unwrap(), b"\xff?");
}

#[test]
fn a_conflict_while_staging_is_one_too() {
    let (step, store) = victim(|| {
        let store = changing([]);
        store.play(Trick::StageConflicts(VICTIM));
        store
    });
    let Outcome::Failed(error) = &step.outcome else {
        panic!("{step:?}");
    };
    assert_eq!((case(error), step.retries), ("storage: conflict", 2));
    assert_eq!(store.get(VICTIM.as_bytes()).unwrap(), b"{}");
}

#[test]
fn what_was_changed_in_one_batch_shares_the_next() {
    let store = MemoryStore::with(PATHS.map(|path| (path, "{}")));
    for path in PATHS {
        store.play(Trick::ChangesMeanwhile(path, vec![theirs(1)]));
    }
    let steps = run(&secret_keys(), &store, to(SealedForm::Minio, "a"));
    assert!(steps.iter().all(|step| step.retries == 1));
    assert_eq!(store.counts().batches, 2);
    for path in PATHS {
        assert_eq!(plaintext(&store, path), theirs(1));
    }
}

#[test]
fn an_object_that_goes_meanwhile_is_passed_over_and_the_run_goes_on() {
    let vanishing = || {
        let store = MemoryStore::with(PATHS.map(|path| (path, "{}")));
        store.play(Trick::VanishesMeanwhile("o/1"));
        store.play(Trick::VanishesMeanwhile(VICTIM));
        store
    };
    let store = vanishing();
    let lent = Lent::new(secret_keys(), &store);
    let mut begun = Run::new(lent, to(SealedForm::Minio, "a")).unwrap();
    let mut paths = Vec::new();
    // Batches of one object, so that the first two have nothing left to tell.
    loop {
        let steps = begun.next(1).unwrap();
        if steps.is_empty() {
            break;
        }
        paths.extend(steps.into_iter().map(|step| step.path));
    }
    assert_eq!(paths, [b"o/3", b"o/4"]);
    assert_eq!(store.all().len(), 2);

    let store = vanishing();
    let steps = run_through(&secret_keys(), &store, &to(SealedForm::Minio, "a"));
    assert!(outcomes(&steps.unwrap()).into_keys().eq(["o/3", "o/4"]));
    assert_eq!(store.open_drafts(), 0);
}

#[test]
fn objects_that_have_grown_meanwhile_do_not_fill_the_memory() {
    const SIZE: usize = 1 << 20;
    const BOUND: usize = 4 << 20; // what the core sets itself, old and new bytes together
    let store = MemoryStore::with(PATHS.map(|path| (path, "{}")));
    for path in PATHS {
        store.play(Trick::ChangesMeanwhile(path, vec![vec![b'x'; SIZE]]));
    }
    let steps = run(&secret_keys(), &store, to(SealedForm::Minio, "a"));
    let of = |wanted: &str| {
        outcomes(&steps)
            .values()
            .filter(|it| **it == wanted)
            .count()
    };
    assert_eq!((of("migrated"), of("storage: conflict")), (2, 2));
    assert!(store.counts().largest_batch <= BOUND);
    let again = outcomes(&run(&secret_keys(), &store, to(SealedForm::Minio, "a")));
    let wanted = ["unchanged", "unchanged", "migrated", "migrated"];
    assert!(again.into_values().eq(wanted));
}

#[test]
fn objects_that_need_derivations_now_do_not_take_a_call_for_ever() {
    const DERIVATIONS: usize = 16; // what the core sets itself
    const COUNT: usize = DERIVATIONS + 2;
    const NAMES: [&str; COUNT] = [
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r",
    ];
    let credential = vectors::case("dev-069");
    let store = MemoryStore::with(NAMES.map(|path| (path, "{}")));
    for path in NAMES {
        store.play(Trick::ChangesMeanwhile(path, vec![credential.stored()]));
    }
    let keys: Keys = secret_keys().credential(USER, "minioadmin");
    let mut begun = Run::new(Lent::new(keys, &store), to(SealedForm::Minio, "a")).unwrap();
    let steps = begun.next(COUNT as u32).unwrap();
    let taken = |step: &&Step| step.retries == 1 && matches!(step.outcome, Outcome::Migrated(_));
    assert_eq!(steps.len(), COUNT);
    assert_eq!(steps.iter().filter(taken).count(), DERIVATIONS);
    let short = outcomes(&steps);
    assert_eq!(
        (short["q"], short["r"]),
        ("storage: conflict", "storage: conflict")
    );
}
