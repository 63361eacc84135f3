//! A keyring that is exchanged while it is in use.

use std::sync::{Arc, PoisonError, RwLock};

use crate::contract::KeyError;

use super::{Key, Keyring, RootCredential};

/// Lends whatever the keyring in it lends, until another one takes its place. A call of a plugin that is
/// under way may use both. Let the new one lend the keys of the old one too: what is stored is under those.
pub struct ReplaceableKeyring(RwLock<Arc<dyn Keyring>>);

impl ReplaceableKeyring {
    /// With this keyring at first.
    pub fn new(keyring: Arc<dyn Keyring>) -> Self {
        Self(RwLock::new(keyring))
    }

    /// Lends the keys of another keyring from now on, and returns the one before. Where a store migrates itself,
    /// this belongs into `Background::change_keys`.
    pub fn replace(&self, keyring: Arc<dyn Keyring>) -> Arc<dyn Keyring> {
        let mut present = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *present, keyring)
    }

    /// The keyring that is lent now.
    pub fn present(&self) -> Arc<dyn Keyring> {
        let present = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&present)
    }
}

impl Keyring for ReplaceableKeyring {
    fn default_key(&self) -> Option<String> {
        self.present().default_key()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Key>, KeyError> {
        self.present().candidates(name)
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        self.present().root_credentials()
    }
}
