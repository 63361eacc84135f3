//! Reading drafts from the drives that have them.

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;

use crate::decode::{self, Lost};
use crate::draft::{Draft, PART, Place, Target};
use crate::erasure::SHARDS;
use crate::files::{self, Drive, below};
use crate::meta::{META_BYTES, Meta, Version};
use crate::object::Shared;
use crate::stage::WriteError;
use crate::store::{OBJECT_BYTES, Store};
use crate::writer::FilesWriter;

impl<F: FilesWriter> Store<F> {
    /// The bytes of a draft, read from all drives that have it.
    ///
    /// # Errors
    /// [`WriteError::Failed`]: one of them does not have what was written.
    pub fn read_back(&self, draft: &Draft) -> Result<Vec<u8>, WriteError> {
        if draft.version.is_none() {
            return Err(WriteError::Refused(
                "a removal has no bytes to read back".into(),
            ));
        }
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

    fn read_set(&self, draft: &Draft, target: &Target) -> Result<Vec<u8>, WriteError> {
        let other = || WriteError::Failed("its draft is not what was written".into());
        let mut metas = Vec::new();
        for Place { drive, .. } in &target.places {
            let file = self.layout.path(*drive, &draft.name.meta());
            let bytes = files::whole(&self.files, *drive, &file, META_BYTES);
            metas.push(bytes.map_err(|error| self.failed(*drive, &error))?);
        }
        let mut of_all: Option<Shared> = None;
        // Those of drives that are missing stay away.
        let mut framed: Vec<Option<Cow<'_, [u8]>>> = vec![None; SHARDS];
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
        let framed = framed.get(..shared.drives()).ok_or_else(other)?;
        let joined = decode::code(&shared).and_then(|(spread, code)| {
            let mut is_rotten = false;
            let bytes = decode::join(spread, &code, framed, |_| is_rotten = true)?;
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
