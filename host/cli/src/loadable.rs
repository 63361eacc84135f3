//! Whether a server loads what is to be written, before it takes the place of anything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use iamseal::contract::{Policy, StorageError};
use iamseal::keys::MixedKeyring;
use iamseal::storage::{Cursor, Storage, Stored, Version};
use iamseal::{AuditScope, Auditor};
use zeroize::Zeroizing;

use crate::arguments::Common;
use crate::failure::Failure;
use crate::load;
use crate::report::{finding, notes, why::Why};

/// Objects by their paths, as they are to be stored.
pub type Objects = BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>;

/// How many objects are looked at in a step.
const BATCH: u32 = 256;

/// An auditor, and the objects that it is asked about, which are in no store yet.
pub struct Loadable {
    auditor: Auditor,
    offered: Arc<Offered>,
}

impl Loadable {
    /// With the keys that open the objects.
    ///
    /// # Errors
    /// The auditor cannot be loaded.
    pub async fn new(common: &Common, keyring: &MixedKeyring) -> Result<Self, Failure> {
        let offered = Arc::new(Offered::default());
        let auditor = load::auditor(common, keyring.clone(), Some(offered.clone())).await?;
        Ok(Self { auditor, offered })
    }

    /// Those of these objects that no server loads, and why.
    ///
    /// # Errors
    /// What keeps the audit from its end.
    pub async fn unfit(&self, objects: Objects) -> Result<BTreeMap<Vec<u8>, Why>, Failure> {
        *self.offered.objects() = objects;
        let scope = AuditScope {
            prefix: notes::CONFIG.to_vec(),
            policy: Policy::Compatible,
            ..AuditScope::default()
        };
        let mut audit = self.auditor.audit(&scope).await?;
        let mut unfit = BTreeMap::new();
        loop {
            let findings = audit.next(BATCH).await?;
            if findings.is_empty() {
                return Ok(unfit);
            }
            for found in findings {
                if let Some(why) = finding::why(&found) {
                    unfit.insert(found.path, why);
                }
            }
        }
    }
}

/// A store of what is offered.
#[derive(Default)]
struct Offered(Mutex<Objects>);

impl Offered {
    fn objects(&self) -> MutexGuard<'_, Objects> {
        // Whoever panicked left no half-done change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Storage for Offered {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let objects = self.objects();
        let paths = objects.keys().filter(|path| path.starts_with(prefix));
        let after = start_after.unwrap_or_default();
        let paths = paths.filter(|path| path.as_slice() > after).cloned();
        Ok(Box::new(Page(paths.collect())))
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let bytes = self.objects().get(path).cloned();
        Ok(Stored {
            bytes: bytes.ok_or(StorageError::NotFound)?.to_vec(),
            version: Version::default(),
        })
    }
}

/// All paths at once.
struct Page(Vec<Vec<u8>>);

#[async_trait]
impl Cursor for Page {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(std::mem::take(&mut self.0))
    }
}
