//! Drives are placed by what they say of themselves, and what is wrong with them is named.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod lent;

use iamseal_drives::{OpenError, Store};
use lent::{Lent, listed, notes};

const ALICE: &[u8] = b"config/iam/users/alice/identity.json";

/// What is noted of these drives; they must open.
fn says(lent: &Lent) -> Vec<String> {
    notes(&lent.store())
}

#[test]
fn drives_in_any_order_are_the_same_store() {
    let mut lent = Lent::of("eight-two-sets.tar.gz");
    let whole = lent.store().read(ALICE).unwrap();
    lent.drives.swap(1, 2);
    let store = lent.store();
    assert_eq!(store.read(ALICE), Ok(whole));
    let said = "the drives of set 1 were given in another order than theirs, which is drive1, drive2, \
                drive3 and drive4";
    assert_eq!(notes(&store), [said]);
}

#[test]
fn a_missing_drive_is_asked_for_by_its_place() {
    let mut lent = Lent::of("eight-two-sets.tar.gz");
    lent.drives.remove(5);
    assert_eq!(
        says(&lent),
        [
            "of the 4 drives of set 2 number 2 is missing or not whole: give them all, as drives:/mnt/disk{1...4}"
        ]
    );
    lent.drives.truncate(1);
    assert_eq!(
        says(&lent),
        [
            "of the 4 drives of set 1 numbers 2, 3 and 4 are missing, and 2 are needed to read an \
             object: give them all, as drives:/mnt/disk{1...4}",
            "of the 4 drives of set 2 numbers 1, 2, 3 and 4 are missing, and 2 are needed to read an \
             object: give them all, as drives:/mnt/disk{1...4}",
        ]
    );
}

#[test]
fn drives_that_do_not_belong_are_named_and_not_read() {
    let mut lent = Lent::of("four-sealed.tar.gz");
    let whole = lent.store().read(ALICE).unwrap();
    let mut again = lent.drives[0].clone();
    again.0 = "again".into();
    lent.drives.push(again);
    let (_, foreign) = Lent::of("single-sealed.tar.gz").drives.remove(0);
    lent.drives.push(("foreign".into(), foreign));
    lent.drives.push(("empty".into(), Default::default()));
    let mut broken = lent.drives[1].clone();
    broken.0 = "broken".into();
    lent.drives.push(broken);
    lent.file(8, "format.json").truncate(20);
    let mut healing = lent.drives[2].clone();
    healing.0 = "healing".into();
    let mark = b".minio.sys/buckets/.healing.bin".to_vec();
    healing.1.insert(mark, vec![1]);
    lent.drives[2] = healing;
    let store = lent.store();
    assert_eq!(store.read(ALICE), Ok(whole));
    assert_eq!(
        notes(&store),
        [
            "empty: it has no .minio.sys/format.json: not formatted, wiped, or not mounted",
            "broken: its format.json is damaged",
            "healing is being healed, so it is incomplete and is not read",
            "again is the same drive as drive1 by its format.json, and is not read",
            "foreign is of another deployment (16c7dc6a-74e2-430e-899c-39e10cd4a307) and is not read",
            "of the 4 drives of the set number 3 is missing or not whole: give them all, as drives:/mnt/disk{1...4}",
        ]
    );
}

/// A server leaves its note there when it is done.
#[test]
fn a_drive_that_was_healed_is_whole() {
    let mut lent = Lent::of("four-sealed.tar.gz");
    let note = include_bytes!("healing-finished.bin").to_vec();
    let path = b".minio.sys/buckets/.healing.bin".to_vec();
    lent.drives[2].1.insert(path, note);
    assert_eq!(notes(&lent.store()), [""; 0]);
}

