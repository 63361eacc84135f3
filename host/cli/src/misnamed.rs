//! Keys that were given under another name than that by which objects ask for them.

use std::collections::BTreeMap;

use iamseal::contract::{Finding, KeyError, Policy, Verdict};
use iamseal::keys::{Key, Keyring, MixedKeyring, RootCredential};
use iamseal::storage::Storage;

use crate::arguments::Common;
use crate::failure::Failure;
use crate::report::needs::is_of_another_key;
use crate::report::notes;
use crate::{load, output};

/// How many names are tried: a deployment had a key or two, and hostile objects could name any number.
const NAMES: usize = 8;
/// How many keys of other names are tried for each: starting the component for one takes some 10 ms.
const KEYS: usize = 32;

/// What objects ask for in vain.
#[derive(Default)]
pub struct Misnamed {
    /// By the key's name the first object, and how many there are.
    asked: BTreeMap<String, (Vec<u8>, u64)>,
}

impl Misnamed {
    /// Takes an object into account.
    pub fn see(&mut self, finding: &Finding) {
        let (Some(key), Verdict::Fails(failure)) = (&finding.key, &finding.verdict) else {
            return;
        };
        if !is_of_another_key(&failure.error) {
            return;
        }
        if let Some((_, objects)) = self.asked.get_mut(key) {
            *objects += 1;
        } else if self.asked.len() < NAMES {
            let first = (finding.path.clone(), 1);
            self.asked.insert(key.clone(), first);
        }
    }

    /// Tries the keys that were given under the names that are asked for, and tells what fits.
    ///
    /// # Errors
    /// The component cannot be loaded.
    pub async fn tell(
        &self,
        common: &Common,
        store: &dyn Storage,
        given: &MixedKeyring,
    ) -> Result<(), Failure> {
        for (asked, (path, objects)) in &self.asked {
            // What cannot be read again was told where it was looked at.
            let Ok(stored) = store.read(path).await else {
                continue;
            };
            let others = given.key_names().filter(|name| name != asked).take(KEYS);
            for name in others {
                let keys = given.candidates(name).unwrap_or_default();
                let renamed = Renamed {
                    name: asked.clone(),
                    keys: keys.into_iter().filter(|key| !key.is_server()).collect(),
                };
                let auditor = load::auditor(common, renamed, None).await?;
                let opened = auditor.unseal(path, &stored.bytes, Policy::Compatible);
                if opened.await.is_ok() {
                    output::note(common.json, &notes::misnamed(name, asked, *objects));
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Keys under a name that they were not given under.
struct Renamed {
    name: String,
    keys: Vec<Key>,
}

impl Keyring for Renamed {
    fn default_key(&self) -> Option<String> {
        None
    }

    fn candidates(&self, name: &str) -> Result<Vec<Key>, KeyError> {
        match name == self.name {
            true => Ok(self.keys.clone()),
            false => Err(KeyError::NotFound),
        }
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        Vec::new()
    }
}
