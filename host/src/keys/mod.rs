//! Keyrings: what a host lends the plugin so that it can open and seal objects.
//!
//! The rules of each call stand in `wit/keyring.wit`; [`Keyring`] and [`Key`] are the same calls in Rust.

pub(crate) mod derive;
pub mod environment;
pub mod error;
mod files;
#[cfg(feature = "kes")]
pub mod kes;
#[cfg(feature = "kes")]
pub mod kes_store;
pub mod key;
pub mod keyring;
pub mod mixed;
#[cfg(feature = "kes")]
mod protobuf;
mod replaceable;

use crate::contract::KeyError;

pub use self::environment::Environment;
pub use self::error::KeysError;
pub use self::files::{is_open_to_others, is_writable_by_others, text};
#[cfg(feature = "kes")]
pub use self::kes::Kes;
#[cfg(feature = "kes")]
pub use self::kes_store::{KesFileError, KesStore};
pub use self::key::{DataKey, Key, ServerKey};
pub use self::keyring::StaticKeyring;
pub use self::mixed::MixedKeyring;
pub use self::replaceable::ReplaceableKeyring;
pub use iamseal_words::keys::given::GivenPath;
pub use iamseal_words::keys::{RootCredential, StaticKey, root_credential, static_key};

/// The keys that are lent. Of no key the plugin gets the bytes, and of no root credential the password:
/// it is handed [`Key`]s, and keys that are derived of [`RootCredential`]s.
pub trait Keyring: Send + Sync {
    /// The name of the key for new objects. None if there is no KMS: MinIO then writes plaintext, and
    /// [`crate::Plugin::seal`] fails with `NoKey` unless its options name a key.
    fn default_key(&self) -> Option<String>;

    /// Everything that is lent under this name, the one for new objects first.
    ///
    /// # Errors
    /// `KeyError::NotFound` if nothing is.
    fn candidates(&self, name: &str) -> Result<Vec<Key>, KeyError>;

    /// The root credentials to try, the present one first: that which RustFS' form is written under.
    fn root_credentials(&self) -> Vec<RootCredential>;
}
