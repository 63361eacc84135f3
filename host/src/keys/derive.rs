//! Deriving the keys of objects of root credentials.

use iamseal_data_key::{KEY, Memory, SALT};
use zeroize::Zeroizing;

use super::RootCredential;
use crate::contract::{KeyDerivation, KeyError};

/// The key that an object of this salt is under, of this root credential. It takes some 50 ms and, for
/// Argon2id, 64 MiB.
///
/// # Errors
/// `Other` if Argon2id does not run.
pub(crate) fn derive(
    credential: &RootCredential,
    salt: &[u8; SALT],
    how: KeyDerivation,
    memory: &mut Memory,
) -> Result<Zeroizing<[u8; KEY]>, KeyError> {
    let how = match how {
        KeyDerivation::Argon2id => iamseal_data_key::KeyDerivation::Argon2id,
        KeyDerivation::Pbkdf2 => iamseal_data_key::KeyDerivation::Pbkdf2,
    };
    let derived = memory.derive(credential.passphrase().as_bytes(), salt, how);
    derived.map_err(|error| KeyError::Other(format!("Argon2id did not run: {error}")))
}
