//! Removing the drafts that a killed run left behind.

use std::fs::TryLockError;
use std::io::{self, ErrorKind};

use super::errors::{refused, shown};
use super::leftover::Leftover;
use super::list::why_unread;
use super::path::{Place, aside_name, is_draft_name, note_of, tags};
use super::read::open;
use super::removal::Aside;
use super::root::Root;
use crate::contract::StorageError;
use crate::storage::Swept;

/// Removes a draft if its lock can be had, which no living draft's can; only looks if `is_dry`. What stands
/// under the name of one that was being exchanged need not be a draft.
///
/// # Errors
/// `NotFound` if it is gone, `Refused` if it is no draft; else what could not be read or removed.
pub(super) fn remove(
    root: &Root,
    limit: u64,
    path: &[u8],
    is_dry: bool,
) -> Result<Swept, StorageError> {
    let failed = |error: &io::Error| match error.kind() {
        ErrorKind::NotFound => StorageError::NotFound,
        _ => StorageError::Other(format!("cannot sweep {}: {error}", shown(path))),
    };
    if path.ends_with(b"/") {
        return Err(why_unread(root, path));
    }
    let place = Place::of(path)?;
    if !is_draft_name(place.name) {
        return Err(refused(format!("{} is no draft", shown(path))));
    }
    let folder = root.folder(place.folder)?;
    let (file, _) = open(&folder, place.name, path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Ok(Swept::Stays("a run that is under way holds it".into()));
        }
        Err(TryLockError::Error(error)) => return Err(failed(&error)),
    }
    let aside = note_of(place.name);
    if aside.is_none() && folder.kind(&aside_name(place.name)).is_ok() {
        return Ok(Swept::Stays(
            "it says which object the file beside it is that a killed run was removing".into(),
        ));
    }
    if let Some(note) = aside.filter(|_| !is_dry) {
        // Until this is had, somebody may be at it.
        let _lock = root.lock()?;
        let aside = Aside {
            folder: &folder,
            name: place.name,
            note: &note,
            path,
            limit,
        };
        return aside.clear().map(|()| Swept::Removed);
    }
    match tags(place.name) {
        None if is_dry && note_of(place.name).is_some() => {
            return Ok(Swept::Stays(
                "a run was killed while it removed this object; a sweep finds out whether it is the version \
                 that was to go, and removes it or puts it back"
                    .into(),
            ));
        }
        None if is_dry => {}
        Some(_) if is_dry => {
            return Ok(Swept::Stays(
                "a run was killed while it exchanged this file for its object; a sweep finds out which of \
                 the two it is, and removes it or puts it back"
                    .into(),
            ));
        }
        None => folder.remove(place.name).map_err(|error| failed(&error))?,
        Some(tags) => {
            // Until this is had, somebody may be at it.
            let _lock = root.lock()?;
            let leftover = Leftover {
                folder: &folder,
                name: place.name,
                tags,
                path,
                limit,
            };
            leftover.clear()?;
        }
    }
    Ok(Swept::Removed)
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
