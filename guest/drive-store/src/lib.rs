//! The components that make a store of drives: bind `iamseal-drives` to the worlds
//! `iamseal:plugin/drive-store-writer` and, without the feature `writer`, `iamseal:plugin/drive-store`.
//!
//! There is no logic here. `lent` turns the files that are imported into what the library works with,
//! and the exports are calls of it. What only the world that writes has is in `writer`.
#![no_std]

extern crate alloc;

mod census;
mod lent;
#[cfg(feature = "writer")]
mod writer;

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use iamseal_drives::{OBJECT_BYTES, OpenError, ReadError, Store, Walk, object_of, version};
use iamseal_runtime::Global;

use crate::contract::exports::iamseal::plugin::drives::{self, Fault, Note};
use crate::contract::exports::iamseal::plugin::storage::{self, Cursor, GuestCursor, Stored};
use crate::contract::iamseal::plugin::types::{SizeLimit, StorageError};
use crate::lent::Lent;

/// The contract in Rust, generated from `wit/`.
#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod contract {
    #[cfg(feature = "writer")]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "drive-store-writer",
        generate_all,
    });
    #[cfg(not(feature = "writer"))]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "drive-store",
        generate_all,
    });
}

/// What the host calls.
struct DriveStore;

/// The drives, once they were opened.
static STORE: Global<Option<Store<Lent>>> = Global::new();

/// A listing that is under way.
struct Listing(RefCell<Walk>);

impl drives::Guest for DriveStore {
    fn open() -> Result<(), Fault> {
        let store = Store::open(Lent).map_err(|error| match error {
            OpenError::NotErasure(text) => Fault::NotErasure(text),
            OpenError::Unusable(text) => Fault::Unusable(text),
            OpenError::Deployments(text) => Fault::Deployments(text),
        })?;
        *STORE.get() = Some(store);
        Ok(())
    }

    fn notes() -> Vec<Note> {
        let store = STORE.get();
        let notes = store.iter().flat_map(Store::notes);
        notes
            .map(|note| Note {
                text: note.text,
                objects: note.objects,
                paths: note.paths,
                hides: note.hides,
            })
            .collect()
    }

    fn folder(drive: u16) -> Option<Vec<u8>> {
        let store = STORE.get();
        let folder = store.iter().find_map(|store| store.folder_of(drive));
        folder.map(<[u8]>::to_vec)
    }

    fn object_of(file: Vec<u8>) -> Option<Vec<u8>> {
        object_of(&file).map(<[u8]>::to_vec)
    }

    fn drafts() -> Result<Vec<Vec<u8>>, StorageError> {
        let drafts = with(Store::drafts)?.map_err(StorageError::Other)?;
        let left = with(Store::left)?;
        Ok([drafts, left].concat())
    }
}

impl storage::Guest for DriveStore {
    type Cursor = Listing;

    fn list(prefix: Vec<u8>, start_after: Option<Vec<u8>>) -> Result<Cursor, StorageError> {
        let walk = Walk::new(&prefix, start_after.as_deref());
        Ok(Cursor::new(Listing(RefCell::new(walk))))
    }

    fn read(path: Vec<u8>) -> Result<Stored, StorageError> {
        let bytes = with(|store| store.read(&path))?.map_err(|error| match error {
            ReadError::NotFound => StorageError::NotFound,
            ReadError::TooLarge(asked) => StorageError::TooLarge(SizeLimit {
                asked,
                allowed: OBJECT_BYTES,
            }),
            ReadError::Refused(text) => StorageError::Refused(text),
            ReadError::Unreadable(text) => StorageError::Other(text),
        })?;
        let version = version(&bytes);
        Ok(Stored { bytes, version })
    }
}

impl GuestCursor for Listing {
    fn next(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        with(|store| self.0.borrow_mut().next(store))
    }
}

/// Works with the drives.
///
/// # Errors
/// They were not opened.
fn with<T>(work: impl FnOnce(&Store<Lent>) -> T) -> Result<T, StorageError> {
    match &*STORE.get() {
        Some(store) => Ok(work(store)),
        None => Err(StorageError::Refused(String::from(
            "the drives were not opened",
        ))),
    }
}

/// The one unsafe line of each export stands in this generated code.
#[allow(unsafe_code, warnings, clippy::all)]
mod exports {
    use crate::{DriveStore, contract};
    contract::export!(DriveStore with_types_in contract);
}

iamseal_runtime::component!(contract::iamseal::plugin::diagnostics::panicked);
