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

/// How many names of a folder are looked at in search of the store.
const LOOKED_AT: usize = 1000;

/// Which folder was probably meant instead of one that has no `config/` in it.
fn nearest(given: &Path) -> String {
    let below = given.join(".minio.sys");
    if below.join("config").is_dir() {
        return format!("the store is the folder below it: {}", below.display());
    }
    // Names like `.` and `x/..` show only when they are resolved.
    let whole = given.canonicalize().unwrap_or_default();
    let config = whole.ancestors().find(|above| above.ends_with("config"));
    if let Some(store) = config.and_then(Path::parent) {
        return format!("the store is the folder above it: {}", store.display());
    }
    let below = given.read_dir().into_iter().flatten().flatten();
    let below = below.take(LOOKED_AT).map(|entry| entry.path());
    let mut below = below.filter(|below| below.join(".minio.sys/config").is_dir());
    match (below.next(), below.next()) {
        (Some(one), None) => format!("the store is in a folder below it: {}", one.display()),
        (Some(_), Some(_)) => "it holds several drives: give all of one server, as \
                               drives:/mnt/disk{1...4}"
            .into(),
        (None, _) => "give the folder that holds config/".into(),
    }
}
