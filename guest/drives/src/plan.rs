//! What every drive is to get of a new version of an object, and in which order.

use alloc::vec::Vec;

use crate::change::Replacement;
use crate::copy::Copy;
use crate::draft::{Place, Target};
use crate::encode::{self, Renewal, Unwritable, Written};
use crate::files::FileError;
use crate::format::Uuid;
use crate::frames::Spread;
use crate::highway::hash;
use crate::meta::{Fault, Meta, Version};
use crate::object::Object;
use crate::pool_copies::PoolCopy;
use crate::quorum::Seen;
use crate::stage::WriteError;
use crate::store::{Looked, Store};
use crate::torn;
use crate::writer::FilesWriter;

/// The bucket that MinIO's system folder is. Other servers' drives are only read.
pub(crate) const BUCKET: &[u8] = b".minio.sys";
/// The largest shard that is part of `xl.meta`. MinIO's limit where buckets keep no versions.
pub(crate) const INLINE_BYTES: usize = 128 << 10;

/// By how much clocks may differ, in nanoseconds, where drives are missing: a second.
const CLOCK: i64 = 1_000_000_000;

/// A set that gets a new version, what its drives get, and what each of them has now.
pub(crate) struct Encoded<'a> {
    pub looked: &'a Looked<'a>,
    pub written: Vec<Written>,
    /// The folder of the data of what each drive has, where that is in files of its own.
    pub old_dirs: Vec<Option<Uuid>>,
    /// The order in which they get it.
    pub order: Vec<usize>,
}

impl<F: FilesWriter> Store<F> {
    /// A time that is later than that of anything that any drive has of an object: of two versions the newer
    /// counts, and no time may stand for two of them.
    pub(crate) fn mod_time(&self, looked: &[Looked<'_>]) -> Result<i64, WriteError> {
        let copies = looked.iter().flat_map(|looked| &looked.copies);
        let times = copies.filter_map(|copy| Some(copy.parse()?.ok()?.newest.mod_time()));
        let (newest, now) = (times.max().unwrap_or(0), self.files.now());
        let is_missing = looked.iter().any(Looked::is_missing);
        if is_missing && newest.saturating_sub(now) > CLOCK {
            return Err(WriteError::Refused(
                "it is of a time that has not come yet by this machine's clock, so a missing drive may have a \
                 version that is newer still: set the clock right"
                    .into(),
            ));
        }
        let after = newest.checked_add(1).map(|after| after.max(now));
        // Each pool has a time of its own.
        let is_usable = |after: &i64| after.checked_add(looked.len() as i64).is_some();
        after
            .filter(is_usable)
            .ok_or_else(|| WriteError::Refused("it has a time after which there is none".into()))
    }

    /// What is to be written: to the set of the version that counts, and to those of other pools that have a
    /// copy, which holds old secrets.
    pub(crate) fn encode<'a>(
        &self,
        new: &Replacement<'_>,
        looked: &'a [Looked<'a>],
        renewal: &Renewal,
    ) -> Result<Vec<Encoded<'a>>, WriteError> {
        let copies = self.pool_copies(new.path, looked, new.expected, false)?;
        let mut encoded = Vec::with_capacity(copies.len());
        for (older, copy) in (0..copies.len() as i64).rev().zip(copies) {
            // The version that counts stays the newest.
            let renewal = Renewal {
                mod_time: renewal.mod_time + older,
                ..renewal.clone()
            };
            encoded.push(self.of_set(new, &copy, &renewal)?);
        }
        Ok(encoded)
    }

    /// What the drives of one set get.
    fn of_set<'a>(
        &self,
        new: &Replacement<'_>,
        copy: &PoolCopy<'a>,
        renewal: &Renewal,
    ) -> Result<Encoded<'a>, WriteError> {
        let PoolCopy {
            looked,
            chosen,
            unsound,
        } = copy;
        let copies = &looked.copies;
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
}

impl Encoded<'_> {
    /// Whether folders of data come or go.
    pub fn has_dirs(&self) -> bool {
        let old = self.old_dirs.iter().any(Option::is_some);
        old || self.written.iter().any(|written| written.part.is_some())
    }

    /// The same for a draft.
    pub fn target(&self) -> Target {
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
pub(crate) fn has_shard(meta: &[u8]) -> Result<bool, WriteError> {
    let meta = Meta::parse(meta).map_err(|_| Unwritable::Malformed)?;
    let shard = meta.shard(&[0; 16]).map_err(|_| Unwritable::Malformed)?;
    Ok(shard.is_some())
}

/// The folder of the data of a version whose shards are in files of their own.
pub(crate) fn data_dir(parsed: &Result<Meta<'_>, Fault>) -> Option<Uuid> {
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
pub(crate) fn seen_of(meta: &[u8]) -> Option<Seen> {
    match Meta::parse(meta).ok()?.newest {
        Version::Object(object, header) => Some(Seen::Version(header.agreed, object.shared)),
        Version::Deleted(_) => None,
    }
}
