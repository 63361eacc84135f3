//! Keys for the plugin: handles, whose bytes and passwords stay here.
//!
//! The data keys that are handed over are plain vectors, which the runtime drops without wiping them once
//! they are in the plugin's memory; the plugin wipes its own.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use iamseal_data_key::{SALT, SIGNATURE, secret_key, signed};
use tokio::sync::Semaphore;
use wasmtime::component::Resource;
use zeroize::Zeroizing;

use crate::contract::KeyError;
use crate::contract::generated::iamseal::plugin::types;
use crate::contract::keys::iamseal::plugin::{key_maker, keyring};
use crate::keys::derive::derive;
use crate::keys::key::is_for_the_host;
use crate::keys::{DataKey, Key, RootCredential};
use crate::plugin::limits::Limit;
use crate::plugin::metrics::Call;

use super::{KEYS, State};

/// How many keys are derived at the same time: as many as there are cores. More would take as long in all,
/// and each longer, up to the limit on the time of a call.
static DERIVING: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(thread::available_parallelism().map_or(1, NonZero::get)));

/// A key that the plugin holds.
pub struct LentKey {
    /// The name that it was lent under.
    name: String,
    key: Key,
}

/// A root credential that the plugin holds.
pub struct LentRootKey(RootCredential);

impl keyring::Host for State {
    fn default_key(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.default_key_name())
    }

    fn candidates(
        &mut self,
        name: String,
    ) -> wasmtime::Result<Result<Vec<keyring::Candidate>, types::KeyError>> {
        let keys = match self.keys_of(&name) {
            Ok(keys) => keys,
            Err(error) => return Ok(Err(error.into())),
        };
        let mut candidates = Vec::with_capacity(keys.len());
        for key in keys {
            let (name, is_server) = (name.clone(), key.is_server());
            let lent = self.hand_key(LentKey { name, key })?;
            candidates.push(match is_server {
                true => keyring::Candidate::Server(lent),
                false => keyring::Candidate::Local(lent),
            });
        }
        Ok(Ok(candidates))
    }

    fn root_credentials(&mut self) -> wasmtime::Result<Vec<keyring::RootCredential>> {
        let lent = match (&self.lent.keyring, self.grant.credentials()) {
            (Some(keyring), granted @ 1..) => {
                let mut lent = keyring.root_credentials();
                lent.truncate(granted);
                lent
            }
            _ => Vec::new(),
        };
        let mut credentials = Vec::with_capacity(lent.len());
        for credential in lent {
            credentials.push(keyring::RootCredential {
                user: credential.user.clone(),
                key: keyring::RootCandidate::Key(self.hand_key(LentRootKey(credential))?),
            });
        }
        Ok(credentials)
    }
}

impl keyring::HostKey for State {
    fn id(&mut self, key: Resource<LentKey>) -> wasmtime::Result<u64> {
        Ok(self.keys.get(&key)?.key.id())
    }

    async fn open(
        &mut self,
        key: Resource<LentKey>,
        ciphertext: Vec<u8>,
        associated_data: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, types::KeyError>> {
        let LentKey { name, key } = self.keys.get(&key)?;
        if let Err(error) = self.may_use(name, &associated_data) {
            return Ok(Err(error.into()));
        }
        let lend = |mut opened: Zeroizing<Vec<u8>>| std::mem::take(&mut *opened);
        if !key.is_server() {
            let opened = key.open(&ciphertext, &associated_data).await;
            return Ok(opened.map(lend).map_err(Into::into));
        }
        let call = Call::of_key_service("decrypt");
        let opened = key.open(&ciphertext, &associated_data).await;
        call.end_of_key_service(&opened);
        self.meter.resume();
        Ok(opened.map(lend).map_err(Into::into))
    }

    fn drop(&mut self, key: Resource<LentKey>) -> wasmtime::Result<()> {
        self.keys.delete(key)?;
        Ok(())
    }
}

/// The most that one derivation is charged. It takes some 50 ms; on a machine that is busy, or while this process is
/// stopped, it takes longer, which is nothing that a plugin computes.
const DERIVATION: Duration = Duration::from_millis(100);

impl keyring::HostRootKey for State {
    async fn derive(
        &mut self,
        key: Resource<LentRootKey>,
        salt: Vec<u8>,
        how: types::KeyDerivation,
    ) -> wasmtime::Result<Result<Vec<u8>, types::KeyError>> {
        let LentRootKey(credential) = self.keys.get(&key)?;
        if !self.grant.derive() {
            return Ok(Err(denied_to_this_call("root credentials").into()));
        }
        let Ok(salt) = <[u8; SALT]>::try_from(salt) else {
            let why = format!("a salt has {SALT} bytes");
            return Ok(Err(types::KeyError::Other(why)));
        };
        let credential = credential.clone();
        // What waits for others is not charged with their time. It is never closed.
        let turn = DERIVING.acquire().await;
        let mut memory = std::mem::take(&mut self.memory);
        let started = Instant::now();
        // Not on a thread that others wait for.
        let derived = tokio::task::spawn_blocking(move || {
            let derived = derive(&credential, &salt, how.into(), &mut memory);
            (derived, memory)
        });
        let derived = match derived.await {
            Ok((derived, memory)) => {
                self.memory = memory;
                derived.map(|key| key.to_vec()).map_err(Into::into)
            }
            Err(error) => Err(types::KeyError::Other(error.to_string())),
        };
        let took = started.elapsed();
        drop(turn);
        self.meter.resume();
        self.meter.charge(took.min(DERIVATION))?;
        Ok(derived)
    }

