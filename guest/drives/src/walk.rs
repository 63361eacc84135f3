//! Listing the objects of a store.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::files::{Drive, Files, PATH_BYTES, below};
use crate::folder::Listed;
use crate::store::Store;

/// How many paths are handed over at once.
const PAGE: usize = 512;

/// Folders of the system folder's top that hold no objects: what is half done, and what is on its way
/// out.
const PASSING: [&[u8]; 2] = [b"tmp", b"multipart"];

/// A listing that is under way: the folders of all drives side by side, in the order of the objects'
/// paths.
pub struct Walk {
    prefix: Vec<u8>,
    after: Vec<u8>,
    /// The folder to begin with, until it was begun.
    start: Option<Vec<u8>>,
    levels: Vec<Level>,
}

/// A folder that was begun.
struct Level {
    folder: Vec<u8>,
    /// What is to be looked at, by names. An object comes by its own name, and what is below it by that
    /// with a `/`: other names may stand between the two.
    items: BTreeMap<Vec<u8>, Item>,
}

enum Item {
    /// A folder that was not looked at.
    Name(Vec<Drive>),
    /// What is below it, whether drives are missing from that, and the names in it of what should be
    /// folders and is none on so many drives that objects may be overlooked.
    Below(BTreeMap<Vec<u8>, Vec<Drive>>, bool, Vec<Vec<u8>>),
}

impl Walk {
    /// Lists the objects whose paths begin with `prefix` and come after `after`.
    pub fn new(prefix: &[u8], after: Option<&[u8]>) -> Self {
        let folder = match prefix.iter().rposition(|byte| *byte == b'/') {
            Some(end) => prefix.get(..end).unwrap_or_default(),
            None => &[],
        };
        Self {
            prefix: prefix.to_vec(),
            after: after.unwrap_or_default().to_vec(),
            start: Some(folder.to_vec()),
            levels: Vec::new(),
        }
    }

    /// The next paths, in ascending order; empty at the end. A folder that cannot be listed on so many
    /// drives that objects may be overlooked is handed over too, with a `/` at its end.
    pub fn next<F: Files>(&mut self, store: &Store<F>) -> Vec<Vec<u8>> {
        let mut page = Vec::new();
        if let Some(folder) = self.start.take() {
            let listed = store.folder(&folder, &store.all_drives());
            let is_cut = listed.unlisted.is_some() || store.no_folder(&folder).is_some();
            let cut = cut(store, &listed);
            self.descend(store, folder, listed.folders, is_cut, &mut page);
            self.overlook(&cut);
        }
        while page.len() < PAGE {
            let Some(level) = self.levels.last_mut() else {
                break;
            };
            let Some((name, item)) = level.items.pop_first() else {
                self.levels.pop();
                continue;
            };
            let path = below(&level.folder, &name);
            match item {
                Item::Name(drives) => self.look(store, path, name, &drives, &mut page),
                Item::Below(folders, is_cut, cut) => {
                    let folder = path.strip_suffix(b"/").unwrap_or(&path).to_vec();
                    self.descend(store, folder, folders, is_cut, &mut page);
                    self.overlook(&cut);
                }
            }
        }
        page
    }

    fn look<F: Files>(
        &mut self,
        store: &Store<F>,
        path: Vec<u8>,
        name: Vec<u8>,
        drives: &[Drive],
        page: &mut Vec<Vec<u8>>,
    ) {
        let is_wanted = self.wants(&path);
        let goes_on = self.goes_below(&path);
        if !is_wanted && !goes_on || path.len() > PATH_BYTES {
            return;
        }
        let mut listed = store.folder(&path, drives);
        if !listed.objects.is_empty() {
            // Most drives decide: one alone could hide what the others have below.
            let is_object = store.is_listed(&path);
            if is_wanted {
                store.note_left(&path, &listed);
            }
            // The folders of its data.
            let of_data = |drive: &Drive| is_object || listed.objects.contains(drive);
            listed.folders.retain(|name, drives| {
                let folder = |drive| Some(below(&store.layout.path(drive, &path), name));
                let is_data = is_uuid(name) && drives.iter().all(of_data);
                !is_data || !store.is_data_alone(drives, folder)
            });
            if is_object {
                listed.odd.clear();
            }
            if is_wanted && is_object {
                page.push(path);
            }
        }
        let cut = cut(store, &listed);
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        let as_folder = [&name, &b"/"[..]].concat();
        let was_cut = level.items.remove(&as_folder).is_some();
        let is_cut = listed.unlisted.is_some() || was_cut;
        if goes_on && (is_cut || !cut.is_empty() || !listed.folders.is_empty()) {
            let item = Item::Below(listed.folders, is_cut, cut);
            level.items.insert(as_folder, item);
        }
    }

    /// Has the folder that was begun last go on with these, of which nothing is known.
    fn overlook(&mut self, names: &[Vec<u8>]) {
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        let is_top = level.folder.is_empty();
        for name in names
            .iter()
            .filter(|name| !is_top || !PASSING.contains(&name.as_slice()))
        {
            let item = Item::Below(BTreeMap::new(), true, Vec::new());
            level.items.insert([name, &b"/"[..]].concat(), item);
        }
    }

    fn descend<F: Files>(
        &mut self,
        store: &Store<F>,
        folder: Vec<u8>,
        folders: BTreeMap<Vec<u8>, Vec<Drive>>,
        is_cut: bool,
        page: &mut Vec<Vec<u8>>,
    ) {
        let as_path = [&folder, &b"/"[..]].concat();
        if is_cut && self.wants(&as_path) {
            store.cut(&folder);
            page.push(as_path);
        }
        let items = folders.into_iter();
        let items = items.map(|(name, drives)| (name, Item::Name(drives)));
        let is_top = folder.is_empty();
        self.levels.push(Level {
            folder,
            items: items
                .filter(|(name, _)| !is_top || !PASSING.contains(&name.as_slice()))
                .collect(),
        });
    }

    fn wants(&self, path: &[u8]) -> bool {
        path.starts_with(&self.prefix) && (self.after.is_empty() || path > self.after.as_slice())
    }

    /// Whether a path that is wanted may begin with this one and a `/`.
    fn goes_below(&self, path: &[u8]) -> bool {
        let folder = [path, b"/"].concat();
        let may_begin = folder.starts_with(&self.prefix) || self.prefix.starts_with(&folder);
        may_begin && (folder > self.after || self.after.starts_with(&folder))
    }
}

/// The names of what is no folder on so many drives that objects may be overlooked.
fn cut<F: Files>(store: &Store<F>, listed: &Listed) -> Vec<Vec<u8>> {
    let odd = listed.odd.iter();
    let cut = odd.filter(|(_, drives)| store.is_cut(drives));
    cut.map(|(name, _)| name.clone()).collect()
}

/// Whether a folder's name is that of a version's data.
pub(crate) fn is_uuid(name: &[u8]) -> bool {
    name.len() == 36
        && name.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
