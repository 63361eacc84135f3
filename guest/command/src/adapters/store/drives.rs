//! MinIO's drives, read by the component that is joined with this one. It gets their files from a third one, and
//! this one only names the drives.

use iamseal_words::contract::{SizeLimit, StorageError};
use iamseal_words::drives::{GIVE_ALL, ONE_DEPLOYMENT, SCHEME, SYSTEM_FOLDERS, pattern};
use iamseal_words::folder::Kind;
use iamseal_words::shown::harmless;
use wasip2::filesystem::types::DescriptorFlags;

use crate::adapters::bindings::exports::iamseal::command::lending::Failure;
use crate::adapters::bindings::exports::iamseal::plugin::storage::Stored;
use crate::adapters::bindings::iamseal::command::drive_lending::lend_drives;
use crate::adapters::bindings::iamseal::plugin::drives::{self, Fault};
use crate::adapters::bindings::iamseal::plugin::{storage, types};
use crate::adapters::failure::usage;
use crate::wasi::disk::Folder;
use crate::wasi::files::locate;

/// A listing of drives.
pub(super) use storage::Cursor as Listing;

/// Why nothing is written.
pub(super) const ONLY_READ: &str = "drives are only read here";

/// Lends drives, if the name is that of drives, or of a folder that is one. Says whether it is.
///
/// # Errors
/// They are no drives that can be read, or are to be written to.
pub(super) fn lend(name: &str, writes: bool) -> Result<bool, Failure> {
    let names = name.strip_prefix(SCHEME);
    let folders = match names {
        Some(names) => of_pattern(names)?,
        None if says_it_is_one(name) => vec![name.to_owned()],
        None => return Ok(false),
    };
    lend_drives(&folders);
    match drives::open() {
        Ok(()) if writes => Err(usage(
            format!("{name}: drives are only read here"),
            "take the native tool, which keeps owners, modes and the order of drives; or --dry-run",
        )),
        Ok(()) => Ok(true),
        // A server of before 2022 kept plain files, and says so.
        Err(Fault::NotErasure(_)) if names.is_none() => Ok(false),
        Err(Fault::NotErasure(why) | Fault::Unusable(why)) => Err(usage(harmless(&why), GIVE_ALL)),
        Err(Fault::Deployments(which)) => Err(usage(
            format!(
                "the drives are of several deployments: {}",
                harmless(&which)
            ),
            ONE_DEPLOYMENT,
        )),
    }
}

fn of_pattern(names: &str) -> Result<Vec<String>, Failure> {
    let drives = match pattern::drives(names.as_bytes()) {
        Ok(drives) if drives.is_empty() => return Err(usage("no drive was given", GIVE_ALL)),
        Ok(drives) => drives,
        Err(error) => return Err(usage(error.to_string(), GIVE_ALL)),
    };
    // What was cut out of a text at commas and braces is one.
    let text = |drive: Vec<u8>| String::from_utf8_lossy(&drive).into_owned();
    let drives: Vec<String> = drives.into_iter().map(text).collect();
    // A drive that is missing is made up for, but not one that was never lent.
    drives
        .iter()
        .try_for_each(|drive| locate(drive).map(drop))?;
    Ok(drives)
}

/// Whether a folder says that it is a drive, or a drive's system folder.
fn says_it_is_one(name: &str) -> bool {
    // The file of IAM has the same name.
    let is_iam = name.trim_end_matches('/').ends_with("config/iam");
    let folder = locate(name)
        .ok()
        .and_then(|located| located.open_folder(DescriptorFlags::READ).ok());
    let Some(folder) = folder.filter(|_| !is_iam) else {
        return false;
    };
    let folder = Folder::new(folder, DescriptorFlags::READ);
    SYSTEM_FOLDERS.into_iter().any(|below| {
        let says_so = |folder: &Folder| folder.kind(b"format.json") == Ok(Kind::File);
        match below {
            "" => says_so(&folder),
            below => folder
                .folder(below.as_bytes())
                .is_ok_and(|folder| says_so(&folder)),
        }
    })
}

/// Begins a listing.
///
/// # Errors
/// What the component says.
pub(super) fn list(prefix: &[u8], after: Option<&[u8]>) -> Result<Listing, StorageError> {
    storage::list(prefix, after).map_err(StorageError::from)
}

/// The next paths of a listing.
///
/// # Errors
/// What the component says.
pub(super) fn next(listing: &Listing) -> Result<Vec<Vec<u8>>, StorageError> {
    listing.next().map_err(StorageError::from)
}

/// Reads an object.
///
/// # Errors
/// What the component says.
pub(super) fn read(path: &[u8]) -> Result<Stored, StorageError> {
    let stored = storage::read(path)?;
    Ok(Stored {
        bytes: stored.bytes,
        version: stored.version,
    })
}

/// The drafts that lie on the drives.
///
/// # Errors
/// What the component says.
pub(super) fn drafts() -> Result<Vec<Vec<u8>>, StorageError> {
    drives::drafts().map_err(StorageError::from)
}

impl From<types::StorageError> for StorageError {
    fn from(error: types::StorageError) -> Self {
        match error {
            types::StorageError::NotFound => Self::NotFound,
            types::StorageError::Conflict => Self::Conflict,
            types::StorageError::TooLarge(limit) => Self::TooLarge(SizeLimit {
                asked: limit.asked,
                allowed: limit.allowed,
            }),
            types::StorageError::Refused(text) => Self::Refused(text),
            types::StorageError::Other(text) => Self::Other(text),
        }
    }
}
