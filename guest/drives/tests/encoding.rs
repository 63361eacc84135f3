//! What servers wrote is written again byte for byte, and what is new is read.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod lent;

use std::collections::BTreeMap;

use iamseal_drives::{Renewal, Unwritable, etag, set};
use lent::{Lent, listed, manifest};
use serde_json::Value;

/// The value of a key in an `xl.meta`, which every server writes once, by the bytes before it.
fn after<'a>(meta: &'a [u8], key: &[u8], length: usize) -> &'a [u8] {
    let at = meta
        .windows(key.len())
        .position(|part| part == key)
        .unwrap()
        + key.len();
    &meta[at..at + length]
}

/// What the version in an `xl.meta` was made with.
fn renewal(meta: &[u8], object: &[u8]) -> Renewal {
    Renewal {
        mod_time: i64::from_be_bytes(after(meta, b"\xa5MTime\xd3", 8).try_into().unwrap()),
        data_dir: after(meta, b"\xa4DDir\xc4\x10", 16).try_into().unwrap(),
        size: object.len() as i64,
        etag: etag(object),
    }
}

/// The drives of the pools and sets of an archive, in their orders.
fn sets(lent: &Lent) -> Vec<Vec<usize>> {
    let mut by_place = BTreeMap::<(String, usize), Vec<(usize, usize)>>::new();
    for (drive, (_, files)) in lent.drives.iter().enumerate() {
        let format: Value = serde_json::from_slice(&files[&b".minio.sys/format.json"[..]]).unwrap();
        let (this, sets) = (&format["xl"]["this"], &format["xl"]["sets"]);
        for (number, set) in sets.as_array().unwrap().iter().enumerate() {
            let place = set.as_array().unwrap().iter().position(|id| id == this);
            if let Some(place) = place {
                let set = (sets.to_string(), number);
                by_place.entry(set).or_default().push((place, drive));
            }
        }
    }
    let ordered = |mut set: Vec<(usize, usize)>| {
        set.sort_unstable();
        set.into_iter().map(|(_, drive)| drive).collect()
    };
    by_place.into_values().map(ordered).collect()
}

#[test]
fn every_object_of_every_archive_is_written_as_its_server_did() {
    let mut written = 0;
    for (archive, fixture) in manifest()["fixtures"].as_object().unwrap() {
        // Plain files, and drives that differ.
        let is_other = ["old-fs-", "stale-", "torn-"]
            .iter()
            .any(|begin| archive.starts_with(begin));
        if is_other {
            continue;
        }
        let lent = Lent::of(archive);
        let store = lent.store();
        assert!(fixture.is_object());
        for path in listed(&store, "", None) {
            let object = store.read(path.as_bytes()).unwrap();
            let file = format!(".minio.sys/{path}/xl.meta").into_bytes();
            for set_of in sets(&lent) {
                let metas: Vec<&[u8]> = set_of
                    .iter()
                    .filter_map(|drive| lent.drives[*drive].1.get(&file))
                    .map(Vec::as_slice)
                    .collect();
                if metas.is_empty() {
                    continue;
                }
                let renewal = renewal(metas[0], &object);
                // Of copies in two pools one is another object.
                let is_it = metas[0].windows(32).any(|part| part == renewal.etag);
                let is_sealed = metas[0]
                    .windows(22)
                    .any(|part| part == b"Server-Side-Encryption");
                if is_sealed {
                    let refused = set(&metas, &object, &renewal, true);
                    assert!(matches!(refused, Err(Unwritable::Unsupported(_))), "{path}");
                    continue;
                }
                if !is_it {
                    assert_eq!(archive, "pools-sealed.tar.gz", "{path}");
                    continue;
                }
                let is_inline = metas[0].windows(5).any(|part| part == b"\xa4null");
                let new = set(&metas, &object, &renewal, is_inline).unwrap();
                for (drive, new) in set_of.iter().zip(new) {
                    let files = &lent.drives[*drive].1;
                    assert!(new.meta == files[&file], "{archive}: {path}");
                    let dir = uuid(&renewal.data_dir);
                    let part = format!(".minio.sys/{path}/{dir}/part.1").into_bytes();
                    assert!(new.part.as_ref() == files.get(&part), "{archive}: {path}");
                    written += 1;
                }
            }
        }
    }
    assert!(written > 700, "{written}");
}

fn uuid(bytes: &[u8; 16]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    parts.join("-")
}
