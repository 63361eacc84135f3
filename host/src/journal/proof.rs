//! The proof of a run: what was there, what is there, and the digest of each, in one file.
//!
//! Lines of JSON: the run, then each object with its outcome, the SHA-256 of what was read (`before`),
//! of what the run left there (`after`) and of what is there now (`now`), each null where there was
//! nothing to digest; last the sums and the SHA-256 of all lines above. No line holds an object's
//! bytes, so the file may be shown to others.

use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::JournalError;
use super::file::Journal;
use super::record::{Line, digest, write};
use crate::contract::StorageError;
use crate::plugin::hex;
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
    /// them since.
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
        let mut out = Out::new(&self.folder, &draft, &path)?;
        let mut text = String::new();
        let (mut objects, mut differ) = (0, 0);
        for line in self.lines()? {
            let (_, line) = line?;
            let step = match line {
                Line::Run(_) => {
                    write(&line, &mut text);
                    continue;
                }
                Line::Change(_) => continue,
                Line::Step(step) => step,
            };
            let now = match step.path.bytes() {
                Some(path) => now(storage, &path).await,
                None => None,
            };
            objects += 1;
            differ += u64::from(step.after.is_some() && step.after != now);
            let mut line = json!(step);
            if let Some(line) = line.as_object_mut() {
                line.insert("now".into(), json!(now));
            }
            write(&json!({ "object": line }), &mut text);
            if text.len() > CHUNK {
                out.write(&mut text)?;
            }
        }
        out.write(&mut text)?;
        let lines = hex(&out.lines.clone().finalize());
        let sums = json!({"objects": objects, "differ": differ, "sha256_of_lines_above": lines});
        write(&json!({ "proof": sums }), &mut text);
        out.write(&mut text)?;
        out.finish(&self.folder, &draft)?;
        Ok(Proof {
            path,
            objects,
            differ,
        })
    }
}

/// The digest of what is there; none if nothing is or it cannot be read.
async fn now(storage: &dyn Storage, path: &[u8]) -> Option<String> {
    let stored: Result<_, StorageError> = storage.read(path).await;
    stored.ok().map(|stored| digest(&stored.bytes))
}

/// A proof that is being written.
struct Out<'a> {
    file: File,
    path: &'a Path,
    lines: Sha256,
}

impl<'a> Out<'a> {
    fn new(folder: &Folder, draft: &str, path: &'a Path) -> Result<Self, JournalError> {
        let file = folder.create(draft.as_bytes());
        Ok(Self {
            file: file.map_err(|source| JournalError::io("make", path, source))?,
            path,
            lines: Sha256::new(),
        })
    }

    /// Writes the text and empties it.
    fn write(&mut self, text: &mut String) -> Result<(), JournalError> {
        self.lines.update(text.as_bytes());
        let written = self.file.write(text.as_bytes());
        text.clear();
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
