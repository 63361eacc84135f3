//! Runs that prepare: what objects are to become is sealed, opened again and written down, and nothing of the store is
//! changed. A later run gives it to those that are still what they were.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::JournalError;
use super::file::Journal;
use super::lines::Lines;
use super::past::Trusted;
use super::record::{self, Line, Path, write};
use super::store::is_sealed;
use crate::contract::{Found, Outcome, Step, StorageError};
use crate::plugin::Auditor;
use crate::storage::{Change, Cursor, Draft, Replacement, Storage, StorageWriter, Stored, Version};

/// A store in whose place nothing is written: what is staged is kept in memory, and what is committed goes into the
/// journal once the [step is told](Preparing::write) of which it is part. Lend it to a migration as store and as writer.
///
/// The journal holds no plaintext: what is not sealed is refused.
pub struct Preparing {
    journal: Arc<Journal>,
    storage: Arc<dyn Storage>,
    inspector: Auditor,
    seen: Mutex<HashMap<Vec<u8>, Seen>>,
}

/// What was read of an object, and what it is to become if that is anything else.
struct Seen {
    version: Version,
    bytes: Option<Vec<u8>>,
}

impl Preparing {
    /// For objects of this store, which is only read. `inspector` says what is sealed; it needs no keys.
    pub fn new(journal: Arc<Journal>, storage: Arc<dyn Storage>, inspector: Auditor) -> Self {
        Self {
            journal,
            storage,
            inspector,
            seen: Mutex::default(),
        }
    }

    /// Writes down, durably, what a migration has made of objects: what those are to become that it says are migrated,
    /// and of those that are unchanged that they are. Of others nothing is known later.
    ///
    /// # Errors
    /// `Other` if the journal cannot be written.
    pub async fn write(&self, steps: &[Step]) -> Result<(), StorageError> {
        let mut lines = String::new();
        for step in steps {
            let Some(seen) = self.seen().remove(&step.path) else {
                continue;
            };
            let (found, bytes) = match (&step.outcome, seen.bytes) {
                (Outcome::Migrated(found), Some(bytes)) => (found, Some(bytes)),
                (Outcome::Unchanged(found), _) => (found, None),
                _ => continue,
            };
            let line = Line::Prepared(record::Prepared {
                path: Path::of(&step.path),
                version: STANDARD.encode(seen.version),
                found: found.into(),
                bytes: bytes.map(|bytes| STANDARD.encode(bytes)),
            });
            write(&line, &mut lines);
        }
        self.journal.append(lines, true).await
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Seen>> {
        // Whoever panicked left no half-done change.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Storage for Preparing {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        self.storage.list(prefix, start_after).await
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let stored = self.storage.read(path).await?;
        let seen = Seen {
            version: stored.version.clone(),
            bytes: None,
        };
        self.seen().insert(path.to_vec(), seen);
        Ok(stored)
    }
}

#[async_trait]
impl StorageWriter for Preparing {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let mut staged = Vec::new();
        for change in changes {
            staged.push(self.draft(change).await);
        }
        staged
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        let take = |draft: Box<dyn Draft>| {
            let draft = draft.into_any().downcast::<Held>();
            let draft =
                draft.map_err(|_| StorageError::Refused("the draft is of another store".into()))?;
            let Held {
                path,
                version,
                bytes,
            } = *draft;
            let seen = Seen {
                version: version.clone(),
                bytes: Some(bytes),
            };
            self.seen().insert(path, seen);
            // What is there is what was there.
            Ok(Some(version))
        };
        drafts.into_iter().map(take).collect()
    }
}

impl Preparing {
    async fn draft(&self, change: Change) -> Result<Box<dyn Draft>, StorageError> {
        let Change::Replace(new) = change else {
            return Err(StorageError::Refused(
                "only what replaces an object is prepared".into(),
            ));
        };
        match is_sealed(&self.inspector, &new.bytes).await {
            Ok(true) => Ok(Box::new(Held {
                path: new.path,
                version: new.expected,
                bytes: new.bytes,
            })),
            Ok(false) => Err(StorageError::Refused(
                "it would not be sealed, and a journal is to hold no plaintext".into(),
            )),
            Err(error) => Err(StorageError::Other(format!(
                "the journal cannot tell what it is: {error}"
            ))),
        }
    }
}

