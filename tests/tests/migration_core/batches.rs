//! How much one call of `next` takes on.

use iamseal_core::{Run, SealedForm};
use iamseal_tests::lent::Lent;
use iamseal_tests::store::MemoryStore;

use crate::mixed::secret_keys;
use crate::plans::{outcomes, run, to};

fn text(size: usize) -> Vec<u8> {
    vec![b'x'; size]
}

#[test]
fn a_batch_of_large_objects_is_written_before_it_fills_the_memory() {
    const SIZE: usize = 1 << 20;
    const BOUND: usize = 4 << 20; // what the core sets itself, old and new bytes together
    let paths: Vec<_> = (0..9).map(|index| format!("o/{index}")).collect();
    let store = MemoryStore::with(paths.iter().map(|path| (path, text(SIZE))));
    let lent = Lent::new(secret_keys(), &store);
    let mut run = Run::new(lent, to(SealedForm::Minio, "a")).unwrap();
    let mut done = 0;
    loop {
        let steps = run.next(100).unwrap();
        if steps.is_empty() {
            break;
        }
        assert!(steps.len() * 2 * SIZE <= BOUND + 2 * SIZE);
        done += steps.len();
    }
    assert_eq!(done, paths.len());
    assert!(store.counts().largest_batch <= BOUND);
    assert_eq!(store.counts().replaced, paths.len());
}

#[test]
fn a_batch_has_as_many_objects_as_were_asked_for_and_at_least_one() {
    let paths = ["o/1", "o/2", "o/3", "o/4", "o/5", "o/6", "o/7"];
    let store = MemoryStore::with(paths.map(|path| (path, text(10))));
    store.set_page(2);
    let lent = Lent::new(secret_keys(), &store);
    let mut run = Run::new(lent, to(SealedForm::Minio, "a")).unwrap();
    let sizes = [0, 1, 3, 10, 10].map(|limit| run.next(limit).unwrap().len());
    assert_eq!(sizes, [1, 1, 3, 2, 0]);
}

#[test]
fn an_object_that_was_returned_is_done_when_the_run_is_dropped() {
    let paths = ["o/1", "o/2", "o/3", "o/4"];
    let store = MemoryStore::with(paths.map(|path| (path, "{}")));
    let lent = Lent::new(secret_keys(), &store);
    let mut begun = Run::new(lent, to(SealedForm::Minio, "a")).unwrap();
    assert_eq!(begun.next(2).unwrap().len(), 2);
    drop(begun);
    let short = outcomes(&run(&secret_keys(), &store, to(SealedForm::Minio, "a")));
    let wanted = ["unchanged", "unchanged", "migrated", "migrated"];
    assert!(short.into_values().eq(wanted));
}

#[test]
fn a_run_goes_on_after_a_path_and_keeps_to_its_prefix() {
    let paths = ["a/9", "o/1", "o/2", "o/2x", "o/3", "o0", "p/1"];
    let store = MemoryStore::with(paths.map(|path| (path, "{}")));
    let mut plan = to(SealedForm::Minio, "a");
    plan.prefix = b"o/".to_vec();
    plan.start_after = Some(b"o/2".to_vec());
    let short = outcomes(&run(&secret_keys(), &store, plan));
    assert!(short.keys().eq(["o/2x", "o/3"]));
    let untouched = |path: &&str| store.get(path.as_bytes()).unwrap() == b"{}";
    assert_eq!(paths.into_iter().filter(untouched).count(), 5);
}
