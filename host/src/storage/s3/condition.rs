//! Whether the bucket's server keeps to the conditions of puts, tried on a draft of the store's own.

use std::sync::Arc;

use bytes::Bytes;
use object_store::{Attributes, Error, PutMode, UpdateVersion};

use super::Bucket;
use super::draft::gone;
use super::errors::failed;
use super::place::refused;
use super::removal::Discarded;
use crate::contract::StorageError;
use crate::storage::Version;

/// An entity tag that the draft does not have: that of no bytes.
const OTHER_TAG: &str = "\"d41d8cd98f00b204e9800998ecf8427e\"";

/// On how many drafts it is tried. Somebody who sweeps at this very moment takes one away, and what shows then
/// says nothing of the server.
const TRIES: usize = 3;

/// # Errors
/// `Refused` if conditions are ignored or not known; else what keeps a draft from being written.
pub(super) async fn check(bucket: &Arc<Bucket>) -> Result<(), StorageError> {
    for _ in 1..TRIES {
        match once(bucket).await {
            Err(Unfit::Perhaps(_)) => {}
            Err(Unfit::Is(error)) => return Err(error),
            Ok(()) => return Ok(()),
        }
    }
    once(bucket).await.map_err(|unfit| match unfit {
        Unfit::Is(error) | Unfit::Perhaps(error) => error,
    })
}

/// Why a server is not fit.
enum Unfit {
    Is(StorageError),
    /// Or somebody has removed the draft.
    Perhaps(StorageError),
}

impl From<StorageError> for Unfit {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::NotFound => Self::Perhaps(gone()),
            error => Self::Is(error),
        }
    }
}

async fn once(bucket: &Arc<Bucket>) -> Result<(), Unfit> {
    let draft = bucket.new_draft()?;
    // It is known as long as it may be there, also if this is dropped.
    let _known = Discarded::new(bucket, vec![draft.clone()]);
    let kept = keeps_them(bucket, &draft).await;
    let left = bucket.remove(&draft).await;
    let there = kept?;
    // Else every draft would stay, a second copy of every object.
    left.map_err(|error| failed(&error))?;
    // Some servers know conditions and forget them for what is gone: what was removed would come back.
    match bucket
        .replace(&draft, &there, Bytes::from_static(b"3"), Attributes::new())
        .await
    {
        Ok(_) => {
            let left = bucket.remove(&draft).await;
            left.map_err(|error| failed(&error))?;
            Err(Unfit::Is(ignored("If-Match, where nothing is")))
        }
        Err(StorageError::Conflict | StorageError::NotFound) => Ok(()),
        Err(error) => Err(Unfit::Is(error)),
    }
}

/// Returns the draft's version.
async fn keeps_them(bucket: &Bucket, draft: &object_store::path::Path) -> Result<Version, Unfit> {
    let (first, second) = (Bytes::from_static(b"1"), Bytes::from_static(b"2"));
    bucket.create(draft, first.clone()).await?;

    let put = |mode: PutMode| {
        bucket
            .objects
            .put_opts(draft, second.clone().into(), mode.into())
    };
    match put(PutMode::Create).await {
        Ok(_) => return Err(Unfit::Perhaps(ignored("If-None-Match"))),
        Err(Error::AlreadyExists { .. }) => {}
        Err(error) => return Err(failed(&error).into()),
    }
    let other = PutMode::Update(UpdateVersion {
        e_tag: Some(OTHER_TAG.to_owned()),
        version: None,
    });
    match put(other).await {
        Ok(_) => return Err(Unfit::Is(ignored("If-Match"))),
        Err(Error::Precondition { .. } | Error::AlreadyExists { .. }) => {}
        Err(error) => return Err(failed(&error).into()),
    }

    let there = bucket.read(draft).await?;
    if there.bytes != first {
        return Err(Unfit::Is(ignored("If-Match")));
    }
    match bucket
        .replace(draft, &there.version, second, Attributes::new())
        .await
    {
        Ok(version) => Ok(version),
        Err(StorageError::Conflict) => Err(Unfit::Is(refused(
            "it does not take a put whose condition (If-Match) holds, so nothing can be replaced",
        ))),
        Err(error) => Err(error.into()),
    }
}

fn ignored(header: &str) -> StorageError {
    refused(format!(
        "it ignores the condition of a put ({header}), so writers would overwrite each other"
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::flawed::{Flaw, Flawed};
    use super::*;
    use crate::storage::Store as _;
    use crate::storage::s3::BucketStore;

    async fn checked(flaw: Flaw) -> Result<(), StorageError> {
        let objects = Arc::new(Flawed::new(flaw));
        let store = BucketStore::new(objects, "p", "memory").unwrap();
        store.check_writes().await
    }

    #[tokio::test]
    async fn only_a_server_that_keeps_to_all_of_it_is_fit() {
        for (flaw, is_fit) in [
            (Flaw::None, true),
            (Flaw::BringsBack, false),
            (Flaw::Keeps, false),
        ] {
            let checked = checked(flaw).await;
            assert_eq!(checked.is_ok(), is_fit, "{flaw:?}: {checked:?}");
        }
    }

    #[tokio::test]
    async fn a_draft_that_cannot_be_removed_is_known() {
        let objects = Arc::new(Flawed::new(Flaw::Keeps));
        let store = BucketStore::new(objects, "p", "memory").unwrap();
        assert!(store.check_writes().await.is_err());
        let drafts = store.drafts(b"").await.unwrap().next().await.unwrap();
        assert_eq!((drafts.len(), store.abandoned().await), (1, drafts));
    }

    #[tokio::test]
    async fn a_draft_that_is_swept_meanwhile_says_nothing_of_the_server() {
        for swept in 1..TRIES {
            assert_eq!(checked(Flaw::Sweeps(swept)).await, Ok(()), "{swept}");
        }
        let error = checked(Flaw::SweepsLate).await.unwrap_err();
        let StorageError::Other(text) = &error else {
            panic!("{error:?}");
        };
        assert!(text.starts_with("its draft is gone"), "{text}");
    }
}
