//! A run's key for tests.

use super::RunKey;
use crate::keys::{MixedKeyring, StaticKey, StaticKeyring};

/// Static keys of these names, each of other bytes.
pub fn keyring(names: &[&str]) -> MixedKeyring {
    let lend = |keyring: StaticKeyring, name: &&str| {
        let byte = name.bytes().fold(1, u8::wrapping_add);
        keyring.key(StaticKey::new(*name, zeroize::Zeroizing::new([byte; 32])))
    };
    names.iter().fold(StaticKeyring::new(), lend).into()
}

/// A fresh key under a static one.
pub fn run_key() -> RunKey {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let made = runtime.unwrap().block_on(RunKey::make(&keyring(&["a"])));
    made.unwrap().unwrap()
}
