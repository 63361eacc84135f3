//! Keyrings: what a host lends the plugin so that it can open and seal objects.
//!
//! The rules of each call stand in `wit/keyring.wit`; [`Keyring`] and [`Key`] are the same calls in Rust.

mod derive;
pub mod environment;
pub mod error;
mod files;
mod generate;
#[cfg(feature = "kes")]
pub mod kes;
pub mod key;
pub mod keyring;
pub mod mixed;
pub mod root_credential;
pub mod static_key;

use zeroize::Zeroizing;

use crate::contract::KeyError;

pub use self::environment::Environment;
pub use self::error::KeysError;
pub use self::files::is_open_to_others;
#[cfg(feature = "kes")]
pub use self::kes::Kes;
pub use self::key::{DataKey, Key, ServerKey};
pub use self::keyring::StaticKeyring;
pub use self::mixed::MixedKeyring;
pub use self::static_key::StaticKey;

/// A root credential of the server, present or past.
#[derive(Clone)]
pub struct RootCredential {
    /// The access key. Not a secret.
    pub user: String,
    /// The secret key.
    pub password: Zeroizing<String>,
}

/// The keys that are lent. Of no key the plugin gets the bytes, and of no root credential the password:
/// it is handed [`Key`]s, and keys that are derived of [`RootCredential`]s.
pub trait Keyring: Send + Sync {
    /// The name of the key for new objects; none means that new objects are plaintext.
    fn default_key(&self) -> Option<String>;

    /// Everything that is lent under this name, the one for new objects first.
    ///
    /// # Errors
    /// `KeyError::NotFound` if nothing is.
    fn candidates(&self, name: &str) -> Result<Vec<Key>, KeyError>;

    /// The root credentials to try, the present one first.
    fn root_credentials(&self) -> Vec<RootCredential>;
}
