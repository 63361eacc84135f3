//! What is kept between operations, to spare time and calls to the key service.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::credential::Credentials;
use crate::error::KeyError;
use crate::keyring::{DataKey, KeyGenerator, Keyring, Secret};

/// How many seeds are kept. A store has one for each worker that ever sealed into it with the
/// present key, so a handful; the bound is against objects that each name another seed.
const MAX_SEEDS: usize = 64;

/// What is kept between operations. Its secrets are wiped when it is dropped.
#[derive(Default)]
pub struct Session {
    pub(crate) credentials: Credentials,
    seeds: Vec<Seed>,
}

/// A data-key seed of a remote key: one seed serves many compact objects.
struct Seed {
    key: String,
    context: Vec<u8>,
    made_here: bool,
    data_key: DataKey,
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

    /// The seed for new objects: made on first use, then kept.
    ///
    /// A fresh seed is opened by the key service before it is used: what it returns would otherwise
    /// be trusted with many objects before anybody sees whether it opens.
    pub(crate) fn seed(
        &mut self,
        lent: &(impl Keyring + KeyGenerator),
        key: &str,
        context: &[u8],
    ) -> Result<&DataKey, KeyError> {
        let known = |seed: &Seed| seed.made_here && seed.key == key && seed.context == context;
        if let Some(index) = self.seeds.iter().position(known) {
            return self.at(index);
        }
        let data_key = lent.generate(key, context)?;
        if lent.decrypt(key, &data_key.ciphertext, context)? != data_key.plaintext {
            return Err(KeyError::Other(
                "the key service opens its own data key to something else".to_string(),
            ));
        }
        self.keep(Seed {
            key: key.to_string(),
            context: context.to_vec(),
            made_here: true,
            data_key,
        })
    }

    /// Opens an object's seed: one call to the key service on first use, none after that.
    pub(crate) fn open_seed(
        &mut self,
        keyring: &impl Keyring,
        key: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<&Secret, KeyError> {
        let known = |seed: &Seed| {
            seed.data_key.ciphertext == ciphertext && seed.key == key && seed.context == context
        };
        if let Some(index) = self.seeds.iter().position(known) {
            return self.at(index).map(|data_key| &data_key.plaintext);
        }
        let plaintext = keyring.decrypt(key, ciphertext, context)?;
        let data_key = DataKey {
            plaintext,
            ciphertext: ciphertext.to_vec(),
        };
        self.keep(Seed {
            key: key.to_string(),
            context: context.to_vec(),
            made_here: false,
            data_key,
        })
        .map(|data_key| &data_key.plaintext)
    }

    fn keep(&mut self, seed: Seed) -> Result<&DataKey, KeyError> {
        if self.seeds.len() == MAX_SEEDS {
            self.seeds.remove(0);
        }
        self.seeds.push(seed);
        self.at(self.seeds.len() - 1)
    }

    fn at(&self, index: usize) -> Result<&DataKey, KeyError> {
        self.seeds
            .get(index)
            .map(|seed| &seed.data_key)
            .ok_or_else(|| KeyError::Other("the seed is not kept".to_string()))
    }
}
