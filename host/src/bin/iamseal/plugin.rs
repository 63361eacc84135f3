//! Loading the plugin, the same way for every command.

use std::sync::Arc;

use iamseal::keys::StaticKeyring;
use iamseal::{Plugin, PluginBuilder};

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
        .keyring(keyring.clone())
        .key_generator(keyring)
        .store_name(&common.store_name)
}

/// A plugin that works on single objects.
pub async fn load(common: &Common, keyring: StaticKeyring) -> Result<Plugin, Failure> {
    Ok(builder(common, keyring).load().await?)
}
