//! One object on one drive: what it has, and what it gets of its copy.

use super::super::recorder::{FORMAT, META, below, digest, whole};
use super::{ApplyOutcome, OfDrive, Pair, Sides};
use crate::contract::StorageError;
use crate::storage::dir::tree::Tree;

/// Where drafts are, with the names by which a sweep knows them.
const TMP: &[u8] = b"tmp";
/// The digits of such a name.
const DIGITS: usize = 16;

/// An object on one drive.
pub(super) struct Put {
    pub pair: usize,
    /// The system folder, and the object's folder, on the drive.
    root: Vec<u8>,
    object: Vec<u8>,
    /// The new `xl.meta`; none if it is to go.
    new: Option<Vec<u8>>,
    /// The digest of what is there, and of what is to be there.
    had: Option<String>,
    wanted: Option<String>,
    /// Files of data that are to come, by the folders that they are in.
    comes: Vec<Data>,
    /// Files of data that are to go.
    goes: Vec<Vec<u8>>,
    /// Whether the folder of an object that is gone is left, and empty.
    is_left: bool,
    draft: Vec<u8>,
}

/// A folder of data.
struct Data {
    /// Where it is to be.
    folder: Vec<u8>,
    /// Where it is until then.
    draft: Vec<u8>,
    /// Names and bytes.
    files: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The path of a draft of this, which a later run finds again.
fn draft(root: &[u8], of: &[u8], end: &str) -> Vec<u8> {
    let name = digest(of);
    let name = name.get(..DIGITS).unwrap_or_default();
    below(
        &below(root, TMP),
        format!(".iamseal-{name}{end}").as_bytes(),
    )
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => path.split_at(at),
        None => (b"", path),
    }
}

impl Put {
    /// Looks at a drive and its copy.
    ///
    /// # Errors
    /// What becomes of the object instead: nothing of it is to be put anywhere.
    pub fn of(
        sides: &Sides,
        number: usize,
        path: &[u8],
        on: &OfDrive,
    ) -> Result<Self, ApplyOutcome> {
        let not_read = |error| ApplyOutcome::Failed(error);
        let (Some(pair), Some(wanted)) = (sides.pairs.get(number), on.states.last()) else {
            return Err(not_read(StorageError::NotFound));
        };
        let Pair { to, from, .. } = pair;
        let (Ok(drive), Ok(copy)) = (sides.to.tree(to.0), sides.from.tree(from.0)) else {
            return Err(not_read(StorageError::NotFound));
        };
        let meta = |folder: &[u8]| below(&below(folder, path), META.as_bytes());
        let new = whole(copy, &meta(&from.1)).map_err(not_read)?;
        let not_left = || ApplyOutcome::NotLeft(sides.from.name(from.0).to_owned());
        if new.as_deref().map(digest) != *wanted {
            return Err(not_left());
        }
        let had = whole(drive, &meta(&to.1)).map_err(not_read)?;
        let had = had.as_deref().map(digest);
        if !on.states.contains(&had) {
            return Err(ApplyOutcome::ChangedSince(sides.to.name(to.0).to_owned()));
        }
        let is_there = had == *wanted;
        let mut comes: Vec<Data> = Vec::new();
        for (file, is_it) in on.comes.iter().filter(|_| !is_there) {
            let bytes = whole(copy, &below(&from.1, file)).map_err(not_read)?;
            let bytes = bytes
                .filter(|bytes| (is_it.0)(bytes))
                .ok_or_else(not_left)?;
            let file = below(&to.1, file);
            match whole(drive, &file).map_err(not_read)? {
                Some(there) if there == bytes => continue,
                Some(_) => {
                    return Err(ApplyOutcome::ChangedSince(sides.to.name(to.0).to_owned()));
                }
                None => {}
            }
            let (folder, name) = split(&file);
            let name = name.strip_prefix(b"/").unwrap_or(name).to_vec();
            match comes.iter_mut().find(|data| data.folder == folder) {
                Some(data) => data.files.push((name, bytes)),
                None => comes.push(Data {
                    folder: folder.to_vec(),
                    draft: draft(&to.1, folder, ".data"),
                    files: vec![(name, bytes)],
                }),
            }
        }
        let object = below(&to.1, path);
        let listed = || drive.list(&object, None, 1);
        let is_left = new.is_none() && listed().is_ok_and(|page| page.entries.is_empty());
        let goes = on.goes.iter().map(|file| below(&to.1, file));
        let goes = goes.filter(|file| drive.read(file, 0, 0).is_ok());
        Ok(Self {
            pair: number,
            root: to.1.clone(),
            object,
            is_left,
            new,
            had,
            wanted: wanted.clone(),
            comes,
            goes: goes.collect(),
            draft: draft(&to.1, path, ".tmp"),
        })
    }

