//! Making drafts: the files of a new version on every drive, before anything is replaced.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::copy::Copy;
use crate::decode::{self, Lost};
use crate::draft::{Draft, Name, PART, Place, TMP, Target, written_dirs};
use crate::encode::{self, Renewal, Unwritable, Written};
use crate::files::{self, Drive, FileError, below};
use crate::format::Uuid;
use crate::frames::Spread;
use crate::highway::hash;
use crate::meta::{Fault, META_BYTES, Meta, Version};
use crate::object::{Object, Shared};
use crate::placement;
use crate::quorum::{Chosen, Seen};
use crate::store::{InPool, Looked, META, OBJECT_BYTES, ReadError, Store, check};
use crate::torn;
use crate::writer::FilesWriter;

/// The bucket that MinIO's system folder is. Other servers' drives are only read.
const BUCKET: &[u8] = b".minio.sys";
/// The largest shard that is part of `xl.meta`. MinIO's limit where buckets keep no versions.
const INLINE_BYTES: usize = 128 << 10;
/// The file whose owner and rights new files get where a drive has none of the object.
pub(crate) const FORMAT: &[u8] = b"format.json";

/// New bytes for an object.
#[derive(Clone, Copy, Debug)]
pub struct Replacement<'a> {
    /// The object's path.
    pub path: &'a [u8],
    /// The [`version`] that was read: the replacement is for this one alone.
    pub expected: &'a [u8],
    /// The new bytes.
    pub bytes: &'a [u8],
}

/// Why an object is not replaced.
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

