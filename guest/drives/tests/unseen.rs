//! What was not seen is told: drives that are too few, made up or contradicting, and what lies where
//! objects are expected.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod lent;

use iamseal_drives::Store;
use lent::{Lent, listed, notes};

const ALICE: &str = "config/iam/users/alice/identity.json";
const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

fn hides(store: &Store<&Lent>) -> bool {
    store.notes().iter().any(|note| note.hides)
}

/// Puts a file on a drive, which counts from 1.
fn put(lent: &mut Lent, drive: usize, path: &str, bytes: &[u8]) {
    let path = format!(".minio.sys/{path}").into_bytes();
    lent.drives[drive - 1].1.insert(path, bytes.to_vec());
}

/// The id of a drive of this number, as its `format.json` has it.
fn id(lent: &mut Lent, drive: usize) -> String {
    let format = lent.file(drive, "format.json").clone();
    let format: serde_json::Value = serde_json::from_slice(&format).unwrap();
    format["xl"]["this"].as_str().unwrap().to_owned()
}

#[test]
fn too_few_drives_hide_objects() {
    let mut lent = Lent::of("eight-two-sets.tar.gz");
    assert!(!hides(&lent.store()));
    lent.drives.truncate(6);
    assert!(!hides(&lent.store()));
    lent.drives.truncate(5);
    assert!(hides(&lent.store()));
    lent.drives.truncate(4);
    assert!(hides(&lent.store()));

    let mut healing = Lent::of("single-sealed.tar.gz");
    put(&mut healing, 1, "buckets/.healing.bin", b"x");
    let store = healing.store();
    assert_eq!(listed(&store, "config/", None), [""; 0]);
    assert!(hides(&store));

    // It may be of a pool of which nothing else was given.
    let mut more = Lent::of("four-sealed.tar.gz");
    more.drives.push(("empty".into(), Default::default()));
    assert!(hides(&more.store()));
}

#[test]
fn what_lies_beside_an_object_and_is_none_of_its_own_is_told() {
    let mut lent = Lent::of("noninline-single-sealed.tar.gz");
    let whole = listed(&lent.store(), "config/", None);
    assert_eq!(lent.store().left(), [b""; 0]);
    let parts = lent.drives[0]
        .1
        .keys()
        .find(|path| path.ends_with(b"/part.1"));
    let part = String::from_utf8(parts.unwrap().clone()).unwrap();
    let data = part
        .strip_prefix(".minio.sys/")
        .unwrap()
        .strip_suffix("/part.1")
        .unwrap();
    let (object, _) = data.rsplit_once('/').unwrap();
    let others = [
        format!("{object}/{UUID}"),
        format!("{object}/xl.meta.bkp"),
        format!("{data}/xl.meta.bkp"),
    ];
    put(&mut lent, 1, &format!("{object}/{UUID}/part.1"), b"{}");
    put(&mut lent, 1, &others[1], b"x");
    put(&mut lent, 1, &others[2], b"x");
    let store = lent.store();
    assert_eq!(listed(&store, "config/", None), whole);
    let told = notes(&store);
    let told = told
        .iter()
        .find(|note| note.contains("has left beside objects"));
    let told = told.unwrap();
    assert!(others.iter().all(|other| told.contains(other)), "{told}");
    let mut left = store.left();
    left.sort();
    let mut expected = others.map(String::into_bytes);
    expected.sort();
    assert_eq!(left, expected);

    // Of an object whose versions are not known nothing is nobody's.
    let mut damaged = lent.clone();
    damaged.file(1, &format!("{object}/xl.meta")).truncate(40);
    let beside = format!("{object}/xl.meta.bkp").into_bytes();
    assert_eq!(damaged.store().left(), [beside]);
}

