//! What only a component of the world `drive-store-writer` is lent, and what only it does.

use wasmtime::Store;
use wasmtime::component::{HasSelf, Linker, ResourceAny};

use super::{Lent, Live, State};
use crate::contract::StorageError;
use crate::contract::drive_store_writer::DriveStoreWriter;
use crate::contract::drive_store_writer::exports::iamseal::plugin::drives_writer::Swept;
use crate::contract::drive_store_writer::exports::iamseal::plugin::storage_writer::Change;
use crate::contract::drive_store_writer::iamseal::plugin::files_writer;
use crate::contract::generated::iamseal::plugin::types;
use crate::contract::generated::wasi::random::random;
use crate::error::Error;
use crate::plugin::lend::random::{no_random, random_bytes};

/// What a call on a store says that is not there to be written to.
const ONLY_READ: &str = "drives that were opened to be read are not written to";

/// Each draft of a batch, or why there is none.
type Staged = Vec<Result<ResourceAny, StorageError>>;

/// The new version of each object of a batch that is there, or why it was not changed.
type Committed = Vec<Result<Option<Vec<u8>>, StorageError>>;

/// Lends what a writer is lent besides.
///
/// # Errors
/// It is lent already.
pub(super) fn add_to_linker<F: Lent>(linker: &mut Linker<State<F>>) -> wasmtime::Result<()> {
    files_writer::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    random::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

impl<F: Lent> Live<F> {
    /// Keeps all others that write these drives out.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`]; within, what the store says.
    pub fn lock(&mut self) -> Result<Result<(), StorageError>, Error> {
        self.write(|writer, store| writer.iamseal_plugin_drives_writer().call_lock(store))
    }

    /// Lets drives be missing where objects are written. Returns what is missing, if anything is.
    ///
    /// # Errors
    /// As for [`Self::lock`].
    pub fn degrade(&mut self) -> Result<Result<Option<String>, StorageError>, Error> {
        self.write(|writer, store| {
            let drives = writer.iamseal_plugin_drives_writer();
            drives.call_degrade(store).map(Ok)
        })
    }

    /// Sees whether objects can be replaced.
    ///
    /// # Errors
    /// As for [`Self::lock`].
    pub fn check(&mut self) -> Result<Result<(), StorageError>, Error> {
        self.write(|writer, store| writer.iamseal_plugin_drives_writer().call_check(store))
    }

    /// A tag of what a server changes while it runs.
    ///
    /// # Errors
    /// As for [`Self::lock`].
    pub fn signs_of_life(&mut self) -> Result<Result<Vec<u8>, StorageError>, Error> {
        self.write(|writer, store| {
            let drives = writer.iamseal_plugin_drives_writer();
            drives.call_signs_of_life(store)
        })
    }

    /// Removes a draft that nobody holds.
    ///
    /// # Errors
    /// As for [`Self::lock`].
    pub fn remove_draft(&mut self, draft: &[u8]) -> Result<Result<Swept, StorageError>, Error> {
        self.write(|writer, store| {
            let drives = writer.iamseal_plugin_drives_writer();
            drives.call_remove_draft(store, &draft.to_vec())
        })
    }

    /// Makes drafts. Each has to be committed or [ended](Self::end).
    ///
    /// # Errors
    /// As for [`Self::lock`].
    pub fn stage(&mut self, changes: &[Change]) -> Result<Result<Staged, StorageError>, Error> {
        let staged = self.write(|writer, store| {
            let storage = writer.iamseal_plugin_storage_writer();
            storage.call_stage(store, changes).map(Ok)
        })?;
        Ok(staged.map(each))
    }

    /// The bytes of a draft.
    ///
    /// # Errors
    /// As for [`Self::lock`].
    pub fn read_back(
        &mut self,
        draft: ResourceAny,
    ) -> Result<Result<Vec<u8>, StorageError>, Error> {
        self.write(|writer, store| {
            let storage = writer.iamseal_plugin_storage_writer();
            storage.draft().call_read_back(store, draft)
        })
    }

    /// Puts drafts in the places of their objects.
    ///
    /// # Errors
    /// As for [`Self::lock`].
    pub fn commit(
        &mut self,
        drafts: &[ResourceAny],
    ) -> Result<Result<Committed, StorageError>, Error> {
        let committed = self.write(|writer, store| {
            let storage = writer.iamseal_plugin_storage_writer();
            storage.call_commit(store, drafts).map(Ok)
        })?;
        Ok(committed.map(each))
    }

    fn write<T>(
        &mut self,
        call: impl FnOnce(
            &DriveStoreWriter,
            &mut Store<State<F>>,
        ) -> wasmtime::Result<Result<T, types::StorageError>>,
    ) -> Result<Result<T, StorageError>, Error> {
        // Away for the call, which borrows all of the rest.
        let Some(writer) = self.writer.take() else {
            return Ok(Err(StorageError::Refused(ONLY_READ.into())));
        };
        let called = self.call(|_, store| call(&writer, store));
        self.writer = Some(writer);
        called.map(|said| said.map_err(Into::into))
    }
}

/// What became of each of a batch.
fn each<T>(of_plugin: Vec<Result<T, types::StorageError>>) -> Vec<Result<T, StorageError>> {
    let each = of_plugin.into_iter();
    each.map(|one| one.map_err(Into::into)).collect()
}

impl<F: Lent> files_writer::Host for State<F> {
    fn now(&mut self) -> wasmtime::Result<i64> {
        Ok(self.files.now())
    }

    fn lock(
        &mut self,
        drive: u16,
        folder: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::StorageError>> {
        self.done(|files| files.lock(drive, &folder))
    }

    fn modified(
        &mut self,
        drive: u16,
        path: Vec<u8>,
    ) -> wasmtime::Result<Result<i64, types::StorageError>> {
        self.done(|files| files.modified(drive, &path))
    }

    fn create(
        &mut self,
        drive: u16,
        file: Vec<u8>,
        bytes: Vec<u8>,
        like: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::StorageError>> {
        self.done(|files| files.create(drive, &file, &bytes, &like))
    }

    fn make_folder(
        &mut self,
        drive: u16,
        folder: Vec<u8>,
        like: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::StorageError>> {
        self.done(|files| files.make_folder(drive, &folder, &like))
    }

    fn open_up(
        &mut self,
        drive: u16,
        file: Vec<u8>,
        like: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::StorageError>> {
        self.done(|files| files.open_up(drive, &file, &like))
    }

    fn rename(
        &mut self,
        drive: u16,
        source: Vec<u8>,
        to: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::StorageError>> {
        self.done(|files| files.rename(drive, &source, &to))
    }

    fn remove(
        &mut self,
        drive: u16,
        file: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::StorageError>> {
        self.done(|files| files.remove(drive, &file))
    }

    fn remove_folder(
        &mut self,
        drive: u16,
        folder: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::StorageError>> {
        self.done(|files| files.remove_folder(drive, &folder))
    }

    fn sync(&mut self, drive: u16) -> wasmtime::Result<Result<(), types::StorageError>> {
        self.done(|files| files.sync(drive))
    }
}

impl<F: Lent> State<F> {
    /// Does what waits for a disk. The component's time does not run meanwhile.
    fn done<T>(
        &mut self,
        work: impl FnOnce(&F) -> Result<T, StorageError>,
    ) -> wasmtime::Result<Result<T, types::StorageError>> {
        let done = work(&self.files);
        self.meter.resume();
        Ok(done.map_err(Into::into))
    }
}

impl<F: Lent> random::Host for State<F> {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        random_bytes(len, &mut self.meter)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        getrandom::u64().map_err(no_random)
    }
}