/// A set that gets a new version, what its drives get, and what each of them has now.
struct Encoded<'a> {
    looked: &'a Looked<'a>,
    written: Vec<Written>,
    /// The folder of the data of what each drive has, where that is in files of its own.
    old_dirs: Vec<Option<Uuid>>,
    /// The order in which they get it.
    order: Vec<usize>,
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

    /// Sees whether objects can be replaced at all: whether all drives are there.
    ///
    /// # Errors
    /// [`WriteError::Refused`] if not.
    pub fn check_writes(&self) -> Result<(), WriteError> {
        match &self.unfit {
            None => Ok(()),
            Some(why) => Err(WriteError::Refused(format!(
                "drives are written to only where all of them are there and sound: {why}"
            ))),
        }
    }

    /// Makes a draft of each replacement. When it returns, every draft is durable on every drive of its
    /// object, and every object is as it was.
    ///
    /// # Errors
    /// [`WriteError`], for each on its own. Nothing is left of a draft that failed, or [`Self::drafts`] tells.
    pub fn stage(&self, replacements: &[Replacement<'_>]) -> Vec<Result<Draft, WriteError>> {
        let checked = self.check_writes();
        let stage = |new: &Replacement<'_>| checked.clone().and_then(|()| self.draft(new));
        let drafts: Vec<_> = replacements.iter().map(stage).collect();
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

    /// The bytes of a draft, read from all drives that have it.
    ///
    /// # Errors
    /// [`WriteError::Failed`]: one of them does not have what was written.
    pub fn read_back(&self, draft: &Draft) -> Result<Vec<u8>, WriteError> {
        let mut bytes: Option<Vec<u8>> = None;
        for target in &draft.targets {
            let of_set = self.read_set(draft, target)?;
            if bytes.as_ref().is_some_and(|bytes| *bytes != of_set) {
                return Err(WriteError::Failed("its drafts differ".into()));
            }
            bytes = Some(of_set);
        }
        bytes.ok_or(WriteError::NotFound)
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

    fn draft(&self, new: &Replacement<'_>) -> Result<Draft, WriteError> {
        let Replacement { path, bytes, .. } = *new;
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
            etag: encode::etag(bytes),
        };
        let encoded = self.encode(new, &looked, &renewal)?;
        let draft = Draft {
            name: Name::of(self.files.random()),
            path: path.to_vec(),
            version: version(bytes),
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

    /// A time that is later than that of anything that any drive has of an object: of two versions the newer
    /// counts, and no time may stand for two of them.
    fn mod_time(&self, looked: &[Looked<'_>]) -> Result<i64, WriteError> {
        let copies = looked.iter().flat_map(|looked| &looked.copies);
        let times = copies.filter_map(|copy| Some(copy.parse()?.ok()?.newest.mod_time()));
        let after = times.max().unwrap_or(0).checked_add(1);
        let after = after.map(|after| after.max(self.files.now()));
        // Each pool has a time of its own.
        let is_usable = |after: &i64| after.checked_add(looked.len() as i64).is_some();
        after
            .filter(is_usable)
            .ok_or_else(|| WriteError::Refused("it has a time after which there is none".into()))
    }

    /// What is to be written: to the set of the version that counts, and to those of other pools that have a
    /// copy, which holds old secrets.
    fn encode<'a>(
        &self,
        new: &Replacement<'_>,
        looked: &'a [Looked<'a>],
        renewal: &Renewal,
    ) -> Result<Vec<Encoded<'a>>, WriteError> {
        let path = new.path;
        let mut pools: Vec<InPool<'a>> = looked
            .iter()
            .map(|looked| self.in_pool(path, looked))
            .collect();
        pools.retain(|pool| pool.mod_time().is_some());
        // Of as new ones the first stays first.
        pools.sort_by_key(|pool| core::cmp::Reverse(pool.mod_time()));
        let mut counts: Option<(i64, Vec<u8>)> = None;
        let mut encoded = Vec::new();
        for (older, pool) in (0..pools.len() as i64).rev().zip(pools) {
            // The version that counts stays the newest.
            let renewal = Renewal {
                mod_time: renewal.mod_time + older,
                ..renewal.clone()
            };
            let (looked, chosen) = match (pool, &counts) {
                (InPool::Nothing, _) => continue,
                (InPool::Lost(_, error), None) => return Err(error.into()),
                (InPool::Lost(..), Some(_)) => {
                    return Err(WriteError::Refused(
                        "another pool has a copy that cannot be read, and it would stay as it is"
                            .into(),
                    ));
                }
                (InPool::Chosen(looked, chosen), _) => (looked, chosen),
            };
            let decoded = self.decode(path, looked, &chosen)?;
            let time = chosen.shared.mod_time;
            match &counts {
                None if version(&decoded.bytes) != new.expected => {
                    return Err(WriteError::Conflict);
                }
                None if chosen.is_hidden => {
                    return Err(WriteError::Refused(
                        "MinIO shows no such object, since the last drives of the set alone have a newer \
                         version: let mc admin heal settle it first"
                            .into(),
                    ));
                }
                Some((newest, bytes)) if *newest == time && *bytes != decoded.bytes => {
                    return Err(WriteError::Refused(
                        "pools have different copies of one time, and which one counts is not known".into(),
                    ));
                }
                _ => {}
            }
            encoded.push(self.of_set(new, (looked, &chosen), &decoded.unsound, &renewal)?);
            counts.get_or_insert((time, decoded.bytes));
        }
        match encoded.is_empty() {
            true => Err(self.not_there(path).into()),
            false => Ok(encoded),
        }
    }

    /// What the drives of one set get.
    fn of_set<'a>(
        &self,
        new: &Replacement<'_>,
        (looked, chosen): (&'a Looked<'a>, &Chosen),
        unsound: &[Drive],
        renewal: &Renewal,
    ) -> Result<Encoded<'a>, WriteError> {
        let copies = &looked.copies;
        let placed = placement::distribution(BUCKET, new.path, copies.len() as u8);
        if !chosen.shared.distribution.starts_with(&placed) {
            return Err(WriteError::Refused(
                "its shards do not lie as MinIO places them, and it is read and not written to"
                    .into(),
            ));
        }
        let file = |place: usize| match copies.get(place) {
            Some(Copy::File(_, bytes)) => Some(bytes.as_slice()),
            _ => None,
        };
        let model = chosen.members.first().and_then(|place| file(*place));
        let model = model.ok_or(Unwritable::Malformed)?;
        let old: Vec<&[u8]> = (0..copies.len())
            .map(|place| {
                let own = file(place).filter(|_| chosen.members.contains(&place));
                own.unwrap_or(model)
            })
            .collect();
        let spread = Spread {
            size: new.bytes.len(),
            block: usize::try_from(chosen.shared.block).unwrap_or(usize::MAX),
            data: usize::from(chosen.shared.data),
        };
        // A server may have been told to keep fewer bytes there than it does by itself.
        let is_inline = has_shard(model)? && spread.shard() <= INLINE_BYTES;
        let written = encode::set(&old, new.bytes, renewal, is_inline)?;
        let mut seen = Vec::new();
        let mut sound = Vec::new();
        let mut old_dirs = Vec::new();
        for (place, copy) in copies.iter().enumerate() {
            if let Copy::Unreadable(drive, why) = copy {
                return Err(self.failed(*drive, &FileError::Failed(why.clone())));
            }
            let parsed = copy.parse();
            seen.push(copy.seen(parsed.as_ref()));
            let is_used = copy.drive().is_some_and(|drive| !unsound.contains(&drive));
            sound.push(is_used && chosen.members.contains(&place));
            old_dirs.push(parsed.and_then(|parsed| data_dir(&parsed)));
        }
        let will_be = written.first().and_then(|first| seen_of(&first.meta));
        let order = will_be.and_then(|new| torn::order(&seen, chosen, &sound, new));
        let order = order.ok_or_else(|| {
            WriteError::Refused(
                "too few of its drives have it whole for it to be readable at each moment of a write: let \
                 mc admin heal make it whole first"
                    .into(),
            )
        })?;
        Ok(Encoded {
            looked,
            written,
            old_dirs,
            order,
        })
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
    fn create(
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

    fn read_set(&self, draft: &Draft, target: &Target) -> Result<Vec<u8>, WriteError> {
        let other = || WriteError::Failed("its draft is not what was written".into());
        let mut metas = Vec::new();
        for Place { drive, .. } in &target.places {
            let file = self.layout.path(*drive, &draft.name.meta());
            let bytes = files::whole(&self.files, *drive, &file, META_BYTES);
            metas.push(bytes.map_err(|error| self.failed(*drive, &error))?);
        }
        let mut of_all: Option<Shared> = None;
        let mut framed: Vec<Option<Cow<'_, [u8]>>> = vec![None; metas.len()];
        for (place, bytes) in target.places.iter().zip(&metas) {
            let meta = Meta::parse(bytes).map_err(|_| other())?;
            let Version::Object(object, _) = &meta.newest else {
                return Err(other());
            };
            let shared = of_all.get_or_insert(object.shared);
            let is_it = *shared == object.shared
                && shared.distribution.get(place.number) == Some(&object.index);
            let slot = framed.get_mut(usize::from(object.index).wrapping_sub(1));
            let (Some(slot), true) = (slot, is_it) else {
                return Err(other());
            };
            *slot = match meta.shard(&object.shared.id).map_err(|_| other())? {
                Some(shard) => Some(shard.to_vec().into()),
                None => Some(self.part(place.drive, draft)?.into()),
            };
        }
        let shared = of_all.ok_or_else(other)?;
        let joined = decode::code(&shared).and_then(|(spread, code)| {
            let mut is_rotten = false;
            let bytes = decode::join(spread, &code, &framed, |_| is_rotten = true)?;
            // Whatever the code makes up for, all of it is new.
            match is_rotten {
                true => Err(Lost::Disagreement),
                false => Ok(bytes),
            }
        });
        joined.map_err(|_| other())
    }

    fn part(&self, drive: Drive, draft: &Draft) -> Result<Vec<u8>, WriteError> {
        let file = self.layout.path(drive, &below(&draft.name.data(), PART));
        // Not more than an object and its frames.
        let part = files::whole(&self.files, drive, &file, 2 * OBJECT_BYTES as u32);
        part.map_err(|error| self.failed(drive, &error))
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

impl Encoded<'_> {
    fn has_dirs(&self) -> bool {
        let old = self.old_dirs.iter().any(Option::is_some);
        old || self.written.iter().any(|written| written.part.is_some())
    }

    fn target(&self) -> Target {
        let place = |(number, copy): (usize, &Copy)| {
            let before = match copy {
                Copy::File(_, bytes) => Some(hash(bytes)),
                _ => None,
            };
            let drive = copy.drive()?;
            Some(Place {
                drive,
                number,
                before,
            })
        };
        let copies = &self.looked.copies;
        let ordered = self.order.iter();
        let ordered = ordered.filter_map(|number| Some((*number, copies.get(*number)?)));
        Target {
            places: ordered.filter_map(place).collect(),
            has_parts: self.written.iter().any(|written| written.part.is_some()),
        }
    }
}

/// Whether the shard of an `xl.meta` is in it.
fn has_shard(meta: &[u8]) -> Result<bool, WriteError> {
    let meta = Meta::parse(meta).map_err(|_| Unwritable::Malformed)?;
    let shard = meta.shard(&[0; 16]).map_err(|_| Unwritable::Malformed)?;
    Ok(shard.is_some())
}

/// The folder of the data of a version whose shards are in files of their own.
fn data_dir(parsed: &Result<Meta<'_>, Fault>) -> Option<Uuid> {
    match parsed {
        Ok(Meta {
            newest: Version::Object(Object { shared, .. }, _),
            ..
        }) => {
            let is_inline = parsed.as_ref().ok()?.shard(&shared.id).ok()?.is_some();
            (!is_inline).then_some(shared.data_dir)
        }
        _ => None,
    }
}

/// What counts of an `xl.meta`.
fn seen_of(meta: &[u8]) -> Option<Seen> {
    match Meta::parse(meta).ok()?.newest {
        Version::Object(object, header) => Some(Seen::Version(header.agreed, object.shared)),
        Version::Deleted(_) => None,
    }
}

/// A random UUID (RFC 9562, version 4).
fn uuid(mut random: Uuid) -> Uuid {
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    random
}
