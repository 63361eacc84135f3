//! Objects on drives come and go, and nothing else does.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod lent;

use iamseal_drives::{Change, Creation, ReadError, Removal, Store, WriteError, version};
use lent::disk::{Disk, SOUND, all};
use lent::{Lent, listed};

const ALICE: &str = "config/iam/users/alice/identity.json";
const TIERS: &str = "config/tier-config.bin";
const FOUR: &str = "four-sealed.tar.gz";

fn create(store: &Store<&Disk>, path: &str, bytes: &[u8]) -> Result<Vec<u8>, WriteError> {
    let new = Creation {
        path: path.as_bytes(),
        bytes,
    };
    let draft = store.stage(&[Change::Create(new)]).remove(0)?;
    assert_eq!(store.read(path.as_bytes()), Err(ReadError::NotFound));
    assert_eq!(store.read_back(&draft).unwrap(), bytes);
    let version = store.commit(vec![draft]).remove(0)?;
    Ok(version.unwrap())
}

fn remove(store: &Store<&Disk>, path: &str) -> Result<(), WriteError> {
    let expected = version(&store.read(path.as_bytes()).unwrap_or_default());
    let old = Removal {
        path: path.as_bytes(),
        expected: &expected,
    };
    let draft = store.stage(&[Change::Remove(old)]).remove(0)?;
    assert!(store.read(path.as_bytes()).is_ok());
    assert!(matches!(
        store.read_back(&draft),
        Err(WriteError::Refused(_))
    ));
    match store.commit(vec![draft]).remove(0)? {
        None => Ok(()),
        Some(version) => panic!("{version:?}"),
    }
}

fn names(disk: &Disk) -> Vec<Vec<String>> {
    let drives = disk.lent.borrow().drives.len();
    (0..drives).map(|drive| disk.names(drive)).collect()
}

fn contents(store: &Store<&Disk>, paths: &[String]) -> Vec<Vec<u8>> {
    let read = |path: &String| store.read(path.as_bytes()).unwrap();
    paths.iter().map(read).collect()
}

#[test]
fn objects_of_every_kind_of_deployment_come_and_go_and_nothing_else_changes() {
    for archive in SOUND {
        let disk = Disk::of(archive);
        let store = disk.store();
        let paths = all(&disk);
        let (before, old) = (names(&disk), contents(&store, &paths));
        let large = vec![7; 1_300_000];
        // Several, so that each set of the deployment gets some.
        let new: Vec<(String, &[u8])> = (0..8)
            .map(|number| {
                let bytes: &[u8] = if number % 3 == 1 { &large } else { b"new" };
                (
                    format!("config/iam/users/new-{number}/identity.json"),
                    bytes,
                )
            })
            .collect();
        for (path, bytes) in &new {
            assert_eq!(
                create(&store, path, bytes).unwrap(),
                version(bytes),
                "{archive}"
            );
            assert_eq!(create(&store, path, b"again"), Err(WriteError::Conflict));
        }
        let fresh = disk.store();
        for (path, bytes) in &new {
            assert!(
                fresh.read(path.as_bytes()).unwrap() == *bytes,
                "{archive}: {path}"
            );
        }
        assert_eq!(all(&disk).len(), paths.len() + new.len());
        assert!(contents(&fresh, &paths) == old, "{archive}");
        assert_eq!(store.drafts().unwrap(), [b""; 0]);
        for (path, _) in &new {
            remove(&fresh, path).unwrap();
            assert_eq!(fresh.read(path.as_bytes()), Err(ReadError::NotFound));
            assert_eq!(remove(&fresh, path), Err(WriteError::NotFound));
        }
        assert_eq!(names(&disk), before, "{archive}");
        assert!(contents(&fresh, &paths) == old, "{archive}");
        assert_eq!(fresh.drafts().unwrap(), [b""; 0]);
    }
}

