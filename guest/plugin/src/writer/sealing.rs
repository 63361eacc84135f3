//! The export `sealing`.

use alloc::vec::Vec;

use iamseal_core::Location;

use crate::Plugin;
use crate::contract::exports::iamseal::plugin::sealing::{Error, Guest, SealOptions};
use crate::contract::iamseal::plugin::types;
use crate::lent::Lent;
use crate::opening::SESSION;

impl Guest for Plugin {
    fn seal(
        location: types::Location,
        plaintext: Vec<u8>,
        options: SealOptions,
    ) -> Result<Vec<u8>, Error> {
        let location = Location::new(&location.store, &location.path)?;
        let mut session = SESSION.get();
        let options = options.into();
        Ok(iamseal_core::seal(
            &Lent,
            &mut session,
            &location,
            &plaintext,
            &options,
        )?)
    }
}
