//! The files of drives, lent through WASI to the component that reads them. Nothing here writes, and nothing
//! knows what is in the files.

use std::io::{self, Write as _};

use iamseal_runtime::Global;
use iamseal_words::contract::StorageError;
use iamseal_words::folder;
use iamseal_words::folder::path::Place;
use iamseal_words::shown::harmless;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode};

use crate::wasi::disk::{Folder, is_file};
use crate::wasi::errors::{failed, refused, shown};
use crate::wasi::files::{locate, read_from};
use crate::wasi::root::Root;
use crate::wasi::words;

use bindings::exports::iamseal::command::drive_lending;
use bindings::exports::iamseal::plugin::files::{Entry, Guest, Kind, Page, Part};
use bindings::exports::iamseal::plugin::{diagnostics, types};

/// The interfaces in Rust, generated from `wit/` and `guest/command/wit`.
#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "iamseal:command/drive-files",
        generate_all,
    });
}

/// Between the generated types and ours.
mod convert {
    use super::bindings::exports::iamseal::plugin::types;

    iamseal_words::lent_to_plugin!();
}

/// How many entries of a folder are handed over at once.
const ENTRIES: usize = 16_384;

/// What the component that reads drives calls.
struct DriveFiles;

/// A drive.
struct Drive {
    /// What people call it: as it was given.
    name: String,
    /// Or why there is none.
    root: Result<Root, String>,
}

/// The drives that are lent; none at first.
static LENT: Global<Vec<Drive>> = Global::new();

impl drive_lending::Guest for DriveFiles {
    fn lend_drives(folders: Vec<String>) {
        let drive = |name: String| Drive {
            root: open(&name),
            name: shown(name.as_bytes()),
        };
        *LENT.get() = folders.into_iter().map(drive).collect();
    }
}

impl diagnostics::Guest for DriveFiles {
    fn panicked(message: String) {
        let message = harmless(&message);
        // There is nowhere to say that this failed.
        let _ = writeln!(
            io::stderr().lock(),
            "error: the component that reads drives panicked: {message}"
        );
    }
}

impl Guest for DriveFiles {
    fn drives() -> Vec<String> {
        LENT.get().iter().map(|drive| drive.name.clone()).collect()
    }

    fn list(
        drive: u16,
        folder: Vec<u8>,
        after: Option<Vec<u8>>,
    ) -> Result<Page, types::StorageError> {
        Ok(with(drive, |root| list(root, &folder, after.as_deref()))?)
    }

    fn read(
        drive: u16,
        file: Vec<u8>,
        offset: u64,
        length: u32,
    ) -> Result<Part, types::StorageError> {
        Ok(with(drive, |root| read(root, &file, offset, length))?)
    }
}

/// Opens the folder of a drive.
fn open(name: &str) -> Result<Root, String> {
    let located =
        locate(name).map_err(|nowhere| format!("{}: {}", nowhere.message, nowhere.cure))?;
    let folder = located.open_folder(DescriptorFlags::READ).map_err(words)?;
    Ok(Root::new(Folder::new(folder, DescriptorFlags::READ)))
}

fn with<T>(
    drive: u16,
    work: impl FnOnce(&Root) -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    let drives = LENT.get();
    let drive = drives.get(usize::from(drive));
    let drive = drive.ok_or_else(|| refused("no such drive is lent"))?;
    let root = drive.root.as_ref();
    work(root.map_err(|why| StorageError::Other(why.clone()))?)
}

fn list(root: &Root, path: &[u8], after: Option<&[u8]>) -> Result<Page, StorageError> {
    if !path.is_empty() {
        Place::of(path)?;
    }
    let entries = root.folder(path)?.entries();
    let mut entries = entries.map_err(|error| failed("list", path, &error))?;
    if entries.iter().any(|(name, _)| name.is_empty()) {
        return Err(StorageError::Other(format!(
            "{} holds names that are not UTF-8 text, which WASI cannot name; use the native tool",
            folder::place(path)
        )));
    }
    entries.retain(|(name, _)| after.is_none_or(|after| name.as_slice() > after));
    entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let has_more = entries.len() > ENTRIES;
    let entries = entries.into_iter().take(ENTRIES).map(|(name, kind)| Entry {
        name,
        kind: match kind {
            folder::Kind::File => Kind::File,
            folder::Kind::Folder => Kind::Folder,
            folder::Kind::Other(_) => Kind::Other,
        },
    });
    Ok(Page {
        entries: entries.collect(),
        has_more,
    })
}

fn read(root: &Root, path: &[u8], offset: u64, length: u32) -> Result<Part, StorageError> {
    let (file, size) = file(root, path)?;
    let bytes = read_from(&file, offset, length.into());
    Ok(Part {
        bytes: bytes.map_err(|error| failed("read", path, &error))?,
        size,
    })
}

/// Opens a plain file and tells its size.
fn file(root: &Root, path: &[u8]) -> Result<(Descriptor, u64), StorageError> {
    let place = Place::of(path)?;
    let folder = root.folder(place.folder)?;
    let unreadable = |error: ErrorCode| failed("read", path, &error);
    // Asked before it is opened: opening a pipe waits for its other end.
    match folder.kind(place.name).map_err(unreadable)? {
        folder::Kind::File => {}
        folder::Kind::Folder => return Err(refused(format!("{} is a folder", shown(path)))),
        folder::Kind::Other(what) => return Err(refused(format!("{} is {what}", shown(path)))),
    }
    let file = folder.open(place.name).map_err(unreadable)?;
    let stat = file.stat().map_err(unreadable)?;
    // Asked again of what was opened, since the name can have been given to something else.
    match is_file(&stat) {
        true => Ok((file, stat.size)),
        false => Err(refused(format!("{} is not a plain file", shown(path)))),
    }
}

/// The one unsafe line of each export stands in this generated code.
#[allow(unsafe_code, warnings, clippy::all)]
mod exports {
    use crate::drive_files::{DriveFiles, bindings};
    bindings::export!(DriveFiles with_types_in bindings);
}
