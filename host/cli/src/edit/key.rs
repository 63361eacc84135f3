//! The key that an object is sealed again under: the very one that opened it. Several keys may have one name,
//! and a server has only one of them.

use std::sync::Arc;

use iamseal::Plugin;
use iamseal::contract::{KeyError, Policy};
use iamseal::keys::{Key, Keyring, MixedKeyring, RootCredential};

use crate::arguments::Common;
use crate::failure::Failure;
use crate::load;

/// A plugin that is lent, of the keys of this name, only the one that opens the object; none where there is no
/// other.
///
/// # Errors
/// A plugin cannot be loaded.
pub async fn of(
    common: &Common,
    keyring: &MixedKeyring,
    name: &str,
    path: &[u8],
    stored: &[u8],
) -> Result<Option<Plugin>, Failure> {
    let count = keyring.candidates(name).map_or(0, |keys| keys.len());
    if count < 2 {
        return Ok(None);
    }
    for place in 0..count {
        let only = Only {
            keyring: keyring.clone(),
            name: name.to_owned(),
            place,
        };
        let plugin = load::builder(common, Arc::new(only)).load().await?;
        let opened = plugin
            .reader()
            .unseal(path, stored, Policy::Compatible)
            .await;
        if opened.is_ok() {
            return Ok(Some(plugin));
        }
    }
    Ok(None)
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
