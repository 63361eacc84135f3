//! Where the documents are: a folder, a bucket or etcd.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use iamseal::Limits;
use iamseal::keys::Environment;
use iamseal::sealed_store::{Plan, VersionedStore};
use iamseal::storage::etcd::Address;
use iamseal::storage::{BucketStore, DirStore, EtcdStore, Store};
use object_store::ObjectStore;

/// Requests and a migration write there by the same rules.
pub struct Place {
    pub documents: Arc<dyn ObjectStore>,
    /// Everything there.
    pub plan: Plan,
}

impl Place {
    /// Opens a folder.
    ///
    /// # Errors
    /// It cannot be opened or read.
    pub async fn folder(path: &Path) -> Result<Self, Box<dyn Error>> {
        Self::of(DirStore::open(path)?.object_bytes(object_bytes())).await
    }

    /// Opens a bucket or etcd by its address. Only where no other server writes there is anything deleted in a bucket,
    /// which has no conditions for it.
    ///
    /// # Errors
    /// It is no address, or the store cannot be used.
    pub async fn named(address: &str, is_alone: bool) -> Result<Self, Box<dyn Error>> {
        if address.starts_with("s3://") {
            let bucket = BucketStore::open(address)?.object_bytes(object_bytes());
            bucket
                .cautions()
                .for_each(|caution| tracing::warn!(caution));
            return Self::of(bucket.server_is_stopped(is_alone)).await;
        }
        let address = Address::parse(address, &Environment::of_process()?)?;
        Self::of(EtcdStore::open(address).await?).await
    }

    /// Makes sure that writes hold there, and removes what a server that was killed was about to write.
    async fn of(store: impl Store + 'static) -> Result<Self, Box<dyn Error>> {
        store.check_writes().await?;
        let swept = store.sweep(b"").await?;
        if swept > 0 {
            tracing::info!(swept, "removed drafts of a server that was killed");
        }
        let store = Arc::new(store);
        Ok(Self {
            documents: Arc::new(VersionedStore::new(Arc::clone(&store))),
            plan: Plan::of(store),
        })
    }
}

/// The plugin is to say what is too large, not the store.
fn object_bytes() -> u64 {
    2 * Limits::default().object_bytes as u64
}
