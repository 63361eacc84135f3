//! The two ways to run the core, behind one trait, so that one test proves both.

use std::sync::{Arc, Mutex};

use iamseal_core::{
    Description, Error, Found, Location, Policy, SealOptions, Session, inspect, seal, unseal,
};

use crate::component::Component;
use crate::keys::Keys;
use crate::lent::Lent;

/// Sealing and opening with one keyring and one store's name.
pub trait Backend: Send + Sync {
    /// `native` or `component`.
    fn name(&self) -> &'static str;

    /// `sealing.seal`.
    fn seal(&self, path: &[u8], plaintext: &[u8], options: &SealOptions) -> Result<Vec<u8>, Error>;

    /// `sealing.unseal`.
    fn unseal(&self, path: &[u8], stored: &[u8], policy: Policy) -> Result<Opened, Error>;

    /// `sealing.inspect`.
    fn inspect(&self, stored: &[u8]) -> Result<Description, Error>;
}

/// An object that was opened.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    /// What it holds.
    pub plaintext: Vec<u8>,
    /// What it was.
    pub found: Found,
}

/// The core natively and through the component, with the same keys and the same store's name.
pub fn backends(keys: &Keys, store: &str) -> Vec<Arc<dyn Backend>> {
    vec![
        Arc::new(Native::new(keys.clone(), store)),
        Arc::new(Component::new(keys, store)),
    ]
}

/// The core as it is compiled for this machine.
pub struct Native {
    lent: Lent,
    session: Mutex<Session>,
    store: String,
}

impl Native {
    /// The core with these keys, for the store of this name.
    pub fn new(keys: Keys, store: &str) -> Self {
        Self {
            lent: Lent::keys(keys),
            session: Mutex::default(),
            store: store.to_string(),
        }
    }
}

impl Backend for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn seal(&self, path: &[u8], plaintext: &[u8], options: &SealOptions) -> Result<Vec<u8>, Error> {
        let location = Location::new(&self.store, path)?;
        let mut session = self.session.lock().unwrap();
        seal(&self.lent, &mut session, &location, plaintext, options)
    }

    fn unseal(&self, path: &[u8], stored: &[u8], policy: Policy) -> Result<Opened, Error> {
        let location = Location::new(&self.store, path)?;
        let mut session = self.session.lock().unwrap();
        let opened = unseal(&self.lent, &mut session, &location, stored, policy)?;
        Ok(Opened {
            plaintext: opened.plaintext.to_vec(),
            found: opened.found,
        })
    }

    fn inspect(&self, stored: &[u8]) -> Result<Description, Error> {
        inspect(stored)
    }
}
