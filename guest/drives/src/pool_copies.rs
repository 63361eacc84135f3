//! The copies of an object that a change is about: one in each pool that has any, the one that counts first.

use alloc::vec::Vec;

use crate::files::Drive;
use crate::placement;
use crate::plan::BUCKET;
use crate::quorum::Chosen;
use crate::stage::{WriteError, version};
use crate::store::{InPool, Looked, Store};
use crate::writer::FilesWriter;

/// A pool's copy, which can be read.
///
/// Where a drive is missing, it may have what the drives have that are ahead, and make it count ([`Chosen::is_unsure`]).
/// All the same the older version that is read is replaced, so that a run that was killed can be finished. As many as it
/// takes to read that one have it, and only one drive is missing, so fewer can have the newer one than any
/// writer takes for success: it was broken off, and nobody was told that it is there.
pub(crate) struct PoolCopy<'a> {
    pub looked: &'a Looked<'a>,
    pub chosen: Chosen,
    /// The drives whose shards were of no use.
    pub unsound: Vec<Drive>,
}

impl<F: FilesWriter> Store<F> {
    /// The copies of an object whose version that counts is the expected one. `may_be_hidden` says whether that
    /// may be one that MinIO shows as no object.
    ///
    /// # Errors
    /// `Conflict` if another version counts; `Refused` if it is hidden and must not be, if another pool's copy
    /// cannot be read, if which one counts is not known, or if shards lie elsewhere than MinIO places them;
    /// what keeps the one that counts from being read, and that there is none.
    pub(crate) fn pool_copies<'a>(
        &self,
        path: &[u8],
        looked: &'a [Looked<'a>],
        expected: &[u8],
        may_be_hidden: bool,
    ) -> Result<Vec<PoolCopy<'a>>, WriteError> {
        let refused = |why: &str| WriteError::Refused(why.into());
        let mut pools: Vec<InPool<'a>> = looked
            .iter()
            .map(|looked| self.in_pool(path, looked))
            .collect();
        pools.retain(|pool| pool.mod_time().is_some());
        // Of as new ones the first stays first.
        pools.sort_by_key(|pool| core::cmp::Reverse(pool.mod_time()));
        let mut counts: Option<(i64, Vec<u8>)> = None;
        let mut copies = Vec::new();
        for pool in pools {
            let (looked, chosen) = match (pool, &counts) {
                (InPool::Nothing, _) => continue,
                (InPool::Lost(_, error), None) => return Err(error.into()),
                (InPool::Lost(..), Some(_)) => {
                    return Err(refused(
                        "another pool has a copy that cannot be read, and it would stay as it is",
                    ));
                }
                (InPool::Chosen(looked, chosen), _) => (looked, chosen),
            };
            let decoded = self.decode(path, looked, &chosen)?;
            let time = chosen.shared.mod_time;
            match &counts {
                None if version(&decoded.bytes) != expected => return Err(WriteError::Conflict),
                None if chosen.is_hidden && !may_be_hidden => {
                    return Err(refused(
                        "MinIO shows no such object, since the last of its drives alone have a newer \
                         version: let mc admin heal settle it first",
                    ));
                }
                Some((newest, bytes)) if *newest == time && *bytes != decoded.bytes => {
                    return Err(refused(
                        "pools have different copies of one time, and which one counts is not known",
                    ));
                }
                _ => {}
            }
            let placed = placement::distribution(BUCKET, path, looked.copies.len() as u8);
            if !chosen.shared.distribution.starts_with(&placed) {
                return Err(refused(
                    "its shards do not lie as MinIO places them, and it is read and not written to",
                ));
            }
            copies.push(PoolCopy {
                looked,
                chosen,
                unsound: decoded.unsound,
            });
            counts.get_or_insert((time, decoded.bytes));
        }
        match copies.is_empty() {
            true => Err(self.not_there(path).into()),
            false => Ok(copies),
        }
    }
}
