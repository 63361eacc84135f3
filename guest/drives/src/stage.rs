//! Making drafts: the files of a new version on every drive, before anything is changed.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

use sha2::{Digest as _, Sha256};

use crate::change::Change;
use crate::copy::Copy;
use crate::draft::{Draft, Name, PART, TMP, written_dirs};
use crate::encode::{Renewal, Unwritable, etag};
use crate::files::{Drive, FileError, below};
use crate::format::Uuid;
use crate::plan::Encoded;
use crate::store::{Looked, META, OBJECT_BYTES, ReadError, Store, check};
use crate::writer::FilesWriter;

/// The file whose owner and rights new files get where a drive has none of the object.
pub(crate) const FORMAT: &[u8] = b"format.json";

/// Why an object is not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// There is no such object.
    NotFound,
    /// It is not the version that was read.
    Conflict,
    /// It has so many bytes, more than [`OBJECT_BYTES`].
    TooLarge(u64),
    /// It is not touched, for this reason.
    Refused(String),
    /// This went wrong.
    Failed(String),
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound => Self::NotFound,
            ReadError::TooLarge(bytes) => Self::TooLarge(bytes),
            ReadError::Refused(why) => Self::Refused(why),
            ReadError::Unreadable(why) => Self::Failed(why),
        }
    }
}

impl From<Unwritable> for WriteError {
    fn from(unwritable: Unwritable) -> Self {
        Self::Refused(match unwritable {
            Unwritable::Malformed => "its xl.meta is not as any server writes it".into(),
            Unwritable::Unsupported(what) => format!("{what} is read and not written to"),
        })
    }
}

