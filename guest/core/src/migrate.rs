//! Bringing every object of a store to one form and key: `wit/migration.wit`.
//!
//! For each batch: read and open, seal anew, stage durable drafts, read each draft back and open it
//! with the keys a later reader has, and only then let it take the place of the old bytes, if those
//! are still the version that was read. A kill at any point leaves every object whole, old or new.
//! An object that somebody else changed meanwhile is taken again, from the beginning.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Error, Result, StorageError};
use crate::form::{Form, inspect};
use crate::judge::{Signer, judge};
use crate::keyring::{Candidate, KeyMaker, Random, Secret};
use crate::location::Location;
use crate::opening::{Found, Opened, Policy, unseal};
use crate::sealing::{SealOptions, SealedForm, seal};
use crate::session::Session;
use crate::storage::{Draft as _, Replacement, Storage, StorageWriter};
use crate::walk::{Shard, Walk};

/// How many bytes of new objects a batch holds at the most before it is written, so that a batch of
/// large objects does not fill the memory. One object may be larger.
const BATCH_BYTES: usize = 4 << 20;

/// How many keys a batch derives from root credentials before it is written, at some 50 ms each: a
/// host that watches the time of a call sees calls of about a second.
pub(crate) const BATCH_DERIVATIONS: u64 = 16;

/// How often an object is taken in all before a conflict is its outcome. Another writer's one change,
/// or its change and a second run's, fall between two of them; what changes a third time changes all
/// the time, and each try costs the whole batch's durability once more.
const TRIES: u32 = 3;

/// What the objects are to become.
pub enum Target {
    /// Not encrypted.
    Plaintext,
    /// Sealed in this way.
    Sealed(SealOptions),
}

/// A migration to do.
pub struct Plan {
    /// The host's name for the store.
    pub store: String,
    /// Only paths that begin with this, byte for byte.
    pub prefix: Vec<u8>,
    /// Only paths after this one.
    pub start_after: Option<Vec<u8>>,
    /// One worker's share; none: all objects.
    pub shard: Option<Shard>,
    /// What the objects are to become.
    pub target: Target,
    /// Open everything, write nothing.
    pub dry_run: bool,
    /// Whether every root credential is tried on every object, however many objects none opened before.
    pub try_all_credentials: bool,
    /// Whether plaintext objects that no server loads are sealed too.
    pub not_loadable_too: bool,
}

/// What became of one object.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It already is what the plan asks for.
    Unchanged(Found),
    /// It was this and is now the target.
    Migrated(Found),
    /// The same without the writing.
    WouldMigrate(Found),
    /// MinIO reads it without its IAM encryption, or RustFS, which it is for, not at all; the text says why.
    Exempt(String),
    /// It was not touched, and this is why.
    Failed(Error),
}

/// One object and what became of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The path.
    pub path: Vec<u8>,
    /// What became of it.
    pub outcome: Outcome,
    /// How often somebody else had changed it meanwhile and it was taken again.
    pub retries: u32,
}

/// A migration that is under way.
pub struct Run<L: Storage> {
    lent: L,
    store: String,
    goal: Goal,
    dry_run: bool,
    not_loadable_too: bool,
    walk: Walk<L::Cursor>,
    session: Session,
}

/// The target with its key's name filled in.
enum Goal {
    Plaintext,
    Sealed { options: SealOptions, key: String },
    Rustfs(SealOptions),
}

/// Objects that are to be written together, and their new bytes.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    replacements: Vec<Replacement>,
    /// Old and new ones.
    bytes: usize,
}

/// An object that was opened and sealed anew.
struct Change {
    /// Its place among the steps.
    step: usize,
    path: Vec<u8>,
    plaintext: Secret,
}

/// The steps of one call. None: the object has gone.
type Steps = Vec<Option<Step>>;

