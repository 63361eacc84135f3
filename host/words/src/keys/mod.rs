//! The texts of keys and root credentials, by the rules of MinIO.

pub mod root_credential;
pub mod static_key;

pub use root_credential::{RootCredential, RootCredentialError};
pub use static_key::{StaticKey, StaticKeyError};
