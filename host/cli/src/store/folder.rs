//! A store in a folder.

use std::path::Path;
use std::sync::Arc;

use iamseal::storage::DirStore;

use super::Access;
use crate::failure::Failure;

/// Opens it.
///
/// # Errors
/// It is no folder, cannot be read, or has no `config/` in it.
pub fn open(folder: &Path, access: Access) -> Result<Arc<DirStore>, Failure> {
    let store = DirStore::open(folder)?.server_is_stopped(access.server_is_stopped());
    let config = folder.join("config");
    // Another user's folder is there too, even if it cannot be looked into.
    if config.metadata().is_ok_and(|config| !config.is_dir())
        || !config.try_exists().unwrap_or(true)
    {
        let text = folder.to_string_lossy();
        // Going on would report success for a store that nobody looked at.
        return Err(
            Failure::usage(format!("{text} has no config/ in it")).with_cure(nearest(folder))
        );
    }
    Ok(Arc::new(store))
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
