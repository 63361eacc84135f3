//! Static keys, root credentials and a KES, lent together.
//!
//! A store can hold objects under all of them. Which key an object needs follows from its form and the
//! key name in it: root credentials are asked for by objects in their form alone, and for all others the
//! name decides.

use std::path::Path;
#[cfg(feature = "kes")]
use std::sync::Arc;

#[cfg(feature = "kes")]
use async_trait::async_trait;
#[cfg(feature = "kes")]
use sha2::{Digest as _, Sha256};
#[cfg(feature = "kes")]
use zeroize::Zeroizing;

#[cfg(feature = "kes")]
use super::kes::{Kes, KesError, Opened, is_key_name};
#[cfg(feature = "kes")]
use super::key::{DataKey, ServerKey, fresh_id};
use super::{Key, Keyring, KeysError, RootCredential, StaticKeyring};
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
    /// Tells it from others.
    number: u64,
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
        let number = fresh_id();
        self.kes = Some(Lent {
            kes,
            key,
            opened,
            number,
        });
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

    /// Adds the keys of a text, as [`StaticKeyring::keys_text`] does.
    ///
    /// # Errors
    /// As there.
    pub fn keys_text(mut self, path: &Path, text: &str) -> Result<Self, KeysError> {
        self.statics = self.statics.keys_text(path, text)?;
        Ok(self)
    }

    /// Adds the root credentials of a text, as [`StaticKeyring::root_credentials_text`] does.
    ///
    /// # Errors
    /// As there.
    pub fn root_credentials_text(mut self, path: &Path, text: &str) -> Result<Self, KeysError> {
        self.statics = self.statics.root_credentials_text(path, text)?;
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

    /// Puts root credentials before all others, as [`StaticKeyring::root_credentials_first`] does.
    #[must_use]
    pub fn root_credentials_first(mut self, credentials: Vec<RootCredential>) -> Self {
        self.statics = self.statics.root_credentials_first(credentials);
        self
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

    /// The key of this name in KES, which may or may not be there.
    #[cfg(feature = "kes")]
    fn in_kes(&self, name: &str, is_static: bool) -> Option<Key> {
        let lent = self.kes.as_ref().filter(|_| is_key_name(name))?;
        let key = InKes {
            lent: lent.clone(),
            name: name.to_owned(),
            is_static,
        };
        Some(Key::of_server(id(lent.number, name), key))
    }

    #[cfg(not(feature = "kes"))]
    fn in_kes(&self, _name: &str, _is_static: bool) -> Option<Key> {
        None
    }
}

impl From<StaticKeyring> for MixedKeyring {
    fn from(statics: StaticKeyring) -> Self {
        Self::new(statics)
    }
}

impl Keyring for MixedKeyring {
    fn default_key(&self) -> Option<String> {
        match self.remote_key() {
            Some(key) => Some(key.to_owned()),
            None => Keyring::default_key(&self.statics),
        }
    }

    fn candidates(&self, name: &str) -> Result<Vec<Key>, KeyError> {
        let statics = self.statics.candidates(name);
        let Some(key) = self.in_kes(name, statics.is_ok()) else {
            return statics;
        };
        let mut keys = statics.unwrap_or_default();
        let at = match self.remote_key() == Some(name) {
            true => 0,
            false => keys.len(),
        };
        keys.insert(at, key);
        Ok(keys)
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        self.statics.root_credentials()
    }
}

/// A key in KES, by its name.
#[cfg(feature = "kes")]
struct InKes {
    lent: Lent,
    name: String,
    /// Whether there is a static key of this name too.
    is_static: bool,
}

#[cfg(feature = "kes")]
#[async_trait]
impl ServerKey for InKes {
    async fn make(&self, associated_data: &[u8]) -> Result<DataKey, KeyError> {
        self.lent.kes.generate(&self.name, associated_data).await
    }

    async fn open(
        &self,
        ciphertext: &[u8],
        associated_data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let Lent {
            kes, key, opened, ..
        } = &self.lent;
        let opened = opened.decrypt(kes, &self.name, ciphertext, associated_data);
        match opened.await {
            // A key of that name is there, and has been tried or will be: it would be wrong to say that
            // there is none.
            Err(KeyError::NotFound) if self.is_static => Err(KeyError::NotAuthentic),
            // Whoever may use one key of KES alone is denied all others, be they there or not.
            Err(KeyError::Denied(_)) if self.name != *key && self.is_static => {
                Err(KeyError::NotAuthentic)
            }
            other => other,
        }
    }
}

/// The number of the key of this name in the KES of this number.
#[cfg(feature = "kes")]
fn id(kes: u64, name: &str) -> u64 {
    let digest = Sha256::new()
        .chain_update(kes.to_le_bytes())
        .chain_update(name)
        .finalize();
    digest
        .first_chunk()
        .map_or(kes, |bytes| u64::from_le_bytes(*bytes))
}
