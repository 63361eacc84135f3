//! The root-credential form (docs/formats/minio.md section 4): read, and written for RustFS alone.
//!
//! ```text
//! 0   32 bytes  salt
//! 32  1 byte    id: how key and cipher are made
//! 33  8 bytes   stream nonce
//! 41            the body: a stream
//! ```
//!
//! RustFS writes another form with the same beginning too: a nonce of 12 bytes, and a body of one message
//! without associated data (docs/formats/minio.md section 12). No structure tells them apart, so the second
//! is tried where the first does not open.
//!
//! Nothing binds such an object to its path.

use alloc::format;
use alloc::vec::Vec;

use iamseal_data_key::{Memory, SALT};

use crate::error::{Error, KeyError, Result};
use crate::keyring::{KeyDerivation, RootCredential, RootKey, Secret};
use crate::sio::{self, Cipher, SioError};

/// The bytes of a stream's nonce.
pub(crate) const NONCE: usize = 8;
/// What RustFS writes itself: PBKDF2 and AES-256-GCM.
const WRITTEN_ID: u8 = 2;
const WRITTEN: (KeyDerivation, Cipher) = (KeyDerivation::Pbkdf2, Cipher::Aes256Gcm);
/// The bytes of the nonce of a body of one message.
const SINGLE_NONCE: usize = 12;

/// How many objects of a kind a run tries with every credential in vain. Anybody who can write to the
/// store makes such an object of 57 bytes, and each costs 50 ms for every credential: with a hundred
/// credentials these few cost 40 s together, and a thousand would cost more than an hour.
const IN_VAIN: u32 = 8;
/// How many credentials are tried after that: the latest that opened something. A server had few root
/// credentials in the time of one store.
const LIKELY: usize = 4;

/// What is kept between root-credential objects.
#[derive(Default)]
pub(crate) struct Credentials {
    memory: Memory,
    /// The indices of the credentials that opened something, the latest first: likely the next object's
    /// too.
    opened: Vec<usize>,
    /// Whether objects that nothing opens may use up the tries.
    is_bounded: bool,
    in_vain: InVain,
    /// How often a key was derived so far, each time some 50 ms.
    pub(crate) derivations: u64,
}

/// How many objects were tried with every credential in vain, by kind: a kind that is cheap to try must
/// not use up the tries of the one that the store is full of.
#[derive(Default)]
struct InVain {
    argon2id: u32,
    pbkdf2: u32,
}

impl InVain {
    fn of(&mut self, kind: KeyDerivation) -> &mut u32 {
        match kind {
            KeyDerivation::Argon2id => &mut self.argon2id,
            KeyDerivation::Pbkdf2 => &mut self.pbkdf2,
        }
    }
}

impl Credentials {
    /// For a run over a store: objects that nothing opens cost it a bounded number of derivations for
    /// each credential, and those that follow get the likely credentials alone.
    pub(crate) fn bounded() -> Self {
        Self {
            is_bounded: true,
            ..Self::default()
        }
    }

    /// The indices of the credentials to try on an object of this kind, the likely ones first.
    fn likely_first(&mut self, kind: KeyDerivation, lent: usize) -> Vec<usize> {
        let opened = self.opened.iter().copied().filter(|index| *index < lent);
        let mut order: Vec<usize> = opened.collect();
        let likely = order.len().clamp(1, LIKELY);
        let others: Vec<usize> = (0..lent).filter(|index| !order.contains(index)).collect();
        order.extend(others);
        if self.is_bounded && *self.in_vain.of(kind) >= IN_VAIN {
            order.truncate(likely);
        }
        order
    }

    fn has_opened(&mut self, index: usize) {
        self.opened.retain(|other| *other != index);
        self.opened.insert(0, index);
    }
}

/// A root-credential object, taken apart.
pub(crate) struct Header<'a> {
    pub(crate) key_derivation: KeyDerivation,
    pub(crate) cipher: Cipher,
    salt: &'a [u8; SALT],
    /// Nonce and body, in either form.
    rest: &'a [u8],
    nonce: &'a [u8; NONCE],
    body: &'a [u8],
}

