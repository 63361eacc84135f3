//! Sealing one object: the operation `seal` of `wit/sealing.wit`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::compact;
use crate::context::Context;
use crate::credential;
use crate::error::{Error, KeyError, Result};
use crate::form::Form;
use crate::keyring::{Candidate, DataKeyEncoding, KeyMaker, Keyring, Random, secret_key};
use crate::location::Location;
use crate::minio;
use crate::session::Session;
use crate::sio::Cipher;

/// The longest key name that is written, in bytes. KES takes 80; MinIO sets no bound of its own.
const MAX_KEY_NAME: usize = 1024;

/// The sealed form to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedForm {
    /// Byte-compatible with MinIO.
    Minio,
    /// iamseal's own.
    Compact,
    /// RustFS', under the first root credential.
    Rustfs,
}

/// How to seal.
#[derive(Clone, Debug)]
pub struct SealOptions {
    /// The form.
    pub form: SealedForm,
    /// The key to seal under; none: the keyring's default key.
    pub key: Option<String>,
    /// The cipher of the body; none: ChaCha20-Poly1305.
    pub cipher: Option<Cipher>,
    /// How a data key under a secret key is written down; none: binary.
    pub data_key_encoding: Option<DataKeyEncoding>,
}

/// Seals `plaintext` for a location, with fresh keys and nonces.
///
/// # Errors
/// [`Error::Refused`], [`Error::NoKey`], [`Error::Key`], [`Error::NoCredential`], [`Error::Unsupported`].
pub fn seal<L: KeyMaker + Random>(
    lent: &L,
    session: &mut Session,
    location: &Location,
    plaintext: &[u8],
    options: &SealOptions,
) -> Result<Vec<u8>> {
    if let Some(reason) = location.exempt() {
        return Err(Error::Refused(reason.to_string()));
    }
    match options.form {
        SealedForm::Compact => {
            let (name, candidate) = options.resolve(lent)?;
            let key_error = |error| key_failed(&name, error);
            let context = compact::seed_context(location);
            let (seed, ciphertext) = session
                .seed(lent, &candidate, &context)
                .map_err(key_error)?;
            let key = secret_key(seed).map_err(key_error)?;
            compact::seal(&name, ciphertext, key, fresh(lent), location, plaintext)
        }
        SealedForm::Minio => {
            let (name, candidate) = options.resolve(lent)?;
            let key_error = |error| key_failed(&name, error);
            let context = Context::Joined.text(location);
            let encoding = options.data_key_encoding.unwrap_or(DataKeyEncoding::Binary);
            let made = candidate
                .make(lent, &context, encoding)
                .map_err(key_error)?;
            let key = secret_key(&made.plaintext).map_err(key_error)?;
            let (ciphertext, cipher) = (&made.ciphertext, options.cipher());
            minio::seal(&name, ciphertext, key, cipher, fresh(lent), plaintext)
        }
        SealedForm::Rustfs => {
            options.check_rustfs()?;
            if let Some(reason) = location.exempt_for_rustfs() {
                return Err(Error::Refused(reason.to_string()));
            }
            let (credentials, kept) = (lent.root_credentials(), &mut session.credentials);
            credential::seal(&credentials, kept, &fresh(lent), &fresh(lent), plaintext)
        }
    }
}

impl SealedForm {
    /// The form of what is written.
    #[must_use]
    pub fn form(self) -> Form {
        match self {
            Self::Minio => Form::Minio,
            Self::Compact => Form::Compact,
            Self::Rustfs => Form::RootCredential,
        }
    }
}

impl SealOptions {
    /// Whether RustFS' form can be written like this.
    ///
    /// # Errors
    /// [`Error::Refused`] for a key's name, [`Error::Unsupported`] for another cipher than RustFS'.
    pub(crate) fn check_rustfs(&self) -> Result<()> {
        if self.key.is_some() {
            return Err(Error::Refused(
                "RustFS' form is under a root credential and takes no key".to_string(),
            ));
        }
        match (self.cipher, self.data_key_encoding) {
            (None | Some(Cipher::Aes256Gcm), None) => Ok(()),
            _ => Err(Error::Unsupported(
                "another cipher, or a data key, in RustFS' form".to_string(),
            )),
        }
    }

    /// The key's name and the candidate that seals.
    ///
    /// # Errors
    /// [`Error::NoKey`], [`Error::Key`], [`Error::Unsupported`] for what is never written,
    /// [`Error::Refused`] for a name that is too long.
    pub(crate) fn resolve<L: Keyring>(&self, keyring: &L) -> Result<(String, Candidate<L::Key>)> {
        if matches!(
            self.cipher,
            Some(Cipher::Aes128Gcm | Cipher::XChaCha20Poly1305)
        ) || self.form == SealedForm::Compact && self.cipher() != Cipher::ChaCha20Poly1305
        {
            return Err(Error::Unsupported(format!(
                "writing {} in this form",
                self.cipher().name()
            )));
        }
        if self.data_key_encoding == Some(DataKeyEncoding::MessagePack) {
            return Err(Error::Unsupported(
                "writing a MessagePack data key".to_string(),
            ));
        }
        let name = self
            .key
            .clone()
            .or_else(|| keyring.default_key())
            .ok_or(Error::NoKey)?;
        if name.len() > MAX_KEY_NAME {
            return Err(Error::Refused(format!(
                "the key's name is over {MAX_KEY_NAME} bytes"
            )));
        }
        match keyring
            .candidates(&name)
            .map(|candidates| candidates.into_iter().next())
        {
            Ok(Some(candidate)) => Ok((name, candidate)),
            Ok(None) => Err(Error::Key {
                key: name,
                error: KeyError::NotFound,
            }),
            Err(error) => Err(Error::Key { key: name, error }),
        }
    }

    fn cipher(&self) -> Cipher {
        // MinIO's own choice where AES has no instructions, and wasm has none.
        self.cipher.unwrap_or(Cipher::ChaCha20Poly1305)
    }
}

fn key_failed(name: &str, error: KeyError) -> Error {
    Error::Key {
        key: name.to_string(),
        error,
    }
}

fn fresh<const N: usize>(random: &impl Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
