//! Doing to drives what runs have done to copies of them.
//!
//! Drives on several hosts are copied to one, where runs write the copies; then each host does the same to its own
//! drives. What is known of that are the files: which `xl.meta` was there before, by its digest, and which is there now. A drive gets
//! the files of its copy, object by object, only while it has what the copy had when a run read it, or has them already.
//!
//! The order is that of a run: files of data are staged on the drive itself and durable on all drives of this host before
//! any `xl.meta`; then each drive of an object gets that, one after the other, durable before the next; old data goes
//! last. After a kill the same again finishes. No server may run before all drives of all hosts are done: the drives of
//! an object do not agree until then.

mod put;
#[cfg(test)]
mod tests;
mod written;

use std::collections::{BTreeSet, btree_map};

use thiserror::Error;

use self::put::Put;
pub(crate) use self::written::{DataFile, OfDrive, OfObject};
pub use self::written::{Written, WrittenDrive};
use super::folders::Folders;
use super::{DriveStore, blocking, stopped};
use crate::contract::StorageError;

/// Why nothing is applied.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// A drive is none, or damaged, being healed, or given twice.
    #[error("{0}: it is not read as a drive: not formatted, damaged, being healed, or given twice")]
    NotRead(String),
    /// The runs did not write to this drive, whatever it is.
    #[error(
        "{0}: it is none of the drives of that run: another deployment's, or a new one in the place of an old one"
    )]
    NotOfRun(String),
    /// None of the copies is of this drive.
    #[error("{0}: none of the copies is one of this drive")]
    NoCopy(String),
    /// The drives or the copies could not be read.
    #[error("{}: {}", .0, crate::describe_storage(.1))]
    Storage(String, StorageError),
}

/// What becomes of an object on the drives of this host.
#[derive(Debug)]
pub enum ApplyOutcome {
    /// They have what the copies have.
    Applied,
    /// The same without the writing.
    WouldApply,
    /// They had that already.
    Unchanged,
    /// This drive has neither what its copy had nor what it has: somebody else wrote it. Nothing was put on any.
    ChangedSince(String),
    /// This copy does not have what the last of the runs left there. Nothing was put on any drive.
    NotLeft(String),
    /// The last run that wrote it failed at it, so its copies may be of several versions. Nothing was put on any drive.
    Unfinished,
    /// It failed, and this is why. The text says which drives have the new version all the same, if any do.
    Failed(StorageError),
}

/// An object, and what became of it.
#[derive(Debug)]
pub struct ApplyStep {
    /// The path.
    pub path: Vec<u8>,
    /// What became of it.
    pub outcome: ApplyOutcome,
    /// The drives that it is about, by their places in [`Apply::drives`].
    pub drives: Vec<usize>,
}

/// A drive and its copy.
#[derive(Clone)]
struct Pair {
    written: usize,
    /// Number and system folder.
    to: (u16, Vec<u8>),
    from: (u16, Vec<u8>),
}

/// Both sides, as files.
#[derive(Clone)]
struct Sides {
    to: Folders,
    from: Folders,
    pairs: Vec<Pair>,
}

/// What is being applied, in steps. Drop it to stop: objects that were told of are done, and the same again goes on.
pub struct Apply {
    sides: Sides,
    names: Vec<String>,
    elsewhere: Vec<String>,
    objects: btree_map::IntoIter<Vec<u8>, OfObject>,
    is_dry: bool,
}