impl<'a> Header<'a> {
    /// Takes an object apart. None if it has another id or is too short for an empty body.
    pub(crate) fn parse(stored: &'a [u8]) -> Option<Self> {
        let (salt, rest) = stored.split_first_chunk::<SALT>()?;
        let (id, rest) = rest.split_first()?;
        let (nonce, body) = rest.split_first_chunk::<NONCE>()?;
        let (key_derivation, cipher) = match *id {
            0 => (KeyDerivation::Argon2id, Cipher::Aes256Gcm),
            1 => (KeyDerivation::Argon2id, Cipher::ChaCha20Poly1305),
            WRITTEN_ID => WRITTEN,
            _ => return None,
        };
        (body.len() >= sio::TAG).then_some(Self {
            key_derivation,
            cipher,
            salt,
            rest,
            nonce,
            body,
        })
    }

    /// The size of what the object holds, if its body is a stream.
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
    /// [`Error::NoCredential`], [`Error::Malformed`] if no credential opens it and it is cut short,
    ///  [`Error::CredentialNotAuthentic`], [`Error::CredentialUntried`],
    /// [`Error::BodyNotAuthentic`], [`Error::CutShort`]; [`Error::Other`] if a key is not derived.
    pub(crate) fn open<R: RootKey>(
        &self,
        credentials: &[RootCredential<R>],
        kept: &mut Credentials,
    ) -> Result<(usize, Secret)> {
        if credentials.is_empty() {
            self.plaintext_size()?;
            return Err(Error::NoCredential);
        }
        let order = kept.likely_first(self.key_derivation, credentials.len());
        let tried = order.len();
        for index in order {
            let Some(credential) = credentials.get(index) else {
                continue;
            };
            kept.derivations += 1;
            let derived = credential
                .key
                .derive(self.salt, self.key_derivation, &mut kept.memory);
            let key = derived.map_err(|error| not_derived(&credential.user, error))?;
            let opened = match sio::open(self.cipher, &*key, self.nonce, self.body) {
                // The first fragment tells a wrong credential, the others tell damage.
                Err(SioError::NotAuthentic(0) | SioError::Size) => self.open_single(&*key),
                // It fits, so others of its objects are tried with it first.
                Err(SioError::CutShort) => {
                    kept.has_opened(index);
                    return Err(Error::CutShort);
                }
                Err(SioError::NotAuthentic(_)) => {
                    kept.has_opened(index);
                    return Err(Error::BodyNotAuthentic);
                }
                Ok(plaintext) => Some(plaintext),
            };
            if let Some(plaintext) = opened {
                kept.has_opened(index);
                return Ok((index, plaintext));
            }
        }
        if tried < credentials.len() {
            let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
            return Err(Error::CredentialUntried {
                tried: count(tried),
                lent: count(credentials.len()),
            });
        }
        *kept.in_vain.of(self.key_derivation) += 1;
        self.plaintext_size()?;
        Err(Error::CredentialNotAuthentic)
    }

    /// What the object holds, if its body is one message under this key.
    fn open_single(&self, key: &[u8]) -> Option<Secret> {
        let (nonce, body) = self.rest.split_first_chunk::<SINGLE_NONCE>()?;
        sio::open_single(self.cipher, key, nonce, body)
    }
}

/// Seals an object as RustFS does, under the first of these credentials.
///
/// # Errors
/// [`Error::NoCredential`] if there is none; [`Error::Other`] if its key is not derived.
pub(crate) fn seal<R: RootKey>(
    credentials: &[RootCredential<R>],
    kept: &mut Credentials,
    salt: &[u8; SALT],
    nonce: &[u8; NONCE],
    plaintext: &[u8],
) -> Result<Vec<u8>> {
    let credential = credentials.first().ok_or(Error::NoCredential)?;
    let (how, cipher) = WRITTEN;
    kept.derivations += 1;
    let derived = credential.key.derive(salt, how, &mut kept.memory);
    let key = derived.map_err(|error| not_derived(&credential.user, error))?;
    // It opens what was just written, whatever did not open before it.
    kept.has_opened(0);
    let mut stored = Vec::with_capacity(SALT + 1 + NONCE + sio::sealed_size(plaintext.len()));
    stored.extend_from_slice(salt);
    stored.push(WRITTEN_ID);
    stored.extend_from_slice(nonce);
    sio::seal(cipher, &*key, nonce, plaintext, &mut stored)
        .map_err(|_| Error::Other("the body was not encrypted".into()))?;
    Ok(stored)
}

fn not_derived(user: &str, error: KeyError) -> Error {
    let why = match error {
        KeyError::Denied(text) | KeyError::Unavailable(text) | KeyError::Other(text) => text,
        KeyError::NotFound | KeyError::NotAuthentic => "it is not lent any more".into(),
    };
    Error::Other(format!(
        "no key was derived of the root credential of {user:?}: {why}"
    ))
}
