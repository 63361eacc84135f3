//! The key of a run: what makes its lines authentic and its digests mean nothing to others.
//!
//! 32 random bytes, made when the run begins. They stand in the head of the journal, sealed once for each
//! key and root credential that is lent, so that any one of them opens the journal: the others, and the
//! service that holds one, may be gone by then. `journal/wrap.rs` says how.
//!
//! All that is derived of it is HMAC-SHA256 over a label of its own and, each after its length, the parts:
//!
//! | label | parts | what for |
//! |---|---|---|
//! | `iamseal digest 1` | path, bytes | the digest of an object |
//! | `iamseal journal 1`, `iamseal proof 1` | the line before's, line | the MAC of a line |
//! | `iamseal kept 1` | path, salt | the key of an object that a run removes, or replaces by plaintext, and that is not sealed itself: ChaCha20-Poly1305 (RFC 8439) with a nonce of zeros, behind the 16 bytes of the salt |

use std::fmt;

use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hmac::digest::KeyInit as _;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::JournalError;
use super::wrap::{self, Wrapped};
use crate::contract::KeyError;
use crate::keys::MixedKeyring;
use crate::plugin::hex;

/// The size of a key and of a MAC in bytes.
pub(super) const BYTES: usize = 32;

/// The size in bytes of the salt of an object that is kept.
const SALT: usize = 16;

/// The bytes of a key.
pub(super) type Secret = Zeroizing<[u8; BYTES]>;

/// The key of a run, and how it is kept.
pub struct RunKey {
    secret: Secret,
    wrapped: Wrapped,
    skipped: Vec<(String, KeyError)>,
}

impl RunKey {
    /// Makes the key of a run that is to begin, to be opened by any of these keys and credentials.
    /// None if there are none: such a run has no digests, and nothing tells who wrote its journal.
    ///
    /// # Errors
    /// [`JournalError::Key`] if a key service holds the only key and does not seal under it;
    /// [`JournalError::NoRandomness`].
    pub async fn make(keyring: &MixedKeyring) -> Result<Option<Self>, JournalError> {
        let names: Vec<_> = keyring.key_names().map(str::to_owned).collect();
        let secret = random::<BYTES>()?;
        let made = wrap::wrap(&secret, &names, keyring).await?;
        Ok(made.map(|(wrapped, skipped)| Self {
            secret,
            wrapped,
            skipped,
        }))
    }

    /// The keys that will not open it, since their service did not seal under them, and why.
    pub fn skipped(&self) -> &[(String, KeyError)] {
        &self.skipped
    }

    /// The key that was kept like this; none if nothing that is lent opens it.
    ///
    /// # Errors
    /// [`JournalError::Key`] if a key service fails and nothing else opens it.
    pub(super) async fn open(
        wrapped: &Wrapped,
        keyring: &MixedKeyring,
    ) -> Result<Option<Self>, JournalError> {
        let secret = wrap::open(wrapped, keyring).await?;
        Ok(secret.map(|secret| Self {
            secret,
            wrapped: wrapped.clone(),
            skipped: Vec::new(),
        }))
    }

    /// How it is kept.
    pub(super) fn wrapped(&self) -> &Wrapped {
        &self.wrapped
    }

    /// The digest of an object, in hexadecimal digits. Of two objects with the same bytes each has its
    /// own, so that it does not tell that they are the same.
    pub(super) fn digest(&self, path: &[u8], bytes: &[u8]) -> String {
        let digest = mac(&*self.secret, "iamseal digest 1", &[path, bytes]);
        hex(&digest.finalize().into_bytes())
    }

    /// Seals the bytes of an object for the journal.
    ///
    /// # Errors
    /// [`JournalError::NoRandomness`].
    pub(super) fn keep(&self, path: &[u8], bytes: &[u8]) -> Result<Vec<u8>, JournalError> {
        let salt = random::<SALT>()?;
        let sealed = self.cipher(path, &*salt).encrypt(&Nonce::default(), bytes);
        // It takes 256 GiB, and no object has as much.
        let sealed = sealed.map_err(|error| JournalError::NoRandomness(error.to_string()))?;
        Ok([&*salt, &*sealed].concat())
    }

    /// What [`Self::keep`] sealed; none if it is anything else.
    pub(super) fn kept(&self, path: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (salt, sealed) = sealed.split_at_checked(SALT)?;
        let opened = self.cipher(path, salt).decrypt(&Nonce::default(), sealed);
        opened.ok().map(Zeroizing::new)
    }

    /// The cipher for one path and salt. It seals one text.
    fn cipher(&self, path: &[u8], salt: &[u8]) -> ChaCha20Poly1305 {
        let key = mac(&*self.secret, "iamseal kept 1", &[path, salt]);
        ChaCha20Poly1305::new(&key.finalize().into_bytes())
    }

    /// What is made of the key for one purpose.
    pub(super) fn mac(&self, label: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
        mac(&*self.secret, label, parts)
    }
}

/// Not even of itself does it show a secret.
impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrapped = &self.wrapped;
        f.debug_struct("RunKey").field("wrapped", wrapped).finish()
    }
}

/// HMAC-SHA256 of a label and parts, none of which can be taken for another.
pub(super) fn mac(key: &[u8], label: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
    // A key of any length is taken.
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).unwrap_or_else(|_| unreachable!());
    for part in [label.as_bytes()].iter().chain(parts) {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac
}

/// Bytes of the system's randomness.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, JournalError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|error| JournalError::NoRandomness(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::testing::run_key;
    use super::*;

    #[test]
    fn digests_are_of_one_run_one_path_and_one_content() {
        let (one, other) = (run_key(), run_key());
        let digest = one.digest(b"a", b"bytes");
        assert_eq!(digest, one.digest(b"a", b"bytes"));
        for another in [
            one.digest(b"a", b"other bytes"),
            one.digest(b"b", b"bytes"),
            // The same text, parted elsewhere.
            one.digest(b"ab", b"ytes"),
            other.digest(b"a", b"bytes"),
        ] {
            assert_ne!(digest, another);
        }
    }

    #[test]
    fn what_is_kept_opens_with_the_key_of_its_run_at_its_path_alone() {
        let (one, other) = (run_key(), run_key());
        let kept = one.keep(b"a", b"bytes").unwrap();
        assert_ne!(kept, one.keep(b"a", b"bytes").unwrap());
        assert_eq!(one.kept(b"a", &kept).unwrap().as_slice(), b"bytes");
        assert!(one.kept(b"b", &kept).is_none());
        assert!(other.kept(b"a", &kept).is_none());
        for at in 0..kept.len() {
            let mut damaged = kept.clone();
            damaged[at] ^= 1;
            assert!(one.kept(b"a", &damaged).is_none());
            assert!(one.kept(b"a", &kept[..at]).is_none());
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let key = run_key();
        let shown = format!("{key:?}");
        let bytes = format!("{:?}", *key.secret);
        assert!(!shown.contains(&hex(&*key.secret)) && !shown.contains(&bytes));
    }
}
