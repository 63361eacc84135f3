//! What is lent to the core: keys and randomness. The rules of each call stand in
//! `wit/keyring.wit`.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use iamseal_data_key::{
    self as data_key, KEY, KeyCipher, Memory, RANDOM, SALT, SIGNATURE, Wrapped,
};
use zeroize::Zeroizing;

use crate::error::KeyError;

pub use iamseal_data_key::{Encoding as DataKeyEncoding, KeyDerivation, Secret};

/// A key that the host keeps to itself; the contract's `key`.
pub trait Key {
    /// Tells the key from others: what has the same number is the same key.
    fn id(&self) -> u64;

    /// Opens a data key that is bound to `associated_data`.
    ///
    /// # Errors
    /// Whatever the host says; [`KeyError::NotAuthentic`] if the three do not belong together.
    fn open(&self, ciphertext: &[u8], associated_data: &[u8]) -> Result<Secret, KeyError>;
}

/// A root credential that the host keeps to itself; the contract's `root-key`.
pub trait RootKey {
    /// The key that an object of this salt is under.
    ///
    /// # Errors
    /// Whatever the host says.
    fn derive(&self, salt: &[u8; SALT], how: KeyDerivation) -> Result<Secret, KeyError>;

    /// Whether its secret key signed a session token.
    ///
    /// # Errors
    /// Whatever the host says.
    fn signed(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> Result<bool, KeyError>;
}

/// One key of a name; the contract's `candidate`.
pub enum Candidate<K> {
    /// The host tries it by itself.
    Local(K),
    /// To try it is a call to a server.
    Server(K),
    /// 32 secret bytes, used here. Any other length opens nothing.
    Secret(Secret),
}

/// What keys are derived of; the contract's `root-candidate`.
pub enum RootCandidate<R> {
    /// The host derives.
    Key(R),
    /// MinIO's is `user:password`.
    Passphrase(Zeroizing<String>),
}

/// A root credential of the server, present or past.
pub struct RootCredential<R> {
    /// The access key. Not a secret.
    pub user: String,
    /// What its keys are derived of.
    pub key: RootCandidate<R>,
}

/// The keys that are lent for reading.
pub trait Keyring {
    /// A key of the host.
    type Key: Key;
    /// A root credential of the host.
    type RootKey: RootKey;

    /// The name of the key for new objects; none means that new objects are plaintext.
    fn default_key(&self) -> Option<String>;

    /// Everything that is lent under this name, the one for new objects first.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] if nothing is.
    fn candidates(&self, name: &str) -> Result<Vec<Candidate<Self::Key>>, KeyError>;

    /// The root credentials to try, the present one first: that which RustFS' form is written under.
    fn root_credentials(&self) -> Vec<RootCredential<Self::RootKey>>;
}

/// A data key, in the open and encrypted.
pub struct DataKey {
    /// 32 bytes.
    pub plaintext: Secret,
    /// What [`Key::open`] opens with the same associated data.
    pub ciphertext: Vec<u8>,
}

/// Making new data keys under the host's keys.
pub trait KeyMaker: Keyring {
    /// Makes a fresh data key under `key`, bound to `associated_data`. A server writes it down as it
    /// likes, whatever the encoding.
    ///
    /// # Errors
    /// Whatever the host says.
    fn make(
        &self,
        key: &Self::Key,
        associated_data: &[u8],
        encoding: DataKeyEncoding,
    ) -> Result<DataKey, KeyError>;
}

/// Randomness fit for keys.
pub trait Random {
    /// Fills `buffer` with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

impl<K: Key> Candidate<K> {
    /// Opens a data key. None if key, data key and associated data do not belong together.
    ///
    /// # Errors
    /// Whatever the host says.
    pub(crate) fn open(
        &self,
        ciphertext: &[u8],
        associated_data: &[u8],
    ) -> Result<Option<Secret>, KeyError> {
        match self {
            Self::Local(key) | Self::Server(key) => match key.open(ciphertext, associated_data) {
                Ok(data_key) => Ok(Some(data_key)),
                Err(KeyError::NotAuthentic) => Ok(None),
                Err(error) => Err(error),
            },
            Self::Secret(secret) => {
                let secret = secret_key(secret)?;
                let wrapped = Wrapped::parse(ciphertext).ok();
                Ok(wrapped.and_then(|wrapped| wrapped.open(secret, associated_data)))
            }
        }
    }

    /// Makes a data key under this key.
    ///
    /// # Errors
    /// Whatever the host says.
    pub(crate) fn make<L: KeyMaker<Key = K> + Random>(
        &self,
        lent: &L,
        associated_data: &[u8],
        encoding: DataKeyEncoding,
    ) -> Result<DataKey, KeyError> {
        match self {
            Self::Local(key) | Self::Server(key) => lent.make(key, associated_data, encoding),
            Self::Secret(secret) => {
                let secret = secret_key(secret)?;
                let mut random = Zeroizing::new([0; RANDOM]);
                lent.fill(&mut *random);
                let made =
                    data_key::make(secret, KeyCipher::Aes, encoding, associated_data, &random);
                let failed = || KeyError::Other("the data key was not encrypted".to_string());
                let made = made.ok_or_else(failed)?;
                Ok(DataKey {
                    plaintext: made.plaintext.to_vec().into(),
                    ciphertext: made.ciphertext,
                })
            }
        }
    }

    /// Whether each use of it is a call to a server.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}

impl<R: RootKey> RootCredential<R> {
    /// Whether its secret key signed a session token. A host that does not say it leaves it open, which is
    /// no.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        match &self.key {
            RootCandidate::Key(key) => key.signed(message, signature).unwrap_or(false),
            RootCandidate::Passphrase(text) => {
                let secret = data_key::secret_key(text, &self.user);
                data_key::signed(secret.as_bytes(), message, signature)
            }
        }
    }
}

impl<R: RootKey> RootCandidate<R> {
    /// The key that an object of this salt is under.
    ///
    /// # Errors
    /// Whatever the host says, and [`KeyError::Other`].
    pub(crate) fn derive(
        &self,
        salt: &[u8; SALT],
        how: KeyDerivation,
        memory: &mut Memory,
    ) -> Result<Zeroizing<[u8; KEY]>, KeyError> {
        match self {
            Self::Key(key) => {
                let derived = key.derive(salt, how)?;
                secret_key(&derived).map(|key| Zeroizing::new(*key))
            }
            Self::Passphrase(text) => {
                let derived = memory.derive(text.as_bytes(), salt, how);
                derived.map_err(|text| KeyError::Other(format!("Argon2id did not run: {text}")))
            }
        }
    }
}

/// The bytes of a secret key or a seed; a key of another size would reach HMAC padded.
pub(crate) fn secret_key(bytes: &[u8]) -> core::result::Result<&[u8; KEY], KeyError> {
    bytes
        .try_into()
        .map_err(|_| KeyError::Other(format!("a key of {} bytes, not {KEY}", bytes.len())))
}
