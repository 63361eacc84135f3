//! Migrating the folder while it is served.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use iamseal::SealedStore;
use iamseal::sealed_store::background::Share;
use iamseal::sealed_store::{Background, Plan, VersionedStore};
use iamseal::storage::{DirStore, Store as _};
use object_store::ObjectStore;

/// Opens the folder, and removes what a server that was killed was about to write.
///
/// # Errors
/// It cannot be opened or read.
pub async fn folder(path: &Path, object_bytes: usize) -> Result<Arc<DirStore>, Box<dyn Error>> {
    // The plugin is to say what is too large, not the store.
    let folder = DirStore::open(path)?.object_bytes(2 * object_bytes as u64);
    let swept = folder.sweep(b"").await?;
    if swept > 0 {
        tracing::info!(swept, "removed drafts of a server that was killed");
    }
    Ok(Arc::new(folder))
}

/// The documents in the folder. Requests and a migration write to it by the same rules.
pub fn documents(folder: &Arc<DirStore>) -> Arc<dyn ObjectStore> {
    Arc::new(VersionedStore::new(Arc::clone(folder)))
}

/// Begins to migrate it, at so many objects a second.
///
/// # Errors
/// The folder's.
pub async fn begin(
    store: &SealedStore<Arc<dyn ObjectStore>>,
    folder: Arc<DirStore>,
    objects: u32,
) -> Result<Arc<Background>, iamseal::Error> {
    let share = Share {
        objects,
        ..Share::default()
    };
    let migration = store.migrate_in_background(Plan::of(folder).share(share));
    Ok(Arc::new(migration.await?))
}

/// What `/healthz` says.
pub fn health(migration: Option<&Background>) -> String {
    match migration {
        None => "ok\n".to_owned(),
        Some(migration) => format!("{}\n", migration.progress()),
    }
}
