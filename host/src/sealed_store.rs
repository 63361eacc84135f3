//! Any store of the crate [`object_store`], with all that stands in it sealed.

pub mod background;
mod errors;
mod moves;
mod payload;
mod standing;
mod versioned;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    Attributes, CopyMode, CopyOptions, Error as StoreError, Extensions, GetOptions, GetRange,
    GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use crate::contract::{Form, ObjectError, Policy, SealOptions};
use crate::error::Error;
use crate::exempt::is_exempt;
use crate::plugin::PluginSlot;

pub use background::{Background, Plan};
pub use errors::plugin_error;
pub use versioned::VersionedStore;

use errors::{failed, is_refusal, not_supported};
use standing::Standing;

/// How often a migration may change an object between a client's read and its write.
const MOVES: usize = 8;

/// What is said of a put that would not be read as the plaintext that it is.
const NO_TEXT: &str = "what it holds is not text, so it cannot be stored as plaintext";

/// A store whose objects are sealed when they are put and opened when they are read, so that code
/// which knows nothing of sealing can use it as the [`ObjectStore`] that it is.
///
/// Objects are bound to their paths: `inner` must be rooted where the paths of
/// `wit/types.wit` begin, for MinIO below `.minio.sys` ([`object_store::prefix::PrefixStore`] roots
/// any store anywhere), and each [`Path`] must be the object's own, from [`Path::parse`]: `Path::from`
/// writes characters such as `*`, `~`, `#` and all that are not ASCII in another way. What the plugin seals and opens with, its builder was lent; `inner` is not
/// lent to it. A plugin that is exchanged in the slot serves from the next call on.
///
/// ```no_run
/// # use iamseal::{Error, PluginSlot, SealedStore};
/// # async fn example(slot: PluginSlot) -> object_store::Result<()> {
/// use object_store::ObjectStoreExt as _;
/// use object_store::memory::InMemory;
/// use object_store::path::Path;
///
/// let store = SealedStore::new(InMemory::new(), slot);
/// let path = Path::parse("config/iam/users/alice/identity.json")?;
/// store.put(&path, "{}".into()).await?;
/// assert_eq!(store.get(&path).await?.bytes().await?, "{}");
/// # Ok(())
/// # }
/// ```
///
/// # What it does as any other store
/// Conditions (`if_match`, [`PutMode::Create`], [`PutMode::Update`] and the others) are handed to
/// the inner store, and its entity tags and versions are handed back: each put seals with fresh
/// keys, so a tag changes with every put, of the same content too. Deleting and listing are the inner
/// store's alone.
///
/// # What it does in another way
/// - **Reading** takes in the whole object before any of it is given out, for a range and for
///   [`head`](object_store::ObjectStoreExt::head) too: nothing comes out that was not authenticated,
///   and the size in the result is that of the plaintext. What the object turned out to be stands in
///   the result's extensions, as [`crate::contract::Found`].
/// - **Sizes in listings** are those of the stored bytes, never smaller than the plaintext's: to
///   know better, every object would have to be opened.
/// - **Copying** opens the object and seals it for its new path. Between an exempt path and another
///   it is refused: a copy must not lay open what was sealed.
/// - **Renaming** is refused: it would be a copy and a deletion, and what somebody puts at the old path
///   between the two would be lost.
/// - **Multipart uploads** are refused: an object is sealed as a whole, and [`crate::Limits`] bound
///   its size.
/// - **Exempt paths**, `config/tier-config.bin` and everything below `config/site-replication/`, which
///   MinIO reads without its IAM encryption, go through as they are in both directions, whatever
///   their size.
///
/// # Errors
/// Those of the inner store, as they are. What the plugin says comes as
/// [`object_store::Error::Generic`], out of which [`plugin_error`] takes the [`crate::Error`].
///
/// The plaintext that is read is wiped when its last [`Bytes`] is dropped. The plaintext to put is
/// the caller's to wipe.
pub struct SealedStore<S> {
    inner: S,
    slot: PluginSlot,
    standing: Arc<Standing>,
    options: SealOptions,
}

impl<S: ObjectStore> SealedStore<S> {
    /// Seals and opens what stands in `inner`: in MinIO's form under the keyring's default key, and
    /// with nothing opened that is not sealed.
    pub fn new(inner: S, slot: PluginSlot) -> Self {
        Self {
            inner,
            slot,
            standing: Arc::new(Standing::new(Policy::Sealed)),
            options: SealOptions::default(),
        }
    }

