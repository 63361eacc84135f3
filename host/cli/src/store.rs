//! The store that a command works on.

pub mod archive;
mod drives;
mod etcd;
mod folder;
mod s3;

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use iamseal::contract::StorageError;
use iamseal::storage::{OldBytes, Storage, Store};

pub use self::drives::{copies, ended};
use crate::arguments::{Common, Where, Writes};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::report::notes;

/// What a store is in whose name begins in a way of its own.
#[derive(Clone, Copy)]
enum Scheme {
    Etcd,
    S3,
    Drives,
}

/// How the address of a bucket begins.
pub const BUCKET: &str = "s3://";
/// How their names begin.
const SCHEMES: [(&str, Scheme); 4] = [
    ("etcd://", Scheme::Etcd),
    ("etcds://", Scheme::Etcd),
    (BUCKET, Scheme::S3),
    (drives::SCHEME, Scheme::Drives),
];

/// What a command does with a store.
#[derive(Clone, Copy)]
pub enum Access {
    /// It reads it.
    Read,
    /// It writes to it.
    Write(Writes),
    /// It removes from it what nobody holds, and whether a server is known not to run on its drives.
    Sweep(bool),
}

impl Access {
    /// That of a command that writes, unless it only says what it would do.
    pub fn of(writes: Writes, dry_run: bool) -> Self {
        match dry_run {
            true => Self::Read,
            false => Self::Write(writes),
        }
    }

    /// Whether nobody else writes to the store meanwhile.
    fn server_is_stopped(self) -> bool {
        matches!(self, Self::Write(writes) if writes.server_is_stopped)
    }

    /// Whether it is written to though a drive is missing.
    fn is_degraded(self) -> bool {
        matches!(self, Self::Write(writes) if writes.degraded)
    }
}

/// Opens the store that holds these objects and tells what an operator should know of it.
pub async fn open(
    common: &Common,
    place: &Where,
    access: Access,
) -> Result<Arc<dyn Store>, Failure> {
    if let Some(wrong) = notes::wrong_prefix(place.prefix.as_bytes()) {
        return Err(wrong.into());
    }
    open_whole(common, &place.store, access).await
}

/// The same for a whole store.
pub async fn open_whole(
    common: &Common,
    given: &Path,
    access: Access,
) -> Result<Arc<dyn Store>, Failure> {
    let text = given.to_string_lossy();
    let store: Arc<dyn Store> = match scheme(given) {
        None => match drives::recognise(common, given, access).await? {
            Some(drives) => drives,
            None => match archive::recognise(common, given, access).await? {
                Some(archive) => archive,
                None => folder::open(given, access)?,
            },
        },
        Some(Scheme::Etcd) => etcd::open(common, given).await?,
        Some(Scheme::S3) => s3::open(common, &text, access).await?,
        Some(Scheme::Drives) => drives::open(common, given, access).await?,
    };
    marker(common, &*store).await;
    Ok(store)
}

/// Tells what there is to say of the objects that were read so far, and how the store keeps them. Returns
/// whether all of the store was seen: else objects may be missing, or not be those that a server reads.
pub async fn tell(common: &Common, store: &dyn Store) -> bool {
    drives::tell(common, store, drives::About::Objects).await
}

/// Reads one object of a store, and tells what there is to say of it.
pub async fn object(common: &Common, given: &Path, path: &[u8]) -> Result<Vec<u8>, Failure> {
    let store = open_whole(common, given, Access::Read).await?;
    let stored = store.read(path).await;
    tell(common, &*store).await;
    Ok(stored?.bytes)
}

/// The folder of a store that is in one.
pub fn folder(given: &Path) -> Option<&Path> {
    scheme(given).is_none().then_some(given)
}

/// Where a store is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Drives,
    Folder,
    /// Behind a server.
    Server,
}

/// Where a store is that was opened by this name.
pub fn kind(store: &dyn Store, given: &Path) -> Kind {
    match folder(given) {
        _ if store.name().starts_with(drives::SCHEME) => Kind::Drives,
        Some(_) => Kind::Folder,
        None => Kind::Server,
    }
}

/// Whether the name is that of drives. A drive's folder may be one too: [`kind`] tells, of a store that is open.
pub fn is_drives(given: &Path) -> bool {
    matches!(scheme(given), Some(Scheme::Drives))
}

/// The folders that a store is in, none if it is elsewhere.
///
/// # Errors
/// It is in drives whose names are none.
pub fn folders(given: &Path) -> Result<Vec<PathBuf>, Failure> {
    match scheme(given) {
        None => Ok(vec![given.to_path_buf()]),
        Some(Scheme::Drives) => drives::folders(given),
        Some(Scheme::Etcd | Scheme::S3) => Ok(Vec::new()),
    }
}

/// How many objects of a store may be in one batch. What a server answers one after the other has to fit,
/// at some 0.2 s each on a bad day, into the time that a call of the plugin has: each object is read, read
/// again for the journal, and its draft read back.
pub fn batch(given: &Path) -> u32 {
    match scheme(given) {
        None | Some(Scheme::Drives) => u32::MAX,
        Some(Scheme::Etcd | Scheme::S3) => 32,
    }
}

/// None of a folder.
fn scheme(given: &Path) -> Option<Scheme> {
    let given = given.as_os_str().as_bytes();
    let mut schemes = SCHEMES.into_iter();
    let found = schemes.find(|(begin, _)| given.starts_with(begin.as_bytes()));
    found.map(|(_, scheme)| scheme)
}

/// Removes what a killed run left behind. That is harmless, so failing to do so is no reason to stop.
pub async fn sweep(common: &Common, store: &dyn Store, prefix: &[u8]) {
    match store.sweep(prefix).await {
        Ok(0) => {}
        Ok(swept) => output::note(common.json, &notes::swept(swept)),
        Err(error) => {
            let why = iamseal::describe_storage(&error);
            output::note(common.json, &notes::not_swept(&why));
        }
    }
}

/// What is said of old bytes that stay in a store where they were replaced or removed.
pub fn old_bytes(store: &dyn Store) -> Option<&'static str> {
    store.old_bytes().map(|kept| match kept {
        OldBytes::Revisions => notes::OLD_REVISIONS,
        _ => notes::OLD_VERSIONS,
    })
}

/// The progress of something that is done to every object.
pub async fn progress(common: &Common, store: &dyn Storage, prefix: &[u8]) -> Progress {
    let total = match Progress::is_shown(common) {
        true => count(store, prefix).await.ok(),
        false => None,
    };
    Progress::new(common, total)
}

async fn count(store: &dyn Storage, prefix: &[u8]) -> Result<u64, StorageError> {
    let mut cursor = store.list(prefix, None).await?;
    let mut count = 0;
    loop {
        match cursor.next().await?.len() as u64 {
            0 => return Ok(count),
            page => count += page,
        }
    }
}

/// Says that there was nothing to do: a mistyped prefix must not look like success.
pub fn nothing_there(common: &Common, place: &Where) {
    let prefix = place.prefix.as_bytes();
    output::note(common.json, &notes::nothing_there(prefix));
}

async fn marker(common: &Common, store: &dyn Storage) {
    let Ok(marker) = store.read(notes::MARKER).await else {
        return;
    };
    output::note(common.json, notes::marker(&marker.bytes));
}
