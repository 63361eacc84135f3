//! What is to be known of objects besides their bytes: that of the files that they are in, on whatever drive. Which
//! files these are the component knows.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::DriveStore;
use crate::contract::StorageError;
use crate::plugin::drives::Live;
use crate::storage::{DirStore, Standing, Store as _};

/// How the objects under `prefix` stand: what is so of one of an object's files is told of the object.
///
/// # Errors
/// A drive's folder cannot be listed, or the component fails. A drive that is not read is passed over.
pub(super) async fn of(
    store: &DriveStore,
    prefix: &[u8],
) -> Result<BTreeMap<Vec<u8>, Standing>, StorageError> {
    let mut all: BTreeMap<Vec<u8>, Standing> = BTreeMap::new();
    for (number, drive) in (0..).zip(&store.drives) {
        let Some(folder) = store.with(move |live| live.folder(number)).await? else {
            continue;
        };
        let Ok(files) = DirStore::open(&drive.join(OsStr::from_bytes(&folder))) else {
            continue;
        };
        let mut seen = Vec::new();
        let mut see = |file: &[u8], standing: Standing| seen.push((file.to_vec(), standing));
        files.survey(prefix, &mut see).await?;
        let of_objects = move |live: &mut Live<_>| {
            let of_object = |(file, standing): (Vec<u8>, Standing)| {
                let object = live.object_of(&file)?;
                Ok(object.map(|object| (object, standing)))
            };
            seen.into_iter()
                .map(of_object)
                .collect::<Result<Vec<_>, _>>()
        };
        for (object, standing) in store.with(of_objects).await?.into_iter().flatten() {
            let told = all.entry(object).or_insert(standing);
            told.has_other_names |= standing.has_other_names;
            told.is_open |= standing.is_open;
        }
    }
    Ok(all)
}
