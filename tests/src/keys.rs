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

#[derive(Clone)]
enum Candidate {
    Secret(Vec<u8>),
    Remote(Arc<Service>),
}

impl Keys {
    /// Nothing at all: plaintext mode.
    pub fn none() -> Self {
        Self::default()
    }

    /// One secret key, the default.
    pub fn one(name: &str, key: &[u8]) -> Self {
        Self::none().secret(name, key)
    }

    /// Adds a secret key of any size. A name that is there already gets a further candidate.
    pub fn secret(self, name: &str, key: &[u8]) -> Self {
        self.candidate(name, Candidate::Secret(key.to_vec()))
    }

    /// Adds a key that `service` holds.
    pub fn remote(self, name: &str, service: &Arc<Service>) -> Self {
        self.candidate(name, Candidate::Remote(Arc::clone(service)))
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

    fn service(&self, name: &str) -> Result<&Service, core::KeyError> {
        let service = self.of(name).find_map(|candidate| match candidate {
            Candidate::Remote(service) => Some(&**service),
            Candidate::Secret(_) => None,
        });
        service.ok_or(core::KeyError::NotFound)
    }
}

impl core::Keyring for Keys {
    fn default_key(&self) -> Option<String> {
        self.default_key.clone()
    }

    fn candidates(&self, name: &str) -> Result<Vec<core::Candidate>, core::KeyError> {
        let lend = |candidate: &Candidate| match candidate {
            Candidate::Secret(key) => core::Candidate::Secret(key.clone().into()),
            Candidate::Remote(_) => core::Candidate::Remote,
        };
        let candidates: Vec<_> = self.of(name).map(lend).collect();
        if candidates.is_empty() {
            return Err(core::KeyError::NotFound);
        }
        Ok(candidates)
    }

    fn decrypt(
        &self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<core::Secret, core::KeyError> {
        self.service(name)?.decrypt(name, ciphertext, context)
    }

    fn root_credentials(&self) -> Vec<core::RootCredential> {
        let lend = |(user, password): &(String, String)| core::RootCredential {
            user: user.clone(),
            password: password.clone().into(),
        };
        self.credentials.iter().map(lend).collect()
    }
}

impl core::KeyGenerator for Keys {
    fn generate(&self, name: &str, context: &[u8]) -> Result<core::DataKey, core::KeyError> {
        self.service(name)?.generate(name, context)
    }
}

#[async_trait]
impl host::Keyring for Keys {
    fn default_key(&self) -> Option<String> {
        core::Keyring::default_key(self)
    }

    fn candidates(&self, name: &str) -> Result<Vec<host::Candidate>, contract::KeyError> {
        let candidates = core::Keyring::candidates(self, name).map_err(errors::key_to_contract)?;
        let lend = |candidate| match candidate {
            core::Candidate::Secret(key) => host::Candidate::Secret(key),
            core::Candidate::Remote => host::Candidate::Remote,
        };
        Ok(candidates.into_iter().map(lend).collect())
    }

    fn root_credentials(&self) -> Vec<host::RootCredential> {
        let lend = |credential: core::RootCredential| host::RootCredential {
            user: credential.user,
            password: credential.password,
        };
        let credentials = core::Keyring::root_credentials(self);
        credentials.into_iter().map(lend).collect()
    }

    async fn decrypt(
        &self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, contract::KeyError> {
        core::Keyring::decrypt(self, name, ciphertext, context).map_err(errors::key_to_contract)
    }
}

#[async_trait]
impl host::KeyGenerator for Keys {
    async fn generate(
        &self,
        name: &str,
        context: &[u8],
    ) -> Result<host::DataKey, contract::KeyError> {
        let made =
            core::KeyGenerator::generate(self, name, context).map_err(errors::key_to_contract)?;
        Ok(host::DataKey {
            plaintext: made.plaintext,
            ciphertext: made.ciphertext,
        })
    }
}
