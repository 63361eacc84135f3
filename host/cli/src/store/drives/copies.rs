//! Drives that are not a whole store: those of one host, and copies of drives.

use std::path::PathBuf;
use std::sync::Arc;

use iamseal::storage::DriveStore;

use super::{at, failure, folders, stopped};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::store::Access;

/// Opens the drives of all of these names, whichever of a deployment they are.
///
/// # Errors
/// The names are none, none of them is a drive, or another process writes to them.
pub async fn open(given: &[PathBuf], access: Access) -> Result<Arc<DriveStore>, Failure> {
    let mut drives = Vec::new();
    for given in given {
        drives.extend(folders(given)?);
    }
    let opened = at(drives.clone(), access).await;
    opened
        .map(Arc::new)
        .map_err(|error| failure(&drives, error))
}

/// Watches them, unless it was promised that no server runs.
///
/// # Errors
/// A server runs on them, or they cannot be watched.
pub async fn watch(common: &Common, store: &DriveStore, access: Access) -> Result<(), Failure> {
    match access {
        Access::Write(writes) if !writes.server_is_stopped => stopped::watch(common, store).await,
        _ => Ok(()),
    }
}
