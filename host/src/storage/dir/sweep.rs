//! Removing the drafts that a killed run left behind.

use std::fs::TryLockError;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::errors::shown;
use super::list::{Walk, Wanted, why_unread};
use super::path::Place;
use super::read::open;
use super::root::Root;
use crate::contract::StorageError;

/// Removes the drafts under `prefix` that nobody holds, and returns how many.
///
/// # Errors
/// The first thing that could not be read or removed, after everything else was.
pub(super) fn sweep(root: &Arc<Root>, prefix: &[u8]) -> Result<u64, StorageError> {
    let mut walk = Walk::new(Arc::clone(root), Wanted::Drafts, prefix, b"")?;
    let mut removed = 0;
    let mut failure = None;
    loop {
        let page = walk.page();
        if page.is_empty() {
            break;
        }
        for path in page {
            match remove(root, &path) {
                Ok(true) => removed += 1,
                Ok(false) | Err(StorageError::NotFound) => {}
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
    }
    failure.map_or(Ok(removed), Err)
}

/// Removes a draft if its lock can be had, which no living draft's can.
fn remove(root: &Arc<Root>, path: &[u8]) -> Result<bool, StorageError> {
    let failed = |error: &io::Error| match error.kind() {
        ErrorKind::NotFound => StorageError::NotFound,
        _ => StorageError::Other(format!("cannot sweep {}: {error}", shown(path))),
    };
    if path.ends_with(b"/") {
        return Err(why_unread(root, path));
    }
    let place = Place::of(path)?;
    let folder = root.folder(place.folder)?;
    let (file, _) = open(&folder, place.name, path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(failed(&error)),
    }
    folder.remove(place.name).map_err(|error| failed(&error))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fixture, run};
    use crate::storage::Store as _;

    const DEAD: &str = ".iamseal-0123456789abcdef.tmp";

    #[test]
    fn dead_drafts_go_and_living_ones_stay() {
        let fixture = Fixture::new();
        fixture.put("folder/a", "old");
        fixture.put(format!("folder/{DEAD}"), "half");
        fixture.put(DEAD, "half");
        let draft = fixture.draft("folder/a", "new");

        assert_eq!(run(fixture.store.sweep(b"")).unwrap(), 2);
        assert_eq!(fixture.names(""), ["folder"]);
        assert_eq!(fixture.names("folder").len(), 2);
        fixture.commit(vec![draft]).remove(0).unwrap();
        assert_eq!(fixture.get("folder/a"), "new");
        assert_eq!(run(fixture.store.sweep(b"")).unwrap(), 0);
    }

    #[test]
    fn only_drafts_under_the_prefix_go() {
        let fixture = Fixture::new();
        fixture.put(format!("config/{DEAD}"), "");
        fixture.put(format!("other/{DEAD}"), "");
        assert_eq!(run(fixture.store.sweep(b"config/")).unwrap(), 1);
        assert_eq!(fixture.names("other"), [DEAD]);
        assert_eq!(run(fixture.store.sweep(b"missing/")).unwrap(), 0);
    }

    #[test]
    fn nothing_but_drafts_goes() {
        let fixture = Fixture::new();
        fixture.put("object", "");
        fixture.put(".iamseal-mine.tmp", "");
        fixture.put(format!("{DEAD}/a"), "");
        fixture.link("object", ".iamseal-fedcba9876543210.tmp");
        let before = fixture.names("");
        assert_eq!(run(fixture.store.sweep(b"")).unwrap(), 0);
        assert_eq!(fixture.names(""), before);
    }

    #[test]
    fn reading_and_listing_sweep_nothing() {
        let fixture = Fixture::new();
        fixture.put("a", "");
        fixture.put(DEAD, "");
        fixture.version("a");
        assert_eq!(fixture.list(b"", None), ["a"]);
        assert_eq!(fixture.names(""), [DEAD, "a"]);
    }
}
