//! A keyring of plain data, for the core and for a host.

use std::sync::Arc;

use async_trait::async_trait;
use iamseal::contract;
use iamseal::keys as host;
use iamseal_core as core;
use zeroize::Zeroizing;

use crate::errors;
use crate::service::Service;

/// Keys and root credentials to lend. The first key that is added is the default key.
#[derive(Clone, Default)]
pub struct Keys {
    default_key: Option<String>,
    candidates: Vec<(String, Candidate)>,
    credentials: Vec<(String, String)>,
}

/// A key, with the handle that the host lends of it.
#[derive(Clone)]
enum Candidate {
    /// No handle if it is none that a host can hold.
    Secret(Vec<u8>, Option<host::Key>),
    Remote(InService, host::Key),
}

/// A key that a service holds.
#[derive(Clone)]
struct InService {
    name: String,
    service: Arc<Service>,
}

/// The same as the core is lent it.
pub struct Handle(InService, u64);

/// The core natively is lent passwords.
pub enum NoRootKey {}

impl Keys {
    /// Nothing at all: plaintext mode.
    pub fn none() -> Self {
        Self::default()
    }

    /// One secret key, the default.
    pub fn one(name: &str, key: &[u8]) -> Self {
        Self::none().secret(name, key)
    }

    /// Adds a secret key of any size; a host lends those of 32 bytes alone. A name that is there already
    /// gets a further candidate.
    pub fn secret(self, name: &str, key: &[u8]) -> Self {
        let bytes = key.try_into().map(Zeroizing::new);
        let handle = bytes.ok().map(host::Key::local);
        self.candidate(name, Candidate::Secret(key.to_vec(), handle))
    }

    /// Adds a key that `service` holds.
    pub fn remote(self, name: &str, service: &Arc<Service>) -> Self {
        let key = InService {
            name: name.to_string(),
            service: Arc::clone(service),
        };
        let handle = host::Key::server(key.clone());
        self.candidate(name, Candidate::Remote(key, handle))
    }

    /// Adds a root credential, after those that are there.
    pub fn credential(mut self, user: &str, password: &str) -> Self {
        self.credentials
            .push((user.to_string(), password.to_string()));
        self
    }

    /// Makes another name the default key's.
    pub fn default_to(mut self, name: &str) -> Self {
        self.default_key = Some(name.to_string());
        self
    }

    /// Lends the same without a default key.
    pub fn without_default(mut self) -> Self {
        self.default_key = None;
        self
    }

    fn candidate(mut self, name: &str, candidate: Candidate) -> Self {
        self.default_key.get_or_insert_with(|| name.to_string());
        self.candidates.push((name.to_string(), candidate));
        self
    }

    fn of(&self, name: &str) -> impl Iterator<Item = &Candidate> {
        let named = move |(known, _): &&(String, Candidate)| known == name;
        let all = self.candidates.iter().filter(named);
        all.map(|(_, candidate)| candidate)
    }
}

impl core::Keyring for Keys {
    type Key = Handle;
    type RootKey = NoRootKey;

    fn default_key(&self) -> Option<String> {
        self.default_key.clone()
    }

    fn candidates(&self, name: &str) -> Result<Vec<core::Candidate<Handle>>, core::KeyError> {
        let lend = |candidate: &Candidate| match candidate {
            Candidate::Secret(key, _) => core::Candidate::Secret(key.clone().into()),
            Candidate::Remote(key, handle) => {
                core::Candidate::Server(Handle(key.clone(), handle.id()))
            }
        };
        let candidates: Vec<_> = self.of(name).map(lend).collect();
        if candidates.is_empty() {
            return Err(core::KeyError::NotFound);
        }
        Ok(candidates)
    }

    fn root_credentials(&self) -> Vec<core::RootCredential<NoRootKey>> {
        let lend = |(user, password): &(String, String)| core::RootCredential {
            user: user.clone(),
            key: core::RootCandidate::Passphrase(match user.as_str() {
                "" => password.clone().into(),
                user => format!("{user}:{password}").into(),
            }),
        };
        self.credentials.iter().map(lend).collect()
    }
}

impl core::Key for Handle {
    fn id(&self) -> u64 {
        self.1
    }

    fn open(&self, ciphertext: &[u8], context: &[u8]) -> Result<core::Secret, core::KeyError> {
        let InService { name, service } = &self.0;
        service.decrypt(name, ciphertext, context)
    }
}

impl core::RootKey for NoRootKey {
    fn derive(
        &self,
        _salt: &[u8; 32],
        _how: core::KeyDerivation,
    ) -> Result<core::Secret, core::KeyError> {
        match *self {}
    }

    fn signed(&self, _message: &[u8], _signature: &[u8; 64]) -> Result<bool, core::KeyError> {
        match *self {}
    }
}

impl core::KeyMaker for Keys {
    fn make(
        &self,
        key: &Handle,
        context: &[u8],
        _encoding: core::DataKeyEncoding,
    ) -> Result<core::DataKey, core::KeyError> {
        let InService { name, service } = &key.0;
        service.generate(name, context)
    }
}

impl host::Keyring for Keys {
    fn default_key(&self) -> Option<String> {
        core::Keyring::default_key(self)
    }

    fn candidates(&self, name: &str) -> Result<Vec<host::Key>, contract::KeyError> {
        let keys = self.of(name).filter_map(|candidate| match candidate {
            Candidate::Secret(_, handle) => handle.clone(),
            Candidate::Remote(_, handle) => Some(handle.clone()),
        });
        let keys: Vec<_> = keys.collect();
        match keys.is_empty() {
            true => Err(contract::KeyError::NotFound),
            false => Ok(keys),
        }
    }

    fn root_credentials(&self) -> Vec<host::RootCredential> {
        let lend = |(user, password): &(String, String)| host::RootCredential {
            user: user.clone(),
            password: password.clone().into(),
        };
        self.credentials.iter().map(lend).collect()
    }
}

#[async_trait]
impl host::ServerKey for InService {
    async fn make(&self, context: &[u8]) -> Result<host::DataKey, contract::KeyError> {
        let made = self.service.generate(&self.name, context);
        let made = made.map_err(errors::key_to_contract)?;
        Ok(host::DataKey {
            plaintext: made.plaintext,
            ciphertext: made.ciphertext,
        })
    }

    async fn open(
        &self,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, contract::KeyError> {
        let opened = self.service.decrypt(&self.name, ciphertext, context);
        opened.map_err(errors::key_to_contract)
    }
}
