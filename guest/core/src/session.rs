//! What is kept between operations, to spare time and calls to the key service.

use alloc::string::ToString;
use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use crate::credential::Credentials;
use crate::error::KeyError;
use crate::keyring::{Candidate, DataKey, DataKeyEncoding, Key, KeyMaker, Random, Secret};

/// How many seeds are kept. A store has one for each worker that ever sealed into it with the
/// present key, so a handful; the bound is against objects that each name another seed.
const MAX_SEEDS: usize = 64;

/// What is kept between operations. Its secrets are wiped when it is dropped.
#[derive(Default)]
pub struct Session {
    pub(crate) credentials: Credentials,
    seeds: Vec<Seed>,
}

/// A data-key seed: one serves many compact objects.
struct Seed {
    under: Under,
    context: Vec<u8>,
    made_here: bool,
    ciphertext: Vec<u8>,
    /// None: the key does not open it.
    plaintext: Option<Secret>,
}

/// The key that a seed is under.
enum Under {
    Handle(u64),
    Secret(Secret),
}

impl Under {
    fn of<K: Key>(candidate: &Candidate<K>) -> Self {
        match candidate {
            Candidate::Local(key) | Candidate::Server(key) => Self::Handle(key.id()),
            Candidate::Secret(bytes) => Self::Secret(bytes.clone()),
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Handle(one), Self::Handle(other)) => one == other,
            (Self::Secret(one), Self::Secret(other)) => bool::from(one.ct_eq(other)),
            _ => false,
        }
    }
}

impl Session {
    /// For a run over a store: unless every root credential is to be tried on every object, objects that
    /// none opens cannot make it derive keys without end. [`Session::default`] always tries all.
    pub(crate) fn of_run(try_all_credentials: bool) -> Self {
        match try_all_credentials {
            true => Self::default(),
            false => Self {
                credentials: Credentials::bounded(),
                ..Self::default()
            },
        }
    }

    /// The seed for new objects, in the open and encrypted: made on first use, then kept.
    ///
    /// A fresh seed is opened by its key before it is used: what a host returns would otherwise be trusted
    /// with many objects before anybody sees whether it opens.
    pub(crate) fn seed<L: KeyMaker + Random>(
        &mut self,
        lent: &L,
        candidate: &Candidate<L::Key>,
        context: &[u8],
    ) -> Result<(&Secret, &[u8]), KeyError> {
        let under = Under::of(candidate);
        let known =
            |seed: &Seed| seed.made_here && seed.under.is(&under) && seed.context == context;
        let index = match self.seeds.iter().position(known) {
            Some(index) => index,
            None => {
                let DataKey {
                    plaintext,
                    ciphertext,
                } = candidate.make(lent, context, DataKeyEncoding::Binary)?;
                let opened = candidate.open(&ciphertext, context)?;
                if opened.ok_or(KeyError::NotAuthentic)? != plaintext {
                    return Err(KeyError::Other(
                        "the key opens its own data key to something else".to_string(),
                    ));
                }
                self.keep(Seed {
                    under,
                    context: context.to_vec(),
                    made_here: true,
                    ciphertext,
                    plaintext: Some(plaintext),
                })
            }
        };
        let seed = self.seeds.get(index);
        seed.and_then(|seed| Some((seed.plaintext.as_ref()?, &*seed.ciphertext)))
            .ok_or_else(|| KeyError::Other("the seed is not kept".to_string()))
    }

    /// Opens an object's seed: one call of the key on first use, none after that. None if the key does
    /// not open it.
    pub(crate) fn open_seed<K: Key>(
        &mut self,
        candidate: &Candidate<K>,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Option<&Secret>, KeyError> {
        let under = Under::of(candidate);
        let index = match self.known(&under, ciphertext, context) {
            Some(index) => index,
            None => {
                let plaintext = candidate.open(ciphertext, context)?;
                // A key of the host's own says no at once; a server's no is worth keeping, as long as
                // another key opens the object.
                if plaintext.is_none() && !candidate.is_server() {
                    return Ok(None);
                }
                self.keep(Seed {
                    under,
                    context: context.to_vec(),
                    made_here: false,
                    ciphertext: ciphertext.to_vec(),
                    plaintext,
                })
            }
        };
        Ok(self
            .seeds
            .get(index)
            .and_then(|seed| seed.plaintext.as_ref()))
    }

    /// Forgets which keys do not open a seed, since none does: the server may know it the next time.
    pub(crate) fn forget_refusals(&mut self, ciphertext: &[u8]) {
        self.seeds
            .retain(|seed| seed.plaintext.is_some() || seed.ciphertext != ciphertext);
    }

    /// An object's seed if it costs no call to a server to open it.
    pub(crate) fn seed_at_hand<K: Key>(
        &mut self,
        candidate: &Candidate<K>,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Option<&Secret> {
        let is_known = || {
            let under = Under::of(candidate);
            self.known(&under, ciphertext, context).is_some()
        };
        match !candidate.is_server() || is_known() {
            true => self.open_seed(candidate, ciphertext, context).ok()?,
            false => None,
        }
    }

    fn known(&self, under: &Under, ciphertext: &[u8], context: &[u8]) -> Option<usize> {
        self.seeds.iter().position(|seed| {
            seed.ciphertext == ciphertext && seed.context == context && seed.under.is(under)
        })
    }

    /// Keeps a seed and returns its index.
    fn keep(&mut self, seed: Seed) -> usize {
        if self.seeds.len() == MAX_SEEDS {
            self.seeds.remove(0);
        }
        self.seeds.push(seed);
        self.seeds.len() - 1
    }
}
