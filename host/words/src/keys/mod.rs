//! The texts of keys and root credentials, by the rules of MinIO.

pub mod assignment;
pub mod encrypted;
pub mod given;
pub mod root_credential;
pub mod rustfs;
pub mod static_key;

use zeroize::Zeroizing;

pub use assignment::{assignment, is_assignment};
pub use encrypted::is_encrypted;
pub use root_credential::{RootCredential, RootCredentialError};
pub use static_key::{StaticKey, StaticKeyError};

/// The lines of a file of keys or root credentials and their numbers, without the space around them; empty
/// lines and comments (`#`) are left out.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, Zeroizing<String>)> {
    let lines = text.lines().map(str::trim);
    (1..)
        .zip(lines)
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| (number, Zeroizing::new(line.to_owned())))
}