#[test]
fn what_no_version_accounts_for_is_told_whatever_else_its_drive_has() {
    let whole = Lent::of("noninline.tar.gz");
    assert_eq!(whole.store().left(), [b""; 0]);
    let mut parts = whole.drives[0].1.keys();
    let is_part =
        |path: &&Vec<u8>| path.starts_with(b".minio.sys/config/") && path.ends_with(b"/part.1");
    let part = str::from_utf8(parts.find(is_part).unwrap()).unwrap();
    let data = part.strip_prefix(".minio.sys/").unwrap();
    let data = data.strip_suffix("/part.1").unwrap();
    let (object, _) = data.rsplit_once('/').unwrap();
    let meta = format!("{object}/xl.meta");
    let gone = |drives: &[usize]| {
        let mut lent = whole.clone();
        for drive in drives {
            let path = format!(".minio.sys/{meta}").into_bytes();
            lent.drives[drive - 1].1.remove(&path);
        }
        lent
    };
    // Its shard is the object's own.
    assert_eq!(gone(&[2]).store().left(), [b""; 0]);
    let old = format!("{object}/{UUID}");
    for (without, put_at, files, left) in [
        (&[2][..], 2, &[format!("{old}/part.1")][..], &old),
        (&[1, 2], 2, &[format!("{old}/part.1")], &old),
        (
            &[2],
            2,
            &[format!("{object}/xl.meta.bkp")],
            &format!("{object}/xl.meta.bkp"),
        ),
        // Dangling.
        (
            &[2, 3, 4],
            1,
            &[format!("{object}/xl.meta.bkp")],
            &format!("{object}/xl.meta.bkp"),
        ),
        (
            &[],
            3,
            &[format!("{data}/part.1.bkp")],
            &format!("{data}/part.1.bkp"),
        ),
        (
            &[],
            3,
            &[format!("{data}/part.2")],
            &format!("{data}/part.2"),
        ),
        (
            &[],
            3,
            &[format!("{object}/xl.meta.by-somebody")],
            &format!("{object}/xl.meta.by-somebody"),
        ),
    ] {
        let mut lent = gone(without);
        for file in files {
            put(&mut lent, put_at, file, b"{}");
        }
        assert_eq!(
            lent.store().left(),
            [left.clone().into_bytes()],
            "{without:?}"
        );
        let store = lent.store();
        listed(&store, "config/", None);
        let told = notes(&store);
        assert!(
            told.iter().any(|note| note.contains(left)),
            "{left}: {told:?}"
        );
    }
    let mut of_none = gone(&[1, 2, 3, 4]).store().left();
    of_none.retain(|path| path.ends_with(b"/part.1"));
    assert_eq!(of_none, [format!("{data}/part.1").into_bytes()]);
}

#[test]
fn a_pool_that_one_drive_makes_up_is_not_read() {
    let mut lent = Lent::of("four-sealed.tar.gz");
    let whole = lent.store().read(ALICE.as_bytes()).unwrap();
    let fourth = id(&mut lent, 4);
    let mut single = Lent::of("single-plain.tar.gz");
    let plaintext = single.file(1, &format!("{ALICE}/xl.meta")).clone();
    for others in ["", ",\"22222222-d9cb-469f-a165-70867728950e\""] {
        let mut lent = lent.clone();
        let format = String::from_utf8(lent.file(4, "format.json").clone()).unwrap();
        let sets = format.find("\"sets\":").unwrap();
        let end = sets + format[sets..].find("]]").unwrap() + 2;
        let made_up = format!(
            "{}\"sets\":[[\"{UUID}\"{others}]]{}",
            &format[..sets].replace(&fourth, UUID),
            &format[end..]
        );
        *lent.file(4, "format.json") = made_up.into_bytes();
        put(&mut lent, 4, &format!("{ALICE}/xl.meta"), &plaintext);
        for first in 0..4 {
            lent.drives.rotate_left(first);
            let store = lent.store();
            assert_eq!(store.read(ALICE.as_bytes()).as_ref(), Ok(&whole));
            assert!(hides(&store), "{:?}", notes(&store));
            let said = "drive4 does not agree with the other drives";
            let said = notes(&store).iter().any(|note| note.starts_with(said));
            assert!(said, "{:?}", notes(&store));
        }
    }
}

