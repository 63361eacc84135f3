//! A store whose objects are sealed: what it keeps of the store behind, what it adds, what it refuses.

mod concurrency;
mod conditions;
mod errors;
mod passing;
mod reading;
mod versioned;

use std::sync::Arc;

use iamseal::contract::Found;
use iamseal::keys::{StaticKey, StaticKeyring};
use iamseal::{Limits, Plugin, PluginBuilder, PluginSlot, SealedStore};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

/// The key of the vectors. It is no secret.
pub const KEY: &str = "my-minio-key:rDHTF3saS+WLQAGZnULu9cZHAzOOWiDBSORoXgorNsM=";

fn keyring() -> Arc<StaticKeyring> {
    let key = StaticKey::parse(KEY).unwrap();
    Arc::new(
        StaticKeyring::new()
            .key(key)
            .default_key("my-minio-key")
            .unwrap(),
    )
}

pub fn builder() -> PluginBuilder {
    Plugin::builder().component(iamseal_component::PLUGIN)
}

async fn slot() -> PluginSlot {
    PluginSlot::new(builder().keyring(keyring()).load().await.unwrap())
}

/// A slot whose plugin takes objects up to this size.
async fn slot_up_to(object_bytes: usize) -> PluginSlot {
    let mut limits = Limits::default();
    limits.object_bytes = object_bytes;
    let plugin = builder().keyring(keyring()).limits(limits).load().await;
    PluginSlot::new(plugin.unwrap())
}

async fn in_memory() -> SealedStore<InMemory> {
    SealedStore::new(InMemory::new(), slot().await)
}

/// The path of a user's identity.
fn user(name: &str) -> Path {
    Path::parse(format!("config/iam/users/{name}/identity.json")).unwrap()
}

pub async fn get(store: &impl ObjectStore, path: &Path) -> Vec<u8> {
    let result = store.get(path).await.unwrap();
    result.bytes().await.unwrap().to_vec()
}

async fn found(store: &impl ObjectStore, path: &Path) -> Option<Found> {
    let result = store.get(path).await.unwrap();
    result.extensions.get::<Found>().cloned()
}