impl Apply {
    /// Begins to do to `drives` what the runs did to `copies`, as a dry run unless it `writes`: then `drives` were opened
    /// to be written to. Each drive is found among the copies and in the runs by its `format.json`.
    ///
    /// # Errors
    /// [`ApplyError`]: one of the drives is none of these.
    pub async fn new(
        written: Written,
        copies: &DriveStore,
        drives: &DriveStore,
        writes: bool,
    ) -> Result<Self, ApplyError> {
        let copied = formats(copies).await?;
        let there = formats(drives).await?;
        let mut names = Vec::new();
        let mut pairs = Vec::new();
        for (number, _) in (0..).zip(&drives.drives) {
            let name = drives.folders.name(number).to_owned();
            let Some((to, format)) = there.iter().find(|(drive, _)| drive.0 == number) else {
                return Err(ApplyError::NotRead(name));
            };
            let known = written.drives.iter();
            let Some(place) = known
                .map(|drive| &drive.format)
                .position(|one| one == format)
            else {
                return Err(ApplyError::NotOfRun(name));
            };
            let Some((from, _)) = copied.iter().find(|(_, copy)| copy == format) else {
                return Err(ApplyError::NoCopy(name));
            };
            names.push(name);
            pairs.push(Pair {
                written: place,
                to: to.clone(),
                from: from.clone(),
            });
        }
        let is_here = |place: usize| pairs.iter().any(|pair| pair.written == place);
        let places = written.drives.iter().enumerate();
        let elsewhere = places.filter(|(place, _)| !is_here(*place));
        let elsewhere = elsewhere.map(|(_, drive)| drive.name.clone()).collect();
        Ok(Self {
            sides: Sides {
                to: drives.folders.clone(),
                from: copies.folders.clone(),
                pairs,
            },
            names,
            elsewhere,
            objects: written.objects.into_iter(),
            is_dry: !writes,
        })
    }

    /// What people call the drives that it is done to.
    pub fn drives(&self) -> &[String] {
        &self.names
    }

    /// What those were called that the runs wrote to and that are not among them.
    pub fn elsewhere(&self) -> &[String] {
        &self.elsewhere
    }

    /// How many objects are left that the runs wrote.
    pub fn objects(&self) -> usize {
        self.objects.len()
    }

    /// Does the next objects, up to so many, as one batch, and returns when that is durable. Empty at the end. An object
    /// that is on none of these drives is passed over.
    ///
    /// # Errors
    /// The work could not be done at all.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<ApplyStep>, StorageError> {
        let mut batch = Vec::new();
        while batch.len() < limit.max(1) {
            let Some((path, object)) = self.objects.next() else {
                break;
            };
            let pairs = self.sides.pairs.iter();
            if pairs
                .clone()
                .any(|pair| object.on.contains_key(&pair.written))
            {
                batch.push((path, object));
            }
        }
        let (sides, is_dry) = (self.sides.clone(), self.is_dry);
        let done = blocking(move || sides.batch(batch, is_dry));
        done.await.map_err(stopped)
    }
}

/// The drives that are read, each with the digest of its `format.json`.
async fn formats(store: &DriveStore) -> Result<Vec<((u16, Vec<u8>), String)>, ApplyError> {
    let read = store.read_drives().await;
    let read = read.map_err(|error| ApplyError::Storage(store.name.clone(), error))?;
    let mut formats = Vec::new();
    for drive in read {
        let format = store.format(drive.0, &drive.1);
        let name = || store.folders.name(drive.0).to_owned();
        let format = format.map_err(|error| ApplyError::Storage(name(), error))?;
        formats.push((drive, format));
    }
    Ok(formats)
}

/// An object that is being put on the drives of this host.
struct Object {
    path: Vec<u8>,
    drives: Vec<usize>,
    /// One for each drive, in the order in which they get it.
    puts: Vec<Put>,
    outcome: Option<ApplyOutcome>,
    /// The drives that have it.
    done: Vec<usize>,
}

impl Object {
    fn fail(&mut self, error: StorageError, sides: &Sides) {
        let names = self.done.iter().map(|pair| sides.name(*pair));
        let names: Vec<&str> = names.collect();
        let error = match (names.as_slice(), error) {
            ([], error) => error,
            (done, error) => StorageError::Other(format!(
                "{} have the new version, and the others do not: {}",
                done.join(", "),
                crate::describe_storage(&error)
            )),
        };
        self.outcome.get_or_insert(ApplyOutcome::Failed(error));
    }
}

impl Sides {
    fn name(&self, pair: usize) -> &str {
        let pair = self.pairs.get(pair);
        pair.map_or("?", |pair| self.to.name(pair.to.0))
    }

