//! What an object holds, by the samples' keys and a key service that says the truth.

use iamseal_core::{
    Candidate, KeyError, Keyring, Location, Opened, Policy, RootCredential, Secret, Session, unseal,
};

use crate::samples;
use crate::world::{Made, open};

struct Honest<'a>(&'a [Made]);

impl Keyring for Honest<'_> {
    fn default_key(&self) -> Option<String> {
        None
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate>, KeyError> {
        let mut candidates = samples::keys().candidates(name).unwrap_or_default();
        // Under any name: the key service made a data key for whoever asked.
        candidates.push(Candidate::Remote);
        Ok(candidates)
    }

    fn decrypt(&self, name: &str, ciphertext: &[u8], context: &[u8]) -> Result<Secret, KeyError> {
        open(
            self.0.iter().chain(samples::made()),
            name,
            ciphertext,
            context,
        )
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        samples::keys().root_credentials()
    }
}

/// Opens an object, where a key service has made these data keys. None if it does not open.
pub fn opened(made: &[Made], store: &str, path: &[u8], stored: &[u8]) -> Option<Opened> {
    let location = Location::new(store, path).ok()?;
    let mut session = Session::default();
    let policy = Policy::Compatible;
    unseal(&Honest(made), &mut session, &location, stored, policy).ok()
}
