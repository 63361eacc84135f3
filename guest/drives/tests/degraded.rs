//! With a drive missing it is written to the others, and what comes back is behind.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod lent;

use iamseal_drives::{
    Change, Creation, ReadError, Removal, Replacement, Store, WriteError, version,
};
use lent::disk::{Disk, NOW, all};
use lent::{Lent, notes};

const ALICE: &str = "config/iam/users/alice/identity.json";
const TIERS: &str = "config/tier-config.bin";
const FOUR: &str = "four-sealed.tar.gz";
/// Sets of four drives: inline, beside `xl.meta`, two sets, two pools, an object in both pools, a server of 2022.
const EVEN: [&str; 6] = [
    FOUR,
    "noninline.tar.gz",
    "eight-two-sets.tar.gz",
    "two-pools.tar.gz",
    "pools-sealed.tar.gz",
    "old-four-plain.tar.gz",
];

/// Drives of which some are missing, which are kept beside them.
fn without(archive: &str, missing: &[usize]) -> (Disk, Lent) {
    let whole = Lent::of(archive);
    let mut lent = whole.clone();
    for drive in missing {
        lent.drives[*drive].1.clear();
    }
    (Disk::with(lent), whole)
}

fn store(disk: &Disk) -> Store<&Disk> {
    let store = disk.store();
    assert!(store.degrade().is_some());
    store
}

fn change(store: &Store<&Disk>, change: Change<'_>) -> Result<Option<Vec<u8>>, WriteError> {
    let draft = store.stage(&[change]).remove(0)?;
    if let Change::Create(Creation { bytes, .. }) | Change::Replace(Replacement { bytes, .. }) =
        change
    {
        assert_eq!(store.read_back(&draft).unwrap(), bytes);
    }
    store.commit(vec![draft]).remove(0)
}

