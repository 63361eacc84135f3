//! Whether the bucket's server keeps to the conditions of puts, tried on a draft of the store's own.

use bytes::Bytes;
use object_store::{Error, PutMode, UpdateVersion};

use super::Bucket;
use super::errors::failed;
use super::place::refused;
use crate::contract::StorageError;
use crate::storage::Version;

/// An entity tag that the draft does not have: that of no bytes.
const OTHER_TAG: &str = "\"d41d8cd98f00b204e9800998ecf8427e\"";

/// # Errors
/// `Refused` if conditions are ignored or not known; else what keeps a draft from being written.
pub(super) async fn check(bucket: &Bucket) -> Result<(), StorageError> {
    let draft = bucket.new_draft()?;
    let kept = keeps_them(bucket, &draft).await;
    let left = bucket.remove(vec![draft.clone()]).await;
    let there = kept?;
    // Else every draft would stay, a second copy of every object.
    if let Some(error) = left {
        return Err(failed(&error));
    }
    // Some servers know conditions and forget them for what is gone: what was removed would come back.
    match bucket
        .replace(&draft, &there, Bytes::from_static(b"3"))
        .await
    {
        Ok(_) => {
            bucket.remove(vec![draft]).await;
            Err(ignored("If-Match, where nothing is"))
        }
        Err(StorageError::Conflict | StorageError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns the draft's version.
async fn keeps_them(
    bucket: &Bucket,
    draft: &object_store::path::Path,
) -> Result<Version, StorageError> {
    let (first, second) = (Bytes::from_static(b"1"), Bytes::from_static(b"2"));
    bucket.create(draft, first.clone()).await?;

    let put = |mode: PutMode| {
        bucket
            .objects
            .put_opts(draft, second.clone().into(), mode.into())
    };
    match put(PutMode::Create).await {
        Ok(_) => return Err(ignored("If-None-Match")),
        Err(Error::AlreadyExists { .. }) => {}
        Err(error) => return Err(failed(&error)),
    }
    let other = PutMode::Update(UpdateVersion {
        e_tag: Some(OTHER_TAG.to_owned()),
        version: None,
    });
    match put(other).await {
        Ok(_) => return Err(ignored("If-Match")),
        Err(Error::Precondition { .. } | Error::AlreadyExists { .. }) => {}
        Err(error) => return Err(failed(&error)),
    }

    let there = bucket.read(draft).await?;
    if there.bytes != first {
        return Err(ignored("If-Match"));
    }
    match bucket.replace(draft, &there.version, second).await {
        Ok(version) => Ok(version),
        Err(StorageError::Conflict) => Err(refused(
            "it does not take a put whose condition (If-Match) holds, so nothing can be replaced",
        )),
        Err(error) => Err(error),
    }
}

fn ignored(header: &str) -> StorageError {
    refused(format!(
        "it ignores the condition of a put ({header}), so writers would overwrite each other"
    ))
}
