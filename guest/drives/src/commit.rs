//! Making the changes of drafts.
//!
//! The drives of a set are written **one after the other, in an order that [`crate::torn`] gives**, which is
//! that of the set, and each is durable before the next. Wherever that ends, a server reads the old version
//! or the new one; in another order there are moments in which it shows no object at all.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use crate::draft::{Draft, PART, Place, Target};
use crate::files::{self, Drive, FileError, below};
use crate::format::text;
use crate::highway::hash;
use crate::meta::META_BYTES;
use crate::stage::{FORMAT, WriteError};
use crate::store::{META, Store};
use crate::writer::FilesWriter;

/// A draft that is being committed.
struct Committing {
    draft: Draft,
    /// Why it went no further.
    failed: Option<WriteError>,
    /// How many drives have the new version, or have lost the old one.
    done: usize,
}

impl<F: FilesWriter> Store<F> {
    /// Makes the changes of drafts, each only while every drive has what it had when the draft was made. When it
    /// returns, every change is durable. Each draft is gone then, or [`Self::drafts`] tells. Of what was removed
    /// there is no version.
    ///
    /// # Errors
    /// [`WriteError`], for each on its own. `Conflict`: nothing was replaced. After `Failed` the object is what most
    /// of its drives have, old or new.
    pub fn commit(&self, drafts: Vec<Draft>) -> Vec<Result<Option<Vec<u8>>, WriteError>> {
        let mut paths = BTreeSet::new();
        let begin = |draft: Draft| {
            // The second of one object would replace the first unseen.
            let failed = match paths.insert(draft.path.clone()) {
                true => self.is_as_it_was(&draft).err(),
                false => Some(WriteError::Conflict),
            };
            Committing {
                draft,
                failed,
                done: 0,
            }
        };
        let mut all: Vec<Committing> = drafts.into_iter().map(begin).collect();
        self.each(&mut all, |one| {
            self.prepare(&one.draft)?;
            Ok(one.draft.drives().collect())
        });
        let targets = all.iter().flat_map(|one| one.draft.targets.iter());
        let rounds = targets.map(|target| target.places.len()).max();
        for round in 0..rounds.unwrap_or(0) {
            self.each(&mut all, |one| self.replace(one, round));
        }
        let settled = all.into_iter().map(|one| {
            let is_removed = one.draft.version.is_none();
            match one.failed.is_none() && !one.draft.has_dirs {
                // Nothing of it is left.
                true => self.let_go(&one.draft),
                false => self.discard(&one.draft),
            }
            if is_removed && one.failed.is_none() {
                self.remove_folders(&one.draft);
            }
            let drives = one.draft.drives().count();
            match one.failed {
                None => Ok(one.draft.version),
                Some(WriteError::Failed(why)) if one.done > 0 => {
                    let what = match is_removed {
                        true => "have it no more, and it is there as long as enough have it",
                        false => "have the new version, and what most have is read",
                    };
                    let done = one.done;
                    Err(WriteError::Failed(format!(
                        "{done} of {drives} drives {what}: {why}"
                    )))
                }
                Some(error) => Err(error),
            }
        });
        settled.collect()
    }

    /// Does a step of each draft that goes on, and makes the drives durable that it has changed.
    fn each(
        &self,
        all: &mut [Committing],
        step: impl Fn(&mut Committing) -> Result<Vec<Drive>, WriteError>,
    ) {
        let mut changed = Vec::new();
        for one in all.iter_mut().filter(|one| one.failed.is_none()) {
            match step(one) {
                Ok(drives) => changed.push((one, drives)),
                Err(error) => one.failed = Some(error),
            }
        }
        let drives = changed
            .iter()
            .flat_map(|(_, drives)| drives.iter().copied());
        let not_synced = self.sync(drives);
        for (one, drives) in changed {
            one.failed = drives
                .iter()
                .find_map(|drive| not_synced.get(drive).cloned());
        }
    }

    /// Sees that every drive has what it had when the draft was made.
    fn is_as_it_was(&self, draft: &Draft) -> Result<(), WriteError> {
        let places = draft.targets.iter().flat_map(|target| &target.places);
        for Place { drive, before, .. } in places {
            let file = below(&self.layout.path(*drive, &draft.path), META);
            let now = match files::whole(&self.files, *drive, &file, META_BYTES) {
                Ok(bytes) => Some(hash(&bytes)),
                Err(FileError::NotFound) => None,
                Err(error) => return Err(self.failed(*drive, &error)),
            };
            if now != *before {
                return Err(WriteError::Conflict);
            }
        }
        Ok(())
    }

    /// Makes ready what goes before any `xl.meta`: folders, shards in files of their own, rights.
    fn prepare(&self, draft: &Draft) -> Result<(), WriteError> {
        if draft.version.is_none() {
            return Ok(());
        }
        for Target { places, has_parts } in &draft.targets {
            for Place { drive, before, .. } in places {
                let (drive, at) = (*drive, |path: &[u8]| self.layout.path(*drive, path));
                let failed = |error| self.failed(drive, &error);
                let object = at(&draft.path);
                let like = match before {
                    Some(_) => below(&object, META),
                    None => {
                        self.make_folders(drive, &draft.path).map_err(failed)?;
                        at(FORMAT)
                    }
                };
                self.files
                    .open_up(drive, &at(&draft.name.meta()), &like)
                    .map_err(failed)?;
                if *has_parts {
                    let data = at(&draft.name.data());
                    let part = below(&data, PART);
                    self.files.open_up(drive, &part, &like).map_err(failed)?;
                    let to = below(&object, text(&draft.data_dir).as_bytes());
                    self.files.rename(drive, &data, &to).map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    /// Makes the folders of an object that a drive lacks.
    fn make_folders(&self, drive: Drive, path: &[u8]) -> Result<(), FileError> {
        let root = self.layout.path(drive, b"");
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for end in ends.map(|(end, _)| end).chain([path.len()]) {
            let folder = self.layout.path(drive, path.get(..end).unwrap_or_default());
            self.files.make_folder(drive, &folder, &root)?;
        }
        Ok(())
    }

    /// Gives one drive of each set the new `xl.meta`, or takes the old one. Returns which these are.
    fn replace(&self, one: &mut Committing, round: usize) -> Result<Vec<Drive>, WriteError> {
        let mut drives = Vec::new();
        for target in &one.draft.targets {
            let Some(Place { drive, .. }) = target.places.get(round) else {
                continue;
            };
            let from = self.layout.path(*drive, &one.draft.name.meta());
            let to = below(&self.layout.path(*drive, &one.draft.path), META);
            let done = match one.draft.version {
                Some(_) => self.files.rename(*drive, &from, &to),
                None => self.files.remove(*drive, &to),
            };
            done.map_err(|error| self.failed(*drive, &error))?;
            one.done += 1;
            drives.push(*drive);
        }
        Ok(drives)
    }
}
