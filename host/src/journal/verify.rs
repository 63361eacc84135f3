//! Reading a proof: whether it is what the run wrote, and whether the store still is what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::JournalError;
use super::chain::{Chain, Of};
use super::key::RunKey;
use super::lines::Lines;
use super::record::{Head, Line, Object, ProofLine, Sums};
use super::wrap::Wrapped;
use crate::contract::StorageError;
use crate::keys::MixedKeyring;
use crate::storage::Storage;

/// The end of the name of a journal, which may stand beside its proof.
const JOURNAL: &str = "journal";
/// The same of a proof beside its journal.
const PROOF: &str = "proof";

/// A proof that was read to its end. Where the run's key opens, all of it is what the run wrote.
pub struct ProofFile {
    head: Head,
    path: PathBuf,
    key: Option<Arc<RunKey>>,
    sums: Sums,
    outcomes: BTreeMap<String, u64>,
    /// What is still to be compared; none before that is begun.
    rest: Option<Lines<ProofLine>>,
}

/// One object, and whether it is what the proof says was there at the end of the run.
pub struct Compared {
    /// Its path.
    pub path: Vec<u8>,
    /// What it is now.
    pub now: Now,
}

/// What an object is now.
pub enum Now {
    /// What the proof says.
    AsProved,
    /// Something else.
    Changed,
    /// It is not there any more.
    Missing,
    /// The proof does not say what was there: it could not be read, neither by the run nor after it.
    NotProved,
    /// It cannot be read.
    Failed(StorageError),
}

impl ProofFile {
    /// Reads a proof. With any key that its run was lent every line is checked, and with any root
    /// credential too if the run's journal stands beside it. With none of them the proof says what
    /// somebody wrote into it.
    ///
    /// # Errors
    /// [`JournalError::NotAuthentic`] if a line is not what the run wrote; [`JournalError::Damaged`],
    /// [`JournalError::CutShort`], [`JournalError::NotAProof`]; [`JournalError::Key`] if a key service
    /// fails and nothing else opens it; [`JournalError::Io`].
    pub async fn read(path: &Path, keyring: &MixedKeyring) -> Result<Self, JournalError> {
        let not_a_proof = || JournalError::NotAProof(path.to_owned());
        let head = match Lines::open(path, None)?.next() {
            Some(Ok((_, ProofLine::Run(head)))) => head,
            Some(Err(error @ JournalError::Io { .. })) => return Err(error),
            _ => return Err(not_a_proof()),
        };
        let key = key(&head, path, keyring).await?.map(Arc::new);
        let (sums, outcomes) = to_the_end(path, key.as_ref())?;
        Ok(Self {
            head,
            path: path.to_owned(),
            key,
            sums,
            outcomes,
            rest: None,
        })
    }

    /// Which run it is of.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Whether all of it is what the run wrote. If not, nobody knows who wrote it.
    pub fn is_authentic(&self) -> bool {
        self.key.is_some()
    }

    /// What would have opened the run's key, for people; none if the run had no key.
    pub fn opened_by(&self) -> Option<String> {
        self.head.key.as_ref().map(Wrapped::opened_by)
    }

    /// How many objects it tells of.
    pub fn objects(&self) -> u64 {
        self.sums.objects
    }

    /// How many of them were not what the run left there when it was written.
    pub fn differ(&self) -> u64 {
        self.sums.differ
    }

    /// How many could not be read when it was written. They are compared with what the run left there.
    pub fn unread(&self) -> u64 {
        self.sums.unread
    }

    /// How many objects became what.
    pub fn outcomes(&self) -> &BTreeMap<String, u64> {
        &self.outcomes
    }

