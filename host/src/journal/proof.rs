//! The proof of a run: what was there, what is there, and the digest of each, in one file.
//!
//! Lines of JSON: the run, then each object with its outcome, the digest of what was read (`before`), of
//! what the run left there (`after`) and of what is there now (`now`), each null where there was nothing to
//! digest; last the sums. Digests and lines are under the run's key. No line holds an object's bytes or
//! anything that a guess at them could be tried on, so the file may be shown to others.
//!
//! [`super::ProofFile`] reads it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::JournalError;
use super::chain::{Chain, Of};
use super::file::Journal;
use super::record::{Head, Line, Object, ProofLine, Sums, write};
use crate::contract::StorageError;
use crate::storage::Storage;
use crate::storage::dir::disk::{File, Folder};

/// The end of a proof's name, and of one that is not finished.
const PROOF: &str = ".proof";
const DRAFT: &str = ".proof.tmp";
/// How much of a proof is gathered before it is written.
const CHUNK: usize = 1 << 16;

/// What a run has proved.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The file.
    pub path: PathBuf,
    /// How many objects it tells of.
    pub objects: u64,
    /// How many of them were read again and are not what the run left there: somebody else has changed
    /// them since. 0 for a run without a key.
    pub differ: u64,
}

impl Journal {
    /// Reads every object of the run again and writes the proof, durably. `storage` is the store
    /// itself. Every step must have been reported.
    ///
    /// # Errors
    /// [`JournalError`]; there is no proof then, and the journal is as good as before.
    pub async fn prove(&self, storage: &dyn Storage) -> Result<Proof, JournalError> {
        let name = &self.head().name;
        let path = self.path().with_file_name(format!("{name}{PROOF}"));
        let draft = format!("{name}{DRAFT}");
        let key = self.key.as_ref();
        let chain = key.map(|key| Chain::new(Arc::clone(key), Of::Proof));
        let mut out = Out::new(&self.folder, &draft, &path, chain)?;
        let mut text = String::new();
        let (mut objects, mut differ) = (0, 0);
        for line in self.lines()? {
            let (_, line) = line?;
            let step = match line {
                Line::Run(head) => {
                    write(&ProofLine::Run(to_be_shown(head)), &mut text);
                    continue;
                }
                Line::Change(_) => continue,
                Line::Step(step) => step,
            };
            let now = match step.path.bytes() {
                Some(path) => self.now(storage, &path).await,
                None => None,
            };
            objects += 1;
            differ += u64::from(step.after.is_some() && step.after != now);
            write(&ProofLine::Object(Object { step, now }), &mut text);
            if text.len() > CHUNK {
                out.write(&mut text)?;
            }
        }
        write(&ProofLine::Proof(Sums { objects, differ }), &mut text);
        out.write(&mut text)?;
        out.finish(&self.folder, &draft)?;
        Ok(Proof {
            path,
            objects,
            differ,
        })
    }

    /// The digest of what is there; none if nothing is or it cannot be read.
    async fn now(&self, storage: &dyn Storage, path: &[u8]) -> Option<String> {
        let stored: Result<_, StorageError> = storage.read(path).await;
        self.digest(path, &stored.ok()?.bytes)
    }
}

/// The run without what a guess at a password could be tried on.
fn to_be_shown(head: Head) -> Head {
    let key = head.key.map(|key| key.to_be_shown());
    Head { key, ..head }
}

/// A proof that is being written.
struct Out<'a> {
    file: File,
    path: &'a Path,
    chain: Option<Chain>,
}

impl<'a> Out<'a> {
    fn new(
        folder: &Folder,
        draft: &str,
        path: &'a Path,
        chain: Option<Chain>,
    ) -> Result<Self, JournalError> {
        let file = folder.create(draft.as_bytes());
        Ok(Self {
            file: file.map_err(|source| JournalError::io("make", path, source))?,
            path,
            chain,
        })
    }

    /// Writes the text and empties it.
    fn write(&mut self, text: &mut String) -> Result<(), JournalError> {
        let lines = std::mem::take(text);
        let lines = match &mut self.chain {
            Some(chain) => chain.seal(&lines),
            None => lines,
        };
        let written = self.file.write(lines.as_bytes());
        written.map_err(|source| JournalError::io("write", self.path, source))
    }

    fn finish(self, folder: &Folder, draft: &str) -> Result<(), JournalError> {
        let name = draft.replace(DRAFT, PROOF);
        self.file
            .sync()
            .and_then(|()| folder.rename(draft.as_bytes(), name.as_bytes()))
            .and_then(|()| folder.as_file()?.sync_folder())
            .map_err(|source| JournalError::io("write", self.path, source))
    }
}
