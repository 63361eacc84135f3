//! The store: a folder that the host gave, by the rules of `host/src/storage/dir.rs`, or
//! [drives](drives), which are read alone.
//!
//! **Nothing leads out.** Every path is walked part by part from the open root, and no symbolic link
//! below the root is followed. **Nothing is lost.** New bytes are durable in a draft beside the object
//! before it is touched, the draft is renamed over it only while the object is the version that was
//! read, and a result is `ok` only after the folder was synced. A run that is killed leaves each object
//! with its old bytes or its new ones, and drafts that the next run removes, the native tool's too.
//!
//! WASI has less than an operating system, so three things differ from the native store:
//! - there are no locks: **no other writer may run on the folder**, another run of this component or the
//!   native tool included; what they change between the last look at an object and the rename is lost;
//! - there are no owners, modes, access control lists and attributes: a new object is its maker's, with
//!   what the umask leaves; the command writes only if it is told that the server is stopped and that
//!   this is known;
//! - names are UTF-8: a folder with another name in it is listed itself, with a `/` at its end, so that
//!   what cannot be named is not passed over in silence.

mod commit;
mod draft;
mod drives;
mod read;
mod sweep;

use std::cell::RefCell;
use std::sync::Arc;

use iamseal_runtime::Global;
use iamseal_words::contract::StorageError;
use iamseal_words::folder::{Kind, Walk, Wanted, place};
use wasip2::filesystem::types::{DescriptorFlags, ErrorCode};

use crate::adapters::Adapters;
use crate::adapters::bindings::exports::iamseal::command::lending::{Cause, Failure};
use crate::adapters::bindings::exports::iamseal::plugin::storage::{
    Cursor, Guest, GuestCursor, Stored,
};
use crate::adapters::bindings::exports::iamseal::plugin::storage_writer::{
    self, Change, Draft, GuestDraft,
};
use crate::adapters::bindings::exports::iamseal::plugin::types;
use crate::adapters::failure::usage;
use crate::wasi::disk::Folder;
use crate::wasi::files::locate;
use crate::wasi::root::Root;
use crate::wasi::words;
use draft::DirDraft;

pub use sweep::{drafts, sweep};

/// What is said of any other change than a replacement. What a new object's owner and mode are to be, WASI
/// cannot say.
const ONLY_REPLACED: &str = "objects are replaced here, and neither created nor removed";

/// What is lent.
#[derive(Clone)]
enum Lent {
    Folder(Arc<Root>),
    /// By the component that reads them.
    Drives,
}

/// The store that is lent; none at first.
static LENT: Global<Option<Lent>> = Global::new();

/// Lends the store of this name, to write to only if `writes`: a host may have given it for reading
/// alone.
///
/// # Errors
/// It is in no folder of the host's, cannot be opened, or is no store; or it is on drives, and `writes`.
pub fn lend(name: &str, writes: bool) -> Result<(), Failure> {
    if drives::lend(name, writes)? {
        *LENT.get() = Some(Lent::Drives);
        return Ok(());
    }
    let located = locate(name)?;
    let uses = match writes {
        true => DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
        false => DescriptorFlags::READ,
    };
    let folder = located.open_folder(uses).map_err(|error| Failure {
        cause: Cause::Storage,
        message: match error {
            ErrorCode::NoEntry => format!("{name}: there is no such directory"),
            ErrorCode::NotDirectory => format!("{name}: not a directory"),
            error => format!("{name}: {}", words(error)),
        },
        cure: Some("give the folder that holds MinIO's config/".into()),
    })?;
    let folder = Folder::new(folder, uses);
    // Going on would report success for a store that nobody looked at.
    if !matches!(folder.kind(b"config"), Ok(Kind::Folder | Kind::Other(_))) {
        let below = folder.folder(b".minio.sys");
        let below = below.is_ok_and(|below| below.kind(b"config") == Ok(Kind::Folder));
        let cure = if below {
            format!(
                "the store is the folder below it: {}/.minio.sys",
                name.trim_end_matches('/')
            )
        } else {
            "give the folder that holds config/".into()
        };
        return Err(usage(format!("{name} has no config/ in it"), cure));
    }
    *LENT.get() = Some(Lent::Folder(Arc::new(Root::new(folder))));
    Ok(())
}

fn lent() -> Result<Lent, StorageError> {
    let lent = LENT.get().clone();
    lent.ok_or_else(|| StorageError::Other("no store is lent".into()))
}

/// The folder that is lent, for what is done to folders alone.
fn folder() -> Result<Arc<Root>, StorageError> {
    match lent()? {
        Lent::Folder(root) => Ok(root),
        Lent::Drives => Err(StorageError::Refused(drives::ONLY_READ.into())),
    }
}

impl Guest for Adapters {
    type Cursor = Listing;

    fn list(prefix: Vec<u8>, start_after: Option<Vec<u8>>) -> Result<Cursor, types::StorageError> {
        let root = match lent()? {
            Lent::Folder(root) => root,
            Lent::Drives => {
                let listing = drives::list(&prefix, start_after.as_deref())?;
                return Ok(Cursor::new(Listing::Drives(listing)));
            }
        };
        let after = start_after.unwrap_or_default();
        let walk = Walk::new(root, Wanted::Objects, &prefix, &after)?;
        Ok(Cursor::new(Listing::Folder(RefCell::new(walk))))
    }

    fn read(path: Vec<u8>) -> Result<Stored, types::StorageError> {
        let root = match lent()? {
            Lent::Folder(root) => root,
            Lent::Drives => return Ok(drives::read(&path)?),
        };
        let bytes = read::object(&root, &path)?;
        let version = read::version(&bytes);
        Ok(Stored { bytes, version })
    }
}

/// The resource `cursor`.
pub enum Listing {
    /// Of a folder.
    Folder(RefCell<Walk<Root>>),
    /// Of drives.
    Drives(drives::Listing),
}

impl GuestCursor for Listing {
    fn next(&self) -> Result<Vec<Vec<u8>>, types::StorageError> {
        match self {
            Self::Folder(walk) => Ok(walk.borrow_mut().page()),
            Self::Drives(listing) => Ok(drives::next(listing)?),
        }
    }
}

impl storage_writer::Guest for Adapters {
    type Draft = DirDraft;

    fn stage(changes: Vec<Change>) -> Vec<Result<Draft, types::StorageError>> {
        let draft = |change| match change {
            Change::Replace(new) => Ok(Draft::new(draft::write(&*folder()?, new)?)),
            _ => Err(StorageError::Refused(ONLY_REPLACED.into()).into()),
        };
        changes.into_iter().map(draft).collect()
    }

    fn commit(drafts: Vec<Draft>) -> Vec<Result<Option<Vec<u8>>, types::StorageError>> {
        let drafts = drafts.into_iter().map(Draft::into_inner).collect();
        let committed = commit::commit(folder(), drafts).into_iter();
        committed.map(|version| Ok(Some(version?))).collect()
    }
}

impl GuestDraft for DirDraft {
    fn read_back(&self) -> Result<Vec<u8>, types::StorageError> {
        Ok(DirDraft::read_back(self)?)
    }
}

/// What is wrong with a folder that holds names which are not UTF-8.
fn unnamed(path: &[u8]) -> String {
    format!(
        "{} holds names that are not UTF-8 text, which WASI cannot name; use the native tool",
        place(path)
    )
}
