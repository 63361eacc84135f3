//! A store in etcd of one node.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use iamseal::contract::StorageError;
use iamseal::keys::Environment;
use iamseal::storage::etcd::Address;
use iamseal::storage::{
    Change, Creation, EtcdStore, Removal, Replacement, Storage as _, StorageWriter as _, Store as _,
};
use iamseal_servers::etcd::Etcd;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::etcd_sample::{PREFIX, address, drafts, fill, fill_with, neighbours, on, values};
use crate::kit::migration::{NAMES, all, outcomes};
use crate::kit::{KEY, Tool, tool, with};

/// More than two pages of a listing, and many batches.
const MANY: usize = 2500;
/// How many calls of a run are under way at once: so many drafts may vanish after it was stopped.
const AT_ONCE: usize = 16;
/// How long anything may take that etcd does by itself.
const PATIENCE: Duration = Duration::from_secs(60);

fn migrate(etcd: &Etcd) -> Tool {
    on(etcd, "migrate --json --to kms")
}

fn is_sealed(etcd: &Etcd, count: usize) {
    let audited = on(etcd, "audit --json --require current").ok();
    assert_eq!(outcomes_of(&audited.json()), count);
}

/// How many objects were told of, all of which open.
fn outcomes_of(lines: &[Value]) -> usize {
    let lines = &lines[..lines.len() - 1];
    assert!(lines.iter().all(|line| line["verdict"] == "opens"));
    lines.len()
}

fn key(path: &str) -> String {
    format!("{PREFIX}{path}")
}

#[test]
fn a_store_is_sealed_and_taken_back_and_neighbours_are_left_alone() {
    let etcd = Etcd::start();
    fill(&etcd);
    let (before, others) = (values(&etcd), neighbours(&etcd));
    let journals = tempfile::tempdir().unwrap();
    let journal = format!("--journal {}", journals.path().display());

    let ended = on(&etcd, &format!("migrate --json --to kms {journal}")).ok();
    all(&ended, "migrated");
    // What was there can still be read.
    assert_eq!(
        ended.stderr.matches("etcd keeps earlier revisions").count(),
        1,
        "{ended}"
    );
    is_sealed(&etcd, NAMES.len());
    for (key, value) in values(&etcd) {
        assert_ne!(value, before[&key]);
    }
    let unchanged = migrate(&etcd).ok();
    all(&unchanged, "unchanged");
    assert!(
        !unchanged.stderr.contains("earlier revisions"),
        "{unchanged}"
    );

    let run = ended.json().pop().unwrap()["summary"]["run"].clone();
    let run = run["name"].as_str().unwrap().to_owned();
    let runs = tool(format!("runs --json {journal}").split(' ')).ok();
    assert_eq!(runs.json()[0]["store"], address(&etcd));
    tool(["undo".to_owned(), address(&etcd), run])
        .args(journal.split(' '))
        .key(KEY)
        .ok();
    assert_eq!(values(&etcd), before);
    assert_eq!(neighbours(&etcd), others);
    assert!(drafts(&etcd).is_empty());
}

#[test]
fn a_dry_run_and_an_audit_write_nothing() {
    let etcd = Etcd::start();
    fill(&etcd);
    let before = etcd.revision();
    all(
        &on(&etcd, "migrate --json --to kms --dry-run").ok(),
        "would-migrate",
    );
    assert_eq!(
        outcomes_of(&on(&etcd, "audit --json").ok().json()),
        NAMES.len()
    );
    assert_eq!(etcd.revision(), before);
}

#[test]
fn listings_of_several_pages_are_whole() {
    let etcd = Etcd::start();
    fill_with(&etcd, MANY);
    let counts = outcomes_many(&migrate(&etcd).ok().json());
    assert_eq!(counts, MANY);
    is_sealed(&etcd, MANY);
}

/// How many objects were migrated, each told once.
fn outcomes_many(lines: &[Value]) -> usize {
    let mut paths: Vec<_> = lines
        .iter()
        .filter_map(|line| line["path"].as_str())
        .collect();
    let told = paths.len();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), told);
    told
}

