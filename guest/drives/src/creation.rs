//! What every drive is to get of a new object.
//!
//! Its files are made of those of another object of the same pool, so that they are as its server writes
//! them. The drives get them one after the other: as long as fewer have one than it takes to read it, a server
//! sees no object, and from there on the new one.

use alloc::vec::Vec;

use crate::change::Creation;
use crate::copy::Copy;
use crate::encode::{self, Renewal, Unwritable};
use crate::files::{Drive, FileError, below};
use crate::frames::Spread;
use crate::meta::{Meta, Version};
use crate::missing;
use crate::object::Shared;
use crate::placement;
use crate::plan::{BUCKET, Encoded, INLINE_BYTES, data_dir, has_shard, seen_of};
use crate::quorum::{Seen, Settled, settle};
use crate::stage::WriteError;
use crate::store::{InPool, Looked, META, OLD_META, Store};
use crate::torn;
use crate::walk::{Walk, is_uuid};
use crate::writer::FilesWriter;

/// Where objects are that others can be made of.
const CONFIG: &[u8] = b"config/";

/// The files of an object that every drive of its set has whole, in the order of the set. That of a drive that is
/// missing is another one's.
pub(crate) struct Model {
    /// The number of its pool.
    pool: usize,
    metas: Vec<Vec<u8>>,
}

impl<F: FilesWriter> Store<F> {
    /// Finds an object to make others of.
    ///
    /// # Errors
    /// [`WriteError::Refused`]: there is none.
    pub(crate) fn model(&self) -> Result<Model, WriteError> {
        let mut walk = Walk::new(CONFIG, None);
        loop {
            let page = walk.next(self);
            if page.is_empty() {
                return Err(WriteError::Refused(
                    "no object of config/ is whole on all drives of its set, so there is none to make \
                     another one of: let mc admin heal make them whole first"
                        .into(),
                ));
            }
            for path in page {
                for (pool, looked) in self.looked(&path).iter().enumerate() {
                    if let Some(metas) = whole(&path, looked) {
                        return Ok(Model { pool, metas });
                    }
                }
            }
        }
    }

    /// Sees that no object lies within another one: a server removes the two together, or neither.
    ///
    /// # Errors
    /// [`WriteError::Refused`].
    fn check_place(&self, path: &[u8]) -> Result<(), WriteError> {
        let parts = || path.split(|byte| *byte == b'/');
        if parts().any(|part| part == META || part == OLD_META) {
            let text = "a part of its path has the name that drives have for an object's own file";
            return Err(WriteError::Refused(text.into()));
        }
        let drives = self.layout.drives();
        let ends = (0..path.len()).filter(|at| path.get(*at) == Some(&b'/'));
        for above in ends.filter_map(|end| path.get(..end)) {
            let is_object = |drive: &Drive| {
                let file = below(&self.layout.path(*drive, above), META);
                let read = self.files.read(*drive, &file, 0, 0);
                !matches!(read, Err(FileError::NotFound))
            };
            if drives.iter().any(is_object) {
                let text = "it would lie within another object";
                return Err(WriteError::Refused(text.into()));
            }
        }
        let listed = self.folder(path, &drives);
        if let Some(why) = listed.unlisted {
            return Err(WriteError::Refused(why));
        }
        let mut within = listed.folders.iter();
        let holds_objects = |(name, drives): (&Vec<u8>, &Vec<Drive>)| {
            let folder = |drive| Some(below(&self.layout.path(drive, path), name));
            !is_uuid(name) || !self.is_data_alone(drives, folder)
        };
        match within.any(holds_objects) {
            true => Err(WriteError::Refused(
                "other objects lie within it, or what does cannot be listed".into(),
            )),
            false => Ok(()),
        }
    }

