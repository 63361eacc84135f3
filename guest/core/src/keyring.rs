//! What is lent to the core: keys and randomness. The rules of each call stand in
//! `wit/keyring.wit`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::kms;

/// Bytes that are wiped when they are dropped.
pub type Secret = Zeroizing<Vec<u8>>;

/// Where the bytes of a key are; the contract's `candidate`.
pub enum Candidate {
    /// 32 secret bytes, used here. Any other length opens nothing.
    Secret(Secret),
    /// A key service holds them.
    Remote,
}

/// A root credential of the server, present or past.
pub struct RootCredential {
    /// The access key. Not a secret.
    pub user: String,
    /// The secret key.
    pub password: Zeroizing<String>,
}

/// The keys that are lent for reading.
pub trait Keyring {
    /// The name of the key for new objects; none means that new objects are plaintext.
    fn default_key(&self) -> Option<String>;

    /// Everything that is lent under this name, the one for new objects first.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] if nothing is.
    fn candidates(&self, name: &str) -> Result<Vec<Candidate>, KeyError>;

    /// Opens a data key that the remote key `name` has encrypted with `context`.
    ///
    /// # Errors
    /// Whatever the key service says; [`KeyError::NotAuthentic`] if the three do not belong together.
    fn decrypt(&self, name: &str, ciphertext: &[u8], context: &[u8]) -> Result<Secret, KeyError>;

    /// The root credentials to try, the present one first.
    fn root_credentials(&self) -> Vec<RootCredential>;
}

/// A data key, in the open and encrypted.
pub struct DataKey {
    /// 32 bytes.
    pub plaintext: Secret,
    /// What [`Keyring::decrypt`] opens with the same name and context.
    pub ciphertext: Vec<u8>,
}

/// Making new data keys under remote keys.
pub trait KeyGenerator {
    /// Makes a fresh data key under the remote key `name`, bound to `context`.
    ///
    /// # Errors
    /// Whatever the key service says.
    fn generate(&self, name: &str, context: &[u8]) -> Result<DataKey, KeyError>;
}

/// Randomness fit for keys.
pub trait Random {
    /// Fills `buffer` with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// The bytes of a secret key or a seed; a key of another size would reach HMAC padded.
pub(crate) fn secret_key(bytes: &[u8]) -> core::result::Result<&[u8; kms::KEY], KeyError> {
    bytes
        .try_into()
        .map_err(|_| KeyError::Other(format!("a key of {} bytes, not {}", bytes.len(), kms::KEY)))
}
