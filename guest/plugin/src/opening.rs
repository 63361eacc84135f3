//! The export `opening`.

use alloc::string::String;
use alloc::vec::Vec;

use iamseal_core::{Location, Session};
use iamseal_runtime::Global;

use crate::Plugin;
use crate::contract::exports::iamseal::plugin::opening::{
    Description, Error, Guest, Opened, Policy,
};
use crate::lent::Lent;

/// Kept between calls, so that a seed is opened once and Argon2id's memory is touched once.
pub(crate) static SESSION: Global<Session> = Global::new();

impl Guest for Plugin {
    fn unseal(
        store: String,
        path: Vec<u8>,
        stored: Vec<u8>,
        policy: Policy,
    ) -> Result<Opened, Error> {
        let location = Location::new(&store, &path)?;
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
