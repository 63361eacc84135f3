//! What is written to drives is read from them, and what must not be written is refused.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod lent;

use iamseal_drives::{Draft, Replacement, Store, Swept, WriteError, version};
use lent::Lent;
use lent::disk::{Disk, SOUND, all};

const ALICE: &str = "config/iam/users/alice/identity.json";
const FOUR: &str = "four-sealed.tar.gz";

fn stage(store: &Store<&Disk>, path: &str, bytes: &[u8]) -> Result<Draft, WriteError> {
    let expected = version(&store.read(path.as_bytes()).unwrap_or_default());
    let new = Replacement {
        path: path.as_bytes(),
        expected: &expected,
        bytes,
    };
    store.stage(&[new.into()]).remove(0)
}

fn replace(store: &Store<&Disk>, path: &str, bytes: &[u8]) -> Result<Vec<u8>, WriteError> {
    let draft = stage(store, path, bytes)?;
    assert_eq!(store.read_back(&draft).unwrap(), bytes);
    let version = store.commit(vec![draft]).remove(0)?;
    Ok(version.unwrap())
}

fn refusal<T: std::fmt::Debug>(result: Result<T, WriteError>) -> String {
    match result.unwrap_err() {
        WriteError::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_object_of_every_kind_of_deployment_is_replaced_and_nothing_else() {
    for archive in SOUND {
        let disk = Disk::of(archive);
        let store = disk.store();
        let paths = all(&disk);
        let before: Vec<_> = (0..disk.lent.borrow().drives.len())
            .map(|drive| disk.names(drive))
            .collect();
        for (number, path) in paths.iter().enumerate() {
            let old: Vec<_> = paths
                .iter()
                .map(|path| store.read(path.as_bytes()).unwrap())
                .collect();
            let new = format!("the new content of {path}").repeat(1 + number % 3);
            if path == "config/tier-config.bin" {
                let why = refusal(stage(&store, path, new.as_bytes()));
                assert!(why.contains("encrypted"), "{why}");
                continue;
            }
            let now = replace(&store, path, new.as_bytes()).unwrap();
            assert_eq!(now, version(new.as_bytes()));
            for (other, old) in paths.iter().zip(old) {
                let read = store.read(other.as_bytes()).unwrap();
                let expected = if other == path { new.as_bytes() } else { &old };
                assert!(read == expected, "{archive}: {other} after {path}");
            }
        }
        assert_eq!(store.drafts().unwrap(), [b""; 0]);
        assert_eq!(all(&disk), paths, "{archive}");
        // No copy in any pool has what was there before.
        let fresh = disk.store();
        for path in &paths {
            fresh.read(path.as_bytes()).unwrap();
        }
        let lent = disk.lent.borrow();
        let checked = Store::open(&*lent).unwrap();
        paths
            .iter()
            .for_each(|path| drop(checked.read(path.as_bytes())));
        let notes = lent::notes(&checked);
        let is_older = |note: &String| note.contains("has older copies, which MinIO does not read");
        assert!(notes.iter().all(is_older), "{archive}: {notes:?}");
        assert_eq!(notes.is_empty(), archive != "pools-sealed.tar.gz");
        drop(lent);
        let is_meta = |names: Vec<String>| {
            names
                .into_iter()
                .filter(|name| !name.ends_with("/part.1"))
                .collect::<Vec<_>>()
        };
        for (drive, before) in before.into_iter().enumerate() {
            assert_eq!(is_meta(disk.names(drive)), is_meta(before), "{archive}");
        }
    }
}

#[test]
fn a_shard_is_in_the_file_or_beside_it_as_it_was_and_as_it_fits() {
    let disk = Disk::of(FOUR);
    let store = disk.store();
    let parts = || {
        let folder = format!(".minio.sys/{ALICE}/");
        let is_part = |name: &String| name.starts_with(&folder) && name.ends_with("/part.1");
        disk.names(2).into_iter().filter(is_part).count()
    };
    // MinIO's limit, on two data shards.
    let (small, large) = (vec![1; 262_144], vec![2; 262_145]);
    replace(&store, ALICE, &small).unwrap();
    assert_eq!(parts(), 0);
    replace(&store, ALICE, &large).unwrap();
    assert_eq!(parts(), 1);
    // Several blocks, then a few bytes: the old folder goes each time.
    let blocks: Vec<u8> = (0..2_500_000_u32).map(|at| at as u8).collect();
    for bytes in [&blocks[..], b"small"] {
        replace(&store, ALICE, bytes).unwrap();
        assert_eq!(store.read(ALICE.as_bytes()).unwrap(), bytes);
        assert_eq!(parts(), 1);
    }
    assert_eq!(store.drafts().unwrap(), [b""; 0]);
}

#[test]
fn drives_are_replaced_in_order_and_each_is_durable_before_the_next() {
    let disk = Disk::of(FOUR);
    let store = disk.store();
    let draft = stage(&store, ALICE, b"new").unwrap();
    disk.calls.borrow_mut().clear();
    store.commit(vec![draft]).remove(0).unwrap();
    let calls = disk.calls.borrow();
    let from = calls
        .iter()
        .position(|call| call.starts_with("rename"))
        .unwrap();
    let meta = format!(".minio.sys/{ALICE}/xl.meta");
    let order =
        (0..4).flat_map(|drive| [format!("rename {drive} {meta}"), format!("sync {drive} ")]);
    assert_eq!(calls[from..], order.collect::<Vec<_>>());
    // Before the first, whatever it needs is durable on all of them.
    let before: Vec<_> = (0..4).map(|drive| format!("sync {drive} ")).collect();
    assert_eq!(calls[from - 4..from], before);
}

#[test]
fn wherever_a_call_fails_the_object_is_old_or_new_and_the_next_run_finishes() {
    for (archive, bytes) in [
        (FOUR, vec![7; 100]),
        (FOUR, vec![7; 300_000]),
        ("noninline.tar.gz", vec![7; 100]),
    ] {
        for fails in 0.. {
            let disk = Disk::of(archive);
            let store = disk.store();
            let old = store.read(ALICE.as_bytes()).unwrap();
            disk.fails.set(Some(fails));
            let replaced =
                stage(&store, ALICE, &bytes).and_then(|draft| store.commit(vec![draft]).remove(0));
            let is_over = disk.calls.borrow().len() <= fails;
            disk.fails.set(None);
            let fresh = disk.store();
            let now = fresh.read(ALICE.as_bytes()).unwrap();
            match &replaced {
                Ok(_) => assert!(now == bytes),
                Err(_) => assert!(now == bytes || now == old, "{fails}"),
            }
            for draft in fresh.drafts().unwrap() {
                assert_eq!(fresh.remove_draft(&draft), Ok(Swept::Removed), "{fails}");
            }
            replace(&fresh, ALICE, b"the last").unwrap();
            assert_eq!(fresh.read(ALICE.as_bytes()).unwrap(), b"the last");
            assert_eq!(fresh.drafts().unwrap(), [b""; 0]);
            let folder = format!(".minio.sys/{ALICE}/");
            for drive in 0..4 {
                let names = disk.names(drive);
                let parts = names
                    .iter()
                    .filter(|name| name.starts_with(&folder) && name.ends_with("part.1"));
                assert!(parts.count() <= 1, "{fails}: {names:?}");
            }
            if is_over {
                break;
            }
        }
    }
}

#[test]
fn a_drive_that_has_another_version_by_now_is_a_conflict() {
    for drive in 1..=4 {
        let disk = Disk::of(FOUR);
        let store = disk.store();
        let old = store.read(ALICE.as_bytes()).unwrap();
        let draft = stage(&store, ALICE, b"new").unwrap();
        disk.lent
            .borrow_mut()
            .file(drive, &format!("{ALICE}/xl.meta"))
            .push(0);
        assert_eq!(
            store.commit(vec![draft]).remove(0),
            Err(WriteError::Conflict)
        );
        assert!(store.read(ALICE.as_bytes()).unwrap() == old);
        assert_eq!(store.drafts().unwrap(), [b""; 0]);
    }
    let disk = Disk::of(FOUR);
    let store = disk.store();
    let two = vec![
        stage(&store, ALICE, b"one").unwrap(),
        stage(&store, ALICE, b"two").unwrap(),
    ];
    let committed = store.commit(two);
    assert!(committed[0].is_ok());
    assert_eq!(committed[1], Err(WriteError::Conflict));
    let wrong = Replacement {
        path: ALICE.as_bytes(),
        expected: b"other",
        bytes: b"new",
    };
    assert_eq!(
        store.stage(&[wrong.into()]).remove(0).unwrap_err(),
        WriteError::Conflict
    );
}

#[test]
fn a_draft_that_is_not_what_was_written_is_told() {
    for drive in 0..4 {
        let disk = Disk::of(FOUR);
        let store = disk.store();
        let draft = stage(&store, ALICE, b"new").unwrap();
        let path = store.drafts().unwrap().remove(0);
        let file = [b".minio.sys/", &path[..]].concat();
        let mut lent = disk.lent.borrow_mut();
        let bytes = lent.drives[drive].1.get_mut(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        drop(lent);
        assert!(matches!(
            store.read_back(&draft),
            Err(WriteError::Failed(_))
        ));
        store.discard(&draft);
        assert_eq!(store.drafts().unwrap(), [b""; 0]);
    }
}

#[test]
fn a_draft_is_left_alone_as_long_as_it_is_held() {
    let disk = Disk::of(FOUR);
    let store = disk.store();
    let _draft = stage(&store, ALICE, b"new").unwrap();
    let path = store.drafts().unwrap().remove(0);
    assert!(matches!(store.remove_draft(&path), Ok(Swept::Stays(_))));
    // To the next process it is nobody's.
    let next = disk.store();
    assert_eq!(next.remove_draft(&path), Ok(Swept::Removed));
    assert_eq!(next.remove_draft(&path), Err(WriteError::NotFound));
    refusal(next.remove_draft(b"tmp/other"));
    refusal(next.remove_draft(ALICE.as_bytes()));
}

#[test]
fn with_a_drive_missing_foreign_or_being_healed_nothing_is_written() {
    let mut missing = Lent::of(FOUR);
    missing.drives.remove(1);
    let mut healing = Lent::of(FOUR);
    healing.drives[0]
        .1
        .insert(b".minio.sys/buckets/.healing.bin".to_vec(), vec![1]);
    let mut foreign = Lent::of(FOUR);
    foreign
        .drives
        .push(Lent::of("single-sealed.tar.gz").drives.remove(0));
    for lent in [missing, healing, foreign] {
        let disk = Disk::with(lent);
        let store = disk.store();
        refusal(store.check_writes());
        let why = refusal(stage(&store, ALICE, b"new"));
        assert!(why.contains("only where all of them are there"), "{why}");
        assert_eq!(disk.calls.borrow().len(), 0);
    }
}

#[test]
fn what_dangles_or_is_hidden_is_never_revived() {
    let disk = Disk::of("stale-one-of-four.tar.gz");
    let store = disk.store();
    let bob = "config/iam/users/bob/identity.json";
    assert_eq!(
        stage(&store, bob, b"new").unwrap_err(),
        WriteError::NotFound
    );
    // An object that a stale drive has in an older version is whole afterwards.
    replace(&store, ALICE, b"new").unwrap();
    for drive in 0..4 {
        let mut others = disk.lent.borrow().clone();
        others.drives.remove(drive);
        assert_eq!(others.store().read(ALICE.as_bytes()).unwrap(), b"new");
    }

    let disk = Disk::of("torn-write.tar.gz");
    let store = disk.store();
    let mut hidden = 0;
    for path in all(&disk) {
        match stage(&store, &path, b"new") {
            Ok(draft) => store.discard(&draft),
            Err(WriteError::Refused(why)) if why.starts_with("MinIO shows no such object") => {
                hidden += 1
            }
            Err(other) => panic!("{path}: {other:?}"),
        }
    }
    assert!(hidden > 0);
}

#[test]
fn drives_that_lack_the_object_get_it() {
    for lost in [&[1][..], &[4], &[1, 2], &[1, 4]] {
        let mut lent = Lent::of(FOUR);
        for drive in lost {
            lent.remove(*drive, "config/iam/users");
        }
        let disk = Disk::with(lent);
        let store = disk.store();
        replace(&store, ALICE, b"new").unwrap();
        for drives in [[1, 2], [3, 4]] {
            let mut some = disk.lent.borrow().clone();
            let mut number = 0;
            some.drives.retain(|_| {
                number += 1;
                drives.contains(&number)
            });
            assert_eq!(some.store().read(ALICE.as_bytes()).unwrap(), b"new");
        }
    }
    // With the first of them written a server would show nothing, whichever that is.
    let mut lent = Lent::of(FOUR);
    for drive in [3, 4] {
        lent.remove(drive, "config/iam/users");
    }
    let disk = Disk::with(lent);
    let refused = replace(&disk.store(), ALICE, b"new").unwrap_err();
    assert!(matches!(refused, WriteError::Refused(_)), "{refused:?}");
}
