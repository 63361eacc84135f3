//! The keys of objects in the root-credential form (docs/formats/minio.md section 4): derived of a
//! passphrase and the object's salt, at a cost that keeps the passphrase from being guessed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::KEY;

/// The bytes of an object's salt.
pub const SALT: usize = 32;

/// MinIO's costs: 64 MiB in KiB, one pass, four lanes.
const ARGON2_MEMORY: u32 = 64 * 1024;
const ARGON2_PASSES: u32 = 1;
const ARGON2_LANES: u32 = 4;
/// MinIO's count for its FIPS builds.
const PBKDF2_ROUNDS: u32 = 8192;

/// How a key is made of a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDerivation {
    /// RFC 9106: 64 MiB, one pass, four lanes.
    Argon2id,
    /// RFC 8018 with HMAC-SHA256: 8192 rounds.
    Pbkdf2,
}

/// Argon2id's working memory, kept between derivations: touching 64 MiB for the first time costs a third
/// of one. It is wiped when it is dropped, since with it a key could be made again.
#[derive(Default)]
pub struct Memory(Vec<Block>);

impl Memory {
    /// How many bytes are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.len() * size_of::<Block>()
    }

    /// The key that an object of this salt is under. MinIO's passphrase is `user:password`. Takes some
    /// 50 ms and, for Argon2id, 64 MiB.
    ///
    /// # Errors
    /// A text for people, if Argon2id does not run.
    pub fn derive(
        &mut self,
        passphrase: &[u8],
        salt: &[u8; SALT],
        how: KeyDerivation,
    ) -> Result<Zeroizing<[u8; KEY]>, String> {
        let mut key = Zeroizing::new([0; KEY]);
        match how {
            KeyDerivation::Pbkdf2 => {
                pbkdf2::pbkdf2_hmac::<Sha256>(passphrase, salt, PBKDF2_ROUNDS, &mut *key);
            }
            KeyDerivation::Argon2id => {
                let params = Params::new(ARGON2_MEMORY, ARGON2_PASSES, ARGON2_LANES, Some(KEY))
                    .map_err(|error| error.to_string())?;
                self.0.resize(params.block_count(), Block::new());
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into_with_memory(passphrase, salt, &mut *key, &mut self.0)
                    .map_err(|error| error.to_string())?;
            }
        }
        Ok(key)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by other implementations: OpenSSL's and Python's.
    const ARGON2ID: [u8; KEY] = [
        0x4c, 0xd7, 0x2e, 0x67, 0xa5, 0x43, 0x91, 0x0d, 0xb9, 0x8f, 0x6d, 0x5d, 0x16, 0x0a, 0x1a,
        0x1c, 0xe8, 0x97, 0x77, 0x6a, 0x7a, 0x6c, 0x81, 0xd6, 0x25, 0x5f, 0x4f, 0x45, 0x21, 0x6d,
        0xd9, 0x4c,
    ];
    const PBKDF2: [u8; KEY] = [
        0x1d, 0x3f, 0x36, 0xf7, 0x36, 0xe2, 0x55, 0xb4, 0xe0, 0xaf, 0x28, 0xfd, 0xa5, 0xba, 0x9a,
        0xc5, 0x69, 0x69, 0x8f, 0xe1, 0xda, 0xf0, 0x59, 0x04, 0x2b, 0x2c, 0x2d, 0x6b, 0x9e, 0xc6,
        0xf3, 0xea,
    ];

    #[test]
    fn keys_are_those_of_others() {
        let salt: [u8; SALT] = core::array::from_fn(|at| at as u8);
        let mut memory = Memory::default();
        for (how, wanted) in [
            (KeyDerivation::Argon2id, ARGON2ID),
            (KeyDerivation::Pbkdf2, PBKDF2),
        ] {
            // Twice, since memory that was used must not change what comes out.
            for _ in 0..2 {
                let key = memory.derive(b"minioadmin:minioadmin", &salt, how).unwrap();
                assert_eq!(*key, wanted);
            }
        }
        assert_eq!(memory.bytes(), 64 << 20);
    }
}