impl<L: KeyMaker + Random + Storage + StorageWriter> Run<L> {
    /// Begins a migration; nothing is read yet.
    ///
    /// # Errors
    /// [`Error::NoKey`], [`Error::Key`] if the target's key is not lent, [`Error::NoCredential`] if its root
    /// credential is not, [`Error::Unsupported`],
    /// [`Error::Refused`] for a shard that cannot be.
    pub fn new(lent: L, plan: Plan) -> Result<Self> {
        plan.shard.map_or(Ok(()), Shard::check)?;
        let goal = match plan.target {
            Target::Plaintext => Goal::Plaintext,
            Target::Sealed(options) if options.form == SealedForm::Rustfs => {
                options.check_rustfs()?;
                if lent.root_credentials().is_empty() {
                    return Err(Error::NoCredential);
                }
                Goal::Rustfs(options)
            }
            Target::Sealed(options) => {
                let (key, candidate) = options.resolve(&lent)?;
                // A key service writes its data keys down as it likes.
                let data_key_encoding = match candidate {
                    Candidate::Local(_) | Candidate::Secret(_) => options.data_key_encoding,
                    Candidate::Server(_) => None,
                };
                Goal::Sealed {
                    options: SealOptions {
                        key: Some(key.clone()),
                        data_key_encoding,
                        ..options
                    },
                    key,
                }
            }
        };
        Ok(Self {
            lent,
            store: plan.store,
            goal,
            dry_run: plan.dry_run,
            not_loadable_too: plan.not_loadable_too,
            walk: Walk::new(plan.prefix, plan.start_after, plan.shard),
            session: Session::of_run(plan.try_all_credentials),
        })
    }

    /// Handles up to `limit` further objects (0 is taken as 1) as one batch and returns when all of
    /// it is durable; empty at the end.
    ///
    /// # Errors
    /// [`Error::Storage`] if the listing fails; the run is over then. What the batch had read is
    /// not changed.
    pub fn next(&mut self, limit: u32) -> Result<Vec<Step>> {
        loop {
            let taken = self.take(limit)?;
            let is_end = taken.is_empty();
            let steps: Vec<Step> = taken.into_iter().flatten().collect();
            // No steps mean the end to the caller, so not that all of a batch has gone.
            if is_end || !steps.is_empty() {
                return Ok(steps);
            }
        }
    }

    /// How many keys were derived of root credentials so far.
    pub fn derivations(&self) -> u64 {
        self.session.credentials.derivations
    }

    /// One batch, and what of it was changed by somebody else once more.
    fn take(&mut self, limit: u32) -> Result<Steps> {
        let mut steps = Steps::new();
        let mut batch = Batch::default();
        let derived = self.session.credentials.derivations;
        while steps.len() < limit.max(1) as usize && self.has_room(&batch, derived) {
            let Some(path) = self.walk.next(&self.lent)? else {
                break;
            };
            let Some(prepared) = self.prepare(&path) else {
                continue;
            };
            steps.push(Some(Step {
                outcome: batch.add(steps.len(), &path, prepared),
                path,
                retries: 0,
            }));
        }
        let mut lost = self.write(batch, &mut steps);
        for _ in 1..TRIES {
            lost = self.retake(lost, &mut steps);
        }
        Ok(steps)
    }

    /// Whether a batch may grow, begun when this many keys had been derived.
    fn has_room(&self, batch: &Batch, derived: u64) -> bool {
        batch.bytes < BATCH_BYTES
            && self.session.credentials.derivations - derived < BATCH_DERIVATIONS
    }

