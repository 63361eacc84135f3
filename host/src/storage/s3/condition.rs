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

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::Arc;

    use async_trait::async_trait;
    use futures_util::StreamExt as _;
    use futures_util::stream::{self, BoxStream};
    use object_store::memory::InMemory;
    use object_store::path::Path;
    use object_store::{
        CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
        ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    };

    use super::*;
    use crate::storage::Store as _;
    use crate::storage::s3::BucketStore;

    /// A server that is nearly fit.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Flaw {
        None,
        /// It takes a put whose condition is about an object that is gone.
        BringsBack,
        /// It does not let objects be removed.
        Keeps,
    }

    #[derive(Debug)]
    struct Flawed(InMemory, Flaw);

    impl fmt::Display for Flawed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:?}", self.1)
        }
    }

    #[async_trait]
    impl ObjectStore for Flawed {
        async fn put_opts(
            &self,
            location: &Path,
            payload: PutPayload,
            mut options: PutOptions,
        ) -> Result<PutResult> {
            if self.1 == Flaw::BringsBack && self.0.head(location).await.is_err() {
                options.mode = PutMode::Overwrite;
            }
            self.0.put_opts(location, payload, options).await
        }

        async fn put_multipart_opts(
            &self,
            location: &Path,
            options: PutMultipartOptions,
        ) -> Result<Box<dyn MultipartUpload>> {
            self.0.put_multipart_opts(location, options).await
        }

        async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
            self.0.get_opts(location, options).await
        }

        fn delete_stream(
            &self,
            locations: BoxStream<'static, Result<Path>>,
        ) -> BoxStream<'static, Result<Path>> {
            match self.1 {
                Flaw::Keeps => stream::once(async {
                    Err(Error::NotImplemented {
                        operation: "delete".into(),
                        implementer: "this store".into(),
                    })
                })
                .boxed(),
                _ => self.0.delete_stream(locations),
            }
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
            self.0.list(prefix)
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
            self.0.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
            self.0.copy_opts(from, to, options).await
        }
    }

    #[tokio::test]
    async fn only_a_server_that_keeps_to_all_of_it_is_fit() {
        for (flaw, is_fit) in [
            (Flaw::None, true),
            (Flaw::BringsBack, false),
            (Flaw::Keeps, false),
        ] {
            let objects = Arc::new(Flawed(InMemory::new(), flaw));
            let store = BucketStore::new(objects, "p", "memory").unwrap();
            let checked = store.check_writes().await;
            assert_eq!(checked.is_ok(), is_fit, "{flaw:?}: {checked:?}");
        }
    }
}
