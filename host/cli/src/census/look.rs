//! Looking at everything in a store that names a key.

use std::path::Path;
use std::sync::Arc;

use iamseal::contract::{ObjectError, StorageError, Verdict};
use iamseal::keys::MixedKeyring;
use iamseal::storage::Store;
use iamseal::storage::census::{Counts, Place};
use iamseal::storage::drives::Metadata;
use iamseal::{AuditScope, CompileCache};

use super::figures::{Figures, One, Part, Use};
use super::report;
use crate::arguments::Common;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::report::finding;
use crate::report::notes;
use crate::report::why::Why;
use crate::{load, store};

/// Where the metadata of buckets stands, and what each is called.
pub const BUCKETS: &[u8] = b"buckets/";
const METADATA: &[u8] = b".metadata.bin";
/// MinIO encrypts the tiers as an object of S3, and what it notes of replication between sites never.
const TIERS: &[u8] = b"config/tier-config.bin";
/// Where unfinished uploads stand.
const UPLOADS: &[u8] = b".minio.sys/multipart/";

/// How many objects of IAM are looked at between two signs of progress.
const BATCH: u32 = 64;

const NOT_IN_FOLDER: &str = "a folder of plain files does not say it: give MinIO's drives";
const NOT_ON_SERVER: &str = "it is not in this store, but on MinIO's drives: give those";
const NOT_WHOLE: &str =
    "the system folders alone were given: give the drives, the folders that .minio.sys is in";
const NO_METADATA: &str = "there is none in this folder";

/// What looks.
pub struct Look<'a> {
    common: &'a Common,
    store: &'a Arc<dyn Store>,
    given: &'a Path,
    /// Where what cannot be read is named; else it is only counted.
    progress: Option<&'a Progress>,
    figures: &'a mut Figures,
}

impl<'a> Look<'a> {
    /// At this store, which was opened by this name.
    pub fn new(
        common: &'a Common,
        store: &'a Arc<dyn Store>,
        given: &'a Path,
        progress: Option<&'a Progress>,
        figures: &'a mut Figures,
    ) -> Self {
        Self {
            common,
            store,
            given,
            progress,
            figures,
        }
    }

    /// Looks at all there is. May be dropped at any time.
    ///
    /// # Errors
    /// The store fails as a whole.
    pub async fn everywhere(&mut self) -> Result<(), Failure> {
        self.config().await?;
        self.settings().await?;
        self.objects().await
    }

    /// At what is neither an object of IAM nor one of a user: tiers and the metadata of buckets.
    ///
    /// # Errors
    /// The store fails as a whole.
    pub async fn settings(&mut self) -> Result<(), Failure> {
        if let Some(why) = self.is_unknown().await {
            for part in [Part::Tiers, Part::Buckets] {
                self.figures.not_looked.insert(part, why.clone());
            }
            return Ok(());
        }
        let cache = CompileCache::Default;
        let metadata = Metadata::load(iamseal_component::DRIVE_STORE, cache).await?;
        if let store::Kind::Server = store::kind(&**self.store, self.given) {
            for part in [Part::Tiers, Part::Buckets] {
                self.figures.not_looked.insert(part, NOT_ON_SERVER.into());
            }
            return Ok(());
        }
        self.tiers(&metadata).await?;
        self.buckets(&metadata).await
    }

    /// At the objects of IAM and of the configuration: the audit of somebody without a key.
    async fn config(&mut self) -> Result<(), Failure> {
        let auditor = load::auditor(
            self.common,
            MixedKeyring::default(),
            Some(self.store.clone()),
        );
        let auditor = auditor.await?;
        let scope = AuditScope {
            prefix: notes::CONFIG.to_vec(),
            ..AuditScope::default()
        };
        let mut audit = auditor.audit(&scope).await?;
        let mut objects = 0;
        loop {
            let findings = audit.next(BATCH).await?;
            if findings.is_empty() {
                break;
            }
            for finding in &findings {
                objects += 1;
                let Verdict::Fails(failure) = &finding.verdict else {
                    continue;
                };
                match (&finding.key, &failure.error) {
                    (Some(key), _) => {
                        let one = One::at(&finding.path);
                        self.figures.add(Some(key), Use::Config, &one);
                    }
                    (None, ObjectError::NoCredential) => self.figures.root_credential += 1,
                    // MinIO takes it for absent.
                    (None, ObjectError::Empty) => {}
                    (None, _) => {
                        if let Some(why) = finding::why(finding) {
                            self.unread(&finding.path, &why)?;
                        }
                    }
                }
            }
            self.advance(findings.len());
        }
        self.figures.looked.insert(Part::Config, objects);
        Ok(())
    }

    async fn tiers(&mut self, metadata: &Metadata) -> Result<(), Failure> {
        let store = Arc::clone(self.store);
        let mut is_there = 1;
        if let Some(census) = store.census() {
            let counts = census.object(TIERS).await?;
            is_there = counts.objects;
            let key = |sealed: &iamseal::storage::census::Sealed| sealed.key.clone();
            for key in counts.sealed.iter().map(key) {
                self.figures
                    .add(key.as_deref(), Use::Tiers, &One::at(TIERS));
            }
            for unread in &counts.unread {
                self.unread(TIERS, &why(StorageError::Other(unread.why.clone())))?;
            }
        } else {
            match store.read(TIERS).await {
                Ok(stored) => match metadata.needs(TIERS, stored.bytes).await {
                    Ok(needs) => {
                        for needed in &needs {
                            self.figures.needed(needed, &One::at(TIERS));
                        }
                    }
                    Err(error) => self.unread(TIERS, &why(error))?,
                },
                Err(StorageError::NotFound) => is_there = 0,
                Err(error) => self.unread(TIERS, &why(error))?,
            }
        }
        self.figures.looked.insert(Part::Tiers, is_there);
        Ok(())
    }