#[test]
fn drives_of_several_deployments_are_not_guessed_at() {
    let mut lent = Lent::of("single-sealed.tar.gz");
    let (_, other) = Lent::of("single-plain.tar.gz").drives.remove(0);
    lent.drives.push(("other".into(), other));
    let Err(OpenError::Deployments(which)) = Store::open(&lent) else {
        panic!("two deployments");
    };
    let both = "16c7dc6a-74e2-430e-899c-39e10cd4a307 on drive1; \
                f5c65160-8171-4f88-9cd4-7094fc0ff809 on other";
    assert_eq!(which, both);
}

#[test]
fn what_is_no_drive_is_no_store() {
    let lent = Lent {
        drives: vec![("here".into(), Default::default())],
        closed: vec![],
    };
    assert!(matches!(Store::open(&lent), Err(OpenError::NotErasure(_))));
    // A folder of plain files, with something of this name.
    let mut plain = lent.clone();
    let files = &mut plain.drives[0].1;
    files.insert(b"format.json".to_vec(), b"{}".to_vec());
    assert!(matches!(Store::open(&plain), Err(OpenError::Unusable(_))));
    let files = &mut plain.drives[0].1;
    files.insert(b"config/config.json".to_vec(), b"{}".to_vec());
    assert!(matches!(Store::open(&plain), Err(OpenError::NotErasure(_))));
    assert!(matches!(
        Store::open(&Lent::default()),
        Err(OpenError::NotErasure(_))
    ));
}

/// Every file of these drives under another system folder; its own is the empty one.
fn moved(archive: &str, folder: &str) -> Lent {
    let mut lent = Lent::of(archive);
    for (_, files) in &mut lent.drives {
        let all = std::mem::take(files).into_iter();
        *files = all
            .filter_map(|(path, bytes)| {
                let path = path.strip_prefix(b".minio.sys/")?.to_vec();
                Some(([folder.as_bytes(), &path].concat(), bytes))
            })
            .collect();
    }
    lent
}

#[test]
fn a_system_folder_is_read_like_its_drive_and_rustfs_like_minio() {
    let whole = Lent::of("four-sealed.tar.gz").store().read(ALICE).unwrap();
    for folder in ["", ".rustfs.sys/"] {
        let lent = moved("four-sealed.tar.gz", folder);
        let store = lent.store();
        assert_eq!(store.read(ALICE).as_ref(), Ok(&whole), "{folder}");
        assert_eq!(listed(&store, "config/", None).len(), 24);
        assert_eq!(notes(&store), [""; 0]);
    }
}

#[test]
fn what_a_server_has_replaced_and_kept_is_counted() {
    let mut lent = Lent::of("four-sealed.tar.gz");
    for name in ["a", "b", "c", "d"] {
        let path = format!(".minio.sys/tmp/.trash/{name}/xl.meta.bkp");
        lent.drives[0].1.insert(path.into_bytes(), vec![1]);
    }
    let store = lent.store();
    assert_eq!(
        notes(&store),
        [
            "drive1 keeps 4 replaced versions of objects in tmp/.trash, plaintext where they were \
          plaintext: they are there until a server has started"
        ]
    );
    let is_trash = |path: &String| path.starts_with("tmp");
    assert!(!listed(&store, "", None).iter().any(is_trash));
}

#[test]
fn an_object_in_a_set_where_no_server_looks_is_named() {
    let mut lent = Lent::of("eight-two-sets.tar.gz");
    let path = String::from_utf8(ALICE.to_vec()).unwrap();
    let meta = format!(".minio.sys/{path}/xl.meta");
    let is_in = |drive: &(String, lent::Tree)| drive.1.contains_key(meta.as_bytes());
    let first = if is_in(&lent.drives[0]) { 0 } else { 4 };
    for drive in first..first + 4 {
        let bytes = lent.drives[drive].1.remove(meta.as_bytes()).unwrap();
        let other = (drive + 4) % 8;
        lent.drives[other]
            .1
            .insert(meta.clone().into_bytes(), bytes);
    }
    let store = lent.store();
    assert_eq!(listed(&store, &path, None), [""; 0]);
    let said = notes(&store);
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].ends_with(
        "in a set where no server looks for them 1: config/iam/users/alice/identity.json"
    ));
}
