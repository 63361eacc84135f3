//! Static keys, root credentials and a KES, lent together.
//!
//! A store can hold objects under all of them. Which key an object needs follows from its form and the
//! key name in it: root credentials are asked for by objects in their form alone, a compact object says
//! whether its key is in a KMS, and for all others the name decides.

use std::path::Path;
#[cfg(feature = "kes")]
use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

#[cfg(feature = "kes")]
use super::kes::{Kes, KesError, Opened, is_key_name};
use super::{Candidate, DataKey, KeyGenerator, Keyring, KeysError, RootCredential, StaticKeyring};
use crate::contract::KeyError;

/// Static keys, root credentials and, with the feature `kes`, a KES.
///
/// With a KES new objects are sealed under its key. Under the name of that key KES comes first and static
/// keys of the name after it; under any other name static keys come first, since they cost no call, and
/// KES after them. The data keys that KES opened last are kept, so that one that serves many objects costs
/// one call.
#[derive(Clone, Default)]
pub struct MixedKeyring {
    statics: StaticKeyring,
    #[cfg(feature = "kes")]
    kes: Option<Lent>,
}

/// A KES and the name of its key for new objects.
#[cfg(feature = "kes")]
#[derive(Clone)]
struct Lent {
    kes: Kes,
    key: String,
    opened: Arc<Opened>,
}

impl MixedKeyring {
    /// These static keys and root credentials alone.
    #[must_use]
    pub fn new(statics: StaticKeyring) -> Self {
        Self {
            statics,
            #[cfg(feature = "kes")]
            kes: None,
        }
    }

    /// Adds a KES, whose key of this name is the one for new objects from now on.
    ///
    /// # Errors
    /// [`KesError::KeyName`] if KES takes no such name.
    #[cfg(feature = "kes")]
    pub fn kes(mut self, kes: Kes, key: &str) -> Result<Self, KesError> {
        if !is_key_name(key) {
            return Err(KesError::KeyName { name: key.into() });
        }
        let key = key.to_owned();
        let opened = Arc::default();
        self.kes = Some(Lent { kes, key, opened });
        Ok(self)
    }

    /// Adds the keys of a file, as [`StaticKeyring::keys_file`] does.
    ///
    /// # Errors
    /// As there.
    pub fn keys_file(mut self, path: &Path) -> Result<Self, KeysError> {
        self.statics = self.statics.keys_file(path)?;
        Ok(self)
    }

    /// Adds the root credentials of a file, as [`StaticKeyring::root_credentials_file`] does.
    ///
    /// # Errors
    /// As there.
    pub fn root_credentials_file(mut self, path: &Path) -> Result<Self, KeysError> {
        self.statics = self.statics.root_credentials_file(path)?;
        Ok(self)
    }

    /// The names of all static keys, in order, and that of the key in KES if it is not among them. What
    /// else is in KES it may lend too.
    pub fn key_names(&self) -> impl Iterator<Item = &str> {
        let remote = self.remote_key();
        let others = remote.filter(|name| self.statics.key_names().all(|other| other != *name));
        self.statics.key_names().chain(others)
    }

    /// The user names of all root credentials, as [`StaticKeyring::root_users`] tells them.
    pub fn root_users(&self) -> impl Iterator<Item = &str> {
        self.statics.root_users()
    }

    /// Whether there is a key service, so that keys cost calls.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.remote_key().is_some()
    }

    #[cfg(feature = "kes")]
    fn remote_key(&self) -> Option<&str> {
        self.kes.as_ref().map(|lent| lent.key.as_str())
    }

    #[cfg(not(feature = "kes"))]
    fn remote_key(&self) -> Option<&str> {
        None
    }

    #[cfg(feature = "kes")]
    fn has(&self, name: &str) -> bool {
        self.kes.is_some() && is_key_name(name)
    }

    #[cfg(not(feature = "kes"))]
    fn has(&self, _name: &str) -> bool {
        false
    }
}

impl From<StaticKeyring> for MixedKeyring {
    fn from(statics: StaticKeyring) -> Self {
        Self::new(statics)
    }
}

#[async_trait]
impl Keyring for MixedKeyring {
    fn default_key(&self) -> Option<String> {
        match self.remote_key() {
            Some(key) => Some(key.to_owned()),
            None => Keyring::default_key(&self.statics),
        }
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate>, KeyError> {
        let mut candidates = match self.statics.candidates(name) {
            Ok(candidates) => candidates,
            Err(error) if !self.has(name) => return Err(error),
            Err(_) => Vec::new(),
        };
        if self.has(name) {
            let at = match self.remote_key() == Some(name) {
                true => 0,
                false => candidates.len(),
            };
            candidates.insert(at, Candidate::Remote);
        }
        Ok(candidates)
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        self.statics.root_credentials()
    }

    #[cfg(feature = "kes")]
    async fn decrypt(
        &self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let Some(lent) = &self.kes else {
            return Err(KeyError::NotFound);
        };
        let opened = lent.opened.decrypt(&lent.kes, name, ciphertext, context);
        let is_static = || self.statics.candidates(name).is_ok();
        match opened.await {
            // A key of that name is there, and has been tried or will be: it would be wrong to say that
            // there is none.
            Err(KeyError::NotFound) if is_static() => Err(KeyError::NotAuthentic),
            // Whoever may use one key of KES alone is denied all others, be they there or not.
            Err(KeyError::Denied(_)) if name != lent.key && is_static() => {
                Err(KeyError::NotAuthentic)
            }
            other => other,
        }
    }

    #[cfg(not(feature = "kes"))]
    async fn decrypt(
        &self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.statics.decrypt(name, ciphertext, context).await
    }
}

#[async_trait]
impl KeyGenerator for MixedKeyring {
    #[cfg(feature = "kes")]
    async fn generate(&self, name: &str, context: &[u8]) -> Result<DataKey, KeyError> {
        match &self.kes {
            Some(lent) => lent.kes.generate(name, context).await,
            None => Err(KeyError::NotFound),
        }
    }

    #[cfg(not(feature = "kes"))]
    async fn generate(&self, name: &str, context: &[u8]) -> Result<DataKey, KeyError> {
        self.statics.generate(name, context).await
    }
}
