//! Loading the plugin, the same way for every command.

use std::env;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use iamseal::keys::StaticKeyring;
use iamseal::{CompileCache, Plugin, PluginBuilder};

use crate::arguments::Common;
use crate::failure::Failure;

/// The plugin with its keys; the store is lent by the commands that have one.
pub fn builder(common: &Common, keyring: StaticKeyring) -> PluginBuilder {
    let keyring = Arc::new(keyring);
    let builder = match &common.plugin {
        Some(file) => Plugin::builder().component_file(file),
        None => Plugin::builder().component(iamseal_component::PLUGIN),
    };
    builder
        .cache(cache())
        .keyring(keyring.clone())
        .key_generator(keyring)
        .store_name(&common.store_name)
}

/// A plugin that works on single objects.
pub async fn load(common: &Common, keyring: StaticKeyring) -> Result<Plugin, Failure> {
    Ok(builder(common, keyring).load().await?)
}

/// Compiled code is kept and run as it is found, so it is taken only from a folder of the user who
/// runs the tool: under `sudo` the home folder can be somebody else's.
fn cache() -> CompileCache {
    let folder = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(env::home_dir);
    // A folder that is not there yet will be made in the nearest one that is.
    let nearest = |folder: PathBuf| folder.ancestors().find_map(|above| above.metadata().ok());
    let owner = folder.and_then(nearest).map(|folder| folder.uid());
    if owner == Some(rustix::process::geteuid().as_raw()) {
        CompileCache::Default
    } else {
        CompileCache::Off
    }
}
