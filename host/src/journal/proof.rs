//! The proof of a run: what was there, what is there, and the digest of each, in one file.
//!
//! Lines of JSON: the run, then each object with its outcome, the digest of what was read (`before`), of
//! what the run left there (`after`) and of what is there now (`now`), each null where there was nothing to
//! digest, and whether it could not be read; last the sums. Digests and lines are under the run's key. No line holds an object's bytes or
//! anything that a guess at them could be tried on, so the file may be shown to others.
//!
//! [`super::ProofFile`] reads it.

use std::path::{Path, PathBuf};

use super::JournalError;
use super::chain::{Chain, Of};
use super::file::Journal;
use super::record::{Head, Line, Object, ProofLine, Step, Sums, write};
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
    /// How many could not be read again, so that nobody knows what is there.
    pub unread: u64,
    /// Why, for the first of them.
    pub why_unread: Option<StorageError>,
}

/// How many objects are read at once: as many as wait for a store's answers side by side elsewhere, and few
/// enough to hold in memory.
const READS: usize = 16;

impl Journal {
    /// Reads every object of the run again and writes the proof, durably. `storage` is the store
    /// itself. Every step must have been reported. `read` is called with how many objects were read. May
    /// be dropped at any time.
    ///
    /// # Errors
    /// [`JournalError`]; there is no proof then, and the journal is as good as before.
    pub async fn prove(
        &self,
        storage: &dyn Storage,
        read: impl Fn(usize),
    ) -> Result<Proof, JournalError> {
        let name = &self.head().name;
        let path = self.path().with_file_name(format!("{name}{PROOF}"));
        let draft = format!("{name}{DRAFT}");
        let key = self.key.as_ref();
        let chain = Chain::begin(key, Of::Proof);
        let mut out = Out::new(&self.folder, &draft, &path, chain)?;
        let mut text = String::new();
        let mut sums = Sums::default();
        let mut why_unread = None;
        let mut steps = Vec::with_capacity(READS);
        let last = self.last_reports()?;
        let mut lines = self.lines()?;
        loop {
            let line = lines.next().transpose()?;
            let is_last = line.is_none();
            let (place, line) = line.unzip();
            match line {
                Some(Line::Run(head)) => {
                    write(&ProofLine::Run(to_be_shown(head)), &mut text);
                }
                Some(Line::Step(step)) => {
                    // Of an object that was handled again the last time counts.
                    let of = step.path.bytes().and_then(|path| last.get(&path).copied());
                    if of.is_none() || of == place {
                        steps.push(step);
                    }
                }
                Some(_) | None => {}
            }
            if steps.len() < READS && !is_last {
                continue;
            }
            let there = steps.iter().map(|step| self.now(storage, step));
            let there = futures_util::future::join_all(there).await;
            read(steps.len());
            for (step, there) in steps.drain(..).zip(there) {
                let unread = there.is_err();
                let now = there.unwrap_or_else(|error| {
                    why_unread.get_or_insert(error);
                    None
                });
                sums.objects += 1;
                sums.unread += u64::from(unread);
                // Of what was removed nothing is to be there; of what was not even read nothing is known.
                let is_known = step.after.is_some() || step.before.is_some();
                sums.differ += u64::from(!unread && is_known && step.after != now);
                write(&ProofLine::Object(Object { step, now, unread }), &mut text);
            }
            if is_last {
                break;
            }
            if text.len() > CHUNK {
                out.write(&mut text)?;
            }
        }
        let Sums {
            objects,
            differ,
            unread,
        } = sums;
        write(&ProofLine::Proof(sums), &mut text);
        out.write(&mut text)?;
        // A journal that has lost lines of which its proof tells is not followed any more.
        let synced = self.file.sync();
        synced.map_err(|source| JournalError::io("write", self.path(), source))?;
        out.finish()?;
        Ok(Proof {
            path,
            objects,
            differ,
            unread,
            why_unread,
        })
    }

    /// The digest of what is there; none if nothing is.
    async fn now(
        &self,
        storage: &dyn Storage,
        step: &Step,
    ) -> Result<Option<String>, StorageError> {
        let Some(path) = step.path.bytes() else {
            return Ok(None);
        };
        match storage.read(&path).await {
            Ok(stored) => Ok(self.digest(&path, &stored.bytes)),
            Err(StorageError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The run without what a guess at a password could be tried on.
fn to_be_shown(head: Head) -> Head {
    let key = head.key.map(|key| key.to_be_shown());
    Head { key, ..head }
}

/// A proof that is being written. Dropping it removes its file, unless it is finished.
struct Out<'a> {
    file: File,
    folder: &'a Folder,
    draft: &'a str,
    path: &'a Path,
    chain: Option<Chain>,
    is_finished: bool,
}

impl<'a> Out<'a> {
    fn new(
        folder: &'a Folder,
        draft: &'a str,
        path: &'a Path,
        chain: Option<Chain>,
    ) -> Result<Self, JournalError> {
        let file = folder.create(draft.as_bytes());
        Ok(Self {
            file: file.map_err(|source| JournalError::proof(path, source))?,
            folder,
            draft,
            path,
            chain,
            is_finished: false,
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
        written.map_err(|source| JournalError::proof(self.path, source))
    }

    fn finish(mut self) -> Result<(), JournalError> {
        let name = self.draft.replace(DRAFT, PROOF);
        self.file
            .sync()
            .and_then(|()| self.folder.rename(self.draft.as_bytes(), name.as_bytes()))
            .map_err(|source| JournalError::proof(self.path, source))?;
        self.is_finished = true;
        let synced = self
            .folder
            .as_file()
            .and_then(|folder| folder.sync_folder());
        synced.map_err(|source| JournalError::proof(self.path, source))
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        if !self.is_finished {
            // Whoever hears of the error knows that there is no proof.
            let _ = self.folder.remove(self.draft.as_bytes());
        }
    }
}
