//! Keys in a KES, MinIO's key server.
//!
//! [`Kes`] is what a keyring lends them through ([`MixedKeyring::kes`](super::MixedKeyring::kes)). It
//! keeps one HTTP/2 connection to each endpoint, asks the next endpoint if one does not answer, and gives
//! each call 15 s with all its retries. When none of them answers, calls fail at once for three seconds,
//! so that a run over thousands of objects does not wait for each.
//!
//! Buffers of the HTTP and TLS libraries are not wiped; what this module itself holds of a secret is.

mod answer;
mod authorities;
mod balance;
mod client;
mod endpoints;
mod error;
mod identity;
mod opened;
mod private_key;
mod read;
mod request;

use std::sync::Arc;

use crate::contract::KeyError;

pub use self::authorities::Authorities;
pub use self::endpoints::{Endpoints, MAX_ENDPOINTS};
pub use self::error::{EndpointError, KesError};
pub use self::identity::Identity;
pub use self::request::{KeyDescription, KeyNames, Made};

pub(super) use self::opened::Opened;

use self::client::Client;

/// The longest name of a key in bytes.
const MAX_KEY_NAME: usize = 80;

/// A KES. Clones share its connections.
///
/// ```no_run
/// use iamseal::keys::kes::{Authorities, Endpoints, Identity, Kes};
/// use iamseal::keys::{MixedKeyring, StaticKeyring};
///
/// # fn keyring() -> Result<MixedKeyring, Box<dyn std::error::Error>> {
/// let endpoints = Endpoints::parse("https://kes{1...3}.example.net:7373")?;
/// let identity = Identity::of_api_key(&std::env::var("MINIO_KMS_KES_API_KEY")?)?;
/// let kes = Kes::new(&endpoints, identity, &Authorities::system()?)?;
/// // Static keys open what KES does not.
/// let old = StaticKeyring::new().keys_file("old.keys".as_ref())?;
/// let keyring = MixedKeyring::new(old).kes(kes, "my-key")?;
/// # Ok(keyring)
/// # }
/// ```
#[derive(Clone)]
pub struct Kes {
    client: Arc<Client>,
}

impl Kes {
    /// A KES that is asked as `identity` and whose certificates these authorities vouch for. Nothing is
    /// asked yet.
    ///
    /// # Errors
    /// [`KesError::Pair`] if TLS does not take the certificate or the key, [`KesError::Start`].
    pub fn new(
        endpoints: &Endpoints,
        identity: Identity,
        authorities: &Authorities,
    ) -> Result<Self, KesError> {
        let client = Client::new(endpoints, identity, authorities)?;
        Ok(Self {
            client: Arc::new(client),
        })
    }

    /// What KES calls the one who asks: the SHA-256 of a public key, in hexadecimal digits.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.client.identity
    }
}

/// Whether KES takes a text for the name of a key: 1 to 80 of `A-Z a-z 0-9 _ -`, not `_` alone, and `-`
/// neither first nor last.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let are_known = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let has_place = !name.starts_with('-') && !name.ends_with('-') && name != "_";
    are_known && has_place && (1..=MAX_KEY_NAME).contains(&name.len())
}

/// Where a name could mean something else in a URL it is not sent.
fn check_name(name: &str) -> Result<(), KeyError> {
    match is_key_name(name) {
        true => Ok(()),
        false => Err(KeyError::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_kes_takes() {
        let longest = "k".repeat(80);
        for name in ["a", "0", "__", "my-key_2", "A-b", &longest] {
            assert!(is_key_name(name), "{name}");
        }
        let too_long = "k".repeat(81);
        for name in [
            "", "_", "-a", "a-", "-", "a.b", "a/b", "..", "ä", "a b", &too_long,
        ] {
            assert!(!is_key_name(name), "{name}");
        }
    }
}
