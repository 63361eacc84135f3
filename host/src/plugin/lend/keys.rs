//! Keys for the plugin.
//!
//! The copies that are handed over here are plain vectors, which the runtime drops without wiping
//! them once they are in the plugin's memory; the plugin wipes its own.

use crate::contract::KeyError;
use crate::contract::generated::iamseal::plugin::{key_generator, keyring};
use crate::keys::{Candidate, DataKey};
use crate::plugin::metrics::Call;

use super::State;

impl keyring::Host for State {
    fn default_key(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.default_key_name())
    }

    fn candidates(
        &mut self,
        name: String,
    ) -> wasmtime::Result<Result<Vec<keyring::Candidate>, KeyError>> {
        Ok(self.lend_candidates(&name))
    }

    async fn decrypt(
        &mut self,
        name: String,
        ciphertext: Vec<u8>,
        context: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, KeyError>> {
        let plaintext = self.decrypt_data_key(&name, &ciphertext, &context).await;
        self.meter.resume();
        Ok(plaintext)
    }

    fn root_credentials(&mut self) -> wasmtime::Result<Vec<keyring::RootCredential>> {
        let lent = match &self.lent.keyring {
            Some(keyring) if self.grant.credentials() => keyring.root_credentials(),
            _ => Vec::new(),
        };
        Ok(lent
            .into_iter()
            .map(|mut credential| keyring::RootCredential {
                user: credential.user,
                password: std::mem::take(&mut *credential.password),
            })
            .collect())
    }
}

impl key_generator::Host for State {
    async fn generate(
        &mut self,
        name: String,
        context: Vec<u8>,
    ) -> wasmtime::Result<Result<key_generator::DataKey, KeyError>> {
        let generated = self.generate_data_key(&name, &context).await;
        self.meter.resume();
        Ok(generated.map(|mut key| key_generator::DataKey {
            plaintext: std::mem::take(&mut *key.plaintext),
            ciphertext: key.ciphertext,
        }))
    }
}

impl State {
    fn default_key_name(&self) -> Option<String> {
        self.lent.keyring.as_ref()?.default_key()
    }

    fn lend_candidates(&self, name: &str) -> Result<Vec<keyring::Candidate>, KeyError> {
        let Some(keyring) = &self.lent.keyring else {
            return Err(denied("keyring"));
        };
        self.grant.key(name, || keyring.default_key())?;
        let candidates = keyring.candidates(name)?;
        if candidates.is_empty() {
            return Err(KeyError::NotFound);
        }
        Ok(candidates
            .into_iter()
            .map(|candidate| match candidate {
                Candidate::Secret(mut secret) => {
                    keyring::Candidate::Secret(std::mem::take(&mut *secret))
                }
                Candidate::Remote => keyring::Candidate::Remote,
            })
            .collect())
    }

    async fn decrypt_data_key(
        &mut self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let Some(keyring) = &self.lent.keyring else {
            return Err(denied("keyring"));
        };
        self.grant.key(name, || keyring.default_key())?;
        let call = Call::of_key_service("decrypt");
        let plaintext = keyring.decrypt(name, ciphertext, context).await;
        call.end_of_key_service(&plaintext);
        Ok(std::mem::take(&mut *plaintext?))
    }

    async fn generate_data_key(&mut self, name: &str, context: &[u8]) -> Result<DataKey, KeyError> {
        let Some(generator) = &self.lent.key_generator else {
            return Err(denied("key generator"));
        };
        self.grant.generate()?;
        self.grant.key(name, || self.default_key_name())?;
        let call = Call::of_key_service("generate");
        let generated = generator.generate(name, context).await;
        call.end_of_key_service(&generated);
        generated
    }
}

fn denied(capability: &str) -> KeyError {
    KeyError::Denied(format!("the host lends no {capability}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use key_generator::Host as _;
    use keyring::Host as _;
    use zeroize::Zeroizing;

    use super::*;
    use crate::keys::{Keyring, RootCredential};
    use crate::plugin::grant::Grant;
    use crate::plugin::lend::Lent;
    use crate::plugin::lend::tests::state;

    #[tokio::test]
    async fn a_missing_keyring_denies_and_says_its_name() {
        let mut state = state(Lent::default());
        let name = || "name".to_owned();
        assert_eq!(state.default_key().unwrap(), None);
        assert!(state.root_credentials().unwrap().is_empty());
        let candidates = state.candidates(name()).unwrap();
        assert_eq!(candidates, Err(denied("keyring")));
        let decrypted = state.decrypt(name(), Vec::new(), Vec::new()).await.unwrap();
        assert_eq!(decrypted, Err(denied("keyring")));
        let generated = state.generate(name(), Vec::new()).await.unwrap();
        assert_eq!(generated, Err(denied("key generator")));
    }

    /// Lends a name and nothing under it.
    struct Hollow;

    #[async_trait]
    impl Keyring for Hollow {
        fn default_key(&self) -> Option<String> {
            Some("name".to_owned())
        }

        fn candidates(&self, _name: &str) -> Result<Vec<Candidate>, KeyError> {
            Ok(Vec::new())
        }

        fn root_credentials(&self) -> Vec<RootCredential> {
            Vec::new()
        }

        async fn decrypt(
            &self,
            _name: &str,
            _ciphertext: &[u8],
            _context: &[u8],
        ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
            Ok(Zeroizing::new(vec![7]))
        }
    }

    #[tokio::test]
    async fn no_candidates_are_no_key() {
        let mut state = state(Lent {
            keyring: Some(Arc::new(Hollow)),
            ..Lent::default()
        });
        let candidates = state.candidates("name".to_owned()).unwrap();
        assert_eq!(candidates, Err(KeyError::NotFound));
    }

    #[tokio::test]
    async fn only_the_granted_key_is_lent() {
        let mut state = state(Lent {
            keyring: Some(Arc::new(Hollow)),
            ..Lent::default()
        });
        state.lend(Grant::seal(&crate::contract::SealOptions::default()));
        let mut decrypt = async |name: &str| {
            let decrypted = state.decrypt(name.to_owned(), Vec::new(), Vec::new());
            decrypted.await.unwrap()
        };
        assert_eq!(decrypt("name").await, Ok(vec![7]));
        assert!(matches!(decrypt("other").await, Err(KeyError::Denied(_))));
    }
}