    fn batch(&self, batch: Vec<(Vec<u8>, OfObject)>, is_dry: bool) -> Vec<ApplyStep> {
        let objects = batch.into_iter();
        let mut objects: Vec<Object> = objects
            .map(|(path, object)| self.looked(path, &object, is_dry))
            .collect();
        self.each(&mut objects, |put| put.stage(self));
        self.each(&mut objects, |put| put.prepare(self));
        let rounds = objects.iter().map(|object| object.puts.len()).max();
        for round in 0..rounds.unwrap_or(0) {
            self.round(&mut objects, round);
        }
        self.each(&mut objects, |put| put.clear(self));
        let step = |object: Object| {
            if object.outcome.is_some() {
                // Nothing of ours is to lie on the drives of what was not put there.
                object.puts.iter().for_each(|put| put.discard(self));
            }
            ApplyStep {
                path: object.path,
                outcome: object.outcome.unwrap_or(ApplyOutcome::Applied),
                drives: object.drives,
            }
        };
        objects.into_iter().map(step).collect()
    }

    /// Looks what each drive has of an object.
    fn looked(&self, path: Vec<u8>, object: &OfObject, is_dry: bool) -> Object {
        let mut looked = Object {
            drives: Vec::new(),
            puts: Vec::new(),
            outcome: None,
            done: Vec::new(),
            path,
        };
        // Those that only lose data come last.
        let rest = object
            .on
            .keys()
            .filter(|drive| !object.order.contains(drive));
        for drive in object.order.iter().chain(rest) {
            let of_drive = object.on.get(drive);
            let here = self.pairs.iter().position(|pair| pair.written == *drive);
            let (Some(of_drive), Some(pair)) = (of_drive, here) else {
                continue;
            };
            looked.drives.push(pair);
            match Put::of(self, pair, &looked.path, of_drive) {
                Ok(put) => looked.puts.push(put),
                Err(outcome) => {
                    looked.outcome.get_or_insert(outcome);
                }
            }
        }
        if !object.is_whole {
            looked.outcome = Some(ApplyOutcome::Unfinished);
        }
        if looked.outcome.is_none() {
            let is_there = looked.puts.iter().all(Put::is_done);
            looked.outcome = match (is_there, is_dry) {
                (true, _) => Some(ApplyOutcome::Unchanged),
                (false, true) => Some(ApplyOutcome::WouldApply),
                (false, false) => None,
            };
        }
        if looked.outcome.is_some() {
            looked.puts.clear();
        }
        looked
    }

    /// Does a step of each drive of each object that goes on, and makes it durable.
    fn each(&self, objects: &mut [Object], step: impl Fn(&mut Put) -> Result<bool, StorageError>) {
        let mut changed = BTreeSet::new();
        for object in objects.iter_mut().filter(|object| object.outcome.is_none()) {
            let failed = object.puts.iter_mut().find_map(|put| match step(put) {
                Ok(has_changed) => {
                    if has_changed {
                        changed.insert(put.pair);
                    }
                    None
                }
                Err(error) => Some(error),
            });
            if let Some(error) = failed {
                object.fail(error, self);
            }
        }
        self.sync(&changed, objects);
    }

    /// Gives each object's next drive its version.
    fn round(&self, objects: &mut [Object], round: usize) {
        let mut changed = BTreeSet::new();
        for object in objects.iter_mut().filter(|object| object.outcome.is_none()) {
            let Some(put) = object.puts.get_mut(round) else {
                continue;
            };
            match put.replace(self) {
                Ok(has_changed) => {
                    object.done.push(put.pair);
                    if has_changed {
                        changed.insert(put.pair);
                    }
                }
                Err(error) => object.fail(error, self),
            }
        }
        self.sync(&changed, objects);
    }

    /// Makes drives durable. What is not is not gone on with.
    fn sync(&self, changed: &BTreeSet<usize>, objects: &mut [Object]) {
        for pair in changed {
            let synced = match self.pairs.get(*pair) {
                Some(pair) => self.to.sync_drive(pair.to.0),
                None => Ok(()),
            };
            if let Err(error) = synced {
                let failed = objects.iter_mut().filter(|object| object.outcome.is_none());
                for object in failed.filter(|object| object.drives.contains(pair)) {
                    object.fail(error.clone(), self);
                }
            }
        }
    }
}
