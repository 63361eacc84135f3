//! Sealing and opening one object: the operations of `wit/sealing.wit`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::compact;
use crate::context::Context;
use crate::error::{Error, KeyError, Result};
use crate::form::{self, Form, Shape};
use crate::keyring::{Candidate, KeyGenerator, Keyring, Random, Secret};
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

/// Which forms may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Whatever MinIO opens.
    Compatible,
    /// Only MinIO's sealed form and the compact form.
    Sealed,
}

/// What an object turned out to be when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The form.
    pub form: Form,
    /// The key that opened it.
    pub key: Option<String>,
    /// What its data key was bound to.
    pub context: Option<Context>,
    /// The user of the root credential that opened it.
    pub user: Option<String>,
}

/// An object that was opened.
pub struct Opened {
    /// What it holds.
    pub plaintext: Secret,
    /// What it was.
    pub found: Found,
    /// Whether the key that opened it is the one that would seal it under its key's name.
    pub(crate) with_first_candidate: bool,
    pub(crate) cipher: Option<Cipher>,
    pub(crate) data_key_encoding: Option<DataKeyEncoding>,
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

/// Opens an object. All or nothing.
///
/// # Errors
/// All but [`Error::NoKey`] and [`Error::Storage`].
pub fn unseal<L: Keyring>(
    lent: &L,
    session: &mut Session,
    location: &Location,
    stored: &[u8],
    policy: Policy,
) -> Result<Opened> {
    let shape = form::recognise(stored)?;
    if policy == Policy::Sealed && matches!(shape, Shape::Plaintext | Shape::RootCredential(_)) {
        let form = if matches!(shape, Shape::Plaintext) {
            "plaintext"
        } else {
            "root-credential"
        };
        return Err(Error::Refused(format!(
            "it is {form}, and only sealed objects may be opened"
        )));
    }
    match shape {
        Shape::Plaintext => Ok(Opened {
            plaintext: stored.to_vec().into(),
            found: Found {
                form: Form::Plaintext,
                key: None,
                context: None,
                user: None,
            },
            with_first_candidate: true,
            cipher: None,
            data_key_encoding: None,
        }),
        Shape::RootCredential(header) => {
            let mut credentials = lent.root_credentials();
            let (index, plaintext) = header.open(&credentials, &mut session.credentials)?;
            let user = credentials.swap_remove(index).user;
            Ok(Opened {
                plaintext,
                found: Found {
                    form: Form::RootCredential,
                    key: None,
                    context: None,
                    user: Some(user),
                },
                with_first_candidate: true,
                cipher: Some(header.cipher),
                data_key_encoding: None,
            })
        }
        Shape::Minio(header) => unseal_minio(lent, location, &header),
        Shape::Compact(header) => unseal_compact(lent, session, location, &header),
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

fn unseal_minio<L: Keyring>(
    lent: &L,
    location: &Location,
    header: &minio::Header,
) -> Result<Opened> {
    let cipher = header.cipher()?;
    header.plaintext_size()?;
    let contexts = Context::ALL.map(|context| (context, context.text(location)));
    let opened = try_candidates(lent, &header.key, |candidate| match candidate {
        Candidate::Secret(secret) => {
            let key = secret_key(secret).map_err(|error| key_failed(&header.key, error))?;
            header.open_data_key(key, &contexts)
        }
        Candidate::Remote => {
            for (context, text) in &contexts {
                match lent.decrypt(&header.key, &header.data_key, text) {
                    Ok(data_key) => return Ok(Some((*context, data_key))),
                    Err(KeyError::NotAuthentic) => {}
                    Err(error) => return Err(key_failed(&header.key, error)),
                }
            }
            Ok(None)
        }
    })?;
    let (index, (context, data_key)) = opened;
    Ok(Opened {
        plaintext: header.open_body(&data_key)?,
        found: Found {
            form: Form::Minio,
            key: Some(header.key.clone()),
            context: Some(context),
            user: None,
        },
        with_first_candidate: index == 0,
        cipher: Some(cipher),
        data_key_encoding: kms::SealedDataKey::parse(&header.data_key)
            .ok()
            .map(|data_key| data_key.encoding),
    })
}

fn unseal_compact<L: Keyring>(
    lent: &L,
    session: &mut Session,
    location: &Location,
    header: &compact::Header,
) -> Result<Opened> {
    let (index, plaintext) = try_candidates(lent, header.key, |candidate| {
        let failed = |error| key_failed(header.key, error);
        match (candidate, header.seed) {
            (Candidate::Secret(secret), None) => {
                header.open(secret_key(secret).map_err(failed)?, location)
            }
            (Candidate::Remote, Some(seed)) => {
                let context = compact::seed_context(location);
                match session.open_seed(lent, header.key, seed, &context) {
                    Ok(seed) => header.open(secret_key(seed).map_err(failed)?, location),
                    Err(KeyError::NotAuthentic) => Ok(None),
                    Err(error) => Err(failed(error)),
                }
            }
            // Sealed under the other kind of key of the same name.
            (Candidate::Secret(_), Some(_)) | (Candidate::Remote, None) => Ok(None),
        }
    })?;
    Ok(Opened {
        plaintext,
        found: Found {
            form: Form::Compact,
            key: Some(header.key.to_string()),
            context: None,
            user: None,
        },
        with_first_candidate: index == 0,
        cipher: Some(Cipher::ChaCha20Poly1305),
        data_key_encoding: None,
    })
}

/// Tries the candidates of a name in turn and returns what the first one opened, and its index.
///
/// A candidate that fails does not keep the others from being tried. If none opens the object, the
/// first failure is the answer, and without any [`Error::HeaderNotAuthentic`].
fn try_candidates<L: Keyring, T>(
    lent: &L,
    name: &str,
    mut open: impl FnMut(&Candidate) -> Result<Option<T>>,
) -> Result<(usize, T)> {
    let candidates = lent
        .candidates(name)
        .map_err(|error| key_failed(name, error))?;
    if candidates.is_empty() {
        return Err(key_failed(name, KeyError::NotFound));
    }
    let mut failure = None;
    for (index, candidate) in candidates.iter().enumerate() {
        match open(candidate) {
            Ok(Some(opened)) => return Ok((index, opened)),
            Ok(None) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| Error::HeaderNotAuthentic(name.to_string())))
}

fn key_failed(name: &str, error: KeyError) -> Error {
    Error::Key {
        key: name.to_string(),
        error,
    }
}

fn secret_key(bytes: &[u8]) -> core::result::Result<&[u8; kms::KEY], KeyError> {
    bytes
        .try_into()
        .map_err(|_| KeyError::Other(format!("a key of {} bytes, not {}", bytes.len(), kms::KEY)))
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