/// MinIO makes users of such names, and then loses them or what is around them.
#[test]
fn no_object_is_made_within_another_or_with_the_name_of_its_own_file() {
    let disk = Disk::of(FOUR);
    let store = disk.store();
    let before = names(&disk);
    let nested = "config/iam/users/new/identity.json/x/identity.json";
    create(&store, nested, b"{}").unwrap();
    let with_nested = names(&disk);
    for path in [
        "config/iam/users/zz/xl.meta/identity.json",
        "config/iam/users/zz/xl.meta",
        "config/iam/users/alice/identity.json/identity.json",
        "config/iam/users/alice/identity.json/part.1/identity.json",
        "config/iam/users/new/identity.json",
    ] {
        let refused = create(&store, path, b"{}");
        assert!(matches!(refused, Err(WriteError::Refused(_))), "{path}");
    }
    assert_eq!(names(&disk), with_nested);
    remove(&store, nested).unwrap();
    assert_eq!(names(&disk), before);
}

#[test]
fn an_object_whose_name_has_that_of_its_own_file_is_one_and_hides_none() {
    let mut lent = Lent::of(FOUR);
    let odd = "config/iam/users/zz/xl.meta/identity.json";
    for (_, files) in &mut lent.drives {
        let meta = files[format!(".minio.sys/{ALICE}/xl.meta").as_bytes()].clone();
        files.insert(format!(".minio.sys/{odd}/xl.meta").into_bytes(), meta);
    }
    let listed = listed(&lent.store(), "config/iam/users/", None);
    assert!(listed.contains(&odd.to_owned()), "{listed:?}");
    assert!(listed.contains(&ALICE.to_owned()));
    assert!(
        !listed.contains(&"config/iam/users/zz".to_owned()),
        "{listed:?}"
    );
    assert!(lent.store().read(odd.as_bytes()).is_ok());
}

/// A client may give a folder the name that versions' data have.
#[test]
fn an_object_below_another_one_is_one_whatever_its_folder_is_called() {
    let uuid = "550e8400-e29b-41d4-a716-446655440000";
    for (below, is_object) in [
        (format!("{uuid}/identity.json/xl.meta"), true),
        (format!("{uuid}/xl.meta"), true),
        (format!("{uuid}/part.1"), false),
    ] {
        let mut lent = Lent::of(FOUR);
        for (_, files) in &mut lent.drives {
            let meta = files[format!(".minio.sys/{ALICE}/xl.meta").as_bytes()].clone();
            files.insert(format!(".minio.sys/{ALICE}/{below}").into_bytes(), meta);
        }
        let store = lent.store();
        let found = listed(&store, "config/", None);
        let path = format!("{ALICE}/{below}");
        let path = path.strip_suffix("/xl.meta").unwrap_or(&path).to_owned();
        assert_eq!(found.contains(&path), is_object, "{found:?}");
        assert!(found.contains(&ALICE.to_owned()));
        assert_eq!(
            found.iter().filter(|path| path.contains(uuid)).count(),
            usize::from(is_object)
        );
        if is_object {
            let after: Vec<String> = listed(&store, "config/", Some(ALICE));
            assert!(after.contains(&path), "{after:?}");
        }
    }
}

#[test]
fn whatever_is_there_goes_from_all_drives_and_pools() {
    for archive in SOUND {
        let disk = Disk::of(archive);
        let store = disk.store();
        let mut kept = Vec::new();
        for path in all(&disk) {
            match remove(&store, &path) {
                Ok(()) => {}
                // It could not be made again as it was.
                Err(WriteError::Refused(why)) if path == TIERS => {
                    assert!(why.contains("encrypted"), "{why}");
                    kept.push(path);
                }
                Err(error) => panic!("{archive}: {path}: {error:?}"),
            }
        }
        assert_eq!(all(&disk), kept, "{archive}");
        let mut left: Vec<String> = names(&disk).concat();
        left.retain(|name| !name.contains(TIERS));
        let left = left
            .iter()
            .filter(|name| name.starts_with(".minio.sys/config/"));
        assert_eq!(left.count(), 0, "{archive}");
    }
}

