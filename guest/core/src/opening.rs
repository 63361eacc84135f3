//! Opening one object: the operation `unseal` of `wit/opening.wit`.

use alloc::format;
use alloc::string::{String, ToString};

use iamseal_data_key::Wrapped;

use crate::compact;
use crate::context::Context;
use crate::error::{Error, KeyError, Result};
use crate::form::{self, Form, Shape};
use crate::keyring::{Candidate, DataKeyEncoding, Keyring, Secret, secret_key};
use crate::location::Location;
use crate::minio;
use crate::session::Session;
use crate::sio::Cipher;

/// Which forms may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Whatever MinIO opens.
    Compatible,
    /// Only MinIO's sealed form and the compact form.
    Sealed,
    /// Only what a migration to the keyring's default key leaves.
    Current,
    /// Only what a migration to RustFS' form leaves.
    Rustfs,
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
    /// Whether the key that opened it is the one that would seal it under its key's name, or the root credential
    /// the first.
    pub(crate) with_first_candidate: bool,
    pub(crate) cipher: Option<Cipher>,
    pub(crate) data_key_encoding: Option<DataKeyEncoding>,
}

/// Opens an object. All or nothing.
///
/// # Errors
/// All but [`Error::Storage`]; [`Error::Outdated`] under [`Policy::Current`] and [`Policy::Rustfs`]
/// alone, and [`Error::NoKey`] under the first of them.
pub fn unseal<L: Keyring>(
    lent: &L,
    session: &mut Session,
    location: &Location,
    stored: &[u8],
    policy: Policy,
) -> Result<Opened> {
    let shape = form::recognise(stored)?;
    if !policy.takes(shape.form()) {
        return Err(Error::FormRefused(shape.form()));
    }
    let open = |session| open(lent, session, location, stored, shape);
    match policy {
        Policy::Compatible | Policy::Sealed => open(session),
        Policy::Current => {
            let wanted = lent.default_key().ok_or(Error::NoKey)?;
            let opened = open(session)?;
            opened.check_is_current(&wanted)?;
            Ok(opened)
        }
        Policy::Rustfs => {
            let opened = open(session)?;
            opened.check_is_under_first_credential()?;
            Ok(opened)
        }
    }
}

impl Policy {
    /// Whether objects of this form may be opened at all.
    fn takes(self, form: Form) -> bool {
        match self {
            Self::Compatible => true,
            Self::Sealed | Self::Current => matches!(form, Form::Minio | Form::Compact),
            Self::Rustfs => form == Form::RootCredential,
        }
    }
}

impl Opened {
    /// Whether it is sealed as new objects under the key `wanted` are, whatever form, cipher and
    /// encoding they have.
    ///
    /// # Errors
    /// [`Error::Outdated`].
    fn check_is_current(&self, wanted: &str) -> Result<()> {
        let key = self.found.key.as_deref().unwrap_or_default();
        Err(Error::Outdated(if key != wanted {
            format!("it is under the key {key:?}, the policy wants {wanted:?}")
        } else if !self.with_first_candidate {
            format!("it is under an older key of the name {key:?}")
        } else if self.found.context == Some(Context::Bare) {
            "it is bound to the old context".to_string()
        } else {
            return Ok(());
        }))
    }

    /// Whether the root credential that objects are written under opened it.
    ///
    /// # Errors
    /// [`Error::Outdated`].
    fn check_is_under_first_credential(&self) -> Result<()> {
        match self.with_first_candidate {
            true => Ok(()),
            false => Err(Error::Outdated(
                "it is under another root credential than the one that RustFS writes with"
                    .to_string(),
            )),
        }
    }
}

fn open<L: Keyring>(
    lent: &L,
    session: &mut Session,
    location: &Location,
    stored: &[u8],
    shape: Shape,
) -> Result<Opened> {
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
                with_first_candidate: index == 0,
                cipher: Some(header.cipher),
                data_key_encoding: None,
            })
        }
        Shape::Minio(header) => unseal_minio(lent, location, &header),
        Shape::Compact(header) => unseal_compact(lent, session, location, &header),
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
    let wrapped = Wrapped::parse(&header.data_key);
    let opened = try_candidates(lent, &header.key, |candidate| {
        // A server knows shapes of its own.
        if let (false, Err(error)) = (candidate.is_server(), &wrapped) {
            return Err(Error::Malformed(error.to_string()));
        }
        for (context, text) in &contexts {
            match candidate.open(&header.data_key, text) {
                Ok(Some(data_key)) => return Ok(Some((*context, data_key))),
                Ok(None) => {}
                Err(error) => return Err(key_failed(&header.key, error)),
            }
        }
        Ok(None)
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
        data_key_encoding: wrapped.ok().map(|wrapped| wrapped.encoding()),
    })
}

fn unseal_compact<L: Keyring>(
    lent: &L,
    session: &mut Session,
    location: &Location,
    header: &compact::Header,
) -> Result<Opened> {
    let context = compact::seed_context(location);
    let opened = try_candidates(lent, header.key, |candidate| {
        let failed = |error| key_failed(header.key, error);
        let seed = session.open_seed(candidate, header.seed, &context);
        match seed.map_err(failed)? {
            Some(seed) => header.open(secret_key(seed).map_err(failed)?, location),
            None => Ok(None),
        }
    });
    if opened.is_err() {
        session.forget_refusals(header.seed);
    }
    let (index, plaintext) = opened?;
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
    mut open: impl FnMut(&Candidate<L::Key>) -> Result<Option<T>>,
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
