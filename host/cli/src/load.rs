//! Loading the plugin, the same way for every command.

use std::path::Path;
use std::sync::Arc;

use iamseal::keys::{Keyring, MixedKeyring};
use iamseal::storage::Storage;
use iamseal::{Auditor, Plugin, PluginBuilder};

use crate::arguments::Common;
use crate::failure::Failure;

/// The plugin for commands that seal or write, with its keys; the store is lent by those that have one.
pub fn builder(common: &Common, keyring: Arc<dyn Keyring>) -> PluginBuilder {
    let builder = match &common.plugin {
        Some(file) => from_file(common, file),
        None => Plugin::builder().component(iamseal_component::PLUGIN),
    };
    lend(common, builder, keyring)
}

/// What commands that only look use: the auditor that is built in, which has no way to write. A file
/// may hold an auditor or a whole plugin.
pub async fn auditor(
    common: &Common,
    keyring: impl Keyring + 'static,
    store: Option<Arc<dyn Storage>>,
) -> Result<Auditor, Failure> {
    let with_store = |builder: PluginBuilder| match store.clone() {
        Some(store) => builder.storage(store),
        None => builder,
    };
    let keyring: Arc<dyn Keyring> = Arc::new(keyring);
    let Some(file) = &common.plugin else {
        let builder = Plugin::builder().component(iamseal_component::AUDITOR);
        let builder = with_store(lend(common, builder, keyring));
        return Ok(builder.load_auditor().await?);
    };
    let builder = || {
        let builder = from_file(common, file);
        with_store(lend(common, builder, keyring.clone()))
    };
    match builder().load().await {
        Ok(plugin) => Ok(plugin.reader().clone()),
        Err(whole) => builder().load_auditor().await.map_err(|_| whole.into()),
    }
}

/// What tells sealed bytes from others for a journal: the auditor that is built in, whichever plugin is given, since what
/// it takes for sealed is kept as it is. It has no keys. To be asked for before the journal is begun: a plugin that is of no
/// use ends the command here.
pub async fn inspector(common: &Common) -> Result<Auditor, Failure> {
    if common.plugin.is_some() {
        auditor(common, MixedKeyring::default(), None).await?;
    }
    let builder = Plugin::builder().component(iamseal_component::AUDITOR);
    Ok(builder.load_auditor().await?)
}

/// The component in this file, which has to be the one that was named.
pub fn from_file(common: &Common, file: &Path) -> PluginBuilder {
    let builder = Plugin::builder().component_file(file);
    match &common.plugin_sha256 {
        Some(digest) => builder.component_sha256(digest.digits()),
        None => builder,
    }
}

fn lend(common: &Common, builder: PluginBuilder, keyring: Arc<dyn Keyring>) -> PluginBuilder {
    builder.keyring(keyring).store_name(&common.store_name)
}