    async fn buckets(&mut self, metadata: &Metadata) -> Result<(), Failure> {
        let store = Arc::clone(self.store);
        let mut listing = store.list(BUCKETS, None).await?;
        let mut buckets = 0;
        loop {
            let page = listing.next().await?;
            if page.is_empty() {
                break;
            }
            for path in &page {
                if path.ends_with(b"/") {
                    let error = store.read(path).await.err();
                    let error = error.unwrap_or(StorageError::NotFound);
                    self.unread(path, &why(error))?;
                    continue;
                }
                let Some(bucket) = bucket_of(path) else {
                    continue;
                };
                buckets += 1;
                let needs = match store.read(path).await {
                    Ok(stored) => metadata.needs(path, stored.bytes).await,
                    Err(error) => Err(error),
                };
                match needs {
                    Ok(needs) => {
                        let one = One {
                            bucket: Some(bucket),
                            ..One::at(b"")
                        };
                        for needed in &needs {
                            self.figures.needed(needed, &one);
                        }
                    }
                    Err(error) => self.unread(path, &why(error))?,
                }
            }
        }
        match buckets == 0 && store.census().is_none() {
            // A copy may hold the configuration alone.
            true => {
                let not_looked = &mut self.figures.not_looked;
                not_looked.insert(Part::Buckets, NO_METADATA.into());
            }
            false => {
                self.figures.looked.insert(Part::Buckets, buckets);
            }
        }
        Ok(())
    }

    /// At the objects of users, and their uploads.
    async fn objects(&mut self) -> Result<(), Failure> {
        let store = Arc::clone(self.store);
        let Some(census) = store.census() else {
            let why = match store::kind(&*store, self.given) {
                store::Kind::Server => NOT_ON_SERVER,
                store::Kind::Drives | store::Kind::Folder => NOT_IN_FOLDER,
            };
            for part in [Part::Objects, Part::Uploads] {
                self.figures.not_looked.insert(part, why.into());
            }
            return Ok(());
        };
        if let Some(why) = self.is_unknown().await {
            for part in [Part::Objects, Part::Uploads] {
                self.figures.not_looked.insert(part, why.clone());
            }
            return Ok(());
        }
        match census.buckets().await? {
            None => {
                let not_looked = &mut self.figures.not_looked;
                not_looked.insert(Part::Objects, NOT_WHOLE.into());
            }
            Some(buckets) => {
                for bucket in &buckets {
                    let mut counting = census.count(Place::Bucket(bucket.clone())).await?;
                    while let Some(counts) = counting.next().await? {
                        self.figures.objects += counts.objects;
                        self.figures.versions += counts.versions;
                        self.counts(Some(bucket), &counts)?;
                    }
                }
                let buckets = buckets.len() as u64;
                self.figures.looked.insert(Part::Objects, buckets);
            }
        }
        let mut counting = census.count(Place::Uploads).await?;
        let mut uploads = 0;
        while let Some(counts) = counting.next().await? {
            uploads += counts.objects;
            self.counts(None, &counts)?;
        }
        self.figures.looked.insert(Part::Uploads, uploads);
        Ok(())
    }

    fn counts(&mut self, bucket: Option<&[u8]>, counts: &Counts) -> Result<(), Failure> {
        for sealed in &counts.sealed {
            let path = match bucket {
                Some(_) => sealed.path.clone(),
                None => [UPLOADS, &sealed.path].concat(),
            };
            let one = One {
                bucket,
                path: &path,
                versions: sealed.versions,
                bytes: sealed.bytes,
            };
            let key = sealed.key.as_deref();
            self.figures.sealed(sealed.encryption, key, &one);
        }
        for unread in &counts.unread {
            let below = match bucket {
                Some(bucket) => [bucket, b"/"].concat(),
                None => UPLOADS.to_vec(),
            };
            let path = [&below, unread.path.as_slice()].concat();
            self.unread(&path, &why(StorageError::Other(unread.why.clone())))?;
        }
        self.figures.damaged += counts.damaged;
        self.advance(counts.objects as usize);
        Ok(())
    }

    /// Names what could not be read.
    fn unread(&mut self, path: &[u8], why: &Why) -> Result<(), Failure> {
        self.figures.unread(why.cause);
        let Some(progress) = self.progress else {
            return Ok(());
        };
        let line = report::unread(path, why, self.common.json);
        progress.object(Some(why.cause), &line)
    }

    fn advance(&self, objects: usize) {
        if let Some(progress) = self.progress {
            progress.advance(objects);
        }
    }

    /// Why nothing is known of how keys are named in this store, if that is so.
    async fn is_unknown(&self) -> Option<String> {
        match self.store.census()?.buckets().await {
            Err(StorageError::Refused(why)) => Some(why),
            _ => None,
        }
    }
}

/// The bucket whose metadata is at a path, if it is that of one.
fn bucket_of(path: &[u8]) -> Option<&[u8]> {
    let path = path.strip_prefix(BUCKETS)?.strip_suffix(METADATA)?;
    let bucket = path.strip_suffix(b"/")?;
    (!bucket.is_empty() && !bucket.contains(&b'/')).then_some(bucket)
}

fn why(error: StorageError) -> Why {
    Why::from(&ObjectError::Storage(error))
}
