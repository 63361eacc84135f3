//! A store on MinIO's drives.

pub mod copies;
mod degraded;
mod ended;
mod stopped;
pub mod unformatted;

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use iamseal::CompileCache;
use iamseal::storage::drives::{self, OpenError, pattern};
use iamseal::storage::{DriveStore, Note, Store};
use iamseal_words::drives::{GIVE_ALL, ONE_DEPLOYMENT};

pub use self::ended::ended;
use super::Access;
use crate::arguments::Common;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::output;
use crate::report::notes;

pub use iamseal_words::drives::SCHEME;

/// Opens the drives of these names.
///
/// # Errors
/// The names are none, the drives are no store; or it is to be written to, and a server runs or another
/// process writes.
pub async fn open(
    common: &Common,
    given: &Path,
    access: Access,
) -> Result<Arc<DriveStore>, Failure> {
    let folders = folders(given)?;
    let opened = at(folders.clone(), access).await;
    let store = opened.map_err(|error| failure(&folders, error))?;
    tell(common, &store, About::Drives).await;
    degraded::check(common, &store, access).await?;
    stopped::check(common, &store, access).await?;
    Ok(Arc::new(store))
}

/// The folders of drives of these names.
///
/// # Errors
/// The names are none.
pub fn folders(given: &Path) -> Result<Vec<PathBuf>, Failure> {
    let names = given.as_os_str().as_bytes();
    let names = names.strip_prefix(SCHEME.as_bytes()).unwrap_or(names);
    pattern::drives(names).map_err(|error| Failure::usage(error).with_cure(GIVE_ALL))
}

/// Opens a folder as a drive, if it is one or the system folder of one; none if it is another folder.
///
/// # Errors
/// As [`open`].
pub async fn recognise(
    common: &Common,
    folder: &Path,
    access: Access,
) -> Result<Option<Arc<DriveStore>>, Failure> {
    if !drives::may_be_drive(folder) {
        return match unformatted::system_folder(folder) {
            None => Ok(None),
            Some(system) => Err(unformatted::gone(folder, &system)),
        };
    }
    let folders = vec![folder.to_path_buf()];
    match at(folders.clone(), access).await {
        // A server of before 2022 kept plain files, and says so.
        Err(OpenError::NotErasure(_)) => Ok(None),
        Err(error) => Err(failure(&folders, error)),
        Ok(store) => {
            tell(common, &store, About::Drives).await;
            degraded::check(common, &store, access).await?;
            stopped::check(common, &store, access).await?;
            Ok(Some(Arc::new(store)))
        }
    }
}

async fn at(drives: Vec<PathBuf>, access: Access) -> Result<DriveStore, OpenError> {
    let cache = CompileCache::Default;
    let writer = iamseal_component::DRIVE_STORE_WRITER;
    match access {
        Access::Read => DriveStore::open(iamseal_component::DRIVE_STORE, drives, cache).await,
        Access::Write(_) if access.is_degraded() => {
            DriveStore::open_degraded(writer, drives, cache).await
        }
        Access::Write(_) | Access::Sweep(_) => {
            DriveStore::open_to_write(writer, drives, cache).await
        }
    }
}

/// Why drives are no store. Of one alone that has objects more can be said.
fn failure(folders: &[PathBuf], error: OpenError) -> Failure {
    match (&error, folders) {
        (OpenError::Unusable(_), [one]) => match unformatted::system_folder(one) {
            Some(system) => unformatted::failure(&error, &system),
            None => error.into(),
        },
        _ => error.into(),
    }
}

/// What notes are about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The drives themselves, known once they were opened.
    Drives,
    /// The objects that were read so far.
    Objects,
}

/// Tells what a store has to say. Returns whether all of it was seen: no note of any kind says that objects
/// may be missing, or not be those that a server reads.
pub async fn tell(common: &Common, store: &dyn Store, about: About) -> bool {
    match store.notes().await {
        Ok(notes) => {
            let is_about = |note: &&Note| (note.objects == 0) == (about == About::Drives);
            for note in notes.iter().filter(is_about) {
                let text = iamseal_words::drives::note(&note.text, note.objects, &note.paths);
                output::note(common.json, &text);
            }
            !notes.iter().any(|note| note.hides)
        }
        Err(error) => {
            output::note(common.json, &iamseal::describe_storage(&error));
            false
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Component(error) => Self::new(Cause::Plugin, error),
            OpenError::Worker(error) => Self::other(error),
            OpenError::Locked(_) => Self::new(Cause::Storage, &error).with_cure(notes::LOCKED),
            OpenError::Deployments(_) => Self::usage(&error).with_cure(ONE_DEPLOYMENT),
            OpenError::NoDrive | OpenError::NotErasure(_) | OpenError::Unusable(_) => {
                Self::usage(&error).with_cure(GIVE_ALL)
            }
        }
    }
}