#[test]
fn what_was_removed_is_created_again_with_the_same_bytes() {
    for archive in SOUND {
        let disk = Disk::of(archive);
        let store = disk.store();
        let Some(path) = all(&disk).into_iter().find(|path| path.contains("/users/")) else {
            panic!("{archive} has no user");
        };
        let old = store.read(path.as_bytes()).unwrap();
        remove(&store, &path).unwrap();
        create(&store, &path, &old).unwrap();
        assert_eq!(disk.store().read(path.as_bytes()).unwrap(), old);
    }
}

#[test]
fn what_does_not_lie_as_minio_places_it_is_only_read() {
    let other = "config/iam/users/mallory/identity.json";
    let disk = Disk::of(FOUR);
    for (_, files) in &mut disk.lent.borrow_mut().drives {
        let [from, to] = [ALICE, other].map(|path| format!(".minio.sys/{path}/xl.meta"));
        let meta = files.remove(from.as_bytes()).unwrap();
        files.insert(to.into_bytes(), meta);
    }
    let store = disk.store();
    match remove(&store, other) {
        Err(WriteError::Refused(why)) => assert!(why.contains("as MinIO places"), "{why}"),
        removed => panic!("{removed:?}"),
    }
}

#[test]
fn what_dangles_is_written_over_by_what_is_new() {
    let disk = Disk::of("stale-one-of-four.tar.gz");
    let store = disk.store();
    let bob = "config/iam/users/bob/identity.json";
    create(&store, bob, b"new").unwrap();
    // Any half of the drives has it.
    for drives in [[1, 2], [3, 4], [1, 4]] {
        let mut some = disk.lent.borrow().clone();
        let mut number = 0;
        some.drives.retain(|_| {
            number += 1;
            drives.contains(&number)
        });
        assert_eq!(some.store().read(bob.as_bytes()).unwrap(), b"new");
    }
}

#[test]
fn another_version_stays() {
    let disk = Disk::of(FOUR);
    let store = disk.store();
    let wrong = Removal {
        path: ALICE.as_bytes(),
        expected: b"other",
    };
    let staged = store.stage(&[Change::Remove(wrong)]).remove(0);
    assert_eq!(staged.unwrap_err(), WriteError::Conflict);
    let expected = version(&store.read(ALICE.as_bytes()).unwrap());
    let old = Removal {
        path: ALICE.as_bytes(),
        expected: &expected,
    };
    let draft = store.stage(&[Change::Remove(old)]).remove(0).unwrap();
    let meta = format!(".minio.sys/{ALICE}/xl.meta");
    let file = disk.lent.borrow_mut().drives[2].1.remove(meta.as_bytes());
    assert_eq!(store.commit(vec![draft]), [Err(WriteError::Conflict)]);
    disk.lent.borrow_mut().drives[2]
        .1
        .insert(meta.into_bytes(), file.unwrap());
    assert!(store.read(ALICE.as_bytes()).is_ok());
}

#[test]
fn drives_get_and_lose_an_object_in_order_and_each_is_durable_before_the_next() {
    let disk = Disk::of(FOUR);
    let store = disk.store();
    let path = "config/iam/users/new/identity.json";
    create(&store, path, b"new").unwrap();
    remove(&store, path).unwrap();
    let calls = disk.calls.borrow();
    let steps = |what: &str| -> Vec<String> {
        let meta = format!(".minio.sys/{path}/xl.meta");
        let begin = calls
            .iter()
            .position(|call| *call == format!("{what} 0 {meta}"))
            .unwrap();
        let steps = calls[begin..].iter().take(8);
        steps
            .map(|call| call.replace(&format!(" {meta}"), "").trim_end().to_owned())
            .collect()
    };
    for what in ["rename", "remove"] {
        let wanted: Vec<String> = (0..4)
            .flat_map(|drive| [format!("{what} {drive}"), format!("sync {drive}")])
            .collect();
        assert_eq!(steps(what), wanted);
    }
}
