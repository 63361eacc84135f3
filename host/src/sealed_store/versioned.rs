//! A store of a host's own as an [`ObjectStore`].

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    Attributes, CopyMode, CopyOptions, Error, Extensions, GetOptions, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};

use crate::contract::StorageError;
use crate::shown;
use crate::storage::{
    Change, Creation, Cursor, Removal, Replacement, Storage, StorageWriter, Stored, Version,
};

use super::errors::{failed, not_supported};
use super::moves::{tag, version};

/// How often a write that asks for no version is tried, with whatever is there by then. Each time
/// another writer was faster, so that somebody's write has been made.
const TRIES: u32 = 100;
/// Objects of a listing that are looked at together: enough to hide the way to a distant store.
const AT_ONCE: usize = 16;

/// Any [`Storage`] that is a [`StorageWriter`] too, such as [`crate::storage::DirStore`] and
/// [`crate::storage::EtcdStore`], as an [`ObjectStore`]: the one to lend a
/// [`SealedStore`](super::SealedStore) that migrates itself. Whatever writes here, requests and
/// migration alike, writes against the version that it has read, so that none overwrites another.
///
/// Entity tags are the store's versions. Conditional puts ([`PutMode::Create`], [`PutMode::Update`])
/// are made in one step; one that asks for nothing takes the place of whatever is there. A store knows
/// no sizes and no times without reading: a listing reads what it lists, `last_modified` is the
/// beginning of 1970, and conditions about it are refused. So are attributes, and uploads in parts.
pub struct VersionedStore<S>(Arc<S>);

impl<S: Storage + StorageWriter + 'static> VersionedStore<S> {
    /// The objects of this store.
    pub fn new(store: Arc<S>) -> Self {
        Self(store)
    }

    /// The store itself.
    pub fn store(&self) -> &Arc<S> {
        &self.0
    }

    /// # Errors
    /// What the store says of it.
    async fn change(&self, change: Change) -> Result<Option<Version>, StorageError> {
        let unanswered = || StorageError::Other("the store gave no answer".to_owned());
        let draft = self.0.stage(vec![change]).await.pop();
        let draft = draft.ok_or_else(unanswered)??;
        let made = self.0.commit(vec![draft]).await.pop();
        made.ok_or_else(unanswered)?
    }

    /// Reads an object that others may be writing.
    async fn read(&self, location: &Path) -> Result<Stored> {
        let read = whole(&*self.0, location.as_ref().as_bytes()).await;
        read.map_err(|error| said(error, location))
    }

    /// Puts these bytes in the place of whatever is there.
    async fn overwrite(&self, path: &[u8], bytes: &[u8]) -> Result<Version, StorageError> {
        for _ in 0..TRIES {
            let (path, bytes) = (path.to_vec(), bytes.to_vec());
            let made = match self.0.read(&path).await {
                Ok(Stored { version, .. }) => self.change(Change::Replace(Replacement {
                    path,
                    expected: version,
                    bytes,
                })),
                Err(StorageError::NotFound) => self.change(created(path, bytes)),
                Err(StorageError::Conflict) => continue,
                Err(error) => return Err(error),
            };
            match made.await {
                Err(StorageError::Conflict | StorageError::NotFound) => {}
                made => return made.map(Option::unwrap_or_default),
            }
        }
        Err(StorageError::Conflict)
    }

    async fn remove(&self, path: &[u8]) -> Result<(), StorageError> {
        for _ in 0..TRIES {
            let expected = match self.0.read(path).await {
                Ok(stored) => stored.version,
                Err(StorageError::Conflict) => continue,
                Err(error) => return Err(error),
            };
            let path = path.to_vec();
            match self
                .change(Change::Remove(Removal { path, expected }))
                .await
            {
                Err(StorageError::Conflict) => {}
                removed => return removed.map(drop),
            }
        }
        Err(StorageError::Conflict)
    }
}

