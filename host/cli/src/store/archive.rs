//! A tar or a zip of drives' folders, or of one folder, as a store that is only read.
//!
//! It is unpacked into a folder for this user alone, which is [removed](place::Guard) when the command ends. Only
//! plain files and folders are unpacked, below that folder, and within limits: nothing in an archive leads out of it.

mod find;
mod place;
mod several;
mod tar;
pub mod unpacked;
mod wrong;
mod zipped;

use std::fs::File;
use std::io::{BufReader, Read, Seek as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use iamseal::CompileCache;
use iamseal::storage::drives::OpenError;
use iamseal::storage::{DriveStore, Store};

use self::find::Found;
use self::place::Place;
pub use self::wrong::Wrong;
use super::drives::{About, tell};
use super::{Access, folder};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output;
use crate::report::notes;

/// What packs the files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packed {
    Tar,
    TarGz,
    Zip,
}

/// Opens a file as an archive, if it is one; none if it is anything else.
///
/// # Errors
/// It is to be written to, cannot be unpacked, or holds no store.
pub async fn recognise(
    common: &Common,
    given: &Path,
    access: Access,
) -> Result<Option<Arc<dyn Store>>, Failure> {
    let name = iamseal::shown(given.as_os_str().as_bytes());
    let about = |wrong: Wrong| Failure::from(wrong).about(&name);
    // Opening a pipe would wait for its other end.
    if !given.is_file() {
        return Ok(None);
    }
    let Some(packed) = packed(given).map_err(about)? else {
        return Ok(None);
    };
    if !matches!(access, Access::Read) {
        return Err(about(Wrong::Written));
    }
    let file = given.to_path_buf();
    let unpacking = tokio::task::spawn_blocking(move || {
        let found = stores(&file, packed);
        // What is removed meanwhile fails in many ways.
        unpacked::go_on()?;
        found
    });
    let found = match unpacking.await.map_err(Failure::other)? {
        // Whoever was told of a signal says so, and ends the process.
        Err(Wrong::Ended) => std::future::pending().await,
        found => found.map_err(about)?,
    };
    open(common, &name, found, access).await.map(Some)
}

/// What a file is, by how it begins; none if it is no archive.
///
/// # Errors
/// It cannot be read, or is packed or encrypted in a way that is not read here.
fn packed(given: &Path) -> Result<Option<Packed>, Wrong> {
    let mut file = File::open(given)?;
    let mut start = Vec::new();
    Read::by_ref(&mut file)
        .take(tar::BLOCK as u64)
        .read_to_end(&mut start)?;
    let begins = |with: &[u8]| start.starts_with(with);
    let other = |how| Err(Wrong::OtherPacking(how));
    match () {
        () if begins(b"\x1f\x8b") => Ok(Some(Packed::TarGz)),
        () if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") => Ok(Some(Packed::Zip)),
        () if tar::is_header(&start) => Ok(Some(Packed::Tar)),
        () if begins(b"\x28\xb5\x2f\xfd") => other("zstd"),
        () if begins(b"\xfd7zXZ\0") => other("xz"),
        () if begins(b"BZh") => other("bzip2"),
        () if begins(b"age-encryption.org/") => Err(Wrong::Encrypted("age")),
        () if given.extension().is_some_and(|end| end == "enc") => {
            Err(Wrong::Encrypted("mc support inspect"))
        }
        () => Ok(None),
    }
}

/// Unpacks it, and looks for the stores that are in it.
fn stores(given: &Path, packed: Packed) -> Result<Found, Wrong> {
    let mut place = Place::new()?;
    unpack(given, packed, &mut place)?;
    let folder = place.folder().to_path_buf();
    find::stores(&folder, place.left_out)
}

fn unpack(given: &Path, packed: Packed, place: &mut Place) -> Result<(), Wrong> {
    let mut file = BufReader::new(File::open(given)?);
    file.rewind()?;
    match packed {
        Packed::Tar => tar::unpack(file, place),
        Packed::TarGz => tar::unpack(MultiGzDecoder::new(file), place),
        Packed::Zip => zipped::unpack(file, place),
    }
}

/// Opens what was unpacked, all of which is one store.
async fn open(
    common: &Common,
    name: &str,
    found: Found,
    access: Access,
) -> Result<Arc<dyn Store>, Failure> {
    several::check(&found).map_err(|wrong| Failure::from(wrong).about(name))?;
    let Found {
        drives,
        folders,
        unread,
        ..
    } = found;
    if unread.count > 0 {
        output::note(
            common.json,
            &notes::archive_unread(name, unread.count, &unread.first),
        );
    }
    if !drives.is_empty() {
        let component = iamseal_component::DRIVE_STORE;
        match DriveStore::open_named(component, drives.clone(), CompileCache::Default).await {
            Ok(store) => {
                tell(common, &store, About::Drives).await;
                return Ok(Arc::new(store));
            }
            // A server of before 2022 kept plain files, and says so.
            Err(OpenError::NotErasure(_)) if drives.len() == 1 => {}
            Err(error) => return Err(Failure::from(error).about(name)),
        }
    }
    let plain = drives.into_iter().filter_map(|(_, drive)| {
        let mut places = [drive.join(".minio.sys"), drive].into_iter();
        places.find(|place| place.join("config").is_dir())
    });
    let folders = folders.into_iter().map(|(_, folder)| folder);
    match plain.chain(folders).next() {
        Some(store) => Ok(folder::open(&store, access)?),
        None => Err(Failure::from(Wrong::NoStore).about(name)),
    }
}