#[test]
fn leases_are_kept_with_the_time_that_remains() {
    let etcd = Etcd::start();
    fill(&etcd);
    let lease = |seconds: &str| {
        let printed = etcd.ctl(&["lease", "grant", seconds, "--write-out=json"]);
        let printed: Value = serde_json::from_slice(&printed).unwrap();
        format!("{:x}", printed["ID"].as_u64().unwrap())
    };
    let (long, short) = (lease("3000"), lease("8"));
    let (kept, gone) = (
        "config/iam/sts/long/identity.json",
        "config/iam/sts/short/identity.json",
    );
    etcd.put_with(&key(kept), b"{}", &[&format!("--lease={long}")]);
    etcd.put_with(&key(gone), b"{}", &[&format!("--lease={short}")]);
    let before = etcd.everything(PREFIX);

    let ended = migrate(&etcd).ok();
    assert_eq!(outcomes(&ended)["migrated"], NAMES.len() as u64 + 2);
    for (key, seen) in etcd.everything(PREFIX) {
        assert_eq!(
            seen.lease,
            before[&key].lease,
            "{}",
            String::from_utf8_lossy(&key)
        );
    }
    // Nobody has renewed it.
    let begun = Instant::now();
    while etcd.everything(PREFIX).contains_key(key(gone).as_bytes()) {
        assert!(begun.elapsed() < PATIENCE, "it does not expire");
        thread::sleep(Duration::from_millis(100));
    }
    let printed = etcd.ctl(&["lease", "timetolive", &long, "--write-out=json"]);
    let printed: Value = serde_json::from_slice(&printed).unwrap();
    // The other one, which began later, is over: seconds have passed, and count.
    assert!(printed["ttl"].as_u64().unwrap() < 3000);
    assert_eq!(printed["granted-ttl"], 3000);
    assert!(etcd.everything(PREFIX).contains_key(key(kept).as_bytes()));
}

#[test]
fn what_is_too_large_for_etcd_once_sealed_is_told_and_left_alone() {
    let etcd = Etcd::start();
    fill(&etcd);
    // As plaintext it just fits.
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat((3 << 19) - 200));
    etcd.put(&key("config/large.json"), large.as_bytes());
    let ended = migrate(&etcd).run().exits(15);
    let counts = outcomes(&ended);
    assert_eq!(
        (counts["migrated"], counts["failed"]),
        (NAMES.len() as u64, 1)
    );
    let lines = ended.json();
    let told = lines
        .iter()
        .find(|line| line["path"] == "config/large.json")
        .unwrap();
    assert_eq!(told["error"]["cause"], "limit");
    let after = values(&etcd);
    assert_eq!(after[key("config/large.json").as_bytes()], large.as_bytes());
    assert!(drafts(&etcd).is_empty());
}

#[test]
fn what_is_not_ours_is_told_and_left_alone() {
    let etcd = Etcd::start();
    fill(&etcd);
    etcd.put_all([
        (key("config/empty.json"), ""),
        (key("config/picture"), "\u{89}PNG\r\n"),
    ]);
    etcd.put_all([(key("config/binary").as_bytes(), b"\x89PNG\r\n\x1a\n\xff")]);
    let before = values(&etcd);
    let ended = migrate(&etcd).run();
    assert_eq!(outcomes(&ended)["failed"], 2);
    let after = values(&etcd);
    for path in ["config/empty.json", "config/binary"] {
        let key = key(path).into_bytes();
        assert_eq!(after[&key], before[&key]);
    }
}

#[test]
fn a_manifest_tells_what_was_changed_since() {
    let etcd = Etcd::start();
    fill(&etcd);
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!("--manifest {}/manifest", folder.path().display());
    on(&etcd, &format!("manifest {manifest}")).ok();
    on(&etcd, &format!("audit {manifest}")).ok();
    etcd.put(&key("config/iam/format.json"), b"{\"version\":2}");
    on(&etcd, &format!("audit {manifest}"))
        .run()
        .exits(24)
        .prints("config/iam/format.json");
}

#[test]
fn a_killed_run_loses_nothing_and_its_drafts_have_an_end() {
    let etcd = Etcd::start();
    fill_with(&etcd, MANY);
    let mut running = migrate(&etcd).spawn_unread();
    running.until_output();
    running.kill();
    running.wait();
    for (key, seen) in drafts(&etcd) {
        assert_ne!(seen.lease, "", "{}", String::from_utf8_lossy(&key));
    }
    let audited = on(&etcd, "audit --json").ok();
    assert_eq!(outcomes_of(&audited.json_of_objects()), MANY);
    let left = drafts(&etcd).len();
    migrate(&etcd).ok();
    assert_eq!(drafts(&etcd).len(), left);
    on(&etcd, "sweep --json --no-run-under-way").ok();
    is_sealed(&etcd, MANY);
}

