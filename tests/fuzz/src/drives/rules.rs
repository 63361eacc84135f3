//! All that can be asked of drives, and what has to hold of the answers, whatever the files hold.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use iamseal_drives::{
    Census, Change, Files, FilesWriter, Place, ReadError, Removal, Replacement, Store, Walk,
    needed, object_of, version,
};

use super::{Drives, SETS, set};

/// More than a small set can have of anything.
const MOST: usize = 10_000;

/// The largest object that something is written for: what is larger takes long.
const LARGEST: usize = 64 << 10;

/// What was read of each object that is listed.
pub type Objects = BTreeMap<Vec<u8>, Result<Vec<u8>, ReadError>>;

/// What the drives of a set hold before anything is changed.
pub fn whole(number: usize) -> &'static Objects {
    static ALL: OnceLock<Vec<Objects>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let numbers = 0..SETS.len();
        numbers.map(|number| read(&set(number)).unwrap()).collect()
    });
    &all[number % SETS.len()]
}

/// Asks for everything that can be read; none of what are no drives.
pub fn read(drives: &Drives) -> Option<Objects> {
    let store = Store::open(drives).ok()?;
    let paths = listed(&store, b"", None);
    // It goes on after any of them.
    let middle = paths.len() / 2;
    if let Some(after) = paths.get(middle) {
        assert_eq!(listed(&store, b"", Some(after)), paths[middle + 1..]);
    }
    let objects: Objects = paths
        .into_iter()
        .map(|path| {
            let read = store.read(&path);
            if let Ok(bytes) = &read {
                let _ = needed(&path, bytes);
            }
            (path, read)
        })
        .collect();
    census(&store);
    for drive in 0..drives.count() {
        for path in drives.paths(drive) {
            let _ = object_of(&path);
        }
        let _ = store.folder_of(drive as u16);
    }
    assert!(store.notes().len() < MOST);
    Some(objects)
}

/// All paths that begin so, after one of them, in ascending order.
fn listed<F: Files>(store: &Store<F>, prefix: &[u8], after: Option<&[u8]>) -> Vec<Vec<u8>> {
    let mut walk = Walk::new(prefix, after);
    let mut paths: Vec<Vec<u8>> = Vec::new();
    loop {
        let page = walk.next(store);
        if page.is_empty() {
            break;
        }
        paths.extend(page);
        assert!(paths.len() < MOST, "a listing has no end");
    }
    assert!(paths.is_sorted_by(|one, next| one < next), "{paths:?}");
    paths
}

fn census<F: Files>(store: &Store<F>) {
    let buckets = store.buckets().ok().flatten().unwrap_or_default();
    let buckets = buckets.into_iter().map(Place::Bucket);
    for place in buckets.chain([Place::Uploads, Place::System]) {
        let mut census = Census::new(store, place);
        let mut pages = 0;
        while census.next(store).is_some() {
            pages += 1;
            assert!(pages < MOST, "a census has no end");
        }
    }
}

/// Replaces or removes an object that can be read. Done is done, and what is not done leaves the object
/// as it was.
pub fn write(drives: &Drives, before: &Objects, choice: u8) {
    let readable: Vec<_> = before
        .iter()
        .filter_map(|(path, read)| Some((path, read.as_ref().ok()?)))
        .filter(|(_, bytes)| bytes.len() < LARGEST)
        .collect();
    let Some((path, old)) = readable.get(usize::from(choice / 2) % readable.len().max(1)) else {
        return;
    };
    let Ok(store) = Store::open(drives) else {
        panic!("drives that were read cannot be opened");
    };
    let new = [b"new ", old.as_slice()].concat();
    let expected = version(old);
    let is_removal = choice % 2 == 1;
    let change = match is_removal {
        false => Change::Replace(Replacement {
            path,
            expected: &expected,
            bytes: &new,
        }),
        true => Change::Remove(Removal {
            path,
            expected: &expected,
        }),
    };
    let is_done = changed(&store, change);
    let _ = store.drafts();
    drop(store);
    let after = Store::open(drives).ok().map(|store| store.read(path));
    let wanted = match (is_done, is_removal) {
        (false, _) => Ok((*old).clone()),
        (true, false) => Ok(new),
        (true, true) => Err(ReadError::NotFound),
    };
    // What was removed uncovers nothing.
    assert_eq!(after, Some(wanted), "{}", String::from_utf8_lossy(path));
}

fn changed<F: FilesWriter>(store: &Store<F>, change: Change<'_>) -> bool {
    if store.lock().is_err() || store.check_writes().is_err() {
        return false;
    }
    let mut staged = store.stage(&[change]);
    let Some(Ok(draft)) = staged.pop() else {
        return false;
    };
    matches!(store.commit(vec![draft]).pop(), Some(Ok(_)))
}
