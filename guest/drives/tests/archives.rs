//! What real servers wrote is read as the manifest of the archives says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod lent;

use std::collections::BTreeMap;

use lent::{Lent, listed, manifest, notes};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The objects of an archive that can be read, by their paths.
fn objects(fixture: &Value) -> BTreeMap<String, String> {
    let objects = fixture["objects"].as_array().unwrap();
    let is_read = |object: &&Value| object["form"] != "dangling";
    let entry = |object: &Value| {
        let path = object["path"].as_str().unwrap();
        let path = path.strip_prefix(".minio.sys/").unwrap().to_owned();
        (path, object["stored_sha256"].as_str().unwrap().to_owned())
    };
    objects.iter().filter(is_read).map(entry).collect()
}

/// Archives of servers that keep plain files.
const PLAIN_FILES: [&str; 2] = ["old-fs-plain.tar.gz", "old-fs-sealed.tar.gz"];

#[test]
fn every_object_of_every_archive_is_read() {
    let mut read = 0;
    for (archive, fixture) in manifest()["fixtures"].as_object().unwrap() {
        let lent = Lent::of(archive);
        if PLAIN_FILES.contains(&archive.as_str()) {
            let error = iamseal_drives::Store::open(&lent).err().unwrap();
            assert!(matches!(error, iamseal_drives::OpenError::NotErasure(_)));
            continue;
        }
        let store = lent.store();
        let expected = objects(fixture);
        let paths: Vec<&String> = expected.keys().collect();
        assert_eq!(
            listed(&store, "", None).iter().collect::<Vec<_>>(),
            paths,
            "{archive}"
        );
        for (path, digest) in &expected {
            let bytes = store.read(path.as_bytes());
            let bytes = bytes.unwrap_or_else(|error| panic!("{archive}: {path}: {error:?}"));
            if archive == "pools-sealed.tar.gz" && path == "config/config.json" {
                continue; // Below.
            }
            assert_eq!(hex(&Sha256::digest(&bytes)), *digest, "{archive}: {path}");
            read += 1;
        }
        let is_sound = !matches!(
            archive.as_str(),
            "stale-one-of-four.tar.gz" | "torn-write.tar.gz" | "pools-sealed.tar.gz"
        );
        assert!(
            !is_sound || store.notes().is_empty(),
            "{archive}: {:?}",
            notes(&store)
        );
    }
    assert!(read > 250, "{read}");
}

#[test]
fn a_listing_begins_where_it_is_told() {
    let lent = Lent::of("four-sealed.tar.gz");
    let store = lent.store();
    let all = listed(&store, "config/", None);
    assert!(all.is_sorted());
    for (at, after) in all.iter().enumerate() {
        assert_eq!(listed(&store, "config/", Some(after)), all[at + 1..]);
        assert_eq!(listed(&store, after, None), [after.as_str()]);
    }
    let users = "config/iam/users/";
    let of_users: Vec<&String> = all.iter().filter(|path| path.starts_with(users)).collect();
    assert!(of_users.len() > 8);
    assert_eq!(
        listed(&store, users, None).iter().collect::<Vec<_>>(),
        of_users
    );
    // A prefix need not end with a part.
    assert_eq!(
        listed(&store, "config/iam/users/al", None),
        ["config/iam/users/alice/identity.json"]
    );
    assert_eq!(listed(&store, "nothing/", None), [""; 0]);
}

#[test]
fn the_newest_copy_in_any_pool_is_read_and_the_others_are_named() {
    let lent = Lent::of("pools-sealed.tar.gz");
    let store = lent.store();
    let manifest = manifest();
    let fixture = manifest["fixtures"]["pools-sealed.tar.gz"]["objects"].as_array();
    let copies: Vec<&Value> = fixture
        .unwrap()
        .iter()
        .filter(|object| object["path"] == ".minio.sys/config/config.json")
        .collect();
    assert_eq!(copies.len(), 2);
    let newest = copies
        .iter()
        .max_by_key(|copy| copy["mod_time_ns"].as_i64());
    let bytes = store.read(b"config/config.json").unwrap();
    assert_eq!(
        hex(&Sha256::digest(bytes)),
        newest.unwrap()["stored_sha256"]
    );
    let older = copies
        .iter()
        .min_by_key(|copy| copy["mod_time_ns"].as_i64());
    let pool = 1 + older.unwrap()["pool"].as_i64().unwrap();
    assert_eq!(
        notes(&store),
        [format!(
            "pool {pool} has older copies, which MinIO does not read, of 1: config/config.json"
        )]
    );
}

#[test]
fn torn_writes_are_read_as_most_drives_have_them() {
    let lent = Lent::of("torn-write.tar.gz");
    let store = lent.store();
    listed(&store, "", None).iter().for_each(|path| {
        store.read(path.as_bytes()).unwrap();
    });
    let manifest = manifest();
    let torn = manifest["fixtures"]["torn-write.tar.gz"]["objects"]
        .as_array()
        .unwrap();
    let hidden: Vec<&str> = torn
        .iter()
        .filter(|object| object["minio_reads"]["real_minio"] == "hidden")
        .map(|object| {
            object["path"]
                .as_str()
                .unwrap()
                .strip_prefix(".minio.sys/")
                .unwrap()
        })
        .collect();
    let hidden_notes = store.notes();
    let note = hidden_notes
        .iter()
        .find(|note| note.text.contains("shows no such"));
    let named = note
        .unwrap()
        .paths
        .iter()
        .map(|path| std::str::from_utf8(path).unwrap());
    assert_eq!(named.collect::<Vec<_>>(), hidden);
}

#[test]
fn a_stale_drive_is_named_and_what_only_it_has_is_not_revived() {
    let lent = Lent::of("stale-one-of-four.tar.gz");
    let store = lent.store();
    for path in listed(&store, "", None) {
        store.read(path.as_bytes()).unwrap();
    }
    let notes = notes(&store);
    let dangling = &notes[0];
    assert!(
        dangling.starts_with("only drive4 has these objects"),
        "{notes:?}"
    );
    assert!(
        dangling.contains("config/iam/users/bob/identity.json"),
        "{notes:?}"
    );
    assert!(
        notes
            .iter()
            .any(|note| note.starts_with("drive4 has an older version of 4:")),
        "{notes:?}"
    );
    assert!(
        notes.iter().any(|note| note.starts_with("drive4 lacks 1:")),
        "{notes:?}"
    );
    assert_eq!(notes.len(), 3, "{notes:?}");
    let error = store
        .read(b"config/iam/users/bob/identity.json")
        .unwrap_err();
    assert_eq!(error, iamseal_drives::ReadError::NotFound);
}
