//! Drafts: new bytes, durable beside the object that they are to replace.

use iamseal_words::contract::StorageError;
use iamseal_words::folder::path::{Place, draft_name};
use wasip2::filesystem::types::{Descriptor, ErrorCode};
use wasip2::random::random::get_random_u64;

use super::read::{check_size, file, open, version};
use crate::adapters::bindings::exports::iamseal::plugin::storage_writer::Replacement;
use crate::wasi::disk::Folder;
use crate::wasi::errors::shown;
use crate::wasi::root::Root;
use crate::wasi::words;

/// A draft. Dropping it removes its file, unless it was renamed.
pub struct DirDraft {
    /// The object's path.
    pub(super) path: Vec<u8>,
    /// The object's folder, and the draft's.
    pub(super) folder: Folder,
    /// The draft's name in it.
    pub(super) name: Vec<u8>,
    /// The object's version that it is for.
    pub(super) expected: Vec<u8>,
    /// The version that it makes.
    pub(super) version: Vec<u8>,
    /// Whether the draft has become the object.
    pub(super) renamed: bool,
}

/// Makes a durable draft of a replacement.
///
/// The folder is not synced: a draft whose name is lost with the power was nothing but a draft.
///
/// # Errors
/// `NotFound`, `TooLarge`, `Refused`, and `Other` if the system fails; nothing is left of it then.
pub(super) fn write(root: &Root, replacement: Replacement) -> Result<DirDraft, StorageError> {
    let Replacement {
        path,
        expected,
        bytes,
    } = replacement;
    let place = Place::of(&path)?;
    // What `read` would refuse to hand over afterwards is not written.
    check_size(bytes.len() as u64)?;
    let folder = root.folder(place.folder)?;
    // Only what is there, and a plain file, is replaced.
    open(&folder, place.name, &path)?;
    let name = draft_name(get_random_u64());
    let made = folder
        .create(&name)
        .map_err(|error| drafting(&path, "make", error))?;
    let draft = DirDraft {
        path,
        folder,
        name,
        expected,
        version: version(&bytes),
        renamed: false,
    };
    write_all(&made, &bytes).map_err(|error| drafting(&draft.path, "write", error))?;
    made.sync()
        .map_err(|error| drafting(&draft.path, "sync", error))?;
    Ok(draft)
}

impl DirDraft {
    /// The draft's bytes, read from its file.
    ///
    /// # Errors
    /// `Other` if they cannot be read.
    pub(super) fn read_back(&self) -> Result<Vec<u8>, StorageError> {
        match file(&self.folder, &self.name, &self.path) {
            Err(StorageError::NotFound) => Err(drafting(&self.path, "read", ErrorCode::NoEntry)),
            other => other,
        }
    }
}

impl Drop for DirDraft {
    fn drop(&mut self) {
        if !self.renamed {
            // Nobody is there to hear of an error; what stays is swept by a later run.
            let _ = self.folder.remove(&self.name);
        }
    }
}

fn write_all(file: &Descriptor, bytes: &[u8]) -> Result<(), ErrorCode> {
    let mut rest = bytes;
    let mut offset = 0;
    while !rest.is_empty() {
        let written = file.write(rest, offset)?;
        let taken = usize::try_from(written).ok();
        // A host that takes nothing would be asked for ever.
        rest = taken
            .filter(|taken| *taken > 0)
            .and_then(|taken| rest.get(taken..))
            .ok_or(ErrorCode::Io)?;
        offset += written;
    }
    Ok(())
}

/// A call on a draft that failed. A draft that is gone is a surprise, not an object that is not there.
fn drafting(path: &[u8], action: &str, error: ErrorCode) -> StorageError {
    StorageError::Other(format!(
        "cannot {action} a draft of {}: {}",
        shown(path),
        words(error)
    ))
}
