//! Going through the folders of all drives side by side, one object after the other, in memory that does not
//! grow with how many there are: a bucket may have millions of them in one folder.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::census::Place;
use crate::files::{self, Drive, FileError, Files, Kind, PATH_BYTES, below};
use crate::store::{META, OLD_META, Store};
use crate::walk::is_uuid;

/// How many names are held of folders that are gone into. Beyond that, those of the outer ones are listed again.
const HELD: usize = 50_000;

/// What is come to next.
pub enum Stop {
    /// An object, the drives that have it, and those that may, since a folder on the way could not be listed there.
    Object(Vec<u8>, Vec<Drive>, Vec<Drive>),
    /// What cannot be read, and why. A folder has a `/` at its end.
    Unread(Vec<u8>, String),
    /// A folder without an object.
    Nothing,
}

/// A place that is gone through.
pub struct Browse {
    levels: Vec<Level>,
    /// The folder to begin with, until it was begun.
    start: Option<Vec<Drive>>,
    /// What could not be listed, to be told.
    unread: Vec<(Vec<u8>, String)>,
}

/// A folder that was gone into.
struct Level {
    folder: Vec<u8>,
    /// The drives that have it and can list it.
    drives: Vec<Drive>,
    /// Those that could not list it, or a folder on the way to it.
    failed: Vec<Drive>,
    /// Those of them on which it is an object's.
    objects: Vec<Drive>,
    /// The next names in it.
    names: VecDeque<Entry>,
    /// The last name that was come to, and the last up to which it was listed.
    come_to: Option<Vec<u8>>,
    listed_to: Option<Vec<u8>>,
    is_begun: bool,
    is_listed: bool,
}

/// A name, whether it is no folder, and the drives on which it is so.
type Entry = ((Vec<u8>, bool), Vec<Drive>);

/// Some entries of a folder on all drives.
#[derive(Default)]
struct Page {
    entries: BTreeMap<(Vec<u8>, bool), Vec<Drive>>,
    /// The name up to which all drives told; none if they told everything.
    end: Option<Vec<u8>>,
    /// The drives on which there is an object's file among them.
    objects: Vec<Drive>,
    /// The drives that did not tell, and why.
    failed: Vec<(Drive, String)>,
}

impl Browse {
    /// Begins with a place's own folder on these drives.
    pub fn new(drives: Vec<Drive>) -> Self {
        Self {
            levels: Vec::new(),
            start: Some(drives),
            unread: Vec::new(),
        }
    }

    /// The next stop; none at the end.
    pub fn next<F: Files>(&mut self, store: &Store<F>, place: &Place) -> Option<Stop> {
        if let Some(drives) = self.start.take() {
            self.enter(store, place, Vec::new(), drives, Vec::new());
        } else if let Some(level) = self.levels.last_mut() {
            match level.names.pop_front() {
                Some(((name, is_odd), drives)) => {
                    let path = below(&level.folder, &name);
                    level.come_to = Some(name);
                    let failed = level.failed.clone();
                    return Some(match (is_odd, path.len() > PATH_BYTES) {
                        (true, _) => odd(store, path, &drives, &failed),
                        (_, true) => Stop::Unread(path, "its path is too long".into()),
                        _ => self.enter(store, place, path, drives, failed),
                    });
                }
                None if level.is_listed => {
                    self.levels.pop();
                }
                None => self.list(store, place),
            }
        }
        if let Some((path, why)) = self.unread.pop() {
            return Some(Stop::Unread(path, why));
        }
        (!self.levels.is_empty()).then_some(Stop::Nothing)
    }

    /// The next folder at the top of a place, without going into it; none at the end.
    ///
    /// # Errors
    /// Why folders may be overlooked.
    pub fn name<F: Files>(
        &mut self,
        store: &Store<F>,
        place: &Place,
    ) -> Result<Option<Vec<u8>>, String> {
        if let Some(drives) = self.start.take() {
            self.enter(store, place, Vec::new(), drives, Vec::new());
        }
        loop {
            if let Some((_, why)) = self.unread.pop() {
                return Err(why);
            }
            let Some(level) = self.levels.last_mut() else {
                return Ok(None);
            };
            match level.names.pop_front() {
                Some(((name, is_odd), drives)) => {
                    level.come_to = Some(name.clone());
                    match is_odd.then(|| odd(store, name.clone(), &drives, &level.failed)) {
                        None => return Ok(Some(name)),
                        Some(Stop::Unread(name, why)) => {
                            return Err(format!("{}: {why}", String::from_utf8_lossy(&name)));
                        }
                        Some(_) => {}
                    }
                }
                None if level.is_listed => return Ok(None),
                None => self.list(store, place),
            }
        }
    }

    /// Goes into a folder.
    fn enter<F: Files>(
        &mut self,
        store: &Store<F>,
        place: &Place,
        folder: Vec<u8>,
        drives: Vec<Drive>,
        failed: Vec<Drive>,
    ) -> Stop {
        self.levels.push(Level {
            folder,
            drives,
            failed,
            objects: Vec::new(),
            names: VecDeque::new(),
            come_to: None,
            listed_to: None,
            is_begun: false,
            is_listed: false,
        });
        self.list(store, place);
        self.let_go();
        let Some(level) = self.levels.last() else {
            return Stop::Nothing;
        };
        let (folder, objects) = (level.folder.clone(), level.objects.clone());
        let failed = level.failed.clone();
        if level.is_listed && level.names.is_empty() {
            self.levels.pop();
        }
        match objects.is_empty() {
            true => Stop::Nothing,
            false => Stop::Object(folder, objects, failed),
        }
    }

