//! Stores on MinIO's drives: all archives that real servers wrote, read by the tool and the library, and
//! what is said of drives that are damaged, missing or wrong.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;

use iamseal::contract::Policy;
use iamseal::keys::{StaticKey, StaticKeyring};
use iamseal::storage::{DriveStore, Storage, Store as _};
use iamseal::{CompileCache, Plugin};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::kit::audit::findings;
use crate::kit::drives::{Drives, keys, manifest};
use crate::kit::{Ended, Tool, tool};

const ALICE: &str = "config/iam/users/alice/identity.json";

/// The archives of servers that kept plain files.
const PLAIN_FILES: [&str; 2] = ["old-fs-plain.tar.gz", "old-fs-sealed.tar.gz"];

fn audit(store: &str) -> Tool {
    tool(["audit", store]).file("--keys", &keys())
}

/// What an archive has below `config/`, by paths; of copies in several pools the newest.
fn objects(fixture: &Value) -> BTreeMap<String, Value> {
    let mut objects = BTreeMap::<String, Value>::new();
    for object in fixture["objects"].as_array().unwrap() {
        let path = object["path"].as_str().unwrap();
        let path = path.strip_prefix(".minio.sys/").unwrap();
        let time = |object: &Value| object["mod_time_ns"].as_i64().or(object["mtime"].as_i64());
        let is_older = objects
            .get(path)
            .is_some_and(|other| time(other) > time(object));
        if path.starts_with("config/") && object["form"] != "dangling" && !is_older {
            objects.insert(path.to_owned(), object.clone());
        }
    }
    objects
}

fn notes(ended: &Ended) -> Vec<&str> {
    let notes = ended
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("note: "));
    notes.collect()
}