    async fn signed(
        &mut self,
        key: Resource<LentRootKey>,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> wasmtime::Result<Result<bool, types::KeyError>> {
        let LentRootKey(credential) = self.keys.get(&key)?;
        if self.grant.credentials() == 0 {
            return Ok(Err(denied_to_this_call("root credentials").into()));
        }
        let Ok(signature) = <[u8; SIGNATURE]>::try_from(signature) else {
            let why = format!("a signature has {SIGNATURE} bytes");
            return Ok(Err(types::KeyError::Other(why)));
        };
        let passphrase = credential.passphrase();
        let secret = secret_key(&passphrase, &credential.user);
        Ok(Ok(signed(secret.as_bytes(), &message, &signature)))
    }

    fn drop(&mut self, key: Resource<LentRootKey>) -> wasmtime::Result<()> {
        self.keys.delete(key)?;
        Ok(())
    }
}

impl key_maker::Host for State {
    async fn make(
        &mut self,
        key: Resource<LentKey>,
        associated_data: Vec<u8>,
        encoding: types::WrittenEncoding,
    ) -> wasmtime::Result<Result<key_maker::DataKey, types::KeyError>> {
        let LentKey { name, key } = self.keys.get(&key)?;
        let may_make = self.grant.generate();
        if let Err(error) = may_make.and_then(|()| self.may_use(name, &associated_data)) {
            return Ok(Err(error.into()));
        }
        let encoding = encoding.into();
        let lend = |mut made: DataKey| key_maker::DataKey {
            plaintext: std::mem::take(&mut *made.plaintext),
            ciphertext: made.ciphertext,
        };
        if !key.is_server() {
            let made = key.make(&associated_data, encoding).await;
            return Ok(made.map(lend).map_err(Into::into));
        }
        let call = Call::of_key_service("generate");
        let made = key.make(&associated_data, encoding).await;
        call.end_of_key_service(&made);
        self.meter.resume();
        Ok(made.map(lend).map_err(Into::into))
    }
}

impl State {
    fn default_key_name(&self) -> Option<String> {
        self.lent.keyring.as_ref()?.default_key()
    }

    fn keys_of(&self, name: &str) -> Result<Vec<Key>, KeyError> {
        let Some(keyring) = &self.lent.keyring else {
            return Err(KeyError::Denied("the host lends no keyring".to_owned()));
        };
        self.grant.key(name, || keyring.default_key())?;
        let keys = keyring.candidates(name)?;
        match keys.is_empty() {
            true => Err(KeyError::NotFound),
            false => Ok(keys),
        }
    }

    /// Whether the call may use the key of this name for this.
    fn may_use(&self, name: &str, associated_data: &[u8]) -> Result<(), KeyError> {
        self.grant.key(name, || self.default_key_name())?;
        match is_for_the_host(associated_data) {
            true => Err(denied_to_this_call("data keys of the host's own")),
            false => Ok(()),
        }
    }