    /// What the drives of the set get that a new object belongs to.
    pub(crate) fn encode_new<'a>(
        &self,
        new: &Creation<'_>,
        model: &Model,
        looked: &'a [Looked<'a>],
        renewal: &Renewal,
    ) -> Result<Vec<Encoded<'a>>, WriteError> {
        self.check_place(new.path)?;
        for looked in looked {
            match self.in_pool(new.path, looked) {
                InPool::Nothing => {}
                InPool::Chosen(..) => return Err(WriteError::Conflict),
                InPool::Lost(_, error) => return Err(error.into()),
            }
        }
        let looked = looked.get(model.pool).ok_or(Unwritable::Malformed)?;
        let copies = &looked.copies;
        let first = model.metas.first().ok_or(Unwritable::Malformed)?;
        let places = placement::distribution(BUCKET, new.path, copies.len() as u8);
        let placed = model.metas.iter().map(|meta| encode::placed(meta, &places));
        let placed: Vec<Vec<u8>> = placed.collect::<Result<_, _>>()?;
        let old: Vec<&[u8]> = placed.iter().map(Vec::as_slice).collect();
        let shared = shared(first).ok_or(Unwritable::Malformed)?;
        let spread = Spread {
            size: new.bytes.len(),
            block: usize::try_from(shared.block).unwrap_or(usize::MAX),
            data: usize::from(shared.data),
        };
        let is_inline = has_shard(first)? && spread.shard() <= INLINE_BYTES;
        let written = encode::set(&old, new.bytes, renewal, is_inline)?;
        let (mut seen, mut old_dirs) = (Vec::new(), Vec::new());
        for copy in copies {
            if let Copy::Unreadable(drive, why) = copy {
                return Err(self.failed(*drive, &FileError::Failed(why.clone())));
            }
            let parsed = copy.parse();
            seen.push(copy.seen(parsed.as_ref()));
            old_dirs.push(parsed.and_then(|parsed| data_dir(&parsed)));
        }
        let will_be = written.first().and_then(|first| seen_of(&first.meta));
        let order = will_be.and_then(|will_be| {
            let Seen::Version(_, shared) = will_be else {
                return None;
            };
            let every = missing::others(&seen);
            let may_be = missing::may_be(&seen, will_be);
            torn::steps(&seen, every, will_be, |torn| {
                may_be.iter().all(|back| {
                    let torn = missing::with(torn, *back);
                    match settle(&torn) {
                        Settled::Nothing | Settled::Dangling(_) => true,
                        Settled::Chosen(chosen) => !chosen.is_hidden && chosen.shared == shared,
                        Settled::TooFew { .. } => missing::shows_nothing(&seen),
                    }
                })
            })
        });
        let order = order.ok_or_else(|| {
            WriteError::Refused(
                "what its drives have of an earlier object would show in between: let mc admin heal remove \
                 it first"
                    .into(),
            )
        })?;
        Ok([Encoded {
            looked,
            written,
            old_dirs,
            order,
        }]
        .into())
    }
}

/// The files of an object if every drive of the set that is there has it whole, and as servers write new ones.
fn whole(path: &[u8], looked: &Looked<'_>) -> Option<Vec<Vec<u8>>> {
    let mut files = looked.copies.iter();
    let of_any = files.find_map(|copy| match copy {
        Copy::File(_, bytes) => Some(bytes),
        _ => None,
    })?;
    let file = |copy: &Copy| match copy {
        Copy::File(_, bytes) => Some(bytes.clone()),
        Copy::NoDrive => Some(of_any.clone()),
        _ => None,
    };
    let metas: Vec<Vec<u8>> = looked.copies.iter().map(file).collect::<Option<_>>()?;
    let first = seen_of(metas.first()?)?;
    let is_whole = metas.iter().all(|meta| seen_of(meta) == Some(first));
    let shared = shared(metas.first()?)?;
    // What was written while a drive was away has more parity.
    let is_usual = usize::from(shared.parity) == metas.len() / 2;
    // Other servers place shards in another way, and their drives are only read.
    let places = placement::distribution(BUCKET, path, metas.len() as u8);
    let is_placed = shared.distribution.starts_with(&places);
    let is_plain = metas.iter().all(|meta| encode::is_plain(meta));
    (is_whole && is_usual && is_placed && is_plain).then_some(metas)
}

fn shared(meta: &[u8]) -> Option<Shared> {
    match Meta::parse(meta).ok()?.newest {
        Version::Object(object, _) => Some(object.shared),
        Version::Deleted(_) => None,
    }
}