#[test]
fn plaintext_that_a_killed_run_left_fails_an_audit_until_it_is_swept() {
    let etcd = Etcd::start();
    fill_with(&etcd, MANY);
    migrate(&etcd).ok();
    let mut running = on(&etcd, "migrate --json --to plaintext --jobs 1").spawn();
    running.until_stopped("drafts", || drafts(&etcd).len() > AT_ONCE);
    running.kill();
    running.wait();
    // The objects are sealed again; the drafts are too young for this run to remove them.
    migrate(&etcd).ok();
    let left = drafts(&etcd);
    assert!(left.values().any(|seen| seen.value.starts_with(b"{")));
    let ended = on(&etcd, "audit --json --require current").run().exits(27);
    let named = ended
        .drafts()
        .into_iter()
        .map(|path| key(&path).into_bytes());
    assert!(named.eq(left.keys().cloned()), "{ended}");

    let stays = on(&etcd, "sweep --json").ok().json();
    assert_eq!(stays[0]["outcome"], "stays");
    let reason = stays[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("it goes once it is 15 minutes old"),
        "{reason}"
    );
    let dry = on(&etcd, "sweep --json --no-run-under-way --dry-run").ok();
    assert_eq!(dry.json()[0]["outcome"], "would-remove");
    assert_eq!(drafts(&etcd), left);
    // Without a lease it is nobody's.
    let nobodys = key("iamseal-draft/0123456789abcdef");
    etcd.put(&nobodys, b"{}");
    on(&etcd, "sweep --json").ok();
    assert_eq!(drafts(&etcd), left);
    on(&etcd, "sweep --json --no-run-under-way").ok();
    assert!(drafts(&etcd).is_empty());
    is_sealed(&etcd, MANY);
}

#[test]
fn an_interrupted_run_leaves_no_draft_and_is_finished_by_the_next() {
    let etcd = Etcd::start();
    fill_with(&etcd, MANY);
    let mut running = migrate(&etcd).spawn_unread();
    running.until_output();
    running.interrupt();
    let ended = running.wait().exits(130);
    let told = outcomes_many(&ended.json());
    assert!(told > 0 && told < MANY);
    assert!(drafts(&etcd).is_empty());
    migrate(&etcd).ok();
    is_sealed(&etcd, MANY);
}

#[test]
fn two_runs_at_once_lose_nothing() {
    let etcd = Etcd::start();
    fill_with(&etcd, 500);
    let journals = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let running: Vec<_> = journals
        .iter()
        .map(|folder| {
            let journal = format!("--journal {}", folder.path().display());
            migrate(&etcd).args(journal.split(' ')).spawn()
        })
        .collect();
    for running in running {
        running.wait().exits(0);
    }
    is_sealed(&etcd, 500);
    assert!(drafts(&etcd).is_empty());
}

#[test]
fn a_prefix_that_is_not_minios_is_told_with_the_cure() {
    let etcd = Etcd::start();
    fill(&etcd);
    let node = etcd.addresses().remove(0);
    for prefix in ["minio-1", "other/", "minio-1//"] {
        tool(with("audit", format!("etcd://{node}/{prefix}")))
            .run()
            .fails(2)
            .says(&format!("no key in etcd begins with {prefix}config/"))
            .says(" cure: give the prefix as MINIO_ETCD_PATH_PREFIX has it");
    }
}

#[test]
fn the_variables_of_minio_name_the_store() {
    let etcd = Etcd::start();
    fill(&etcd);
    let variables = [
        ("MINIO_ETCD_ENDPOINTS", etcd.endpoints()),
        ("MINIO_ETCD_PATH_PREFIX", PREFIX.to_owned()),
    ];
    for address in ["etcd://", "etcd:///"] {
        let ended = tool(with("audit --json", address))
            .env(variables.clone())
            .ok();
        assert_eq!(outcomes_of(&ended.json()), NAMES.len());
    }
    tool(with("audit", "etcd://"))
        .run()
        .fails(2)
        .says("no node of etcd is named")
        .says(" cure: ");
    // The same from a file, which MinIO can be started with.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("minio.env");
    let lines = variables.map(|(name, value)| format!("export {name}=\"{value}\"\n"));
    fs::write(&file, lines.concat()).unwrap();
    tool(with("audit", "etcd://"))
        .env([("MINIO_CONFIG_ENV_FILE", &file)])
        .ok();
}