    /// Which forms are opened, instead of [`Policy::Sealed`]. A store that was not migrated yet
    /// needs [`Policy::Compatible`]; it lets whoever can write to the inner store put plaintext in
    /// the place of a sealed object, and it is believed. [`Policy::Current`] refuses what is sealed
    /// under an earlier key, too: for a store that was migrated to the keyring's default key.
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        self.standing.set_policy(policy);
        self
    }

    /// Which forms are opened at this moment: what [`Self::policy`] says, until a migration
    /// ([`Self::migrate_in_background`]) has come to its end.
    pub fn present_policy(&self) -> Policy {
        self.standing.now().policy
    }

    /// How objects are sealed, instead of the default of [`SealOptions`].
    #[must_use]
    pub fn seal_options(mut self, options: SealOptions) -> Self {
        self.options = options;
        self
    }

    /// The store behind, with the objects as they are stored.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The slot with the plugin that seals and opens.
    pub fn slot(&self) -> &PluginSlot {
        &self.slot
    }

    /// Brings what is in the store to the form and key that is written here, while requests are
    /// served. See [`background`].
    ///
    /// # Errors
    /// [`Error::Object`] with [`ObjectError::Refused`] if one is under way, or if the policy is
    /// [`Policy::Current`] already, under which there is nothing to migrate; with
    /// [`ObjectError::Storage`] if the marker cannot be read.
    pub async fn migrate_in_background(&self, plan: Plan) -> Result<Background, Error> {
        let (standing, slot) = (Arc::clone(&self.standing), self.slot.clone());
        background::begin(standing, slot, self.options.clone(), plan).await
    }

    /// Reads the whole object at `location`, which is not exempt, and opens it.
    async fn open(&self, location: &Path, options: GetOptions) -> Result<Object> {
        let _request = self.standing.request();
        // As of before it is read: what is read may have an old form until the end of a migration.
        let before = self.standing.now();
        let opened = self.open_as(location, options.clone(), before.policy).await;
        if !opened.as_ref().err().is_some_and(is_refusal) {
            return opened;
        }
        let now = self.standing.now();
        if now.policies != before.policies {
            return self.open_as(location, options, now.policy).await;
        }
        if now.is_tight {
            self.standing.change(|now| now.found_old += 1);
        }
        opened
    }

    /// The entity tags of a condition, as `If-Match` has them, with each that a migration has changed since as it
    /// is now: for those who compare tags themselves. What the object holds is the same. Of a store
    /// behind that is no [`VersionedStore`] nothing is known, and tags come back as they are.
    pub async fn present_tags(&self, location: &Path, tags: &str) -> String {
        self.standing.moves.settle().await;
        let present = self.standing.moves.present_all(location, tags);
        present.unwrap_or_else(|| tags.to_owned())
    }

    /// Puts what is to be stored. For a condition a version that a migration has changed is what it was before.
    async fn put_stored(
        &self,
        location: &Path,
        stored: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        for _ in 0..MOVES {
            let put = self
                .inner
                .put_opts(location, stored.clone(), options.clone());
            let PutMode::Update(version) = &mut options.mode else {
                return put.await;
            };
            let put = put.await;
            if !matches!(put, Err(StoreError::Precondition { .. })) {
                return put;
            }
            let Some(tag) = &mut version.e_tag else {
                return put;
            };
            self.standing.moves.settle().await;
            match self.standing.moves.present(location, tag) {
                Some(present) => *tag = present,
                None => return put,
            }
        }
        self.inner.put_opts(location, stored, options).await
    }

    /// Gets what is stored. For a condition a version that a migration has changed is what it was before.
    async fn get_stored(&self, location: &Path, mut options: GetOptions) -> Result<GetResult> {
        for _ in 0..MOVES {
            let got = self.inner.get_opts(location, options.clone()).await;
            let (Err(StoreError::Precondition { .. }), Some(tags)) = (&got, &options.if_match)
            else {
                return got;
            };
            let present = self.present_tags(location, tags).await;
            if present == *tags {
                return got;
            }
            options.if_match = Some(present);
        }
        self.inner.get_opts(location, options).await
    }

    async fn open_as(
        &self,
        location: &Path,
        mut options: GetOptions,
        policy: Policy,
    ) -> Result<Object> {
        // Both are about the plaintext, which the inner store does not know.
        options.range = None;
        options.head = false;
        if let Some(tags) = &options.if_none_match {
            options.if_none_match = Some(self.present_tags(location, tags).await);
        }
        let mut result = self.get_stored(location, options).await?;
        let mut object = Object {
            plaintext: Bytes::new(),
            meta: result.meta.clone(),
            attributes: std::mem::take(&mut result.attributes),
            extensions: std::mem::take(&mut result.extensions),
        };
        let plugin = self.slot.current();
        let stored = payload::collect(result, &plugin).await?;
        let path = location.as_ref().as_bytes();
        let opened = plugin.unseal(path, &stored, policy).await;
        let opened = opened.map_err(failed)?;
        object.plaintext = Bytes::from_owner(opened.plaintext);
        object.extensions.insert(opened.found);
        object.meta.size = object.plaintext.len() as u64;
        Ok(object)
    }
}

