//! Making static keys.

use zeroize::Zeroizing;

use super::StaticKey;
use super::static_key::{KEY_BYTES, StaticKeyError};

impl StaticKey {
    /// Makes a key from the system's randomness.
    ///
    /// # Errors
    /// `ColonInName`, `NoRandomness`.
    pub fn generate(name: &str) -> Result<Self, StaticKeyError> {
        if name.contains(':') {
            return Err(StaticKeyError::ColonInName);
        }
        let mut secret = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(&mut *secret)
            .map_err(|error| StaticKeyError::NoRandomness(error.to_string()))?;
        Ok(Self::new(name, secret))
    }
}