#[test]
fn a_replacement_is_for_the_version_that_was_read_alone() {
    let etcd = Etcd::start();
    fill(&etcd);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let environment = Environment::new(|_| None).unwrap();
        let open = || async {
            let address = Address::parse(&address(&etcd), &environment).unwrap();
            EtcdStore::open(address).await.unwrap()
        };
        let (store, other) = (open().await, open().await);
        assert_eq!(store.name(), address(&etcd));
        let paths = ["config/a", "config/b", "config/c", "config/d"];
        etcd.put_all(paths.map(|path| (key(path), "old")));
        let mut replacements = Vec::new();
        for path in paths {
            let expected = store.read(path.as_bytes()).await.unwrap().version;
            replacements.push(Change::Replace(Replacement {
                path: path.into(),
                expected,
                bytes: b"new".to_vec(),
            }));
        }
        let mut staged: Vec<_> = store.stage(replacements).await;
        assert_eq!(drafts(&etcd).len(), 4);
        for draft in &mut staged {
            assert_eq!(
                draft.as_mut().ok().unwrap().read_back().await.unwrap(),
                b"new"
            );
        }
        etcd.put(&key("config/a"), b"theirs");
        // The same bytes are another version: they were written by somebody.
        etcd.put(&key("config/b"), b"old");
        etcd.ctl(&["del", &key("config/c")]);
        let staged = staged.into_iter().map(Result::unwrap).collect();
        let committed = store.commit(staged).await;
        assert_eq!(committed[0], Err(StorageError::Conflict));
        assert_eq!(committed[1], Err(StorageError::Conflict));
        assert_eq!(committed[2], Err(StorageError::NotFound));
        let now = other.read(b"config/d").await.unwrap();
        assert_eq!(now.bytes, b"new");
        assert_eq!(committed[3].as_ref().unwrap().as_ref(), Some(&now.version));
        assert!(drafts(&etcd).is_empty());
        let values = values(&etcd);
        assert_eq!(values[key("config/a").as_bytes()], b"theirs");
        assert!(!values.contains_key(key("config/c").as_bytes()));

        // A draft is of its store alone, and one that is thrown away goes.
        let expected = now.version;
        let bytes = b"newer".to_vec();
        let path = b"config/d".to_vec();
        let draft = store
            .stage(vec![Change::Replace(Replacement {
                path,
                expected,
                bytes,
            })])
            .await
            .remove(0);
        let committed = other.commit(vec![draft.unwrap()]).await.remove(0);
        assert!(matches!(committed, Err(StorageError::Refused(_))));
        let begun = Instant::now();
        while !drafts(&etcd).is_empty() {
            assert!(begun.elapsed() < PATIENCE, "the draft stays");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(other.read(b"config/d").await.unwrap().bytes, b"new");
    });
}

#[test]
fn objects_are_created_only_where_there_is_none_and_removed_only_as_they_were_read() {
    let etcd = Etcd::start();
    Runtime::new().unwrap().block_on(async {
        etcd.put_all(["config/a", "config/b", "config/c"].map(|path| (key(path), "old")));
        let environment = Environment::new(|_| None).unwrap();
        let address = Address::parse(&address(&etcd), &environment).unwrap();
        let store = EtcdStore::open(address).await.unwrap();
        let creation = |path: &str| {
            Change::Create(Creation {
                path: path.into(),
                bytes: b"new".to_vec(),
                rights: None,
            })
        };
        let mut changes = vec![creation("config/new"), creation("config/raced")];
        for path in ["config/a", "config/b", "config/c"] {
            let expected = store.read(path.as_bytes()).await.unwrap().version;
            changes.push(Change::Remove(Removal {
                path: path.into(),
                expected,
            }));
        }
        let mut staged: Vec<_> = store.stage(changes).await;
        // A removal has no bytes, and no draft in etcd.
        assert_eq!(drafts(&etcd).len(), 2);
        let read = staged[0].as_mut().ok().unwrap().read_back().await;
        assert_eq!(read.unwrap(), b"new");
        let read = staged[2].as_mut().ok().unwrap().read_back().await;
        assert!(matches!(read, Err(StorageError::Refused(_))));
        etcd.put(&key("config/raced"), b"theirs");
        etcd.put(&key("config/b"), b"theirs");
        etcd.ctl(&["del", &key("config/c")]);
        let staged = staged.into_iter().map(Result::unwrap).collect();
        let committed = store.commit(staged).await;
        let new = store.read(b"config/new").await.unwrap();
        assert_eq!(new.bytes, b"new");
        assert_eq!(
            committed,
            [
                Ok(Some(new.version)),
                Err(StorageError::Conflict),
                Ok(None),
                Err(StorageError::Conflict),
                Err(StorageError::NotFound),
            ]
        );
        let values = values(&etcd);
        assert!(!values.contains_key(key("config/a").as_bytes()));
        for theirs in ["config/raced", "config/b"] {
            assert_eq!(values[key(theirs).as_bytes()], b"theirs");
        }
        assert!(drafts(&etcd).is_empty());
        assert!(store.old_bytes().is_some());
    });
}

#[test]
fn names_of_any_length_are_listed() {
    let etcd = Etcd::start();
    fill(&etcd);
    // Together more than an answer may hold.
    for number in 0..14 {
        let name = format!("config/iam/zz/{number:02}{}", "x".repeat(1_300_000));
        etcd.put_all([(format!("{PREFIX}{name}"), "{}")]);
    }
    let ended = on(&etcd, "ls").args(["config/iam/"]).ok();
    assert_eq!(ended.text().matches("config/iam/zz/").count(), 14);
}
