//! Opening many objects. Each that no root credential opens costs a derivation of a key for every credential, so after some
//! of them others are tried with the likely ones alone, as an audit and a migration do it (guest/core).

use std::collections::BTreeSet;

use iamseal::contract::{Form, KeyError, ObjectError, Opened, Policy, Tries};
use iamseal::keys::{Key, Keyring, MixedKeyring, RootCredential};
use iamseal::{Auditor, Error};

use crate::arguments::Common;
use crate::failure::Failure;
use crate::load;

/// How many objects are tried with every credential in vain.
const IN_VAIN: u32 = 8;

/// An auditor, and what it is spared.
pub struct Opening<'a> {
    common: &'a Common,
    auditor: Auditor,
    tries_all: bool,
    credentials: Vec<RootCredential>,
    /// The users whose credentials have opened something.
    opened: BTreeSet<String>,
    in_vain: u32,
    /// With the likely credentials alone, and how many these are.
    likely: Option<(Auditor, usize)>,
}

impl<'a> Opening<'a> {
    /// With these keys. `tries_all` is whether everything is tried with every credential after all.
    ///
    /// # Errors
    /// The component cannot be loaded.
    pub async fn with(
        common: &'a Common,
        keyring: MixedKeyring,
        tries_all: bool,
    ) -> Result<Self, Failure> {
        let credentials = keyring.root_credentials();
        Ok(Self {
            common,
            auditor: load::auditor(common, keyring, None).await?,
            tries_all,
            credentials,
            opened: BTreeSet::new(),
            in_vain: 0,
            likely: None,
        })
    }

    /// Opens the bytes that are stored at a path, or says why they do not open: of an object that was not tried with all
    /// credentials that it is `CredentialUntried`.
    ///
    /// # Errors
    /// The component cannot be loaded.
    pub async fn unseal(
        &mut self,
        path: &[u8],
        stored: &[u8],
        policy: Policy,
    ) -> Result<Result<Opened, Error>, Failure> {
        if !self.tries_all && self.in_vain >= IN_VAIN && self.is_of_root(stored).await {
            return self.with_likely(path, stored, policy).await;
        }
        let opened = self.auditor.unseal(path, stored, policy).await;
        match &opened {
            Ok(opened) => self.opened.extend(opened.found.user.clone()),
            Err(Error::Object(ObjectError::CredentialNotAuthentic)) => self.in_vain += 1,
            Err(_) => {}
        }
        Ok(opened)
    }

    async fn is_of_root(&self, stored: &[u8]) -> bool {
        let described = self.auditor.inspect(stored).await;
        described.is_ok_and(|described| described.form == Form::RootCredential)
    }

    async fn with_likely(
        &mut self,
        path: &[u8],
        stored: &[u8],
        policy: Policy,
    ) -> Result<Result<Opened, Error>, Failure> {
        let (auditor, tried) = match self.likely.take() {
            Some(likely) => likely,
            None => {
                let is_likely = |one: &&RootCredential| self.opened.contains(&one.user);
                let mut likely: Vec<_> = self.credentials.iter().filter(is_likely).collect();
                if likely.is_empty() {
                    likely.extend(self.credentials.first());
                }
                let likely: Vec<_> = likely.into_iter().cloned().collect();
                let tried = likely.len();
                (
                    load::auditor(self.common, Likely(likely), None).await?,
                    tried,
                )
            }
        };
        let lent = self.credentials.len();
        let opened = auditor.unseal(path, stored, policy).await;
        self.likely = Some((auditor, tried));
        let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(match opened {
            Err(Error::Object(ObjectError::CredentialNotAuthentic)) if tried < lent => {
                let tries = Tries {
                    tried: count(tried),
                    lent: count(lent),
                };
                Err(Error::Object(ObjectError::CredentialUntried(tries)))
            }
            opened => opened,
        })
    }
}

/// Root credentials, and nothing else.
struct Likely(Vec<RootCredential>);

impl Keyring for Likely {
    fn default_key(&self) -> Option<String> {
        None
    }

    fn candidates(&self, _name: &str) -> Result<Vec<Key>, KeyError> {
        Err(KeyError::NotFound)
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        self.0.clone()
    }
}
