//! What a component exports, found once when it is loaded and bound for each instance.

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::contract::generated::exports::iamseal::plugin::{auditing, migration, opening, sealing};

use super::lend::State;

/// The functions of one instance.
pub(super) struct Exports {
    pub opening: opening::Guest,
    pub auditing: auditing::Guest,
    writer: Option<Writer>,
}

/// The functions that only the world `plugin` has.
pub(super) struct Writer {
    pub sealing: sealing::Guest,
    pub migration: migration::Guest,
}

/// Where a component has its functions.
#[derive(Clone)]
pub(super) struct Indices {
    opening: opening::GuestIndices,
    auditing: auditing::GuestIndices,
    writer: Option<(sealing::GuestIndices, migration::GuestIndices)>,
}

impl Exports {
    /// What only the world `plugin` has.
    ///
    /// # Errors
    /// It was loaded as an auditor, which a [`super::Plugin`] never is.
    pub fn writer(&self) -> wasmtime::Result<&Writer> {
        let writer = self.writer.as_ref();
        writer.ok_or_else(|| wasmtime::Error::msg("it was loaded as an auditor"))
    }
}

impl Indices {
    /// Looks for the functions of the world `auditor`.
    pub fn of_auditor(pre: &InstancePre<State>) -> wasmtime::Result<Self> {
        Ok(Self {
            opening: opening::GuestIndices::new(pre)?,
            auditing: auditing::GuestIndices::new(pre)?,
            writer: None,
        })
    }

    /// Looks for the functions of the world `plugin`.
    pub fn of_plugin(pre: &InstancePre<State>) -> wasmtime::Result<Self> {
        let writer = (
            sealing::GuestIndices::new(pre)?,
            migration::GuestIndices::new(pre)?,
        );
        Ok(Self {
            writer: Some(writer),
            ..Self::of_auditor(pre)?
        })
    }

    /// The functions of one instance.
    ///
    /// # Errors
    /// A function has another type than the contract says.
    pub fn load(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Exports> {
        let writer = match &self.writer {
            None => None,
            Some((sealing, migration)) => Some(Writer {
                sealing: sealing.load(&mut *store, instance)?,
                migration: migration.load(&mut *store, instance)?,
            }),
        };
        Ok(Exports {
            opening: self.opening.load(&mut *store, instance)?,
            auditing: self.auditing.load(&mut *store, instance)?,
            writer,
        })
    }
}
