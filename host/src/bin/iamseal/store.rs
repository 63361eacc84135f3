//! The store that a command works on.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use iamseal::contract::StorageError;
use iamseal::storage::{DirStore, Storage as _};

use crate::arguments::{Common, Where};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::report::notes;

/// Opens the store that holds these objects and tells what an operator should know of it.
pub async fn open(common: &Common, place: &Where) -> Result<Arc<DirStore>, Failure> {
    if let Some((message, cure)) = notes::wrong_prefix(place.prefix.as_bytes()) {
        return Err(Failure::usage(message).with_cure(cure));
    }
    open_folder(common, &place.store).await
}

/// The same for a whole store.
pub async fn open_folder(common: &Common, folder: &Path) -> Result<Arc<DirStore>, Failure> {
    let text = folder.to_string_lossy();
    if let Some(kind) = ["etcd://", "s3://", "drives:"]
        .iter()
        .find(|kind| text.starts_with(**kind))
    {
        return Err(
            Failure::usage(format!("{text}: this version has no {kind} stores"))
                .with_cure("copy the objects into a folder and give that folder"),
        );
    }
    let store = DirStore::open(folder)?;
    let config = folder.join("config");
    // Another user's folder is there too, even if it cannot be looked into.
    if config.metadata().is_ok_and(|config| !config.is_dir())
        || !config.try_exists().unwrap_or(true)
    {
        // Going on would report success for a store that nobody looked at.
        return Err(
            Failure::usage(format!("{text} has no config/ in it")).with_cure(nearest(folder))
        );
    }
    marker(common, &store).await;
    Ok(Arc::new(store))
}

/// Removes what a killed run left behind. That is harmless, so failing to do so is no reason to stop.
pub async fn sweep(common: &Common, store: &DirStore, prefix: &[u8]) {
    match store.sweep(prefix).await {
        Ok(0) => {}
        Ok(swept) => output::note(common.json, &notes::swept(swept)),
        Err(error) => {
            let why = iamseal::describe_storage(&error);
            output::note(common.json, &notes::not_swept(&why));
        }
    }
}

/// The progress of something that is done to every object.
pub async fn progress(common: &Common, store: &DirStore, prefix: &[u8]) -> Progress {
    let total = match Progress::is_shown(common) {
        true => count(store, prefix).await.ok(),
        false => None,
    };
    Progress::new(common, total)
}

async fn count(store: &DirStore, prefix: &[u8]) -> Result<u64, StorageError> {
    let mut cursor = store.list(prefix, None).await?;
    let mut count = 0;
    loop {
        match cursor.next().await?.len() as u64 {
            0 => return Ok(count),
            page => count += page,
        }
    }
}

/// Says that there was nothing to do: a mistyped prefix must not look like success.
pub fn nothing_there(common: &Common, place: &Where) {
    let prefix = place.prefix.as_bytes();
    output::note(common.json, &notes::nothing_there(prefix));
}

/// Which folder was probably meant instead of one that has no `config/` in it.
fn nearest(given: &Path) -> String {
    let below = given.join(".minio.sys");
    if below.join("config").is_dir() {
        return format!("the store is the folder below it: {}", below.display());
    }
    // Names like `.` and `x/..` show only when they are resolved.
    let whole = given.canonicalize().unwrap_or_default();
    match whole.parent() {
        Some(above) if whole.ends_with("config") => {
            format!("the store is the folder above it: {}", above.display())
        }
        _ => "give the folder that holds config/".into(),
    }
}

async fn marker(common: &Common, store: &DirStore) {
    let Ok(marker) = store.read(notes::MARKER).await else {
        return;
    };
    output::note(common.json, notes::marker(&marker.bytes));
}
