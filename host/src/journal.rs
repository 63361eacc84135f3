//! Journals: what every object of a run was before it was changed, so that the run can be taken back.
//!
//! A run is one migration or one undo of a store. Its journal is a file beside no object: the folder of
//! the journals lies outside the store. Before a run changes an object, the journal has durably what
//! that takes back: the old bytes, or, where these were plaintext, the new ones, which are sealed and
//! hold the same. So **no journal holds plaintext**, and none is of use without the keys that the
//! store itself needs. Journal files are for their owner alone.
//!
//! [`Journals::begin`] begins a run, [`Journaled`] is the store to lend to it, [`Undo`] takes one back
//! and [`Journal::prove`] writes down at the end what was there and what is there.
//!
//! A journal is lines of JSON; `journal/record.rs` says which. A kill can leave half a line at its end, whose
//! object was not changed yet.

mod file;
mod lines;
mod proof;
mod record;
mod store;
mod undo;

use std::io;
use std::path::{Path, PathBuf};

pub use file::{Journal, Journals, Past};
pub use proof::Proof;
pub use record::Head;
pub use store::Journaled;
pub use undo::{Undo, UndoOutcome, UndoStep};

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
}

impl JournalError {
    fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
