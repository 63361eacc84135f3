//! Keyrings: what a host lends the plugin so that it can open and seal objects.
//!
//! The rules of each call stand in `wit/keyring.wit`; the traits here are the same calls in Rust.

pub mod environment;
pub mod error;
mod files;
mod generate;
#[cfg(feature = "kes")]
pub mod kes;
pub mod keyring;
pub mod mixed;
pub mod root_credential;
pub mod static_key;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::contract::KeyError;

pub use self::environment::Environment;
pub use self::error::KeysError;
pub use self::files::is_open_to_others;
#[cfg(feature = "kes")]
pub use self::kes::Kes;
pub use self::keyring::StaticKeyring;
pub use self::mixed::MixedKeyring;
pub use self::static_key::StaticKey;

/// Where the bytes of a key are.
pub enum Candidate {
    /// 32 secret bytes that the plugin uses itself.
    Secret(Zeroizing<Vec<u8>>),
    /// A key service holds them.
    Remote,
}

/// A root credential of the server, present or past.
#[derive(Clone)]
pub struct RootCredential {
    /// The access key. Not a secret.
    pub user: String,
    /// The secret key.
    pub password: Zeroizing<String>,
}

/// The keys that are lent for reading.
#[async_trait]
pub trait Keyring: Send + Sync {
    /// The name of the key for new objects; none means that new objects are plaintext.
    fn default_key(&self) -> Option<String>;

    /// Everything that is lent under this name, the one for new objects first.
    ///
    /// # Errors
    /// `KeyError::NotFound` if nothing is.
    fn candidates(&self, name: &str) -> Result<Vec<Candidate>, KeyError>;

    /// The root credentials to try, the present one first.
    fn root_credentials(&self) -> Vec<RootCredential>;

    /// Opens a data key that the remote key `name` has encrypted with `context`.
    async fn decrypt(
        &self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError>;
}

/// A data key, in the open and encrypted.
pub struct DataKey {
    /// 32 bytes.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// What [`Keyring::decrypt`] opens with the same name and context.
    pub ciphertext: Vec<u8>,
}

/// Making new data keys under remote keys.
#[async_trait]
pub trait KeyGenerator: Send + Sync {
    /// Makes a fresh data key under the remote key `name`, bound to `context`.
    async fn generate(&self, name: &str, context: &[u8]) -> Result<DataKey, KeyError>;
}