/// The version of an object of these bytes: equal versions are equal bytes.
pub fn version(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

impl<F: FilesWriter> Store<F> {
    /// Keeps all others that write these drives out from now on.
    ///
    /// # Errors
    /// [`WriteError::Failed`]: there is another one.
    pub fn lock(&self) -> Result<(), WriteError> {
        for drive in self.layout.drives() {
            let locked = self.files.lock(drive, &self.layout.path(drive, b""));
            locked.map_err(|error| self.failed(drive, &error))?;
        }
        if self.pools.is_none() {
            self.say(
                "no drive has a pool.bin, so how many pools there are is not known: if there are others, give \
                 their drives too, or what is written here may take the place of what is newer there"
                    .into(),
            );
        }
        Ok(())
    }

    /// Lets drives be missing from now on where objects are written, one of a set. Those that are there get the new
    /// version, which is newer than what the missing one can have. Returns what is missing, if anything is.
    pub fn degrade(&self) -> Option<String> {
        self.is_degraded.set(true);
        self.layout.lacking()
    }

    /// Sees whether objects can be replaced at all: whether all drives are there, or [enough](Self::degrade).
    ///
    /// # Errors
    /// [`WriteError::Refused`] if not.
    pub fn check_writes(&self) -> Result<(), WriteError> {
        let (unfit, only_where) = match self.is_degraded.get() {
            false => (&self.unfit, "all of them are there and sound"),
            true => (&self.unfit_degraded, "enough of them are there and sound"),
        };
        match unfit {
            None => Ok(()),
            Some(why) => Err(WriteError::Refused(format!(
                "drives are written to only where {only_where}: {why}"
            ))),
        }
    }

    /// Makes a draft of each change. When it returns, every draft is durable on every drive of its object, and
    /// every object is as it was.
    ///
    /// # Errors
    /// [`WriteError`], for each on its own. Nothing is left of a draft that failed, or [`Self::drafts`] tells.
    pub fn stage(&self, changes: &[Change<'_>]) -> Vec<Result<Draft, WriteError>> {
        let checked = self.check_writes();
        // Looked for once, and only if it is needed.
        let model = OnceCell::new();
        let stage = |change: &Change<'_>| {
            checked.clone()?;
            match change {
                Change::Create(new) => self.draft(new.path, new.bytes, |looked, renewal| {
                    let model = model.get_or_init(|| self.model()).as_ref();
                    self.encode_new(new, model.map_err(Clone::clone)?, looked, renewal)
                }),
                Change::Replace(new) => self.draft(new.path, new.bytes, |looked, renewal| {
                    self.encode(new, looked, renewal)
                }),
                Change::Remove(old) => self.draft_of_removal(old),
            }
        };
        let drafts: Vec<_> = changes.iter().map(stage).collect();
        let drives = drafts.iter().flatten().flat_map(Draft::drives);
        let failed = self.sync(drives);
        let synced = |draft: Result<Draft, WriteError>| {
            let draft = draft?;
            let why = draft.drives().find_map(|drive| failed.get(&drive).cloned());
            match why {
                None => Ok(draft),
                Some(why) => {
                    self.discard(&draft);
                    Err(why)
                }
            }
        };
        drafts.into_iter().map(synced).collect()
    }

    /// Makes these drives durable. Returns those that could not be.
    pub(crate) fn sync(&self, drives: impl Iterator<Item = Drive>) -> BTreeMap<Drive, WriteError> {
        let mut drives: Vec<Drive> = drives.collect();
        drives.sort_unstable();
        drives.dedup();
        let sync = |drive| {
            let error = self.files.sync(drive).err()?;
            Some((drive, self.failed(drive, &error)))
        };
        drives.into_iter().filter_map(sync).collect()
    }

    /// What went wrong on a drive.
    pub(crate) fn failed(&self, drive: Drive, error: &FileError) -> WriteError {
        let why = match error {
            FileError::NotFound => "what is written to is gone",
            FileError::Failed(why) => why,
        };
        WriteError::Failed(format!("{}: {why}", self.layout.name(drive)))
    }

    /// Makes the draft of an object that is to have these bytes, whose files `encode` makes.
    fn draft(
        &self,
        path: &[u8],
        bytes: &[u8],
        encode: impl for<'a> FnOnce(&'a [Looked<'a>], &Renewal) -> Result<Vec<Encoded<'a>>, WriteError>,
    ) -> Result<Draft, WriteError> {
        check(path)?;
        let size = bytes.len() as u64;
        if size > OBJECT_BYTES {
            return Err(WriteError::TooLarge(size));
        }
        if bytes.is_empty() {
            return Err(WriteError::Refused(
                "servers take an object without bytes for none".into(),
            ));
        }
        let looked = self.looked(path);
        let renewal = Renewal {
            mod_time: self.mod_time(&looked)?,
            data_dir: uuid(self.files.random()),
            size: size as i64,
            etag: etag(bytes),
        };
        let encoded = encode(&looked, &renewal)?;
        let draft = Draft {
            name: Name::of(self.files.random()),
            path: path.to_vec(),
            version: Some(version(bytes)),
            data_dir: renewal.data_dir,
            targets: encoded.iter().map(Encoded::target).collect(),
            has_dirs: encoded.iter().any(Encoded::has_dirs),
        };
        self.live.borrow_mut().insert(draft.name.clone());
        for set in &encoded {
            if let Err(error) = self.write(&draft, set) {
                self.discard(&draft);
                return Err(error);
            }
        }
        Ok(draft)
    }

    /// Writes the files of a draft to the drives of a set.
    fn write(&self, draft: &Draft, set: &Encoded<'_>) -> Result<(), WriteError> {
        let drives = set
            .looked
            .copies
            .iter()
            .zip(&set.written)
            .zip(&set.old_dirs);
        for ((copy, written), old_dir) in drives {
            let Some(drive) = copy.drive() else {
                continue;
            };
            let at = |path: &[u8]| self.layout.path(drive, path);
            let failed = |error| self.failed(drive, &error);
            let like = self.like(draft, copy);
            let create = |path: Vec<u8>, bytes: &[u8]| self.create(drive, &at(&path), bytes, &like);
            let new_dir = written.part.as_ref().map(|_| draft.data_dir);
            let dirs: Vec<Uuid> = new_dir.into_iter().chain(*old_dir).collect();
            if !dirs.is_empty() {
                create(draft.name.dirs(), &written_dirs(&dirs, &draft.path)).map_err(failed)?;
            }
            if let Some(part) = &written.part {
                let like = match copy {
                    Copy::File(..) => at(&draft.path),
                    _ => at(b""),
                };
                let folder = at(&draft.name.data());
                self.files
                    .make_folder(drive, &folder, &like)
                    .map_err(failed)?;
                create(below(&draft.name.data(), PART), part).map_err(failed)?;
            }
            create(draft.name.meta(), &written.meta).map_err(failed)?;
        }
        Ok(())
    }

    /// The file whose owner and rights the new files of a drive get.
    fn like(&self, draft: &Draft, copy: &Copy) -> Vec<u8> {
        match copy {
            Copy::File(drive, _) => below(&self.layout.path(*drive, &draft.path), META),
            _ => self.layout.path(copy.drive().unwrap_or_default(), FORMAT),
        }
    }

    /// Makes a file of a draft. A copy of a drive may have no folder for them yet.
    pub(crate) fn create(
        &self,
        drive: Drive,
        file: &[u8],
        bytes: &[u8],
        like: &[u8],
    ) -> Result<(), FileError> {
        match self.files.create(drive, file, bytes, like) {
            Err(FileError::NotFound) => {
                let (tmp, like_folder) =
                    (self.layout.path(drive, TMP), self.layout.path(drive, b""));
                self.files.make_folder(drive, &tmp, &like_folder)?;
                self.files.create(drive, file, bytes, like)
            }
            other => other,
        }
    }
}

impl Draft {
    /// The drives that have it.
    pub(crate) fn drives(&self) -> impl Iterator<Item = Drive> {
        let places = self.targets.iter().flat_map(|target| &target.places);
        places.map(|place| place.drive)
    }

    /// The object's path.
    pub fn path(&self) -> &[u8] {
        &self.path
    }
}

/// A random UUID (RFC 9562, version 4).
fn uuid(mut random: Uuid) -> Uuid {
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    random
}