    fn hand_key<T: Send + 'static>(&mut self, key: T) -> wasmtime::Result<Resource<T>> {
        self.keys
            .push(key)
            .map_err(|_full| self.meter.refuse(Limit::Handles, None, KEYS as u64))
    }
}

fn denied_to_this_call(what: &str) -> KeyError {
    KeyError::Denied(format!("this call was not lent {what}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use key_maker::Host as _;
    use keyring::{Host as _, HostKey as _, HostRootKey as _};

    use super::*;
    use crate::contract::{Policy, SealOptions};
    use crate::keys::{Keyring, StaticKey, StaticKeyring};
    use crate::plugin::grant::Grant;
    use crate::plugin::lend::Lent;
    use crate::plugin::lend::tests::state;
    use types::{KeyDerivation, KeyError, WrittenEncoding};

    #[test]
    fn a_missing_keyring_denies_and_says_its_name() {
        let mut state = state(Lent::default());
        assert_eq!(state.default_key().unwrap(), None);
        assert!(state.root_credentials().unwrap().is_empty());
        let candidates = state.candidates("name".to_owned()).unwrap();
        let denied = KeyError::Denied("the host lends no keyring".to_owned());
        assert_eq!(candidates.err(), Some(denied));
    }

    /// Lends a name and nothing under it.
    struct Hollow;

    impl Keyring for Hollow {
        fn default_key(&self) -> Option<String> {
            Some("name".to_owned())
        }

        fn candidates(&self, _name: &str) -> Result<Vec<Key>, crate::contract::KeyError> {
            Ok(Vec::new())
        }

        fn root_credentials(&self) -> Vec<RootCredential> {
            Vec::new()
        }
    }

    #[test]
    fn no_candidates_are_no_key() {
        let mut state = state(Lent {
            keyring: Some(Arc::new(Hollow)),
            ..Lent::default()
        });
        let candidates = state.candidates("name".to_owned()).unwrap();
        assert_eq!(candidates.err(), Some(KeyError::NotFound));
    }

    /// A state that is lent two keys and a root credential, in a migration.
    fn lent() -> State {
        let key = |name| StaticKey::new(name, Zeroizing::new([1; 32]));
        let keyring = StaticKeyring::new().key(key("name")).key(key("other"));
        let credential = RootCredential::parse("user:password").unwrap();
        let keyring = keyring.default_key("name").unwrap();
        state(Lent {
            keyring: Some(Arc::new(keyring.root_credential(credential))),
            ..Lent::default()
        })
    }

    /// The handle of the only key of this name.
    fn handle(state: &mut State, name: &str) -> Resource<LentKey> {
        let candidates = state.candidates(name.to_owned()).unwrap();
        match candidates.unwrap().pop() {
            Some(keyring::Candidate::Local(key)) => key,
            _ => panic!("no local key"),
        }
    }

    fn again(key: &Resource<LentKey>) -> Resource<LentKey> {
        Resource::new_borrow(key.rep())
    }

    #[tokio::test]
    async fn a_handle_does_what_the_call_was_granted_and_no_more() {
        let mut state = lent();
        let (name, other) = (handle(&mut state, "name"), handle(&mut state, "other"));
        let binary = WrittenEncoding::Binary;
        let made = state.make(again(&name), b"{}".to_vec(), binary).await;
        let made = made.unwrap().unwrap();
        // A handle that was kept does not outlive what it was lent for.
        state.lend(Grant::seal(&SealOptions::default()));
        let open = async |state: &mut State, key: &Resource<LentKey>, context: &[u8]| {
            let opened = state.open(again(key), made.ciphertext.clone(), context.to_vec());
            opened.await.unwrap()
        };
        assert_eq!(
            open(&mut state, &name, b"{}").await,
            Ok(made.plaintext.clone())
        );
        let denied = |answer| matches!(answer, Err(KeyError::Denied(_)));
        assert!(denied(open(&mut state, &other, b"{}").await));
        state.lend(Grant::unseal(Policy::Sealed));
        let refused = state.make(again(&name), b"{}".to_vec(), binary).await;
        assert!(matches!(refused.unwrap(), Err(KeyError::Denied(_))));
        assert!(state.root_credentials().unwrap().is_empty());
        state.lend(Grant::default());
        assert!(denied(open(&mut state, &name, b"{}").await));
    }

    #[tokio::test]
    async fn what_the_host_keeps_for_itself_is_not_for_a_component() {
        let mut state = lent();
        let key = handle(&mut state, "name");
        let context = crate::keys::key::RUN_KEY;
        let made = state.make(again(&key), context.to_vec(), WrittenEncoding::Binary);
        assert!(matches!(made.await.unwrap(), Err(KeyError::Denied(_))));
        let opened = state.open(again(&key), Vec::new(), context.to_vec());
        assert!(matches!(opened.await.unwrap(), Err(KeyError::Denied(_))));
    }

    #[tokio::test]
    async fn a_root_credential_derives_keys_of_whole_salts_where_it_was_granted() {
        let mut state = lent();
        let mut lent = state.root_credentials().unwrap();
        let Some(keyring::RootCandidate::Key(key)) = lent.pop().map(|lent| lent.key) else {
            panic!("no handle");
        };
        let mut derive = async |salt: usize, grant: Grant| {
            state.lend(grant);
            let key = Resource::new_borrow(key.rep());
            let derived = state.derive(key, vec![0; salt], KeyDerivation::Pbkdf2);
            derived.await.unwrap()
        };
        let compatible = || Grant::unseal(Policy::Compatible);
        assert_eq!(derive(32, compatible()).await.unwrap().len(), 32);
        assert!(matches!(
            derive(31, compatible()).await,
            Err(KeyError::Other(_))
        ));
        let sealed = Grant::unseal(Policy::Sealed);
        assert!(matches!(derive(32, sealed).await, Err(KeyError::Denied(_))));
    }

    #[test]
    fn more_keys_than_anybody_lends_end_the_call() {
        let mut state = lent();
        for _ in 0..KEYS {
            assert!(state.candidates("name".to_owned()).is_ok());
        }
        assert!(state.candidates("name".to_owned()).is_err());
        assert!(!state.is_clean());
    }
}
