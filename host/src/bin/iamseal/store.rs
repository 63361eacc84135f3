//! The store that a command works on.

use std::sync::Arc;

use iamseal::contract::StorageError;
use iamseal::storage::{DirStore, Storage as _};

use crate::arguments::{Common, Where};
use crate::failure::Failure;
use crate::output;

/// MinIO's sign that its configuration was once encrypted (formats.md section 5). It stands outside
/// config/ and is never migrated.
const MARKER: &[u8] = b"backend-encrypted";

/// Opens the store and tells what an operator should know of it before anything else.
pub async fn open(common: &Common, place: &Where) -> Result<Arc<DirStore>, Failure> {
    let text = place.store.to_string_lossy();
    if let Some(kind) = ["etcd://", "s3://", "drives:"]
        .iter()
        .find(|kind| text.starts_with(**kind))
    {
        return Err(
            Failure::usage(format!("{text}: this version has no {kind} stores"))
                .with_cure("copy the objects into a folder and give that folder"),
        );
    }
    let store = DirStore::open(&place.store)?;
    if !place.store.join("config").exists() {
        let below = place.store.join(".minio.sys");
        if below.join("config").is_dir() {
            return Err(
                Failure::usage(format!("{text} has no config/ in it")).with_cure(format!(
                    "the store is the folder below it: {}",
                    below.display()
                )),
            );
        }
        output::note(common.json, &format!("{text} has no config/ in it"));
    }
    marker(common, &store).await;
    Ok(Arc::new(store))
}

/// How many objects there are, for the progress bar.
pub async fn count(store: &DirStore, prefix: &str) -> Result<u64, StorageError> {
    let mut cursor = store.list(prefix.as_bytes(), None).await?;
    let mut count = 0;
    loop {
        match cursor.next().await?.len() as u64 {
            0 => return Ok(count),
            page => count += page,
        }
    }
}

async fn marker(common: &Common, store: &DirStore) {
    let Ok(marker) = store.read(MARKER).await else {
        return;
    };
    let text = match marker.bytes.trim_ascii() {
        b"encrypted" => {
            "the marker backend-encrypted says that MinIO once encrypted this store with its root \
             credential; it is left alone (RELEASE.2021-05-11 up to 2023-04-20 take it as the order \
             to migrate at their start, later ones ignore it)"
        }
        b"incomplete" => {
            "the marker backend-encrypted says that a migration by an old MinIO was interrupted, so \
             expect objects in several forms; it is left alone"
        }
        _ => "the marker backend-encrypted has unknown content; it is left alone",
    };
    output::note(common.json, text);
}
