//! Looking at every object of a store without changing it: `wit/auditing.wit`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Error, Result, StorageError};
use crate::form;
use crate::judge::{Content, Signer, judge};
use crate::keyring::Keyring;
use crate::location::Location;
use crate::migrate::BATCH_DERIVATIONS;
use crate::opening::{Found, Policy, unseal};
use crate::reason::{Evidence, Neighbourhood, Reason};
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
    /// Whether every root credential is tried on every object, however many objects none opened before.
    pub try_all_credentials: bool,
}

/// What became of one object.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It opens.
    Opens(Found),
    /// MinIO reads it without its IAM encryption; the text says why.
    Exempt(String),
    /// It does not open.
    Fails {
        /// What opening it says.
        error: Error,
        /// What the rest of the store tells of why.
        reason: Option<Reason>,
    },
}

/// One object and its verdict.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The path.
    pub path: Vec<u8>,
    /// The stored size in bytes; none if it was not read.
    pub size: Option<u64>,
    /// The name of the key that it asks for; none if it asks for none or none can be read.
    pub key: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// What it holds, if it opens.
    pub content: Content,
}

/// An audit that is under way.
pub struct Audit<L: Storage> {
    lent: L,
    store: String,
    policy: Policy,
    prefix: Vec<u8>,
    walk: Walk<L::Cursor>,
    session: Session,
    evidence: Evidence,
}

impl<L: Keyring + Storage> Audit<L> {
    /// Begins an audit; nothing is read yet.
    pub fn new(lent: L, scope: Scope) -> Self {
        Self {
            lent,
            store: scope.store,
            policy: scope.policy,
            prefix: scope.prefix.clone(),
            walk: Walk::new(scope.prefix, scope.start_after, None),
            session: Session::of_run(scope.try_all_credentials),
            evidence: Evidence::default(),
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

    /// How many keys were derived of root credentials so far.
    pub fn derivations(&self) -> u64 {
        self.session.credentials.derivations
    }

    /// None for an object that has gone since it was listed.
    fn look(&mut self, path: Vec<u8>) -> Option<Finding> {
        let unread = |path, verdict| {
            Some(Finding {
                path,
                size: None,
                key: None,
                verdict,
                content: Content::default(),
            })
        };
        let location = match Location::new(&self.store, &path) {
            Ok(location) => location,
            Err(error) => return unread(path, fails(error)),
        };
        let of_rustfs = || match self.policy {
            Policy::Rustfs => location.exempt_for_rustfs(),
            _ => None,
        };
        if let Some(reason) = location.exempt().or_else(of_rustfs) {
            return unread(path, Verdict::Exempt(reason.to_string()));
        }
        let Stored { bytes, .. } = match self.lent.read(&path) {
            Ok(stored) => stored,
            Err(StorageError::NotFound) => return None,
            Err(error) => return unread(path, fails(error.into())),
        };
        let opened = unseal(
            &self.lent,
            &mut self.session,
            &location,
            &bytes,
            self.policy,
        );
        let mut content = Content::default();
        let verdict = match opened {
            Ok(opened) => {
                if let Some(key) = &opened.found.key {
                    self.evidence.opens(key);
                }
                content = judge(&location.path, &opened.plaintext, |identity| {
                    Signer::of(&self.lent, identity)
                });
                Verdict::Opens(opened.found)
            }
            Err(Error::HeaderNotAuthentic(name)) => {
                let neighbourhood = Neighbourhood {
                    lent: &self.lent,
                    store: &self.store,
                    prefix: &self.prefix,
                };
                let (evidence, session) = (&mut self.evidence, &mut self.session);
                Verdict::Fails {
                    reason: neighbourhood.reason(evidence, session, &path, &name, &bytes),
                    error: Error::HeaderNotAuthentic(name),
                }
            }
            Err(error) => fails(error),
        };
        let key = match &verdict {
            Verdict::Opens(found) => found.key.clone(),
            _ => form::key(&bytes),
        };
        Some(Finding {
            size: Some(bytes.len() as u64),
            key,
            path,
            verdict,
            content,
        })
    }
}

fn fails(error: Error) -> Verdict {
    Verdict::Fails {
        error,
        reason: None,
    }
}
