//! Several servers on one store in etcd.

use std::sync::Arc;
use std::time::Duration;

use iamseal::contract::Policy;
use iamseal::keys::Environment;
use iamseal::sealed_store::background::{LEASE, MARKER, Share, Stage};
use iamseal::sealed_store::{Background, Plan, VersionedStore};
use iamseal::storage::{EtcdStore, Storage as _};
use iamseal::{PluginSlot, SealedStore};
use iamseal_servers::etcd::Etcd;
use object_store::ObjectStoreExt as _;

use super::{at, content, document, ended, keyring, read, until};
use crate::sealed_store::builder;

const DOCUMENTS: usize = 400;
/// The lease of a server that died. It is renewed four times in this time.
const LEASE_TIME: Duration = Duration::from_secs(4);

struct Node {
    store: SealedStore<VersionedStore<EtcdStore>>,
    etcd: Arc<EtcdStore>,
}

impl Node {
    async fn new(etcd: &Etcd) -> Self {
        let environment = Environment::new(|_| None).unwrap();
        let address = format!("etcd://{}/", etcd.addresses()[0]);
        let address = iamseal::storage::etcd::Address::parse(&address, &environment).unwrap();
        let etcd = Arc::new(EtcdStore::open(address).await.unwrap());
        let keyring = Arc::new(keyring("my-minio-key"));
        let plugin = builder().keyring(keyring).store_name("etcd").load().await;
        let slot = PluginSlot::new(plugin.unwrap());
        let store = SealedStore::new(VersionedStore::new(etcd.clone()), slot);
        Self {
            store: store.policy(Policy::Compatible),
            etcd,
        }
    }

    async fn migrate(&self, name: &str, objects: u32) -> Background {
        let share = Share {
            objects,
            in_flight: 20,
            ..Share::ALL
        };
        let plan = Plan::of(self.etcd.clone()).share(share);
        let plan = plan.lease(name, LEASE_TIME);
        self.store.migrate_in_background(plan).await.unwrap()
    }
}

fn filled() -> Etcd {
    let etcd = Etcd::start();
    let documents = (0..DOCUMENTS).map(document);
    let documents: Vec<_> = documents
        .map(|path| (path.clone(), content(&path)))
        .collect();
    etcd.put_all(
        documents
            .iter()
            .map(|(path, content)| (path.as_bytes(), content.as_slice())),
    );
    etcd
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_servers_migrates_and_the_other_takes_over_when_it_dies() {
    let etcd = filled();
    let (first, second) = (Node::new(&etcd).await, Node::new(&etcd).await);
    let dies = first.migrate("first", 100).await;
    until(|| dies.progress().stage == Stage::Migrating).await;
    let waits = second.migrate("second", u32::MAX).await;
    until(|| waits.progress().stage == Stage::Waiting).await;
    // As long as the first one lives, which is longer than a lease lasts, it is its alone.
    until(|| dies.progress().done >= 250).await;
    assert_eq!(waits.progress().stage, Stage::Waiting);
    assert_eq!(waits.progress().to_string(), "another server migrates");
    for number in [0, 200, DOCUMENTS - 1] {
        let path = document(number);
        assert_eq!(read(&second.store, &path).await, content(&path));
    }
    // It has no time to give anything up.
    drop(dies);
    let progress = ended(&waits).await;
    assert_eq!(progress.stage, Stage::Current);
    assert_eq!(progress.done, DOCUMENTS as u64);
    assert!(progress.unchanged >= 250, "{progress:?}");
    assert!(progress.migrated >= 1, "{progress:?}");
    assert_eq!(second.store.present_policy(), Policy::Current);
    for number in 0..DOCUMENTS {
        let path = document(number);
        assert_eq!(read(&second.store, &path).await, content(&path));
    }
    // A third learns it from the marker.
    let third = Node::new(&etcd).await;
    let knows = third.migrate("third", u32::MAX).await;
    assert_eq!(ended(&knows).await.done, 0);
    assert_eq!(third.store.present_policy(), Policy::Current);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_tightens_when_the_other_is_done_and_a_lease_that_is_given_up_is_free_at_once()
 {
    let etcd = filled();
    let (first, second) = (Node::new(&etcd).await, Node::new(&etcd).await);
    let works = first.migrate("first", 100).await;
    until(|| works.progress().stage == Stage::Migrating).await;
    let waits = second.migrate("second", 400).await;
    until(|| waits.progress().stage == Stage::Waiting).await;
    let begun = std::time::Instant::now();
    works.stop().await;
    until(|| waits.progress().stage == Stage::Migrating).await;
    assert!(begun.elapsed() < LEASE_TIME, "{:?}", begun.elapsed());
    // The first waits now.
    let works = first.migrate("first", 400).await;
    until(|| works.progress().stage == Stage::Waiting).await;
    ended(&waits).await;
    ended(&works).await;
    assert_eq!(first.store.present_policy(), Policy::Current);
    assert_eq!(works.progress().done, 0);
    // Both are where an operator sees them.
    let keys: Vec<_> = etcd.everything("config/x-iamseal/").into_keys().collect();
    assert_eq!(keys, [LEASE, MARKER].map(str::as_bytes));
    let lease = first.etcd.read(LEASE.as_bytes()).await.unwrap();
    assert!(!lease.bytes.is_empty());
    let path = document(0);
    first.store.put(&at(&path), "{}".into()).await.unwrap();
    assert_eq!(read(&second.store, &path).await, b"{}");
}

/// A server that lost its lease unawares goes on for a while. Nothing comes of it but work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_somebody_else_has_taken_is_given_up() {
    let etcd = filled();
    let node = Node::new(&etcd).await;
    let works = node.migrate("first", 100).await;
    until(|| works.progress().done >= 40).await;
    // What stands there now is none of its own, and does not even open.
    etcd.put_all([(LEASE.as_bytes(), &b"somebody"[..])]);
    until(|| works.progress().stage == Stage::Waiting).await;
    // Nobody renews it, so it is taken.
    assert_eq!(ended(&works).await.failed, 0);
    assert_eq!(node.store.present_policy(), Policy::Current);
}
