//! Looking at every object of a store without changing it: `wit/auditing.wit`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Error, Result, StorageError};
use crate::keyring::Keyring;
use crate::location::Location;
use crate::migrate::BATCH_DERIVATIONS;
use crate::opening::{Found, Policy, unseal};
use crate::session::Session;
use crate::storage::{Storage, Stored};
use crate::walk::Walk;

/// What there is to look at.
pub struct Scope {
    /// The host's name for the store.
    pub store: String,
    /// Only paths that begin with this, byte for byte.
    pub prefix: Vec<u8>,
    /// Only paths after this one.
    pub start_after: Option<Vec<u8>>,
    /// Which forms may be opened.
    pub policy: Policy,
}

/// What became of one object.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It opens.
    Opens(Found),
    /// MinIO reads it without its IAM encryption; the text says why.
    Exempt(String),
    /// It does not open, and this is why.
    Fails(Error),
}

/// One object and its verdict.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The path.
    pub path: Vec<u8>,
    /// The stored size in bytes; none if it was not read.
    pub size: Option<u64>,
    /// What became of it.
    pub verdict: Verdict,
}

/// An audit that is under way.
pub struct Audit<L: Storage> {
    lent: L,
    store: String,
    policy: Policy,
    walk: Walk<L::Cursor>,
    session: Session,
}

impl<L: Keyring + Storage> Audit<L> {
    /// Begins an audit; nothing is read yet.
    pub fn new(lent: L, scope: Scope) -> Self {
        Self {
            lent,
            store: scope.store,
            policy: scope.policy,
            walk: Walk::new(scope.prefix, scope.start_after, None),
            session: Session::default(),
        }
    }

    /// Looks at up to `limit` further objects (0 is taken as 1); empty at the end.
    ///
    /// # Errors
    /// [`Error::Storage`] if the listing fails; the audit is over then.
    pub fn next(&mut self, limit: u32) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let before = self.session.credentials.derivations;
        while findings.len() < limit.max(1) as usize
            && self.session.credentials.derivations - before < BATCH_DERIVATIONS
        {
            let Some(path) = self.walk.next(&self.lent)? else {
                break;
            };
            findings.extend(self.look(path));
        }
        Ok(findings)
    }

    /// None for an object that has gone since it was listed.
    fn look(&mut self, path: Vec<u8>) -> Option<Finding> {
        let finding = |path, size, verdict| {
            Some(Finding {
                path,
                size,
                verdict,
            })
        };
        let location = match Location::new(&self.store, &path) {
            Ok(location) => location,
            Err(error) => return finding(path, None, Verdict::Fails(error)),
        };
        if let Some(reason) = location.exempt() {
            return finding(path, None, Verdict::Exempt(reason.to_string()));
        }
        let Stored { bytes, .. } = match self.lent.read(&path) {
            Ok(stored) => stored,
            Err(StorageError::NotFound) => return None,
            Err(error) => return finding(path, None, Verdict::Fails(error.into())),
        };
        let verdict = match unseal(
            &self.lent,
            &mut self.session,
            &location,
            &bytes,
            self.policy,
        ) {
            Ok(opened) => Verdict::Opens(opened.found),
            Err(error) => Verdict::Fails(error),
        };
        finding(path, Some(bytes.len() as u64), verdict)
    }
}
