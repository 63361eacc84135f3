//! Sealing one object: the operation `seal` of `wit/sealing.wit`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::compact;
use crate::context::Context;
use crate::error::{Error, KeyError, Result};
use crate::keyring::{Candidate, KeyGenerator, Keyring, Random, secret_key};
use crate::kms::{self, DataKeyEncoding};
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
/// [`Error::Refused`], [`Error::NoKey`], [`Error::Key`], [`Error::Unsupported`].
pub fn seal<L: Keyring + KeyGenerator + Random>(
    lent: &L,
    session: &mut Session,
    location: &Location,
    plaintext: &[u8],
    options: &SealOptions,
) -> Result<Vec<u8>> {
    if let Some(reason) = location.exempt() {
        return Err(Error::Refused(reason.to_string()));
    }
    let (name, candidate) = options.resolve(lent)?;
    let key_error = |error| Error::Key {
        key: name.clone(),
        error,
    };
    match (options.form, candidate) {
        (SealedForm::Compact, Candidate::Secret(secret)) => {
            let key = secret_key(&secret).map_err(key_error)?;
            compact::seal(&name, None, key, fresh(lent), location, plaintext)
        }
        (SealedForm::Compact, Candidate::Remote) => {
            let context = compact::seed_context(location);
            let seed = session.seed(lent, &name, &context).map_err(key_error)?;
            let key = secret_key(&seed.plaintext).map_err(key_error)?;
            compact::seal(
                &name,
                Some(&seed.ciphertext),
                key,
                fresh(lent),
                location,
                plaintext,
            )
        }
        (SealedForm::Minio, Candidate::Secret(secret)) => {
            let key = secret_key(&secret).map_err(key_error)?;
            let random = Fresh::draw(lent);
            let encoding = options.data_key_encoding.unwrap_or(DataKeyEncoding::Binary);
            let context = Context::Joined.text(location);
            let data_key = kms::seal(
                key,
                encoding,
                &random.iv,
                &random.nonce,
                &random.data_key,
                &context,
            )?;
            let cipher = options.cipher();
            minio::seal(
                &name,
                &data_key,
                &*random.data_key,
                cipher,
                random.stream,
                plaintext,
            )
        }
        (SealedForm::Minio, Candidate::Remote) => {
            let context = Context::Joined.text(location);
            let data_key = lent.generate(&name, &context).map_err(key_error)?;
            let key = secret_key(&data_key.plaintext).map_err(key_error)?;
            let cipher = options.cipher();
            minio::seal(
                &name,
                &data_key.ciphertext,
                key,
                cipher,
                fresh(lent),
                plaintext,
            )
        }
    }
}

impl SealOptions {
    /// The key's name and the candidate that seals.
    ///
    /// # Errors
    /// [`Error::NoKey`], [`Error::Key`], [`Error::Unsupported`] for what is never written,
    /// [`Error::Refused`] for a name that is too long.
    pub(crate) fn resolve(&self, keyring: &impl Keyring) -> Result<(String, Candidate)> {
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

fn fresh<const N: usize>(random: &impl Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

/// All the randomness of an object under a secret key, drawn at once because each draw is a call
/// out of the sandbox.
struct Fresh {
    data_key: Zeroizing<[u8; kms::KEY]>,
    iv: [u8; kms::IV],
    nonce: [u8; kms::NONCE],
    stream: [u8; minio::STREAM_NONCE],
}

impl Fresh {
    fn draw(random: &impl Random) -> Self {
        const SIZE: usize = kms::KEY + kms::IV + kms::NONCE + minio::STREAM_NONCE;
        let drawn = Zeroizing::new(fresh::<SIZE>(random));
        let mut parts = Self {
            data_key: Zeroizing::new([0; kms::KEY]),
            iv: [0; kms::IV],
            nonce: [0; kms::NONCE],
            stream: [0; minio::STREAM_NONCE],
        };
        let all = parts.data_key.iter_mut().chain(&mut parts.iv);
        let all = all.chain(&mut parts.nonce).chain(&mut parts.stream);
        all.zip(drawn.iter()).for_each(|(to, from)| *to = *from);
        parts
    }
}
