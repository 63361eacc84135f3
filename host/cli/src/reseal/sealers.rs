//! Who seals an object again: a plugin with the very key that opened it. Several keys may have one name, and a
//! server has only one of them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use iamseal::Plugin;
use iamseal::contract::{KeyError, KeyFailure, ObjectError, Policy};
use iamseal::keys::{Key, Keyring, MixedKeyring, RootCredential};

use super::Object;
use crate::arguments::Common;
use crate::failure::Failure;
use crate::load;

/// Plugins that seal.
pub struct Sealers<'a> {
    common: &'a Common,
    keyring: &'a MixedKeyring,
    /// Is lent all keys.
    plugin: &'a Plugin,
    /// For a name that several keys have, one for each of them.
    of: BTreeMap<String, Vec<Plugin>>,
}

impl<'a> Sealers<'a> {
    pub fn new(common: &'a Common, keyring: &'a MixedKeyring, plugin: &'a Plugin) -> Self {
        Self {
            common,
            keyring,
            plugin,
            of: BTreeMap::new(),
        }
    }

    /// The one that seals this object again.
    ///
    /// # Errors
    /// A plugin cannot be loaded, or none of the keys opens it any more.
    pub async fn of(&mut self, object: &Object) -> Result<&Plugin, Failure> {
        let Some(name) = object.how.as_ref().and_then(|how| how.key.as_deref()) else {
            return Ok(self.plugin);
        };
        let candidates = self.keyring.candidates(name).map_err(|error| {
            let key = name.to_owned();
            iamseal::Error::Object(ObjectError::Key(KeyFailure { key, error }))
        })?;
        let count = candidates.len();
        if count < 2 {
            return Ok(self.plugin);
        }
        let plugins = match self.of.entry(name.to_owned()) {
            Entry::Occupied(plugins) => plugins.into_mut(),
            Entry::Vacant(none) => {
                let mut plugins = Vec::with_capacity(count);
                for place in 0..count {
                    let only = Only {
                        keyring: self.keyring.clone(),
                        name: name.to_owned(),
                        place,
                    };
                    let builder = load::builder(self.common, Arc::new(only));
                    plugins.push(builder.load().await?);
                }
                none.insert(plugins)
            }
        };
        let mut first = None;
        for plugin in plugins {
            let opener = plugin.reader();
            let opened = opener.unseal(&object.path, &object.stored.bytes, Policy::Compatible);
            match opened.await {
                Ok(_) => return Ok(plugin),
                Err(error) => first = first.or(Some(error)),
            }
        }
        // It opened a moment ago, with all of them: a server among them does not answer now.
        match first {
            Some(error) => Err(error.into()),
            None => Ok(self.plugin),
        }
    }
}

/// A keyring with one of the keys of a name.
struct Only {
    keyring: MixedKeyring,
    name: String,
    place: usize,
}

impl Keyring for Only {
    fn default_key(&self) -> Option<String> {
        self.keyring.default_key()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Key>, KeyError> {
        let mut keys = self.keyring.candidates(name)?;
        if name == self.name {
            keys = keys.into_iter().skip(self.place).take(1).collect();
        }
        Ok(keys)
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        self.keyring.root_credentials()
    }
}