/// An object that was read and opened. The size in `meta` is the plaintext's.
struct Object {
    plaintext: Bytes,
    meta: ObjectMeta,
    attributes: Attributes,
    extensions: Extensions,
}

impl Object {
    /// Where the part that was asked for begins and ends.
    fn range(&self, asked: Option<&GetRange>) -> Result<Range<u64>> {
        match asked {
            None => Ok(0..self.meta.size),
            Some(asked) => asked.as_range(self.meta.size).map_err(failed),
        }
    }

    /// That part.
    fn part(&self, range: &Range<u64>) -> Bytes {
        self.plaintext
            .slice(range.start as usize..range.end as usize)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)] // A default could reach around the sealing.
impl<S: ObjectStore> ObjectStore for SealedStore<S> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if is_exempt(location.as_ref().as_bytes()) {
            return self.inner.put_opts(location, payload, options).await;
        }
        if background::is_own(location) {
            return Err(of_the_migration(location));
        }
        let _request = self.standing.request();
        let _write = self.standing.write();
        let plaintext = payload::joined(&payload);
        let path = location.as_ref().as_bytes();
        let plugin = self.slot.current();
        if self.standing.now().writes_plaintext {
            match plugin.inspect(&plaintext).await {
                Ok(seen) if seen.form == Form::Plaintext => {}
                _ => return Err(failed(Error::Object(ObjectError::Refused(NO_TEXT.into())))),
            }
            return self.put_stored(location, payload, options).await;
        }
        let sealed = plugin.seal(path, &plaintext, &self.options).await;
        let sealed = sealed.map_err(failed)?;
        self.put_stored(location, sealed.into(), options).await
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(not_supported(
            "an object is sealed as a whole: put it in one piece",
        ))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if is_exempt(location.as_ref().as_bytes()) {
            return self.inner.get_opts(location, options).await;
        }
        let (range, head) = (options.range.clone(), options.head);
        let object = self.open(location, options).await?;
        let range = object.range(range.as_ref())?;
        Ok(GetResult {
            payload: payload::of((!head).then(|| object.part(&range))),
            range,
            meta: object.meta,
            attributes: object.attributes,
            extensions: object.extensions,
        })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        if is_exempt(location.as_ref().as_bytes()) {
            return self.inner.get_ranges(location, ranges).await;
        }
        let object = self.open(location, GetOptions::new()).await?;
        let part = |asked: &Range<u64>| {
            let range = object.range(Some(&GetRange::Bounded(asked.clone())))?;
            Ok(object.part(&range))
        };
        ranges.iter().map(part).collect()
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let locations = locations.map(|location| match location {
            Ok(location) if background::is_own(&location) => Err(of_the_migration(&location)),
            location => location,
        });
        self.inner.delete_stream(locations.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        match (
            is_exempt(from.as_ref().as_bytes()),
            is_exempt(to.as_ref().as_bytes()),
        ) {
            (true, true) => return self.inner.copy_opts(from, to, options).await,
            (false, false) => {}
            _ => {
                return Err(not_supported(
                    "one of the two paths is exempt: what is sealed at the other would stand there in the \
                     clear, or the other way round",
                ));
            }
        }
        let object = self.open(from, GetOptions::new()).await?;
        let put = PutOptions {
            mode: match options.mode {
                CopyMode::Overwrite => PutMode::Overwrite,
                CopyMode::Create => PutMode::Create,
            },
            attributes: object.attributes,
            extensions: options.extensions,
            ..PutOptions::default()
        };
        self.put_opts(to, object.plaintext.into(), put).await?;
        Ok(())
    }

    async fn rename_opts(&self, _: &Path, _: &Path, _: RenameOptions) -> Result<()> {
        Err(not_supported(
            "an object is sealed for its path, so it cannot be renamed in one step: copy it, then \
             delete it",
        ))
    }
}

/// Why a request may not change it: what stands there is believed.
fn of_the_migration(location: &Path) -> StoreError {
    StoreError::PermissionDenied {
        path: location.to_string(),
        source: "what stands there is the migration's own".into(),
    }
}

impl<S: fmt::Display> fmt::Display for SealedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedStore({})", self.inner)
    }
}

impl<S: fmt::Debug> fmt::Debug for SealedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedStore")
            .field("inner", &self.inner)
            .field("plugin", self.slot.current().identity())
            .finish_non_exhaustive()
    }
}
