//! Keys: what the environment and the files that the operator names lend the plugin.
//!
//! The bytes are lent and no handles: whatever runs in this component is in the same sandbox, and the
//! plugin has the cryptography already. There are no key servers: the component has no network.

mod environment;
mod files;

use std::collections::BTreeMap;

use iamseal_runtime::Global;
use iamseal_words::keys::static_key::KEY_BYTES;
use iamseal_words::keys::{RootCredential, StaticKey};
use iamseal_words::limits::ROOT_CREDENTIALS;
use zeroize::Zeroizing;

use crate::adapters::Adapters;
use crate::adapters::bindings::exports::iamseal::command::lending::{Failure, Names};
use crate::adapters::bindings::exports::iamseal::plugin::types::{
    KeyDerivation, KeyError, WrittenEncoding,
};
use crate::adapters::bindings::exports::iamseal::plugin::{key_maker, keyring};
use crate::adapters::failure::usage;

/// What is lent; nothing at first.
static LENT: Global<Keys> = Global::new();

/// Static keys, several of one name included, and root credentials.
#[derive(Default)]
struct Keys {
    default: Option<String>,
    keys: BTreeMap<String, Vec<Zeroizing<[u8; KEY_BYTES]>>>,
    credentials: Vec<RootCredential>,
}

/// Lends the keys of the environment, then those of the files, and names them. `for_rustfs`: the credentials of the
/// environment's RustFS come first, and that there are none is an error.
///
/// # Errors
/// Whatever MinIO or the native tool would refuse, and what only the native tool can use.
pub fn lend(
    keys: &[String],
    root_credentials: &[String],
    for_rustfs: bool,
) -> Result<Names, Failure> {
    let mut lent = environment::keys(for_rustfs)?;
    for file in keys {
        for (place, line) in files::lines(file)? {
            let key = StaticKey::parse(&line)
                .map_err(|cause| usage(format!("{place}: {cause}"), cause.cure()))?;
            lent.add(&key);
        }
    }
    for file in root_credentials {
        for (place, line) in files::lines(file)? {
            let credential = RootCredential::parse(&line)
                .map_err(|cause| usage(format!("{place}: {cause}"), cause.cure()))?;
            lent.add_credential(credential);
        }
        if lent.credentials.len() > ROOT_CREDENTIALS {
            return Err(usage(
                format!("{file}: there are more than {ROOT_CREDENTIALS} root credentials with it"),
                "run once for each part of the file; what is migrated stays so",
            ));
        }
    }
    let users = lent.credentials.iter();
    let names = Names {
        keys: lent.keys.keys().cloned().collect(),
        users: users.map(|credential| credential.user.clone()).collect(),
    };
    *LENT.get() = lent;
    Ok(names)
}

impl Keys {
    /// Adds a key, unless it is there. Of keys with one name the first is the one for new objects.
    fn add(&mut self, key: &StaticKey) {
        let secrets = self.keys.entry(key.name().to_string()).or_default();
        if secrets.iter().all(|secret| **secret != *key.secret()) {
            secrets.push(Zeroizing::new(*key.secret()));
        }
    }

    /// Adds a root credential, unless it is there: each costs an Argon2id on every object that it
    /// does not open.
    fn add_credential(&mut self, credential: RootCredential) {
        let known = |known: &RootCredential| {
            known.user == credential.user && known.password == credential.password
        };
        if !self.credentials.iter().any(known) {
            self.credentials.push(credential);
        }
    }
}

impl keyring::Guest for Adapters {
    type Key = Never;
    type RootKey = Never;

    fn default_key() -> Option<String> {
        LENT.get().default.clone()
    }

    fn candidates(name: String) -> Result<Vec<keyring::Candidate>, KeyError> {
        let lent = LENT.get();
        let secrets = lent.keys.get(&name).ok_or(KeyError::NotFound)?;
        Ok(secrets
            .iter()
            .map(|secret| keyring::Candidate::Secret(secret.to_vec()))
            .collect())
    }

    fn root_credentials() -> Vec<keyring::RootCredential> {
        let lent = LENT.get();
        let copies = lent.credentials.iter().map(|lent| keyring::RootCredential {
            user: lent.user.clone(),
            key: keyring::RootCandidate::Passphrase(lent.passphrase().to_string()),
        });
        copies.collect()
    }
}

/// The handles that are never made.
pub enum Never {}

impl keyring::GuestKey for Never {
    fn id(&self) -> u64 {
        match *self {}
    }

    fn open(&self, _: Vec<u8>, _: Vec<u8>) -> Result<Vec<u8>, KeyError> {
        match *self {}
    }
}

impl keyring::GuestRootKey for Never {
    fn derive(&self, _: Vec<u8>, _: KeyDerivation) -> Result<Vec<u8>, KeyError> {
        match *self {}
    }

    fn signed(&self, _: Vec<u8>, _: Vec<u8>) -> Result<bool, KeyError> {
        match *self {}
    }
}

impl key_maker::Guest for Adapters {
    fn make(
        key: keyring::KeyBorrow<'_>,
        _: Vec<u8>,
        _: WrittenEncoding,
    ) -> Result<key_maker::DataKey, KeyError> {
        match *key.get::<Never>() {}
    }
}
