//! The keys, which can be changed while it serves.

use std::sync::Arc;

use iamseal::keys::{Environment, KeysError, ReplaceableKeyring};
use iamseal::sealed_store::Background;

/// What the plugin is lent, and the migration that changed keys mean work for.
pub struct Keys {
    pub keyring: Arc<ReplaceableKeyring>,
    pub migration: Option<Arc<Background>>,
}

/// The keys that MinIO's variables name, and the file of `MINIO_CONFIG_ENV_FILE` as it is now.
///
/// # Errors
/// Something is wrong with them.
pub fn of_process() -> Result<Arc<ReplaceableKeyring>, KeysError> {
    let keyring = Environment::of_process()?.keyring()?;
    Ok(Arc::new(ReplaceableKeyring::new(Arc::new(keyring))))
}

impl Keys {
    /// Reads them again. The old keys go on being lent if something is wrong with the new ones.
    pub fn change(&self) {
        let new = match of_process() {
            Ok(new) => new.present(),
            Err(error) => return tracing::error!(%error, "the keys were not changed"),
        };
        let replace = || drop(self.keyring.replace(new));
        match &self.migration {
            Some(migration) => migration.change_keys(replace),
            None => replace(),
        }
        tracing::info!("other keys are lent");
    }
}