    /// Whether there is nothing to do.
    pub fn is_done(&self) -> bool {
        self.is_there() && self.goes.is_empty() && !self.is_left
    }

    /// Whether the drive has the version already.
    fn is_there(&self) -> bool {
        self.had == self.wanted
    }

    fn tree<'a>(&self, sides: &'a Sides) -> Result<&'a Tree, StorageError> {
        let pair = sides.pairs.get(self.pair).ok_or(StorageError::NotFound)?;
        sides.to.locked(pair.to.0)
    }

    fn meta(&self) -> Vec<u8> {
        below(&self.object, META.as_bytes())
    }

    /// The file whose owner and rights new files get.
    fn like(&self) -> Vec<u8> {
        match self.had {
            Some(_) => self.meta(),
            None => below(&self.root, FORMAT),
        }
    }

    /// Writes the files beside the object, as drafts.
    pub fn stage(&mut self, sides: &Sides) -> Result<bool, StorageError> {
        if self.is_there() {
            return Ok(false);
        }
        let (tree, like) = (self.tree(sides)?, self.like());
        self.discard(sides);
        tree.make_folder(&below(&self.root, TMP), &self.root)?;
        let like_folder = match self.had {
            Some(_) => &self.object,
            None => &self.root,
        };
        for data in &self.comes {
            tree.make_folder(&data.draft, like_folder)?;
            for (name, bytes) in &data.files {
                tree.create(&below(&data.draft, name), bytes, &like)?;
            }
        }
        if let Some(new) = &self.new {
            tree.create(&self.draft, new, &like)?;
        }
        Ok(true)
    }

    /// Makes ready what goes before the version: folders, files of data, rights.
    pub fn prepare(&mut self, sides: &Sides) -> Result<bool, StorageError> {
        if self.is_there() || self.new.is_none() {
            return Ok(false);
        }
        let (tree, like) = (self.tree(sides)?, self.like());
        if self.had.is_none() {
            self.make_folders(tree)?;
        }
        tree.open_up(&self.draft, &like)?;
        for data in &self.comes {
            for (name, _) in &data.files {
                tree.open_up(&below(&data.draft, name), &like)?;
            }
            tree.rename(&data.draft, &data.folder)?;
        }
        Ok(true)
    }

    /// Makes the folders of an object that the drive lacks.
    fn make_folders(&self, tree: &Tree) -> Result<(), StorageError> {
        let below_root = self.root.len() + usize::from(!self.root.is_empty());
        let slashes = self.object.iter().enumerate().skip(below_root);
        let ends = slashes.filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for end in ends.chain([self.object.len()]) {
            let folder = self.object.get(..end).unwrap_or_default();
            tree.make_folder(folder, &self.root)?;
        }
        Ok(())
    }

    /// Puts the version in its place, or takes it away, if the drive still has what it had.
    pub fn replace(&mut self, sides: &Sides) -> Result<bool, StorageError> {
        if self.is_there() {
            return Ok(false);
        }
        let tree = self.tree(sides)?;
        let there = whole(tree, &self.meta())?;
        if there.as_deref().map(digest) != self.had {
            return Err(StorageError::Conflict);
        }
        match self.new {
            Some(_) => tree.rename(&self.draft, &self.meta())?,
            None => tree.remove(&self.meta())?,
        }
        self.had.clone_from(&self.wanted);
        Ok(true)
    }

    /// Removes the data of old versions, and the folders of an object that is gone. It is done without.
    pub fn clear(&mut self, sides: &Sides) -> Result<bool, StorageError> {
        let tree = self.tree(sides)?;
        for file in &self.goes {
            let _ = tree.remove(file);
            let _ = tree.remove_folder(split(file).0);
        }
        if self.new.is_none() {
            let mut folder = self.object.as_slice();
            // One that is not empty stays, as does all above it.
            while folder.len() > self.root.len() && tree.remove_folder(folder).is_ok() {
                folder = split(folder).0;
            }
        }
        Ok(!self.goes.is_empty() || self.new.is_none())
    }

    /// Removes the drafts. What stays a sweep finds.
    pub fn discard(&self, sides: &Sides) {
        let Ok(tree) = self.tree(sides) else {
            return;
        };
        for data in &self.comes {
            for (name, _) in &data.files {
                let _ = tree.remove(&below(&data.draft, name));
            }
            let _ = tree.remove_folder(&data.draft);
        }
        let _ = tree.remove(&self.draft);
    }
}
