//! Requests at full rate throughout: none fails, none reads what nobody wrote, and the last write of each
//! path is what is stored at the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use futures_util::TryStreamExt as _;
use iamseal::contract::{Policy, Verdict};
use iamseal::sealed_store::background::{Share, Stage};
use iamseal::storage::DirStore;
use iamseal::{AuditScope, Plugin};
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion};
use tokio::task::JoinSet;

use super::{Folder, Store, at, document, ended, is_first, keyring, read, until};

const DOCUMENTS: usize = 3000;
const WRITERS: usize = 4;

/// What a client knows of the documents that only it writes: none was deleted.
type Known = BTreeMap<String, Option<Vec<u8>>>;

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % sides
    }
}

/// A client that reads, writes and deletes its own documents.
async fn client(
    store: Arc<Store>,
    paths: Vec<String>,
    done: Arc<AtomicBool>,
    seed: u64,
) -> (Known, usize) {
    let (mut known, mut dice, mut requests) = (Known::new(), Dice(seed), 0);
    while !done.load(SeqCst) {
        let path = &paths[dice.roll(paths.len())];
        requests += 1;
        let content = format!("{{\"client\":{seed},\"request\":{requests}}}").into_bytes();
        let is_there = !matches!(known.get(path), Some(None));
        match dice.roll(8) {
            0 => {
                store.put(&at(path), content.clone().into()).await.unwrap();
                known.insert(path.clone(), Some(content));
            }
            1 if is_there => update(&store, path, &content, &mut known).await,
            1 => {
                let mode = PutOptions::from(PutMode::Create);
                store
                    .put_opts(&at(path), content.clone().into(), mode)
                    .await
                    .unwrap();
                known.insert(path.clone(), Some(content));
            }
            2 if is_there => {
                store.delete(&at(path)).await.unwrap();
                known.insert(path.clone(), None);
            }
            _ if is_there => {
                let found = read(&*store, path).await;
                check(path, &found, &known);
            }
            _ => {
                let absent = store.get(&at(path)).await.unwrap_err();
                assert!(matches!(absent, Error::NotFound { .. }), "{absent}");
            }
        }
    }
    (known, requests)
}

fn check(path: &str, found: &[u8], known: &Known) {
    let is_right = match known.get(path) {
        Some(content) => content.as_deref() == Some(found),
        None => is_first(path, found),
    };
    assert!(is_right, "{path}: {}", String::from_utf8_lossy(found));
}

/// A write for the version that was read, which nobody but the migration has changed since.
async fn update(store: &Store, path: &str, content: &[u8], known: &mut Known) {
    let result = store.get(&at(path)).await.unwrap();
    let version = UpdateVersion {
        e_tag: result.meta.e_tag.clone(),
        version: None,
    };
    check(path, &result.bytes().await.unwrap(), known);
    let mode = PutOptions::from(PutMode::Update(version.clone()));
    let location = at(path);
    let put = store.put_opts(&location, content.to_vec().into(), mode.clone());
    put.await.unwrap();
    known.insert(path.to_owned(), Some(content.to_vec()));
    // And none for one that somebody has written over.
    let put = store.put_opts(&at(path), "{}".into(), mode).await;
    assert!(matches!(put, Err(Error::Precondition { .. })), "{put:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_or_reads_a_wrong_byte_and_no_write_is_lost() {
    let folder = Folder::new().await;
    let paths = folder.fill(DOCUMENTS).await;
    // They stay, for listings to find each time.
    let (steady, written) = paths.split_at(500);
    let store = Arc::new(folder.serving());
    let done = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for number in 0..WRITERS {
        let own = written
            .iter()
            .skip(number)
            .step_by(WRITERS)
            .cloned()
            .collect();
        clients.spawn(client(store.clone(), own, done.clone(), number as u64 + 1));
    }
    let mut lists = JoinSet::new();
    let listed = Arc::new(AtomicUsize::new(0));
    {
        let (store, done, listed) = (store.clone(), done.clone(), listed.clone());
        let steady: Vec<String> = steady.to_vec();
        lists.spawn(async move {
            while !done.load(SeqCst) {
                let folder = at("config/documents/07");
                let found: Vec<_> = store.list(Some(&folder)).try_collect().await.unwrap();
                let found: Vec<_> = found.iter().map(|meta| meta.location.as_ref()).collect();
                let expected = steady
                    .iter()
                    .filter(|path| path.starts_with(folder.as_ref()));
                for path in expected {
                    assert!(found.contains(&path.as_str()), "{path}");
                }
                assert!(
                    found.iter().all(|path| !path.contains("iamseal")),
                    "{found:?}"
                );
                for path in steady.iter().step_by(37) {
                    assert!(is_first(path, &read(&*store, path).await), "{path}");
                }
                listed.fetch_add(1, SeqCst);
            }
        });
    }
    let share = Share {
        objects: 1500,
        ..Share::default()
    };
    let plan = folder.plan().share(share);
    let migration = store.migrate_in_background(plan).await.unwrap();
    until(|| migration.progress().done > DOCUMENTS as u64 / 2).await;
    assert_eq!(migration.progress().stage, Stage::Migrating);
    migration.change_keys(|| folder.keyring.replace(Arc::new(keyring("later"))));
    let progress = ended(&migration).await;
    assert_eq!(
        (progress.failed, progress.left),
        (0, 0),
        "{:?}",
        migration.failures()
    );
    assert_eq!(store.present_policy(), Policy::Current);
    // Requests go on for a while when all is current.
    let lists_by_then = listed.load(SeqCst);
    until(|| listed.load(SeqCst) > lists_by_then + 3).await;
    done.store(true, SeqCst);
    lists.join_all().await;
    let (mut known, mut requests) = (Known::new(), 0);
    for (theirs, count) in clients.join_all().await {
        known.extend(theirs);
        requests += count;
    }
    assert!(requests > 1000, "{requests}");
    for path in &paths {
        match known.get(path) {
            Some(None) => assert!(!folder.file(path).exists(), "{path}"),
            _ => check(path, &read(&*store, path).await, &known),
        }
    }
    all_current(&folder, &known).await;
}

/// What an auditor finds that was told nothing of any of this.
async fn all_current(folder: &Folder, known: &Known) {
    let storage = DirStore::open(folder.folder.path()).unwrap();
    let plugin = Plugin::builder().component(iamseal_component::PLUGIN);
    let plugin = plugin
        .keyring(Arc::new(keyring("later")))
        .store_name("store");
    let auditor = plugin.storage(Arc::new(storage)).load().await.unwrap();
    let scope = AuditScope {
        policy: Policy::Current,
        prefix: b"config/".to_vec(),
        ..AuditScope::default()
    };
    let mut audit = auditor.audit(&scope).await.unwrap();
    let mut count = 0;
    loop {
        let findings = audit.next(256).await.unwrap();
        if findings.is_empty() {
            break;
        }
        count += findings.len();
        for finding in findings {
            assert!(matches!(finding.verdict, Verdict::Opens(_)), "{finding:?}");
        }
    }
    let deleted = known.values().filter(|content| content.is_none()).count();
    // And the marker.
    assert_eq!(count, DOCUMENTS - deleted + 1);
    assert!(
        known
            .keys()
            .all(|path| (0..DOCUMENTS).any(|number| document(number) == *path))
    );
}
