//! Where the journals of runs are.

use std::env;
use std::path::{Path, PathBuf};

use iamseal::journal::{JournalError, Journals};

use crate::arguments::JournalPlace;
use crate::cause::Cause;
use crate::failure::Failure;

/// Opens the folder that is given, or the user's own.
pub fn open(place: &JournalPlace) -> Result<Journals, Failure> {
    Ok(Journals::open(&folder(place)?)?)
}

/// The same for a run that changes `store`.
///
/// # Errors
/// The folder is inside the store, where a server would find it and a lost store take it along.
pub fn open_outside(place: &JournalPlace, store: &Path) -> Result<Journals, Failure> {
    let folder = folder(place)?;
    // It may have to be made yet, and must not be made inside the store.
    let absolute = std::path::absolute(&folder)?;
    let mut there = absolute
        .ancestors()
        .filter_map(|above| above.canonicalize().ok());
    let outer = store.canonicalize()?;
    if there.next().is_some_and(|inner| inner.starts_with(outer)) {
        let shown = folder.display();
        return Err(Failure::usage(format!(
            "the folder for journals, {shown}, is inside the store"
        ))
        .with_cure("give one outside of it with --journal"));
    }
    Ok(Journals::open(&folder)?)
}

fn folder(place: &JournalPlace) -> Result<PathBuf, Failure> {
    let folder = place.journal.clone().or_else(users_own);
    folder.ok_or_else(|| {
        Failure::usage("there is no home folder to keep the journal in")
            .with_cure("give a folder for it with --journal")
    })
}

/// What the XDG Base Directory Specification has for a user's state.
fn users_own() -> Option<PathBuf> {
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.filter(|folder| folder.is_absolute());
    let state = state.or_else(|| Some(env::home_dir()?.join(".local/state")))?;
    Some(state.join("iamseal"))
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let cure = match &error {
            JournalError::Io { .. } => {
                "nothing was changed without a journal; give another folder \
                                        for it with --journal"
            }
            JournalError::NotFound { .. } => {
                "iamseal runs names the runs; give their folder with --journal"
            }
            JournalError::UnderWay(_) => "wait for its end, or stop it with Ctrl-C",
            _ => "restore the journal from a backup",
        };
        let cause = match &error {
            JournalError::NotFound { .. } | JournalError::UnderWay(_) => Cause::Usage,
            _ => Cause::Storage,
        };
        Self::new(cause, &error).with_cure(cure)
    }
}
