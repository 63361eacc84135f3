//! The export `opening`.

use alloc::vec::Vec;

use iamseal_core::{Location, Session};
use iamseal_runtime::Global;

use crate::Plugin;
use crate::contract::exports::iamseal::plugin::opening::{
    Description, Error, Guest, Opened, Policy,
};
use crate::contract::iamseal::plugin::types;
use crate::lent::Lent;

/// Kept between calls, so that a seed is opened once and Argon2id's memory is touched once.
pub(crate) static SESSION: Global<Session> = Global::new();

impl Guest for Plugin {
    fn unseal(location: types::Location, stored: Vec<u8>, policy: Policy) -> Result<Opened, Error> {
        let location = Location::new(&location.store, &location.path)?;
        let mut session = SESSION.get();
        let mut opened =
            iamseal_core::unseal(&Lent, &mut session, &location, &stored, policy.into())?;
        Ok(Opened {
            plaintext: core::mem::take(&mut *opened.plaintext),
            found: opened.found.into(),
        })
    }

    fn inspect(stored: Vec<u8>) -> Result<Description, Error> {
        Ok(iamseal_core::inspect(&stored)?.into())
    }
}
