//! Journals: what every object of a run was before it was changed, so that the run can be taken back.
//!
//! A run is one migration or one undo of a store. Its journal is a file beside no object: the folder of
//! the journals lies outside the store. Before a run changes an object, the journal has durably what
//! that takes back: the old bytes, or, where these were plaintext, the new ones, which are sealed and
//! hold the same. Of an object that is created it says that there was none; of one that is removed, or replaced by
//! plaintext, and may be plaintext it has the bytes sealed under the run's key. So **no journal holds plaintext**, and none is of
//! use without the keys that the store itself or the run needs. Journal files are for their owner alone.
//!
//! Lines and digests are under a key of the run ([`RunKey`]), which each key and credential that is lent
//! opens: a journal is followed only if it is what the run wrote, and digests give nothing away.
//!
//! A run may also only [prepare](Preparing): then its journal has what objects are to become, sealed, and nothing was
//! changed.
//!
//! [`Journals::begin`] begins a run, [`Journaled`] is the store to lend to it, [`Undo`] takes one back
//! and [`Journal::prove`] writes down at the end what was there and what is there, which [`ProofFile`] reads.
//!
//! A run on drives also writes down what it does to which file of which drive, before it does it: the drives may be
//! copies, and [`written_to_drives`] is what to do to the drives themselves.
//!
//! A journal is lines of JSON; `journal/record.rs` says which. A kill can leave half a line at its end, whose
//! object was not changed yet.

mod chain;
mod drives;
mod file;
mod key;
mod lines;
mod past;
mod prepared;
mod proof;
mod record;
mod store;
#[cfg(test)]
mod testing;
mod undo;
mod verify;
mod wrap;

use std::io;
use std::path::{Path, PathBuf};

pub use drives::written_to_drives;
pub use file::{Journal, Journals, UNKEPT, UNWRITTEN};
pub use key::RunKey;
pub use past::{Past, Trusted};
pub use prepared::{Prepared, PreparedObject, Preparing, write_prepared};
pub use proof::Proof;
pub use record::Head;
pub use store::Journaled;
pub use undo::{Undo, UndoOutcome, UndoStep};
pub use verify::{Compared, Now, ProofFile};

use crate::contract::KeyError;
use crate::describe::{describe_key, name as quoted};

/// Why a journal could not be written, read or followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The system refused it.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The proof cannot be written. The run is done, and its journal whole.
    #[error("cannot write the proof {}: {source}", .path.display())]
    Proof {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no run of this name.
    #[error("there is no run \"{name}\" in {}", .folder.display())]
    NotFound {
        /// The name that was given.
        name: String,
        /// The folder of the journals.
        folder: PathBuf,
    },
    /// The run is still under way, in this process or another.
    #[error("the run \"{0}\" is still under way")]
    UnderWay(String),
    /// The file does not begin as a journal does.
    #[error("{}: not a journal, or damaged at its beginning", .0.display())]
    NotAJournal(PathBuf),
    /// A line that others follow cannot be read: what it says is lost.
    #[error("{}: line {line} is damaged", .path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Which line, from 1 on.
        line: u64,
    },
    /// A line is not what the run wrote, or is not where it wrote it.
    #[error("{}: line {line} is not what the run wrote there", .path.display())]
    NotAuthentic {
        /// The journal or proof.
        path: PathBuf,
        /// Which line, from 1 on.
        line: u64,
    },
    /// No key or credential that is lent opens the run's key.
    #[error("{}: nothing that was given opens it; what does: {opened_by}", .path.display())]
    NoKey {
        /// The journal or proof.
        path: PathBuf,
        /// What opens it.
        opened_by: String,
    },
    /// The run was lent no key.
    #[error("{}: its run had no key, so nothing tells who wrote it", .0.display())]
    Unkeyed(PathBuf),
    /// A key service does not make or open the run's key.
    #[error("the run's key under the key {}: {}", quoted(.name), describe_key(.error))]
    Key {
        /// The key's name.
        name: String,
        /// What the service said.
        error: KeyError,
    },
    /// Somebody else could have put it there: the journal, its folder, or one above.
    #[error("{0}")]
    NotPrivate(io::Error),
    /// The file does not begin as a proof does.
    #[error("{}: not a proof, or damaged at its beginning", .0.display())]
    NotAProof(PathBuf),
    /// The end of a proof is missing, or that of a journal by what the proof beside it says.
    #[error("{}: its end is missing", .0.display())]
    CutShort(PathBuf),
    /// The run did not come to its end, so it is not known what it has left.
    #[error("the run \"{0}\" did not come to its end")]
    NotEnded(String),
    /// The run has written nothing to drives that could be put on others.
    #[error("the run \"{0}\" has written nothing to drives")]
    NoDrives(String),
    /// There is no randomness to make a key of.
    #[error("the system gives no random bytes: {0}")]
    NoRandomness(String),
    /// A key cannot be made of a password.
    #[error("Argon2id did not run: {0}")]
    Argon2id(String),
}

impl JournalError {
    fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    fn proof(path: &Path, source: io::Error) -> Self {
        Self::Proof {
            path: path.to_owned(),
            source,
        }
    }
}