#[test]
fn the_tool_says_of_every_archive_what_is_in_it() {
    for (archive, fixture) in manifest()["fixtures"].as_object().unwrap() {
        let drives = Drives::of(archive);
        let before = drives.all();
        let store = match PLAIN_FILES.contains(&archive.as_str()) {
            false => drives.store(),
            true => drives.file(1, "").to_str().unwrap().to_owned(),
        };
        let ended = audit(&store).args(["--json"]).ok();
        let (found, _) = findings(&ended);
        let expected = objects(fixture);
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "{archive}"
        );
        for (path, object) in &expected {
            let finding = &found[path];
            if finding["verdict"] == "exempt" {
                assert_eq!(path, "config/tier-config.bin");
                continue;
            }
            assert_eq!(finding["verdict"], "opens", "{archive}: {finding}");
            assert_eq!(
                finding["size"], object["stored_size"],
                "{archive}: {finding}"
            );
            assert_eq!(finding["key"], object["key"], "{archive}: {finding}");
            let form = match object["form"].as_str().unwrap() {
                "kms" => "minio",
                "plain" => "plaintext",
                other => other,
            };
            assert_eq!(finding["found"]["form"], form, "{archive}: {finding}");
        }
        assert_eq!(drives.all(), before, "{archive}: something was changed");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_library_reads_and_opens_every_object() {
    let manifest = manifest();
    let mut keyring = StaticKeyring::new();
    for line in keys().lines() {
        keyring = keyring.key(StaticKey::parse(line).unwrap());
    }
    let auditor = Plugin::builder()
        .component(iamseal_component::AUDITOR)
        .keyring(Arc::new(keyring))
        .load_auditor()
        .await
        .unwrap();
    for (archive, fixture) in manifest["fixtures"].as_object().unwrap() {
        if PLAIN_FILES.contains(&archive.as_str()) {
            continue;
        }
        let drives = Drives::of(archive);
        let paths: Vec<PathBuf> = (1..=drives.names.len())
            .map(|drive| drives.drive(drive))
            .collect();
        let component = iamseal_component::DRIVE_STORE;
        let store = DriveStore::open(component, paths, CompileCache::Off)
            .await
            .unwrap();
        for (path, object) in objects(fixture) {
            let stored = store.read(path.as_bytes()).await.unwrap();
            let digest = hex(&Sha256::digest(&stored.bytes));
            assert_eq!(digest, object["stored_sha256"], "{archive}: {path}");
            if path == "config/tier-config.bin" {
                continue;
            }
            let opened = auditor
                .unseal(path.as_bytes(), &stored.bytes, Policy::Compatible)
                .await;
            let digest = hex(&Sha256::digest(&*opened.unwrap().plaintext));
            assert_eq!(digest, object["plain_sha256"], "{archive}: {path}");
            // A version is told by its bytes.
            assert_eq!(
                stored.version,
                store.read(path.as_bytes()).await.unwrap().version
            );
        }
    }
}

#[tokio::test]
async fn listings_are_held_side_by_side_and_nothing_is_written() {
    let drives = Drives::of("four-sealed.tar.gz");
    let paths = (1..=4).map(|drive| drives.drive(drive)).collect();
    let component = iamseal_component::DRIVE_STORE;
    let store = DriveStore::open(component, paths, CompileCache::Off)
        .await
        .unwrap();
    let mut first = store.list(b"config/", None).await.unwrap();
    let page = first.next().await.unwrap();
    for _ in 0..200 {
        let mut other = store.list(b"config/iam/", None).await.unwrap();
        assert!(!other.next().await.unwrap().is_empty());
    }
    assert!(first.next().await.unwrap().is_empty());
    let after = page[3].as_slice();
    let mut rest = store.list(b"config/", Some(after)).await.unwrap();
    assert_eq!(rest.next().await.unwrap(), page[4..]);
    assert!(store.check_writes().await.is_err());
}

#[test]
fn an_object_is_opened_and_described_where_it_lies() {
    let drives = Drives::of("four-sealed.tar.gz");
    let pattern = format!("drives:{}/drive{{1...4}}", drives.root().display());
    let unseal = tool(["unseal", "--path", ALICE, &pattern]).file("--keys", &keys());
    let ended = unseal.ok().says_nothing();
    let expected = manifest()["fixtures"]["four-sealed.tar.gz"].clone();
    let expected = objects(&expected)[ALICE]["plain_sha256"].clone();
    assert_eq!(hex(&Sha256::digest(&ended.stdout)), expected);
    tool(["inspect", "--path", ALICE, &pattern])
        .ok()
        .prints("fixture-key-a");
    tool(["unseal", "--path", "config/nothing", &pattern])
        .run()
        .fails(13)
        .says("config/nothing: ");
}

#[test]
fn a_manifest_of_drives_tells_what_was_changed_since() {
    let drives = Drives::of("four-sealed.tar.gz");
    let before = drives.all();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("manifest");
    let file = file.to_str().unwrap();
    let store = drives.store();
    let with_key = |command: Tool| {
        command
            .file("--keys", &keys())
            .key("fixture-key-a:TC59kL0hIUwHLZbmwAkYyopKnZupq77baQS2mX2AyhE=")
    };
    with_key(tool(["manifest", &store, "--manifest", file])).ok();
    with_key(tool(["audit", &store, "--manifest", file])).ok();
    assert_eq!(drives.all(), before);
    let alice = drives.file(1, ALICE).parent().unwrap().to_owned();
    for drive in 1..=4 {
        let alice = drives.file(drive, ALICE);
        fs::remove_dir_all(alice.parent().unwrap()).unwrap();
    }
    assert!(!alice.exists());
    with_key(tool(["audit", &store, "--manifest", file]))
        .run()
        .exits(25);
}

/// What is done to drives and to the file of this path on them, and what is noted then.
type Case = (fn(&Drives, &str), &'static str);

#[test]
fn damage_up_to_parity_is_made_up_for_and_named() {
    let meta = format!("{ALICE}/xl.meta");
    let cases: [Case; 6] = [
        (
            |drives, meta| {
                (1..=2).for_each(|drive| fs::remove_file(drives.file(drive, meta)).unwrap())
            },
            "drive2 lacks: 1 object: config/iam/users/alice/identity.json",
        ),
        (
            |drives, meta| fs::write(drives.file(1, meta), b"").unwrap(),
            "drive1 has a damaged xl.meta of: 1 object: config/iam/users/alice/identity.json",
        ),
        (
            |drives, meta| {
                for drive in 1..=2 {
                    let bytes = fs::read(drives.file(drive, meta)).unwrap();
                    fs::write(drives.file(drive, meta), &bytes[..100]).unwrap();
                }
            },
            "drive2 has a damaged xl.meta of: 1 object: ",
        ),
        (
            |drives, meta| {
                for drive in 3..=4 {
                    let mut bytes = fs::read(drives.file(drive, meta)).unwrap();
                    *bytes.last_mut().unwrap() ^= 1;
                    fs::write(drives.file(drive, meta), bytes).unwrap();
                }
            },
            "drive3 has a damaged shard of: 1 object: ",
        ),
        (
            |drives, _| fs::remove_dir_all(drives.file(2, "")).unwrap(),
            "drive2: it has no .minio.sys/format.json: not formatted, wiped, or not mounted",
        ),
        (
            |drives, _| fs::remove_dir_all(drives.drive(4)).unwrap(),
            "of the 4 drives of the set number 4 is missing or not whole",
        ),
    ];
    for (damage, note) in cases {
        let drives = Drives::of("four-sealed.tar.gz");
        damage(&drives, &meta);
        let before = drives.all();
        let ended = audit(&drives.store()).ok().prints(ALICE);
        let notes = notes(&ended);
        assert!(
            notes.iter().any(|said| said.contains(note)),
            "{note}: {ended}"
        );
        assert_eq!(drives.all(), before, "{note}: something was changed");
    }
}

#[test]
fn damage_beyond_parity_is_a_failure_of_the_object_alone() {
    let drives = Drives::of("four-sealed.tar.gz");
    for drive in 1..=3 {
        let meta = drives.file(drive, &format!("{ALICE}/xl.meta"));
        let bytes = fs::read(&meta).unwrap();
        fs::write(&meta, &bytes[..100]).unwrap();
    }
    let ended = audit(&drives.store()).args(["--json"]).run().exits(13);
    let (found, summary) = findings(&ended);
    assert_eq!(found[ALICE]["verdict"], "fails");
    let why = found[ALICE]["error"]["message"].as_str().unwrap();
    assert!(
        why.contains("1 of the 4 drives of its set have it whole, and 2 are needed"),
        "{why}"
    );
    assert!(why.contains("drive1 has a damaged xl.meta"), "{why}");
    let others = found
        .values()
        .filter(|finding| finding["verdict"] != "fails")
        .count();
    assert_eq!(others, found.len() - 1, "{summary}");
}

#[test]
fn what_servers_do_with_torn_and_stale_drives_is_said() {
    let drives = Drives::of("torn-write.tar.gz");
    let ended = audit(&drives.store()).ok();
    let hidden = "MinIO shows no such objects";
    let hidden: Vec<_> = notes(&ended)
        .into_iter()
        .filter(|note| note.contains(hidden))
        .collect();
    assert_eq!(hidden.len(), 1, "{ended}");
    assert!(
        hidden[0].ends_with(": 1 object: config/iam/users/v17/identity.json"),
        "{ended}"
    );

    let drives = Drives::of("stale-one-of-four.tar.gz");
    let ended = audit(&drives.store()).ok();
    let ended = ended.says("drive4 has an older version of: 4 objects: ");
    let dangling = notes(&ended)
        .into_iter()
        .find(|note| note.contains("they are not read"));
    let dangling = dangling.unwrap();
    assert!(
        dangling.contains("2 objects: config/iam/service-accounts/SVCBOB"),
        "{ended}"
    );
    assert!(!ended.text().contains("users/bob/"), "{ended}");

    let drives = Drives::of("pools-sealed.tar.gz");
    audit(&drives.store())
        .ok()
        .says("has older copies, which MinIO does not read, of: 1 object: config/config.json");
}

#[test]
fn one_drive_of_many_asks_for_the_others_by_their_places() {
    let drives = Drives::of("four-sealed.tar.gz");
    let third = drives.drive(3);
    let ended = audit(third.to_str().unwrap())
        .args(["--verbose"])
        .run()
        .exits(13);
    let ended = ended.says(
        "note: of the 4 drives of the set numbers 1, 2 and 4 are missing, and 2 are needed to read an \
         object: give them all, as drives:/mnt/disk{1...4}",
    );
    ended
        .prints(ALICE)
        .prints("drives of the set that are missing or not whole: 3");
    // Two suffice to read, and the system folders alone do too.
    let (second, third) = (drives.file(2, ""), drives.file(3, ""));
    let both = format!("drives:{},{}", second.display(), third.display());
    audit(&both).ok().prints(ALICE);
}

#[test]
fn a_drive_is_recognised_by_what_it_says_of_itself() {
    let drives = Drives::of("single-sealed.tar.gz");
    for given in [drives.drive(1), drives.file(1, "")] {
        audit(given.to_str().unwrap()).ok().prints(ALICE);
    }
    fs::rename(drives.file(1, ""), drives.drive(1).join(".rustfs.sys")).unwrap();
    audit(drives.drive(1).to_str().unwrap()).ok().prints(ALICE);

    let format = drives.drive(1).join(".rustfs.sys/format.json");
    fs::write(format, b"{}").unwrap();
    audit(drives.drive(1).to_str().unwrap())
        .run()
        .fails(2)
        .says("its format.json is damaged")
        .says(" cure: if the server has more drives, give them too");
}

#[test]
fn wrong_drives_are_named() {
    let drives = Drives::of("four-sealed.tar.gz");
    let other = Drives::of("single-sealed.tar.gz");
    let twice = format!(
        "{},{},{}",
        drives.some([2, 1, 3, 4]),
        drives.drive(1).display(),
        other.drive(1).display()
    );
    let ended = audit(&twice).ok().prints(ALICE);
    let ended = ended.says("is the same drive as");
    let ended = ended.says("is of another deployment (16c7dc6a-74e2-430e-899c-39e10cd4a307)");
    ended.says("the drives of the set were given in another order than theirs");
    fs::create_dir_all(drives.file(4, "buckets")).unwrap();
    fs::write(drives.file(4, "buckets/.healing.bin"), b"x").unwrap();
    audit(&drives.store()).ok().says("is being healed");
    let both = format!("{},{}", drives.some([1]), other.drive(1).display());
    audit(&both)
        .run()
        .fails(2)
        .says("the drives are of several deployments")
        .says(" cure: give the drives of one deployment");
    audit("drives:/nowhere/disk{1...2}")
        .run()
        .fails(2)
        .says("/nowhere/disk1: ")
        .says(" cure: give all drives");
    audit("drives:/nowhere/disk{1..2}")
        .run()
        .fails(2)
        .says("not MinIO's pattern");
}

#[test]
fn links_on_a_drive_lead_nowhere() {
    let drives = Drives::of("single-sealed.tar.gz");
    let users = drives.file(1, "config/iam/users");
    fs::rename(users.join("alice"), drives.root().join("alice")).unwrap();
    symlink(drives.root().join("alice"), users.join("alice")).unwrap();
    let ended = audit(drives.drive(1).to_str().unwrap()).run().exits(13);
    assert!(!ended.text().contains(ALICE), "{ended}");
    let ended = ended.prints("config/iam/users/alice/");
    ended.says("no file and no folder, and is not read, at: 1 object: config/iam/users/alice");
}

#[test]
fn a_report_about_a_part_of_the_store_is_no_success() {
    let drives = Drives::of("eight-two-sets.tar.gz");
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("manifest");
    let half = drives.some(1..=4);
    let ended = audit(&half).run().exits(13);
    ended
        .says("and 2 are needed to read an object")
        .prints("Not all of the store was seen")
        .prints("not known");
    let ended = audit(&half).args(["--json"]).run().exits(13);
    let (_, summary) = findings(&ended);
    assert_eq!(summary["all_seen"], false);
    let needed = summary["keys"].as_array().unwrap();
    let is_unneeded = needed.iter().any(|key| key["needed"] == false);
    assert!(!is_unneeded, "{summary}");
    tool(["manifest", &half, "--manifest", file.to_str().unwrap()])
        .file("--keys", &keys())
        .key("fixture-key-a:TC59kL0hIUwHLZbmwAkYyopKnZupq77baQS2mX2AyhE=")
        .run()
        .exits(13)
        .says("not all of the store was seen")
        .says(" cure: give the drives that the notes name");
    assert!(!file.exists());
    let ended = audit(&drives.store()).args(["--json"]).ok();
    let (_, summary) = findings(&ended);
    assert!(summary.get("all_seen").is_none(), "{summary}");
}

#[test]
fn a_drive_under_healing_is_no_empty_store() {
    let drives = Drives::of("single-sealed.tar.gz");
    fs::create_dir_all(drives.file(1, "buckets")).unwrap();
    fs::write(drives.file(1, "buckets/.healing.bin"), b"x").unwrap();
    let ended = audit(drives.drive(1).to_str().unwrap()).run().exits(13);
    ended
        .says("is being healed")
        .prints("Not all of the store was seen");
}

#[test]
fn what_is_in_the_place_of_a_folder_is_a_failure() {
    let things: [fn(&Drives); 3] = [
        |drives| symlink(drives.root(), drives.file(1, "config/iam/users")).unwrap(),
        |drives| fs::write(drives.file(1, "config/iam/users"), b"x").unwrap(),
        |drives| drop(UnixListener::bind(drives.file(1, "config/iam/users")).unwrap()),
    ];
    for thing in things {
        let drives = Drives::of("single-sealed.tar.gz");
        fs::remove_dir_all(drives.file(1, "config/iam/users")).unwrap();
        thing(&drives);
        let ended = audit(drives.drive(1).to_str().unwrap()).run().exits(13);
        ended
            .prints("config/iam/users/")
            .prints("Not all of the store was seen")
            .says("config/iam/users");
    }
    let drives = Drives::of("single-sealed.tar.gz");
    fs::remove_dir_all(drives.file(1, "config")).unwrap();
    fs::write(drives.file(1, "config"), b"x").unwrap();
    for prefix in ["config/", "config/iam/users/"] {
        let ended = audit(drives.drive(1).to_str().unwrap()).args(["--prefix", prefix]);
        ended
            .run()
            .exits(13)
            .prints("Not all of the store was seen");
    }
    let drives = Drives::of("single-sealed.tar.gz");
    let meta = drives.file(1, &format!("{ALICE}/xl.meta"));
    fs::remove_file(&meta).unwrap();
    fs::create_dir(&meta).unwrap();
    let ended = audit(drives.drive(1).to_str().unwrap()).run().exits(13);
    ended.prints(ALICE);
}

#[test]
fn a_pool_that_one_drive_makes_up_is_neither_opened_nor_a_success() {
    let drives = Drives::of("four-sealed.tar.gz");
    let plain = Drives::of("single-plain.tar.gz");
    let unseal = |store: &str| tool(["unseal", "--path", ALICE, store]).file("--keys", &keys());
    let sealed = unseal(&drives.store()).ok().stdout;
    let format = drives.file(4, "format.json");
    let mut made_up: Value = serde_json::from_slice(&fs::read(&format).unwrap()).unwrap();
    let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    made_up["xl"]["this"] = id.into();
    made_up["xl"]["sets"] = serde_json::json!([[id]]);
    fs::write(&format, made_up.to_string()).unwrap();
    let meta = format!("{ALICE}/xl.meta");
    fs::copy(plain.file(1, &meta), drives.file(4, &meta)).unwrap();
    for order in [[1, 2, 3, 4], [4, 3, 2, 1], [4, 1, 2, 3]] {
        let store = drives.some(order);
        let ended = unseal(&store).ok();
        assert_eq!(ended.stdout, sealed);
        let ended = audit(&store).run().exits(13);
        ended
            .says("does not agree with the other drives")
            .prints("Not all of the store was seen");
    }
}
