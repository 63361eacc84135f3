//! The component that makes a store of the files of drives, and one live instance of it.
//!
//! Its calls read and write files and do nothing else that waits, so they block, on threads that may.

mod census;
mod writer;

use std::borrow::Cow;
use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker, ResourceAny};
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::contract::StorageError;
use crate::contract::drive_store::exports::iamseal::plugin::drives::{Fault, Note};
use crate::contract::drive_store::exports::iamseal::plugin::storage::Stored;
use crate::contract::drive_store::iamseal::plugin::files;
use crate::contract::drive_store::{DriveStore, DriveStorePre};
use crate::contract::drive_store_writer::{DriveStoreWriter, DriveStoreWriterPre};
use crate::contract::generated::iamseal::plugin::{diagnostics, types};
use crate::describe::line;
use crate::error::Error;

use super::cache::CompileCache;
use super::engine::Clock;
use super::identity::Identity;
use super::limits::Limits;
use super::meter::Meter;
use super::source::{Compiled, Source};

/// How many listings the component holds at once: more than anybody keeps.
const LISTINGS: usize = 64;

/// How many drafts: more than all workers of a run have in their batches.
const DRAFTS: usize = 64 << 10;

/// The files of drives, as they are lent. The rules of each call stand in `wit/files.wit` and
/// `wit/files-writer.wit`.
pub(crate) trait Lent: Clone + Send + Sync + 'static {
    fn drives(&self) -> Vec<String>;

    fn list(
        &self,
        drive: u16,
        folder: &[u8],
        after: Option<&[u8]>,
    ) -> Result<files::Page, StorageError>;

    fn read(
        &self,
        drive: u16,
        file: &[u8],
        offset: u64,
        length: u32,
    ) -> Result<files::Part, StorageError>;

    fn now(&self) -> i64;

    fn lock(&self, drive: u16, folder: &[u8]) -> Result<(), StorageError>;

    fn modified(&self, drive: u16, path: &[u8]) -> Result<i64, StorageError>;

    fn create(
        &self,
        drive: u16,
        file: &[u8],
        bytes: &[u8],
        like: &[u8],
    ) -> Result<(), StorageError>;

    fn make_folder(&self, drive: u16, folder: &[u8], like: &[u8]) -> Result<(), StorageError>;

    fn open_up(&self, drive: u16, file: &[u8], like: &[u8]) -> Result<(), StorageError>;

    fn rename(&self, drive: u16, from: &[u8], to: &[u8]) -> Result<(), StorageError>;

    fn remove(&self, drive: u16, file: &[u8]) -> Result<(), StorageError>;

    fn remove_folder(&self, drive: u16, folder: &[u8]) -> Result<(), StorageError>;

    fn sync(&self, drive: u16) -> Result<(), StorageError>;
}

/// What a component is lent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    /// Files to be read.
    Reader,
    /// Files to be read and written.
    Writer,
}

/// The component, ready to be instantiated.
pub(crate) struct Drives<F: Lent> {
    identity: Identity,
    engine: Engine,
    clock: Clock,
    limits: Limits,
    pre: DriveStorePre<State<F>>,
    world: World,
    files: F,
}

/// A live instance. After a call that failed it must not be used again.
pub(crate) struct Live<F: Lent> {
    drives: Arc<Drives<F>>,
    store: Store<State<F>>,
    bindings: DriveStore,
    /// The rest of an instance that writes.
    writer: Option<DriveStoreWriter>,
}

/// The host's side of an instance.
struct State<F> {
    files: F,
    meter: Meter,
    panicked: Option<String>,
}

impl<F: Lent> Drives<F> {
    /// Compiles the component, which is lent these files in this way.
    ///
    /// # Errors
    /// [`Error::Load`] if it is none; [`Error::Incompatible`] if it is for another world.
    pub fn load(
        component: Cow<'static, [u8]>,
        world: World,
        cache: &CompileCache,
        files: F,
    ) -> Result<Self, Error> {
        let limits = Limits::default();
        let compiled = Source::Bytes(component).compile(&[], &limits, cache)?;
        let Compiled {
            identity,
            engine,
            clock,
            component,
        } = compiled;
        let mut linker = Linker::<State<F>>::new(&engine);
        let linked = types::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)
            .and_then(|()| diagnostics::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state))
            .and_then(|()| files::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state))
            .and_then(|()| match world {
                World::Reader => Ok(()),
                World::Writer => writer::add_to_linker(&mut linker),
            })
            .and_then(|()| {
                let pre = linker.instantiate_pre(&component)?;
                if world == World::Writer {
                    DriveStoreWriterPre::new(pre.clone())?;
                }
                DriveStorePre::new(pre)
            });
        let pre = linked.map_err(|error| Error::Incompatible {
            component: identity.to_string(),
            world: match world {
                World::Reader => "drive-store",
                World::Writer => "drive-store-writer",
            },
            expected: Vec::new(),
            found: Vec::new(),
            message: line(&format!("{error:#}")),
        })?;
        Ok(Self {
            identity,
            engine,
            clock,
            limits,
            pre,
            world,
            files,
        })
    }

    /// A fresh instance.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`].
    pub fn start(self: &Arc<Self>) -> Result<Live<F>, Error> {
        let state = State {
            files: self.files.clone(),
            meter: Meter::new(self.limits.clone(), self.clock.clone()),
            panicked: None,
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.meter);
        store.epoch_deadline_callback(|mut store| match store.data_mut().meter.tick()? {
            // The thread is one for calls that block: there is nobody to yield to.
            UpdateDeadline::Yield(ticks) => Ok(UpdateDeadline::Continue(ticks)),
            other => Ok(other),
        });
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(self.limits.copied_bytes);
        store.set_max_component_handles(2 * LISTINGS + DRAFTS);
        store.data_mut().meter.begin();
        match self.instantiate(&mut store) {
            Ok((bindings, writer)) => Ok(Live {
                drives: Arc::clone(self),
                store,
                bindings,
                writer,
            }),
            Err(error) => Err(self.explain(store.data(), &error)),
        }
    }

    fn instantiate(
        &self,
        store: &mut Store<State<F>>,
    ) -> wasmtime::Result<(DriveStore, Option<DriveStoreWriter>)> {
        let instance = self.pre.instance_pre().instantiate(&mut *store)?;
        let bindings = DriveStore::new(&mut *store, &instance)?;
        let writer = match self.world {
            World::Reader => None,
            World::Writer => Some(DriveStoreWriter::new(&mut *store, &instance)?),
        };
        Ok((bindings, writer))
    }

    fn explain(&self, state: &State<F>, error: &wasmtime::Error) -> Error {
        let component = self.identity.to_string();
        match state.meter.refused() {
            Some(refusal) => Error::Limit {
                component,
                limit: refusal.limit,
                asked: refusal.asked,
                allowed: refusal.allowed,
            },
            None => Error::Trap {
                component,
                message: line(&error.root_cause().to_string()),
                panic: state.panicked.clone(),
            },
        }
    }
}