    /// Takes objects again that somebody else was faster with; returns those that it happened to
    /// again. Of objects that have grown meanwhile, or need derivations now, only as many are taken
    /// as fit into one batch; the conflict stays the outcome of the others.
    fn retake(&mut self, lost: Vec<usize>, steps: &mut Steps) -> Vec<usize> {
        let mut batch = Batch::default();
        let derived = self.session.credentials.derivations;
        for index in lost {
            if !self.has_room(&batch, derived) {
                break;
            }
            let Some(place) = steps.get_mut(index) else {
                continue;
            };
            *place = place.take().and_then(|step| {
                let prepared = self.prepare(&step.path)?;
                Some(Step {
                    outcome: batch.add(index, &step.path, prepared),
                    retries: step.retries + 1,
                    ..step
                })
            });
        }
        self.write(batch, steps)
    }

    /// None for an object that has gone since it was listed, or since it was read before.
    fn prepare(&mut self, path: &[u8]) -> Option<Prepared> {
        let failed = |error| Some(Prepared::Done(Outcome::Failed(error)));
        let location = match Location::new(&self.store, path) {
            Ok(location) => location,
            Err(error) => return failed(error),
        };
        if let Some(reason) = self.goal.exempt(&location) {
            return Some(Prepared::Done(Outcome::Exempt(reason.to_string())));
        }
        let stored = match self.lent.read(path) {
            Ok(stored) => stored,
            Err(StorageError::NotFound) => return None,
            Err(error) => return failed(error.into()),
        };
        let policy = Policy::Compatible;
        let opened = match unseal(
            &self.lent,
            &mut self.session,
            &location,
            &stored.bytes,
            policy,
        ) {
            Ok(opened) => opened,
            Err(error) => return failed(error),
        };
        if self.goal.is_met_by(&opened) {
            return Some(Prepared::Done(Outcome::Unchanged(opened.found)));
        }
        // Garbage that anybody can have written looks whole once it is sealed. What is sealed already, whoever had
        // the key wrote so.
        let is_vouched = opened.found.form != Form::Plaintext;
        if !is_vouched && !self.not_loadable_too && !matches!(self.goal, Goal::Plaintext) {
            let content = judge(&location.path, &opened.plaintext, |_| Signer::Unknown);
            if let Some(why) = content.error() {
                return failed(Error::NotLoadable(why.to_string()));
            }
        }
        let rendered =
            self.goal
                .render(&self.lent, &mut self.session, &location, &opened.plaintext);
        let bytes = match rendered {
            Ok(bytes) => bytes,
            Err(error) => return failed(error),
        };
        if self.dry_run {
            return Some(Prepared::Done(Outcome::WouldMigrate(opened.found)));
        }
        let replacement = Replacement {
            path: path.to_vec(),
            expected: stored.version,
            bytes,
        };
        Some(Prepared::Write(replacement, opened))
    }

    /// Stages, reads back, opens and commits, and says in the steps what failed. Returns those whose
    /// object is not the one that was read any more.
    fn write(&mut self, batch: Batch, steps: &mut Steps) -> Vec<usize> {
        let mut lost = Vec::new();
        if batch.changes.is_empty() {
            return lost;
        }
        let mut fail = |index: usize, error: Error| {
            if let Some(Some(step)) = steps.get_mut(index) {
                step.outcome = Outcome::Failed(error);
            }
        };
        let mut refuse = |index: usize, error: Option<StorageError>| {
            // Gone only if a read says so too.
            if matches!(error, Some(StorageError::Conflict | StorageError::NotFound)) {
                lost.push(index);
            }
            let unanswered = || Error::Other("the store answered for too few drafts".to_string());
            error.map_or_else(unanswered, Error::Storage)
        };
        let mut drafts = Vec::new();
        let mut committing = Vec::new();
        let mut staged = self.lent.stage(batch.replacements).into_iter();
        for change in batch.changes {
            let verified = match staged.next() {
                Some(Ok(draft)) => self.verify(&change, &draft).map(|()| draft),
                Some(Err(error)) => Err(refuse(change.step, Some(error))),
                None => Err(refuse(change.step, None)),
            };
            match verified {
                Ok(draft) => {
                    drafts.push(draft);
                    committing.push(change.step);
                }
                Err(error) => fail(change.step, error),
            }
        }
        let mut committed = self.lent.commit(drafts).into_iter();
        for index in committing {
            match committed.next() {
                Some(Ok(_version)) => {}
                other => {
                    let error = refuse(index, other.and_then(core::result::Result::err));
                    fail(index, error);
                }
            }
        }
        lost
    }