/// Reads an object, again if it was written to whenever it was read.
async fn whole(store: &impl Storage, path: &[u8]) -> Result<Stored, StorageError> {
    for _ in 1..TRIES {
        match store.read(path).await {
            Err(StorageError::Conflict) => {}
            read => return read,
        }
    }
    store.read(path).await
}

fn created(path: Vec<u8>, bytes: Vec<u8>) -> Change {
    Change::Create(Creation {
        path,
        bytes,
        rights: None,
    })
}

fn meta(location: Path, stored: &Stored) -> ObjectMeta {
    ObjectMeta {
        location,
        last_modified: Default::default(),
        size: stored.bytes.len() as u64,
        e_tag: Some(tag(&stored.version)),
        version: None,
    }
}

/// What the store says, as another store would.
fn said(error: StorageError, location: &Path) -> Error {
    let path = location.to_string();
    match error {
        StorageError::NotFound => Error::NotFound {
            path,
            source: Box::new(error),
        },
        error => failed(error),
    }
}

#[async_trait]
impl<S: Storage + StorageWriter + 'static> ObjectStore for VersionedStore<S> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if !options.attributes.is_empty() {
            return Err(not_supported("this store keeps no attributes"));
        }
        let (path, bytes) = (location.as_ref().as_bytes(), Bytes::from(payload));
        let made = match options.mode {
            PutMode::Overwrite => self.overwrite(path, &bytes).await,
            PutMode::Create => {
                let made = self.change(created(path.to_vec(), bytes.to_vec())).await;
                made.map(Option::unwrap_or_default)
            }
            PutMode::Update(ref wanted) => {
                let expected = wanted.e_tag.as_deref().and_then(version);
                let replacement = |expected| Replacement {
                    path: path.to_vec(),
                    expected,
                    bytes: bytes.to_vec(),
                };
                match expected.map(replacement) {
                    Some(new) => self.change(new.into()).await.map(Option::unwrap_or_default),
                    None => Err(StorageError::Conflict),
                }
            }
        };
        let version = made.map_err(|error| {
            let path = location.to_string();
            match (&options.mode, error) {
                (PutMode::Create, StorageError::Conflict) => Error::AlreadyExists {
                    path,
                    source: Box::new(StorageError::Conflict),
                },
                (PutMode::Update(_), error @ (StorageError::Conflict | StorageError::NotFound)) => {
                    Error::Precondition {
                        path,
                        source: Box::new(error),
                    }
                }
                (_, error) => said(error, location),
            }
        })?;
        Ok(PutResult {
            e_tag: Some(tag(&version)),
            version: None,
            extensions: Extensions::default(),
        })
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(not_supported("an object is written as a whole"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if options.if_modified_since.is_some() || options.if_unmodified_since.is_some() {
            return Err(not_supported("this store keeps no times"));
        }
        let stored = self.read(location).await?;
        let meta = meta(location.clone(), &stored);
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            None => 0..meta.size,
            Some(range) => range.as_range(meta.size).map_err(failed)?,
        };
        let bytes = Bytes::from(stored.bytes).slice(range.start as usize..range.end as usize);
        let bytes = (!options.head).then_some(Ok(bytes));
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::iter(bytes).boxed()),
            meta,
            range,
            attributes: Attributes::default(),
            extensions: Extensions::default(),
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = Self(Arc::clone(&self.0));
        let removed = locations.then(move |location| {
            let this = Self(Arc::clone(&this.0));
            async move {
                let location = location?;
                let removed = this.remove(location.as_ref().as_bytes()).await;
                removed.map_err(|error| said(error, &location))?;
                Ok(location)
            }
        });
        removed.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        listed(Arc::clone(&self.0), prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        listed(Arc::clone(&self.0), prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let root = Path::default();
        let root = prefix.unwrap_or(&root);
        let (mut objects, mut common_prefixes) = (Vec::new(), Vec::new());
        let mut all = self.list(prefix);
        while let Some(object) = all.next().await {
            let object = object?;
            let Some(mut parts) = object.location.prefix_match(root) else {
                continue;
            };
            match (parts.next(), parts.next()) {
                (Some(folder), Some(_)) => {
                    let folder = root.clone().join(folder);
                    if common_prefixes.last() != Some(&folder) {
                        common_prefixes.push(folder);
                    }
                }
                _ => {
                    drop(parts);
                    objects.push(object);
                }
            }
        }
        common_prefixes.sort();
        common_prefixes.dedup();
        Ok(ListResult {
            common_prefixes,
            objects,
            extensions: Extensions::default(),
        })
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let stored = self.read(from).await?;
        let mode = match options.mode {
            CopyMode::Overwrite => PutMode::Overwrite,
            CopyMode::Create => PutMode::Create,
        };
        self.put_opts(to, stored.bytes.into(), mode.into()).await?;
        Ok(())
    }
}