impl<F: Lent> Live<F> {
    /// Finds out which drives these are.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`]; within, what the drives are instead.
    pub fn open(&mut self) -> Result<Result<(), Fault>, Error> {
        self.call(|bindings, store| bindings.iamseal_plugin_drives().call_open(store))
    }

    /// What there is to say so far.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`].
    pub fn notes(&mut self) -> Result<Vec<Note>, Error> {
        self.call(|bindings, store| bindings.iamseal_plugin_drives().call_notes(store))
    }

    /// The folder of a drive that objects lie in; none of one that is not read.
    ///
    /// # Errors
    /// As for [`Self::notes`].
    pub fn folder(&mut self, drive: u16) -> Result<Option<Vec<u8>>, Error> {
        self.call(|bindings, store| bindings.iamseal_plugin_drives().call_folder(store, drive))
    }

    /// The object that a file below that folder is of.
    ///
    /// # Errors
    /// As for [`Self::notes`].
    pub fn object_of(&mut self, file: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let file = file.to_vec();
        self.call(|bindings, store| {
            bindings
                .iamseal_plugin_drives()
                .call_object_of(store, &file)
        })
    }

    /// The drafts that lie on the drives.
    ///
    /// # Errors
    /// As for [`Self::list`].
    pub fn drafts(&mut self) -> Result<Result<Vec<Vec<u8>>, StorageError>, Error> {
        let drafts =
            self.call(|bindings, store| bindings.iamseal_plugin_drives().call_drafts(store))?;
        Ok(drafts.map_err(Into::into))
    }

    /// Begins a listing, which has to be [ended](Self::end).
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`]; within, what the store says.
    pub fn list(
        &mut self,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Result<Result<ResourceAny, StorageError>, Error> {
        let listed = self.call(|bindings, store| {
            let storage = bindings.iamseal_plugin_storage();
            storage.call_list(store, &prefix.to_vec(), after.map(<[u8]>::to_vec).as_ref())
        })?;
        Ok(listed.map_err(Into::into))
    }

    /// The next paths of a listing.
    ///
    /// # Errors
    /// As for [`Self::list`].
    pub fn next(
        &mut self,
        listing: ResourceAny,
    ) -> Result<Result<Vec<Vec<u8>>, StorageError>, Error> {
        let paths = self.call(|bindings, store| {
            let storage = bindings.iamseal_plugin_storage();
            storage.cursor().call_next(store, listing)
        })?;
        Ok(paths.map_err(Into::into))
    }

    /// Ends a listing, or throws a draft away.
    ///
    /// # Errors
    /// As for [`Self::notes`].
    pub fn end(&mut self, held: ResourceAny) -> Result<(), Error> {
        self.call(|_, store| held.resource_drop(store))
    }

    /// Reads an object.
    ///
    /// # Errors
    /// As for [`Self::list`].
    pub fn read(&mut self, path: &[u8]) -> Result<Result<Stored, StorageError>, Error> {
        let read = self.call(|bindings, store| {
            bindings
                .iamseal_plugin_storage()
                .call_read(store, &path.to_vec())
        })?;
        Ok(read.map_err(Into::into))
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(&DriveStore, &mut Store<State<F>>) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        self.store.data_mut().meter.begin();
        self.store.set_epoch_deadline(1);
        let called = call(&self.bindings, &mut self.store);
        called.map_err(|error| self.drives.explain(self.store.data(), &error))
    }
}

impl<F: Lent> files::Host for State<F> {
    fn drives(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.files.drives())
    }

    fn list(
        &mut self,
        drive: u16,
        folder: Vec<u8>,
        after: Option<Vec<u8>>,
    ) -> wasmtime::Result<Result<files::Page, types::StorageError>> {
        let listed = self.files.list(drive, &folder, after.as_deref());
        self.meter.resume();
        Ok(listed.map_err(Into::into))
    }

    fn read(
        &mut self,
        drive: u16,
        file: Vec<u8>,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<files::Part, types::StorageError>> {
        let read = self.files.read(drive, &file, offset, length);
        self.meter.resume();
        Ok(read.map_err(Into::into))
    }
}

impl<F: Lent> types::Host for State<F> {}

impl<F: Lent> diagnostics::Host for State<F> {
    fn panicked(&mut self, message: String) -> wasmtime::Result<()> {
        self.panicked = Some(line(&message));
        Ok(())
    }
}
