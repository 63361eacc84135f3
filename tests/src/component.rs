//! The component, as a host runs it.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use iamseal::{CompileCache, Plugin, PluginBuilder};
use iamseal_core as core;

use crate::backend::{Backend, Opened};
use crate::convert;
use crate::errors::from_contract;
use crate::keys::Keys;
use crate::runtime::wait;

/// The component with one keyring, for the store of one name.
pub struct Component(Plugin);

impl Component {
    /// Loads the component.
    pub fn new(keys: &Keys, store: &str) -> Self {
        Self(wait(builder(keys, store).load()).unwrap())
    }
}

/// Loading the embedded component with these keys, for the store of this name.
pub fn builder(keys: &Keys, store: &str) -> PluginBuilder {
    Plugin::builder()
        .component(iamseal_component::PLUGIN)
        .keyring(Arc::new(keys.clone()))
        .store_name(store)
        .cache(CompileCache::Folder(cache()))
}

/// A folder among what Cargo builds, so that tests compile the component once and leave nothing
/// elsewhere.
pub fn cache() -> PathBuf {
    let program = env::current_exe().unwrap();
    program.with_file_name("iamseal-compiled")
}

impl Backend for Component {
    fn name(&self) -> &'static str {
        "component"
    }

    fn seal(
        &self,
        path: &[u8],
        plaintext: &[u8],
        options: &core::SealOptions,
    ) -> Result<Vec<u8>, core::Error> {
        let options = convert::seal_options(options);
        answer(wait(self.0.seal(path, plaintext, &options)))
    }

    fn unseal(
        &self,
        path: &[u8],
        stored: &[u8],
        policy: core::Policy,
    ) -> Result<Opened, core::Error> {
        let opened = answer(wait(self.0.unseal(path, stored, convert::policy(policy))))?;
        Ok(Opened {
            plaintext: opened.plaintext.to_vec(),
            found: convert::found(opened.found),
        })
    }

    fn inspect(&self, stored: &[u8]) -> Result<core::Description, core::Error> {
        let seen = answer(wait(self.0.inspect(stored)))?;
        Ok(core::Description {
            form: convert::form(seen.form),
            size: seen.size,
            plaintext_size: seen.plaintext_size,
            key: seen.key,
            cipher: seen.cipher.map(convert::cipher),
            data_key_encoding: seen.data_key_encoding.map(convert::encoding),
            key_derivation: seen.key_derivation.map(convert::derivation),
        })
    }
}

/// The plugin's answer. What the host itself has to say is a failure of the test.
fn answer<T>(result: Result<T, iamseal::Error>) -> Result<T, core::Error> {
    result.map_err(|error| match error {
        iamseal::Error::Object(error) => from_contract(error),
        other => panic!("{other}"),
    })
}
