//! What an object holds, by the samples' keys and a key service that says the truth.

use iamseal_core::{
    Candidate, Key, KeyError, Keyring, Location, Opened, Policy, RootCandidate, RootCredential,
    Secret, Session, unseal,
};

use crate::samples;
use crate::world::{Made, NoRootKey, open};

struct Honest<'a>(&'a [Made]);

/// The key of this name in the key service.
struct InService<'a>(&'a [Made], String);

impl<'a> Keyring for Honest<'a> {
    type Key = InService<'a>;
    type RootKey = NoRootKey;

    fn default_key(&self) -> Option<String> {
        None
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate<InService<'a>>>, KeyError> {
        let candidates = samples::keys().candidates(name).unwrap_or_default();
        let secrets = candidates
            .into_iter()
            .filter_map(|candidate| match candidate {
                Candidate::Secret(bytes) => Some(Candidate::Secret(bytes)),
                Candidate::Local(_) | Candidate::Server(_) => None,
            });
        // Under any name: the key service made a data key for whoever asked.
        let in_service = Candidate::Server(InService(self.0, name.to_string()));
        Ok(secrets.chain([in_service]).collect())
    }

    fn root_credentials(&self) -> Vec<RootCredential<NoRootKey>> {
        let lend = |(user, passphrase): (String, String)| RootCredential {
            user,
            key: RootCandidate::Passphrase(passphrase.into()),
        };
        samples::passphrases().into_iter().map(lend).collect()
    }
}

impl Key for InService<'_> {
    fn id(&self) -> u64 {
        0
    }

    fn open(&self, ciphertext: &[u8], context: &[u8]) -> Result<Secret, KeyError> {
        let made = self.0.iter().chain(samples::made());
        open(made, &self.1, ciphertext, context)
    }
}

/// Opens an object, where a key service has made these data keys. None if it does not open.
pub fn opened(made: &[Made], store: &str, path: &[u8], stored: &[u8]) -> Option<Opened> {
    let location = Location::new(store, path).ok()?;
    let mut session = Session::default();
    let policy = Policy::Compatible;
    unseal(&Honest(made), &mut session, &location, stored, policy).ok()
}
