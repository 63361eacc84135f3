//! How it is seen of files that they were not written to, without reading them.

use cap_std::fs::{Metadata, MetadataExt as _};

use super::disk::Folder;
use super::path::Place;
use super::root::Root;
use super::stamp::is_recent;
use crate::storage::Mark;

/// The marks of these paths, which come in the order of a listing. None of what is no plain file, or cannot be looked
/// at: reading it tells why.
pub(super) fn of(root: &Root, paths: Vec<Vec<u8>>) -> Vec<(Vec<u8>, Mark)> {
    // That of the last path, and usually of the next.
    let mut folder: Option<(Vec<u8>, Folder)> = None;
    let marked = paths.into_iter().map(|path| {
        let Ok(place) = Place::of(&path) else {
            return (path, None);
        };
        if folder.as_ref().is_none_or(|(of, _)| of != place.folder) {
            let opened = root.folder(place.folder).ok();
            folder = opened.map(|opened| (place.folder.to_vec(), opened));
        }
        let open = folder.as_ref();
        let looked = open.and_then(|(_, open)| open.look(place.name).ok());
        let mark = looked.and_then(|metadata| mark(&metadata));
        (path, mark)
    });
    marked.collect()
}

/// Which file it is, and when it was written. The time of the last change of anything (`ctime`) is in it since nobody
/// can set it. None of a file that was written a moment ago: another write now may leave the same times.
fn mark(metadata: &Metadata) -> Mark {
    if !metadata.is_file() || is_recent(metadata.ctime()) {
        return None;
    }
    let numbers = [
        metadata.ino().cast_signed(),
        metadata.size().cast_signed(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ];
    Some(
        numbers
            .iter()
            .flat_map(|number| number.to_be_bytes())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs::{self, File};
    use std::thread::sleep;
    use std::time::{Duration, SystemTime};

    use super::super::testing::{Fixture, run};
    use super::*;
    use crate::storage::Store as _;

    fn marks(fixture: &Fixture) -> BTreeMap<String, Mark> {
        let mut seen = BTreeMap::new();
        let mut see = |path: Vec<u8>, mark: Mark| {
            seen.insert(String::from_utf8(path).unwrap(), mark);
        };
        run(fixture.store.marks(b"a/", &mut see)).unwrap();
        seen
    }

    #[test]
    fn a_mark_stays_until_the_file_is_written_whatever_its_time_says() {
        let fixture = Fixture::new();
        fixture.put("a/kept", "x");
        fixture.put("a/written", "old");
        fixture.put("b/outside", "x");
        fixture.link("kept", "a/link");
        let fresh = marks(&fixture);
        assert_eq!(fresh.len(), 3);
        assert!(fresh.values().all(Option::is_none), "{fresh:?}");

        // Longer than a file counts as written a moment ago.
        sleep(Duration::from_millis(3100));
        let before = marks(&fixture);
        assert_eq!(before["a/link"], None);
        assert!(before["a/kept"].is_some() && before["a/written"].is_some());
        assert_eq!(marks(&fixture), before);

        // In place, as long as before, and with the time that it had.
        let path = fixture.root().join("a/written");
        let time: SystemTime = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "new").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
        let after = marks(&fixture);
        assert_eq!(after["a/kept"], before["a/kept"]);
        assert_eq!(after["a/written"], None);
        sleep(Duration::from_millis(3100));
        let after = marks(&fixture);
        assert!(after["a/written"].is_some());
        assert_ne!(after["a/written"], before["a/written"]);
    }
}