    /// Lists the next names of the folder that was gone into last.
    fn list<F: Files>(&mut self, store: &Store<F>, place: &Place) {
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        let page = level.page(store, place);
        if let Some((first, why)) = page.failed.first() {
            let failed: Vec<Drive> = page.failed.iter().map(|(drive, _)| *drive).collect();
            level.drives.retain(|drive| !failed.contains(drive));
            level.failed.extend(failed);
            if store.is_cut(&level.failed) {
                let path = [&level.folder, &b"/"[..]].concat();
                let why = format!("{}: {why}", store.layout.name(*first));
                self.unread.push((path, why));
            }
        }
        level.is_listed = page.end.is_none();
        // A place's own folder is no object.
        if !level.is_begun && !level.folder.is_empty() {
            level.objects = page.objects;
            if !level.is_listed {
                level.objects = level.with_meta(store, place);
            }
        }
        level.is_begun = true;
        level.listed_to = page.end;
        let objects = &level.objects;
        // What an object has beside it: its versions' data, and what no server put there.
        let is_of_object = |name: &[u8], is_odd: bool, drives: &[Drive]| {
            let is_data = || {
                let folder = |drive| {
                    let above = store.placed(drive, place, &level.folder)?;
                    Some(below(&above, name))
                };
                is_uuid(name) && store.is_data_alone(drives, folder)
            };
            drives.iter().all(|drive| objects.contains(drive)) && (is_odd || is_data())
        };
        let entries = page.entries.into_iter();
        let entries =
            entries.filter(|((name, is_odd), drives)| !is_of_object(name, *is_odd, drives));
        level.names = entries.collect();
    }

    /// Lets go of names of outer folders, if too many are held.
    fn let_go(&mut self) {
        let mut held: usize = self.levels.iter().map(|level| level.names.len()).sum();
        let inner = self.levels.len().saturating_sub(1);
        for level in self.levels.iter_mut().take(inner) {
            if held <= HELD {
                break;
            }
            if !level.names.is_empty() {
                held -= level.names.len();
                level.names = VecDeque::new();
                level.listed_to.clone_from(&level.come_to);
                level.is_listed = false;
            }
        }
    }
}

impl Level {
    /// Its next entries on all its drives.
    fn page<F: Files>(&self, store: &Store<F>, place: &Place) -> Page {
        let mut page = Page::default();
        for drive in &self.drives {
            let Some(folder) = store.placed(*drive, place, &self.folder) else {
                continue;
            };
            match store.files.list(*drive, &folder, self.listed_to.as_deref()) {
                Ok(listed) => page.add(*drive, listed, self.listed_to.as_deref()),
                Err(FileError::NotFound) => {}
                Err(FileError::Failed(why)) => page.failed.push((*drive, why)),
            }
        }
        page
    }

    /// The drives on which it is an object's, where not all of it was listed.
    fn with_meta<F: Files>(&self, store: &Store<F>, place: &Place) -> Vec<Drive> {
        let has_meta = |drive: &Drive| {
            let folder = store.placed(*drive, place, &self.folder);
            // What cannot be read may be one.
            folder.is_some_and(|folder| {
                [META, OLD_META].into_iter().any(|name| {
                    let read = store.files.read(*drive, &below(&folder, name), 0, 0);
                    !matches!(read, Err(FileError::NotFound))
                })
            })
        };
        let drives = self.drives.iter().copied();
        drives.filter(has_meta).collect()
    }
}

impl Page {
    /// Adds what a drive told of what comes after this name.
    fn add(&mut self, drive: Drive, listed: files::Page, after: Option<&[u8]>) {
        let last = listed.entries.last().map(|entry| entry.name.clone());
        for entry in listed.entries {
            if self.end.as_ref().is_some_and(|end| entry.name > *end) {
                break;
            }
            // Whatever it is, no server keeps anything else of this name.
            if entry.name == META || entry.name == OLD_META && entry.kind == Kind::File {
                if self.objects.last() != Some(&drive) {
                    self.objects.push(drive);
                }
                continue;
            }
            let is_odd = match entry.kind {
                Kind::Folder => false,
                Kind::Other => true,
                // No server keeps one among objects.
                Kind::File => continue,
            };
            let drives = self.entries.entry((entry.name, is_odd)).or_default();
            drives.push(drive);
        }
        // A page must go on where the last one ended, or this would not end.
        let is_further = last.as_deref() > after;
        if let Some(last) = last.filter(|_| listed.has_more && is_further)
            && self.end.as_ref().is_none_or(|end| last < *end)
        {
            let next = [&last, &b"\0"[..]].concat();
            self.entries.split_off(&(next, false));
            self.end = Some(last);
        }
    }
}

/// What is neither a file nor a folder on these drives.
fn odd<F: Files>(store: &Store<F>, path: Vec<u8>, drives: &[Drive], failed: &[Drive]) -> Stop {
    match store.is_cut(&[drives, failed].concat()) {
        false => Stop::Nothing,
        true => {
            let drives = store.layout.named(drives);
            Stop::Unread(path, format!("{drives}: it is no file and no folder"))
        }
    }
}