    /// Compares the next object with the store. None at the end, and of a proof that is not authentic:
    /// its digests cannot be compared.
    ///
    /// # Errors
    /// [`JournalError::NotAuthentic`] if somebody changes the file meanwhile; [`JournalError::Io`].
    pub async fn compare(
        &mut self,
        storage: &dyn Storage,
    ) -> Result<Option<Compared>, JournalError> {
        let Some(key) = self.key.clone() else {
            return Ok(None);
        };
        let rest = match &mut self.rest {
            Some(rest) => rest,
            None => self.rest.insert(lines(&self.path, Some(&key))?),
        };
        for line in rest {
            let ProofLine::Object(Object { step, now, unread }) = line?.1 else {
                continue;
            };
            let damaged = || JournalError::NotAProof(self.path.clone());
            let path = step.path.bytes().ok_or_else(damaged)?;
            let said = if unread { step.after } else { now };
            let now = match (said, storage.read(&path).await) {
                (None, _) if unread => Now::NotProved,
                // Nothing was there.
                (None, Err(StorageError::NotFound)) => Now::AsProved,
                (Some(said), Ok(stored)) if key.digest(&path, &stored.bytes) == said => {
                    Now::AsProved
                }
                (_, Ok(_)) => Now::Changed,
                (_, Err(StorageError::NotFound)) => Now::Missing,
                (_, Err(error)) => Now::Failed(error),
            };
            return Ok(Some(Compared { path, now }));
        }
        Ok(None)
    }
}

/// The sums of a proof, and how many objects became what.
fn to_the_end(
    path: &Path,
    key: Option<&Arc<RunKey>>,
) -> Result<(Sums, BTreeMap<String, u64>), JournalError> {
    let mut outcomes = BTreeMap::new();
    let mut sums = None;
    let (mut number, mut objects) = (0, 0);
    let mut lines = lines(path, key)?;
    for line in &mut lines {
        number += 1;
        let damaged = || JournalError::Damaged {
            path: path.to_owned(),
            line: number,
        };
        match line?.1 {
            _ if sums.is_some() => return Err(damaged()),
            ProofLine::Run(_) if number == 1 => {}
            ProofLine::Run(_) => return Err(damaged()),
            ProofLine::Object(Object { step, .. }) => {
                objects += 1;
                *outcomes.entry(step.outcome).or_default() += 1;
            }
            ProofLine::Proof(said) if said.objects == objects => sums = Some(said),
            ProofLine::Proof(_) => return Err(damaged()),
        }
    }
    let sums = sums.ok_or_else(|| JournalError::CutShort(path.to_owned()))?;
    // A proof is put in its place whole.
    if lines.is_torn() {
        return Err(JournalError::NotAuthentic {
            path: path.to_owned(),
            line: number + 1,
        });
    }
    Ok((sums, outcomes))
}

/// Whether there is a proof beside this journal: its run came to its end.
///
/// # Errors
/// [`JournalError::Io`].
pub(super) fn is_proved(journal: &Path) -> Result<bool, JournalError> {
    let path = journal.with_extension(PROOF);
    let there = path.try_exists();
    there.map_err(|source| JournalError::io("read", &path, source))
}

/// How many objects the proof beside this journal tells of, if there is one: a run that was killed has
/// none.
///
/// # Errors
/// As [`ProofFile::read`].
pub(super) fn proved(journal: &Path, key: &Arc<RunKey>) -> Result<Option<u64>, JournalError> {
    let path = journal.with_extension(PROOF);
    match path.try_exists() {
        Ok(false) => Ok(None),
        Ok(true) => Ok(Some(to_the_end(&path, Some(key))?.0.objects)),
        Err(source) => Err(JournalError::io("read", &path, source)),
    }
}

fn lines(path: &Path, key: Option<&Arc<RunKey>>) -> Result<Lines<ProofLine>, JournalError> {
    let chain = Chain::begin(key, Of::Proof);
    Lines::open(path, chain)
}

/// The run's key, by the proof's own head or by that of the journal beside it, which credentials open too.
/// That it is the run's key the lines tell.
async fn key(
    head: &Head,
    path: &Path,
    keyring: &MixedKeyring,
) -> Result<Option<RunKey>, JournalError> {
    let Some(wrapped) = &head.key else {
        return Ok(None);
    };
    let of_proof = RunKey::open(wrapped, keyring).await;
    if let Ok(Some(key)) = of_proof {
        return Ok(Some(key));
    }
    let journal = Lines::<Line>::open(&path.with_extension(JOURNAL), None);
    let first = journal.ok().and_then(|mut lines| lines.next());
    if let Some(Ok((_, Line::Run(beside)))) = first
        && beside.name == head.name
        && let Some(wrapped) = &beside.key
        && let Ok(Some(key)) = RunKey::open(wrapped, keyring).await
    {
        return Ok(Some(key));
    }
    of_proof
}
