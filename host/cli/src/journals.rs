//! Where the journals of runs are.

use std::path::{Path, PathBuf};
use std::{env, fs};

use iamseal::contract::{KeyFailure, ObjectError};
use iamseal::journal::{Journal, JournalError, Journals};

use crate::arguments::JournalPlace;
use crate::cause::{self, Cause};
use crate::failure::Failure;
use crate::inside::{is_inside, shows_in};

/// Opens the folder that is given, or the user's own.
pub fn open(place: &JournalPlace) -> Result<Journals, Failure> {
    Ok(Journals::open(&folder(place)?)?)
}

/// Opens the folder that journals are read from: another one than that for new journals, if it is given.
pub fn to_read(place: &JournalPlace, from: Option<&Path>) -> Result<Journals, Failure> {
    match from {
        Some(from) => Ok(Journals::open_existing(from)?),
        None => open(place),
    }
}

/// Opens the folder of journals that are only followed: nothing is made.
pub fn to_follow(place: &JournalPlace) -> Result<Journals, Failure> {
    Ok(Journals::open_existing(&folder(place)?)?)
}

/// The same for a run that changes the store in these folders.
///
/// # Errors
/// The folder is inside the store, where a server would find it and a lost store take it along.
pub fn open_outside(place: &JournalPlace, store: &[PathBuf]) -> Result<Journals, Failure> {
    let folder = folder(place)?;
    for store in store {
        if is_inside(&folder, store)? {
            return Err(inside(&folder));
        }
    }
    Ok(Journals::open(&folder)?)
}

/// Refuses a journal that has just been begun, and removes it, if the store shows it too.
///
/// # Errors
/// It does.
pub fn check_outside(journal: &Journal, store: &[PathBuf]) -> Result<(), Failure> {
    let path = journal.path();
    if !store.iter().any(|store| shows_in(path, store)) {
        return Ok(());
    }
    fs::remove_file(path)?;
    Err(inside(path.parent().unwrap_or(path)))
}

fn inside(folder: &Path) -> Failure {
    let shown = folder.display();
    Failure::usage(format!(
        "the folder for journals, {shown}, is inside the store"
    ))
    .with_cure("give one outside of it with --journal")
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
        let error_text = error.to_string();
        let cure = match &error {
            JournalError::Io { .. } => {
                "nothing was changed without a journal; give another folder for it with --journal; \
                 to undo, --from names the one that the run's own is in"
            }
            JournalError::Proof { .. } => {
                "the run is done and its journal whole; make room there, and compare the store with an audit"
            }
            JournalError::NotFound { .. } => {
                "iamseal runs names the runs; give their folder with --journal"
            }
            JournalError::UnderWay(_) => "wait for its end, or stop it with Ctrl-C",
            JournalError::NotAuthentic { .. } | JournalError::CutShort(_) => {
                "restore it from a backup; undo with --trust-journal takes back what it still can"
            }
            JournalError::NoKey { .. } => {
                "give one of them, in the variables, with --keys or with --root-credentials; undo with \
                 --trust-journal does without where it can"
            }
            JournalError::Unkeyed(_) => {
                "if you know that you wrote it, undo with --trust-journal takes back what it can"
            }
            JournalError::NotEnded(_) => {
                "with every server stopped, copy the drives anew and run it on these: what a killed run wrote is of \
                 two versions"
            }
            JournalError::NoDrives(_) => {
                "give a run that has changed objects on copies of drives; iamseal runs names them"
            }
            JournalError::NotPrivate(_) => {
                "if what is in it is yours, make it your own and let nobody else write to it (chown, chmod \
                 go-w); where everybody writes, as in /tmp, make a folder first (mkdir -m 700); or give \
                 another one with --journal"
            }
            JournalError::NotAProof(_) => "give the file RUN.proof as the run wrote it",
            JournalError::NoRandomness(_) => "look at the system's random device",
            JournalError::Argon2id(_) => "see that there are 64 MiB of memory to use",
            JournalError::Key { name, error } => {
                let (key, error) = (name.clone(), error.clone());
                let failure = ObjectError::Key(KeyFailure { key, error });
                let cause = Cause::of(&failure);
                let message = Self::new(cause, &error_text);
                return match cause::cure(&failure) {
                    Some(cure) => message.with_cure(cure),
                    None => message,
                };
            }
            _ => "restore the journal from a backup",
        };
        let cause = match &error {
            JournalError::NotFound { .. }
            | JournalError::UnderWay(_)
            | JournalError::NotEnded(_)
            | JournalError::NoDrives(_)
            | JournalError::NotPrivate(_)
            | JournalError::NotAProof(_) => Cause::Usage,
            JournalError::NoKey { .. } => Cause::KeyNotFound,
            JournalError::NotAuthentic { .. }
            | JournalError::Unkeyed(_)
            | JournalError::CutShort(_) => Cause::Journal,
            JournalError::NoRandomness(_) | JournalError::Argon2id(_) => Cause::Other,
            _ => Cause::Storage,
        };
        Self::new(cause, error_text).with_cure(cure)
    }
}
