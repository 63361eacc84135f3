//! The keys that the environment and the options give.

use iamseal::keys::root_credential::RootCredentialError;
use iamseal::keys::static_key::StaticKeyError;
use iamseal::keys::{Environment, KeysError, MixedKeyring, StaticKeyring};

use crate::arguments::Common;
use crate::cause::Cause;
use crate::failure::Failure;

/// Everything that is lent to the plugin.
pub fn keyring(common: &Common) -> Result<MixedKeyring, Failure> {
    let mut keyring = Environment::of_process()?.keyring()?;
    for file in &common.keys {
        keyring = keyring.keys_file(file)?;
    }
    for file in &common.root_credentials {
        keyring = keyring.root_credentials_file(file)?;
    }
    Ok(keyring)
}

/// The static keys alone, from the same places, even where the environment describes a KES too.
pub fn beside_kes(common: &Common) -> Result<StaticKeyring, Failure> {
    let mut keyring = Environment::of_process()?.keyring_beside_kes()?;
    for file in &common.keys {
        keyring = keyring.keys_file(file)?;
    }
    Ok(keyring)
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        let failure = Self::new(Cause::Usage, &error);
        failure.with_cure(error.cure())
    }
}

impl From<StaticKeyError> for Failure {
    fn from(error: StaticKeyError) -> Self {
        let failure = Self::new(Cause::Usage, &error);
        failure.with_cure(error.cure())
    }
}

impl From<RootCredentialError> for Failure {
    fn from(error: RootCredentialError) -> Self {
        let failure = Self::new(Cause::Usage, &error);
        failure.with_cure(error.cure())
    }
}