/// What is below a folder. Each object is read; one that has gone meanwhile is left out, and so is, with a warning,
/// what cannot be one.
fn listed<S: Storage + 'static>(
    store: Arc<S>,
    prefix: Option<&Path>,
    offset: Option<&Path>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let folder = prefix.filter(|prefix| !prefix.as_ref().is_empty());
    let folder = folder.map_or_else(Vec::new, |folder| format!("{folder}/").into_bytes());
    let after = offset.map(|offset| offset.as_ref().as_bytes().to_vec());
    let begun = Walk::Begin {
        store: Arc::clone(&store),
        folder,
        after,
    };
    let pages = stream::unfold(begun, |walk| async move {
        match walk.page().await {
            Ok((page, _)) if page.is_empty() => None,
            Ok((page, walk)) => Some((page.into_iter().map(Ok).collect(), walk)),
            Err(error) => Some((vec![Err(failed(error))], Walk::End)),
        }
    });
    let paths = pages.flat_map(|page: Vec<Result<Vec<u8>>>| stream::iter(page));
    let objects = paths.map(move |path| {
        let store = Arc::clone(&store);
        async move {
            let path = path?;
            let parsed = std::str::from_utf8(&path).ok().map(Path::parse);
            let Some(Ok(location)) = parsed else {
                tracing::warn!(
                    path = shown(&path),
                    "left out of a listing: its name is none here"
                );
                return Ok(None);
            };
            match whole(&*store, &path).await {
                Ok(stored) => Ok(Some(meta(location, &stored))),
                Err(StorageError::NotFound) => Ok(None),
                Err(error @ (StorageError::Refused(_) | StorageError::TooLarge(_))) => {
                    tracing::warn!(path = shown(&path), %error, "left out of a listing");
                    Ok(None)
                }
                Err(error) => Err(said(error, &location)),
            }
        }
    });
    let objects = objects.buffered(AT_ONCE);
    let objects = objects.filter_map(|object| async move { object.transpose() });
    objects.boxed()
}

/// A listing under way.
enum Walk<S> {
    Begin {
        store: Arc<S>,
        folder: Vec<u8>,
        after: Option<Vec<u8>>,
    },
    Under(Box<dyn Cursor>),
    End,
}

impl<S: Storage> Walk<S> {
    /// The next paths; none at the end.
    async fn page(self) -> Result<(Vec<Vec<u8>>, Self), StorageError> {
        let mut cursor = match self {
            Self::Begin {
                store,
                folder,
                after,
            } => store.list(&folder, after.as_deref()).await?,
            Self::Under(cursor) => cursor,
            Self::End => return Ok((Vec::new(), Self::End)),
        };
        let page = cursor.next().await?;
        Ok((page, Self::Under(cursor)))
    }
}

impl<S> fmt::Display for VersionedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VersionedStore")
    }
}

impl<S> fmt::Debug for VersionedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VersionedStore")
    }
}