/// What an object is to become.
struct Held {
    path: Vec<u8>,
    version: Version,
    bytes: Vec<u8>,
}

#[async_trait]
impl Draft for Held {
    /// It is nowhere else yet. That the journal has just this shows when it is read, by the MAC of its line.
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
        Ok(self.bytes.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

/// What a run has prepared, object after object.
pub struct Prepared {
    lines: Lines<Line>,
}

/// An object, and what it is to become as long as it is this version.
#[derive(Clone)]
pub struct PreparedObject {
    /// The object's path.
    pub path: Vec<u8>,
    /// The version that was read.
    pub version: Version,
    /// What that turned out to be.
    pub found: Found,
    /// The new bytes, sealed; none if the object is to stay as it is.
    pub bytes: Option<Vec<u8>>,
}

/// Gives objects what was prepared, as one batch. Each changes only while it is the version that was read, and after its
/// draft was read back from the store; lend a [`Journaled`](super::Journaled) store, so that it can be taken back. One
/// result each, in order. To be asked for those that are to become something else only.
///
/// # Errors
/// As [`StorageWriter::commit`], for each on its own.
pub async fn write_prepared(
    writer: &dyn StorageWriter,
    objects: &[PreparedObject],
) -> Vec<Result<(), StorageError>> {
    let few = || StorageError::Other("the store answered for too few drafts".into());
    let change = |object: &PreparedObject| {
        Change::Replace(Replacement {
            path: object.path.clone(),
            expected: object.version.clone(),
            bytes: object.bytes.clone().unwrap_or_default(),
        })
    };
    let mut staged = writer
        .stage(objects.iter().map(change).collect())
        .await
        .into_iter();
    let (mut drafts, mut results) = (Vec::new(), Vec::new());
    for object in objects {
        let draft = staged.next().unwrap_or_else(|| Err(few()));
        results.push(match read_back(draft, object).await {
            Ok(draft) => {
                drafts.push(draft);
                None
            }
            Err(error) => Some(Err(error)),
        });
    }
    let mut committed = writer.commit(drafts).await.into_iter();
    let result = |result: Option<Result<(), StorageError>>| {
        let committed = || committed.next().unwrap_or_else(|| Err(few())).map(|_| ());
        result.unwrap_or_else(committed)
    };
    results.into_iter().map(result).collect()
}

async fn read_back(
    draft: Result<Box<dyn Draft>, StorageError>,
    object: &PreparedObject,
) -> Result<Box<dyn Draft>, StorageError> {
    let mut draft = draft?;
    let bytes = draft.read_back().await?;
    match object.bytes.as_ref() == Some(&bytes) {
        true => Ok(draft),
        false => Err(StorageError::Other(
            "what was written does not read back the same".into(),
        )),
    }
}

impl Trusted {
    /// What the run has prepared; none if it is one that changes objects, or nothing shows that it wrote its journal.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn prepared(&self) -> Result<Option<Prepared>, JournalError> {
        if self.head().prepares.is_none() || !self.is_checked() {
            return Ok(None);
        }
        let lines = self.lines()?;
        Ok(Some(Prepared { lines }))
    }
}

impl Iterator for Prepared {
    type Item = Result<PreparedObject, JournalError>;

    /// An error is about the journal, and what follows must not be used.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            return match self.lines.next()? {
                Ok((_, Line::Prepared(line))) => {
                    Some(object(&line).ok_or_else(|| self.lines.damaged()))
                }
                Ok(_) => continue,
                Err(error) => Some(Err(error)),
            };
        }
    }
}

fn object(line: &record::Prepared) -> Option<PreparedObject> {
    let decode = |text: &String| STANDARD.decode(text).ok();
    Some(PreparedObject {
        path: line.path.bytes()?,
        version: decode(&line.version)?,
        found: line.found.found(),
        bytes: match &line.bytes {
            None => None,
            Some(text) => Some(decode(text)?),
        },
    })
}
