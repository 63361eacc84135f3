//! Runs that are over, and whether their journals may be followed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::JournalError;
use super::chain::{Chain, Of};
use super::key::RunKey;
use super::lines::Lines;
use super::record::{Head, Line};
use super::verify;
use crate::keys::MixedKeyring;

/// A run that is over, by what its journal says, whoever wrote that: [`Past::authentic`] tells.
#[derive(Debug)]
pub struct Past {
    pub(super) head: Head,
    pub(super) path: PathBuf,
}

/// A run whose journal may be followed.
pub struct Trusted {
    past: Past,
    pub(super) key: Option<Arc<RunKey>>,
    is_checked: bool,
}

impl Past {
    /// Which run it was.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same run, if any key or credential that is lent opens its key: then each line is followed only
    /// if it is what the run wrote. Whoever has one of them could have written it.
    ///
    /// # Errors
    /// [`JournalError::NoKey`] if none opens it, [`JournalError::Unkeyed`] if the run had none, and
    /// [`JournalError::Key`] if a key service fails.
    pub async fn authentic(self, keyring: &MixedKeyring) -> Result<Trusted, JournalError> {
        let key = self.key(keyring).await?;
        Ok(Trusted {
            past: self,
            key: Some(Arc::new(key)),
            is_checked: true,
        })
    }

    /// The same run, whoever wrote its journal. Where its key opens, the digests of objects are compared
    /// all the same.
    pub async fn trusted(self, keyring: &MixedKeyring) -> Trusted {
        let key = self.key(keyring).await.ok();
        Trusted {
            past: self,
            key: key.map(Arc::new),
            is_checked: false,
        }
    }

    async fn key(&self, keyring: &MixedKeyring) -> Result<RunKey, JournalError> {
        let path = || self.path.clone();
        let Some(wrapped) = &self.head.key else {
            return Err(JournalError::Unkeyed(path()));
        };
        let key = RunKey::open(wrapped, keyring).await?;
        key.ok_or_else(|| JournalError::NoKey {
            path: path(),
            opened_by: wrapped.opened_by(),
        })
    }
}

impl Trusted {
    /// Which run it was.
    pub fn head(&self) -> &Head {
        &self.past.head
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.past.path
    }

    /// Sees that a journal with so many lines of objects is all of it, as far as that is known: the end of a
    /// killed run's may be missing, and it has no proof.
    ///
    /// # Errors
    /// [`JournalError::CutShort`] if the proof beside it tells of more objects; the errors of that proof.
    pub(super) fn check_whole(&self, steps: u64) -> Result<(), JournalError> {
        let Some(key) = self.key.as_ref().filter(|_| self.is_checked) else {
            return Ok(());
        };
        match verify::proved(&self.past.path, key)? {
            Some(proved) if proved > steps => Err(JournalError::CutShort(self.past.path.clone())),
            _ => Ok(()),
        }
    }

    /// Whether all that it says is what the run wrote.
    pub(super) fn is_checked(&self) -> bool {
        self.is_checked
    }

    /// Its lines.
    pub(super) fn lines(&self) -> Result<Lines<Line>, JournalError> {
        let key = self.key.as_ref().filter(|_| self.is_checked);
        Lines::open(&self.past.path, Chain::begin(key, Of::Journal))
    }
}