fn replace(store: &Store<&Disk>, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, WriteError> {
    let expected = version(&store.read(path.as_bytes()).unwrap());
    let path = path.as_bytes();
    change(
        store,
        Change::Replace(Replacement {
            path,
            expected: &expected,
            bytes,
        }),
    )
}

fn refusal<T: std::fmt::Debug>(result: Result<T, WriteError>) -> String {
    match result.unwrap_err() {
        WriteError::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

/// The drives with the one back that was missing.
fn back(disk: &Disk, whole: &Lent, missing: usize) -> Lent {
    let mut lent = disk.lent.borrow().clone();
    lent.drives[missing] = whole.drives[missing].clone();
    lent
}

#[test]
fn what_is_written_is_read_with_the_missing_drive_and_without_it() {
    for archive in EVEN {
        let drives = Lent::of(archive).drives.len();
        for missing in 0..drives {
            let (disk, whole) = without(archive, &[missing]);
            let paths: Vec<String> = all(&disk)
                .into_iter()
                .filter(|path| path != TIERS)
                .collect();
            let store = store(&disk);
            store.check_writes().unwrap();
            let new = |path: &String| format!("the new content of {path}").into_bytes();
            for path in &paths {
                replace(&store, path, &new(path)).unwrap();
            }
            assert_eq!(store.drafts().unwrap(), [b""; 0]);
            // Nothing was written to what is no drive now.
            assert!(disk.lent.borrow().drives[missing].1.is_empty());
            let stale = back(&disk, &whole, missing);
            let there = disk.lent.borrow();
            for lent in [&stale, &*there] {
                let store = lent.store();
                for path in &paths {
                    let read = store.read(path.as_bytes());
                    assert_eq!(read.unwrap(), new(path), "{archive} {missing}: {path}");
                }
            }
            let behind = stale.store();
            paths
                .iter()
                .for_each(|path| drop(behind.read(path.as_bytes())));
            let notes = notes(&behind);
            let name = &whole.drives[missing].0;
            assert!(
                notes
                    .iter()
                    .any(|note| note.starts_with(name) && note.contains("older version")),
                "{notes:?}"
            );
            assert!(
                !notes.iter().any(|note| note.contains("no such object")),
                "{notes:?}"
            );
        }
    }
}

#[test]
fn objects_come_and_go_and_a_drive_that_comes_back_changes_nothing_of_it() {
    let new = "config/iam/users/new/identity.json";
    for missing in 0..4 {
        let (disk, whole) = without(FOUR, &[missing]);
        let store = store(&disk);
        let expected = version(&store.read(ALICE.as_bytes()).unwrap());
        let path = ALICE.as_bytes();
        change(
            &store,
            Change::Remove(Removal {
                path,
                expected: &expected,
            }),
        )
        .unwrap();
        let (path, bytes) = (new.as_bytes(), &b"new"[..]);
        change(&store, Change::Create(Creation { path, bytes })).unwrap();
        let stale = back(&disk, &whole, missing);
        let there = disk.lent.borrow().clone();
        for lent in [stale.clone(), there] {
            let store = lent.store();
            assert_eq!(store.read(ALICE.as_bytes()), Err(ReadError::NotFound));
            assert_eq!(store.read(path).unwrap(), bytes);
        }
        // With all drives there it is taken back as ever.
        let disk = Disk::with(stale);
        let store = disk.store();
        let (path, bytes) = (ALICE.as_bytes(), &b"alice again"[..]);
        change(&store, Change::Create(Creation { path, bytes })).unwrap();
        let expected = version(b"new");
        let path = new.as_bytes();
        change(
            &store,
            Change::Remove(Removal {
                path,
                expected: &expected,
            }),
        )
        .unwrap();
        for drive in 0..4 {
            let mut lent = disk.lent.borrow().clone();
            lent.drives[drive].1.clear();
            assert_eq!(lent.store().read(ALICE.as_bytes()).unwrap(), bytes);
            assert_eq!(lent.store().read(path), Err(ReadError::NotFound));
        }
    }
}

#[test]
fn a_drive_that_is_being_healed_counts_as_missing() {
    let disk = Disk::of(FOUR);
    let note = b".minio.sys/buckets/.healing.bin".to_vec();
    disk.lent.borrow_mut().drives[2].1.insert(note, vec![1]);
    let before = disk.lent.borrow().drives[2].clone();
    let store = store(&disk);
    replace(&store, ALICE, b"new").unwrap();
    assert!(disk.lent.borrow().drives[2] == before);
}

#[test]
fn with_too_few_drives_or_others_among_them_nothing_is_written() {
    let mut foreign = without(FOUR, &[1]).0;
    let other = Lent::of("single-sealed.tar.gz").drives.remove(0);
    foreign.lent.get_mut().drives.push(other);
    let mut twice = without(FOUR, &[1]).0;
    let same = twice.lent.get_mut().drives[0].clone();
    twice.lent.get_mut().drives.push(same);
    // Two of a set, and a pool of which nothing is there.
    let few = without(FOUR, &[0, 3]).0;
    let pool = without("two-pools.tar.gz", &[4, 5, 6, 7]).0;
    for (disk, why) in [
        (
            few,
            "of the 4 drives of the set 2 are there and sound, and 3 are needed",
        ),
        (foreign, "is not read, and a note says why"),
        (twice, "is not read, and a note says why"),
        (pool, "may be of a pool of which nothing is known"),
    ] {
        let store = disk.store();
        store.degrade();
        let said = refusal(store.check_writes());
        assert!(said.contains(why), "{said}");
        let path = ALICE.as_bytes();
        let new = Replacement {
            path,
            expected: b"",
            bytes: b"new",
        };
        refusal(change(&store, Change::Replace(new)));
        assert_eq!(disk.calls.borrow().len(), 0);
    }
    // Nothing is missing of a whole set, and it is written as ever.
    let disk = Disk::of(FOUR);
    let store = disk.store();
    assert_eq!(store.degrade(), None);
    replace(&store, ALICE, b"new").unwrap();
}

/// A missing drive may have what is newer still, where the clock that wrote it was ahead.
#[test]
fn what_is_of_a_time_that_has_not_come_is_not_written() {
    let (disk, _) = without(FOUR, &[3]);
    let late = Disk::with(disk.lent.borrow().clone());
    late.now.set(NOW + 3_600_000_000_000);
    replace(&store(&late), ALICE, b"from the future").unwrap();
    *disk.lent.borrow_mut() = late.lent.borrow().clone();
    let said = refusal(replace(&store(&disk), ALICE, b"new"));
    assert!(said.contains("set the clock right"), "{said}");
}

/// A write was broken off after its first drive, and perhaps the missing one has its version too: nobody was told that
/// it was done. It is finished.
#[test]
fn what_was_broken_off_is_finished_whatever_the_missing_drive_has() {
    for missing in 0..4 {
        let (disk, whole) = without(FOUR, &[missing]);
        let newer = Disk::with(whole.clone());
        replace(&newer.store(), ALICE, b"newer").unwrap();
        let file = format!(".minio.sys/{ALICE}/xl.meta").into_bytes();
        let first = usize::from(missing == 0);
        let meta = newer.lent.borrow().drives[first].1[&file].clone();
        disk.lent.borrow_mut().drives[first].1.insert(file, meta);
        replace(&store(&disk), ALICE, b"new").unwrap();
        let newer = newer.lent.borrow();
        for lent in [back(&disk, &whole, missing), back(&disk, &newer, missing)] {
            assert_eq!(lent.store().read(ALICE.as_bytes()).unwrap(), b"new");
        }
    }
}
