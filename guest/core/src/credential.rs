//! The root-credential form (formats.md section 4): read, never written.
//!
//! ```text
//! 0   32 bytes  salt
//! 32  1 byte    id: how key and cipher are made
//! 33  8 bytes   stream nonce
//! 41            the body: a stream
//! ```
//!
//! Nothing binds such an object to its path.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Result};
use crate::keyring::{RootCredential, Secret};
use crate::sio::{self, Cipher, SioError};

const SALT: usize = 32;
const NONCE: usize = 8;
const KEY: usize = 32;

/// MinIO's costs: 64 MiB in KiB, one pass, four lanes.
const ARGON2_MEMORY: u32 = 64 * 1024;
const ARGON2_PASSES: u32 = 1;
const ARGON2_LANES: u32 = 4;
/// MinIO's count for its FIPS builds.
const PBKDF2_ROUNDS: u32 = 8192;

/// How the key is made of the credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyDerivation {
    Argon2id,
    Pbkdf2,
}

impl KeyDerivation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Argon2id => "Argon2id",
            Self::Pbkdf2 => "PBKDF2",
        }
    }
}

/// What is kept between root-credential objects.
#[derive(Default)]
pub(crate) struct Credentials {
    /// Argon2id's working memory: touching 64 MiB for the first time costs a third of a derivation.
    memory: Vec<Block>,
    /// The index of the credential that opened the last object: likely the next one's too.
    likely: usize,
    /// How often a key was derived so far, each time some 50 ms.
    pub(crate) derivations: usize,
}

impl Drop for Credentials {
    /// With the memory a key could be made again.
    fn drop(&mut self) {
        self.memory.zeroize();
    }
}

/// A root-credential object, taken apart.
pub(crate) struct Header<'a> {
    pub(crate) key_derivation: KeyDerivation,
    pub(crate) cipher: Cipher,
    salt: &'a [u8; SALT],
    nonce: &'a [u8; NONCE],
    body: &'a [u8],
}

impl<'a> Header<'a> {
    /// Takes an object apart. None if it has another id or is too short for an empty body.
    pub(crate) fn parse(stored: &'a [u8]) -> Option<Self> {
        let (salt, rest) = stored.split_first_chunk::<SALT>()?;
        let (id, rest) = rest.split_first()?;
        let (nonce, body) = rest.split_first_chunk::<NONCE>()?;
        let (key_derivation, cipher) = match id {
            0 => (KeyDerivation::Argon2id, Cipher::Aes256Gcm),
            1 => (KeyDerivation::Argon2id, Cipher::ChaCha20Poly1305),
            2 => (KeyDerivation::Pbkdf2, Cipher::Aes256Gcm),
            _ => return None,
        };
        (body.len() >= sio::TAG).then_some(Self {
            key_derivation,
            cipher,
            salt,
            nonce,
            body,
        })
    }

    /// The size of what the object holds.
    ///
    /// # Errors
    /// [`Error::Malformed`] if no body has this size.
    pub(crate) fn plaintext_size(&self) -> Result<usize> {
        sio::plaintext_size(self.body.len()).ok_or_else(|| {
            Error::Malformed(format!("its body is cut short: {} bytes", self.body.len()))
        })
    }

    /// Opens the object with a credential that fits and returns its index too.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is cut short (found before any key is derived),
    /// [`Error::NoCredential`], [`Error::CredentialNotAuthentic`], [`Error::BodyNotAuthentic`],
    /// [`Error::CutShort`].
    pub(crate) fn open(
        &self,
        credentials: &[RootCredential],
        kept: &mut Credentials,
    ) -> Result<(usize, Secret)> {
        self.plaintext_size()?;
        if credentials.is_empty() {
            return Err(Error::NoCredential);
        }
        let mut order: Vec<_> = credentials.iter().enumerate().collect();
        order.sort_by_key(|(index, _)| *index != kept.likely);
        for (index, credential) in order {
            let key = self.derive(credential, kept)?;
            match sio::open(self.cipher, &*key, self.nonce, self.body) {
                Ok(plaintext) => {
                    kept.likely = index;
                    return Ok((index, plaintext));
                }
                // The first fragment tells a wrong credential, the others tell damage.
                Err(SioError::NotAuthentic(0)) => {}
                Err(SioError::CutShort) => return Err(Error::CutShort),
                Err(_) => return Err(Error::BodyNotAuthentic),
            }
        }
        Err(Error::CredentialNotAuthentic)
    }

    fn derive(
        &self,
        credential: &RootCredential,
        kept: &mut Credentials,
    ) -> Result<Zeroizing<[u8; KEY]>> {
        kept.derivations += 1;
        let password =
            Zeroizing::new([credential.user.as_str(), credential.password.as_str()].join(":"));
        let mut key = Zeroizing::new([0; KEY]);
        match self.key_derivation {
            KeyDerivation::Pbkdf2 => {
                pbkdf2::pbkdf2_hmac::<Sha256>(
                    password.as_bytes(),
                    self.salt,
                    PBKDF2_ROUNDS,
                    &mut *key,
                );
            }
            KeyDerivation::Argon2id => {
                let failed = |_| Error::Other("Argon2id did not run".to_string());
                let params = Params::new(ARGON2_MEMORY, ARGON2_PASSES, ARGON2_LANES, Some(KEY))
                    .map_err(failed)?;
                kept.memory.resize(params.block_count(), Block::new());
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into_with_memory(
                        password.as_bytes(),
                        self.salt,
                        &mut *key,
                        &mut kept.memory,
                    )
                    .map_err(failed)?;
            }
        }
        Ok(key)
    }
}