    /// Opens a draft as a later reader will and compares what it holds with what was read.
    fn verify(&mut self, change: &Change, draft: &<L as StorageWriter>::Draft) -> Result<()> {
        let bytes = draft.read_back()?;
        let location = Location::new(&self.store, &change.path)?;
        let policy = Policy::Compatible;
        let opened = unseal(&self.lent, &mut self.session, &location, &bytes, policy)?;
        if !self.goal.is_met_by(&opened) || opened.plaintext != change.plaintext {
            return Err(Error::Other(
                "what was written does not read back as what was meant".to_string(),
            ));
        }
        Ok(())
    }
}

/// What is to be done with an object.
enum Prepared {
    Done(Outcome),
    Write(Replacement, Opened),
}

impl Batch {
    /// Takes in an object if it is to be written. Returns its outcome if nothing goes wrong.
    fn add(&mut self, step: usize, path: &[u8], prepared: Prepared) -> Outcome {
        let (replacement, opened) = match prepared {
            Prepared::Done(outcome) => return outcome,
            Prepared::Write(replacement, opened) => (replacement, opened),
        };
        self.bytes += replacement.bytes.len() + opened.plaintext.len();
        self.replacements.push(replacement);
        self.changes.push(Change {
            step,
            path: path.to_vec(),
            plaintext: opened.plaintext,
        });
        Outcome::Migrated(opened.found)
    }
}

impl Goal {
    /// Why the object there is not touched, if it is not.
    fn exempt(&self, location: &Location) -> Option<&'static str> {
        let of_rustfs = || match self {
            Self::Rustfs(_) => location.exempt_for_rustfs(),
            _ => None,
        };
        location.exempt().or_else(of_rustfs)
    }

    /// The bytes that the target asks for.
    fn render<L: KeyMaker + Random>(
        &self,
        lent: &L,
        session: &mut Session,
        location: &Location,
        plaintext: &[u8],
    ) -> Result<Vec<u8>> {
        match self {
            Self::Sealed { options, .. } | Self::Rustfs(options) => {
                seal(lent, session, location, plaintext, options)
            }
            // What would not be taken for plaintext when read again must not be written as such.
            Self::Plaintext => match inspect(plaintext) {
                Ok(description) if description.form == Form::Plaintext => Ok(plaintext.to_vec()),
                Err(Error::Empty) => Err(Error::Refused(
                    "it holds nothing, and MinIO takes an empty object for absent".to_string(),
                )),
                _ => Err(Error::Refused(
                    "what it holds is not text, so MinIO could not read it as plaintext"
                        .to_string(),
                )),
            },
        }
    }

    /// Whether an object needs no rewriting. An option that was left open is met by anything.
    fn is_met_by(&self, opened: &Opened) -> bool {
        let found = &opened.found;
        let (options, key) = match self {
            Self::Plaintext => return found.form == Form::Plaintext,
            // RustFS reads whichever cipher and derivation MinIO or itself has written.
            Self::Rustfs(_) => {
                return found.form == Form::RootCredential && opened.with_first_candidate;
            }
            Self::Sealed { options, key } => (options, key),
        };
        let minio = options.form == SealedForm::Minio;
        found.form == options.form.form()
            && found.key.as_ref() == Some(key)
            && opened.with_first_candidate
            && (!minio || found.context == Some(crate::context::Context::Joined))
            && options
                .cipher
                .is_none_or(|cipher| opened.cipher == Some(cipher))
            && options
                .data_key_encoding
                .is_none_or(|encoding| !minio || opened.data_key_encoding == Some(encoding))
    }
}