#[test]
fn most_drives_tell_which_drives_there_are() {
    let mut lent = Lent::of("four-sealed.tar.gz");
    let whole = lent.store().read(ALICE.as_bytes()).unwrap();
    let third = id(&mut lent, 3);
    let format = String::from_utf8(lent.file(1, "format.json").clone()).unwrap();
    *lent.file(1, "format.json") = format.replace(&third, UUID).into_bytes();
    for _ in 0..4 {
        lent.drives.rotate_left(1);
        let store = lent.store();
        assert_eq!(store.read(ALICE.as_bytes()).as_ref(), Ok(&whole));
        let said = "drive1 does not agree with the other drives";
        let said = notes(&store).iter().any(|note| note.starts_with(said));
        assert!(said, "{:?}", notes(&store));
        // The three others suffice.
        assert!(!hides(&store), "{:?}", notes(&store));
    }
    // One against one: neither is right.
    lent.drives
        .retain(|(name, _)| name == "drive1" || name == "drive2");
    assert!(hides(&lent.store()));
}

#[test]
fn what_lies_where_objects_are_expected_hides_them_if_most_drives_have_it() {
    let folder = "config/iam/users";
    let meta = format!("{ALICE}/xl.meta");
    type Damage<'a> = &'a dyn Fn(&mut Lent, usize);
    let cases: [(&str, Damage<'_>, &str); 5] = [
        (
            "a file in the place of config",
            &|lent, drive| {
                lent.remove(drive, "config");
                put(lent, drive, "config", b"x");
            },
            "config/",
        ),
        (
            "a file in a folder's place",
            &|lent, drive| {
                lent.remove(drive, folder);
                put(lent, drive, folder, b"x");
            },
            "config/iam/users/",
        ),
        (
            "a folder in the place of xl.meta",
            &|lent, drive| {
                lent.remove(drive, &meta);
                put(lent, drive, &format!("{meta}/x"), b"x");
            },
            ALICE,
        ),
        (
            "a replaced xl.meta alone",
            &|lent, drive| {
                lent.remove(drive, &meta);
                put(lent, drive, &format!("{ALICE}/xl.meta.bkp"), b"x");
            },
            "config/iam/users/alice/identity.json/xl.meta.bkp/",
        ),
        (
            "shards alone",
            &|lent, drive| {
                lent.remove(drive, &meta);
                put(lent, drive, &format!("{ALICE}/{UUID}/part.1"), b"x");
            },
            "config/iam/users/alice/identity.json/0f8fad5b-d9cb-469f-a165-70867728950e/part.1/",
        ),
    ];
    for (name, damage, path) in cases {
        let mut lent = Lent::of("single-sealed.tar.gz");
        damage(&mut lent, 1);
        let store = lent.store();
        let all = listed(&store, "config/", None);
        assert!(all.is_sorted(), "{name}: {all:?}");
        assert!(all.iter().any(|listed| listed == path), "{name}: {all:?}");
        store.read(path.as_bytes()).unwrap_err();
        assert!(path == ALICE || hides(&store), "{name}");

        let mut lent = Lent::of("four-sealed.tar.gz");
        let whole = listed(&lent.store(), "config/", None);
        damage(&mut lent, 2);
        let store = lent.store();
        assert_eq!(listed(&store, "config/", None), whole, "{name}");
        assert!(!notes(&store).is_empty(), "{name}");
        assert!(!hides(&store), "{name}: {:?}", notes(&store));
    }
}

#[test]
fn an_empty_xl_meta_on_one_drive_hides_nothing_below_it() {
    let mut lent = Lent::of("four-sealed.tar.gz");
    let alice = format!("{ALICE}/xl.meta");
    let named = format!("config/iam/users/{UUID}/identity.json");
    for drive in 1..=4 {
        let bytes = lent.file(drive, &alice).clone();
        put(&mut lent, drive, &format!("{named}/xl.meta"), &bytes);
    }
    let whole = listed(&lent.store(), "config/", None);
    assert!(whole.contains(&named));
    for drive in 1..=4 {
        let mut lent = lent.clone();
        put(&mut lent, drive, "config/iam/users/xl.meta", b"");
        assert_eq!(listed(&lent.store(), "config/", None), whole);
    }
}
