//! A store in etcd that another server serves and migrates, and then MinIO again.

use std::sync::Arc;
use std::time::Duration;

use iamseal::contract::Policy;
use iamseal::keys::{Environment, StaticKey, StaticKeyring};
use iamseal::sealed_store::background::{LEASE, MARKER};
use iamseal::sealed_store::{Plan, VersionedStore};
use iamseal::storage::EtcdStore;
use iamseal::storage::etcd::Address;
use iamseal::{Plugin, PluginSlot, SealedStore};
use object_store::ObjectStoreExt as _;
use object_store::path::Path;

use super::deployment::{Deployment, USERS, key};
use crate::kit::{KEY, KEY_NAME};

/// Longer than the migration of some objects, which nobody else wants to do.
const LEASE_TIME: Duration = Duration::from_secs(30);
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The marker and the lease are nothing to a MinIO, and what a server has put while it migrated is.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_migrated_while_it_served_is_loaded_by_minio() {
    let mut deployment = Deployment::start(&[]);
    deployment.fill();
    deployment.check();
    let all = deployment.objects().len() as u64;
    deployment.minio.stop();

    let environment = Environment::new(|_| None).unwrap();
    let address = Address::parse(&deployment.store(), &environment).unwrap();
    let etcd = Arc::new(EtcdStore::open(address).await.unwrap());
    let keyring = StaticKeyring::new().key(StaticKey::parse(KEY).unwrap());
    let keyring = keyring.default_key(KEY_NAME).unwrap();
    let plugin = Plugin::builder().component(iamseal_component::PLUGIN);
    let plugin = plugin.keyring(Arc::new(keyring)).load().await.unwrap();
    let store = SealedStore::new(VersionedStore::new(etcd.clone()), PluginSlot::new(plugin));
    let store = store.policy(Policy::Compatible);
    let plan = Plan::of(etcd).lease("a server", LEASE_TIME);
    let migration = store.migrate_in_background(plan).await.unwrap();
    // A request meanwhile, of a user that is there.
    let user = format!("config/iam/users/{}/identity.json", USERS[0].0);
    let user = Path::parse(user).unwrap();
    let identity = store.get(&user).await.unwrap().bytes().await.unwrap();
    store.put(&user, identity.into()).await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, migration.wait()).await;
    let ended = ended.unwrap();
    assert_eq!((ended.done, ended.failed), (all, 0));
    migration.stop().await;

    // An operator sees both, and they open.
    let objects = deployment.objects();
    assert!(objects.contains_key(MARKER) && objects.contains_key(LEASE));
    let forms = deployment.forms(&key(KEY));
    assert_eq!(forms, [("minio".to_owned(), all + 2)].into());

    deployment.restart(&key(KEY));
    deployment.check();
    let log = deployment.minio.said();
    assert!(!log.contains("x-iamseal"), "{log}");
}
