//! A key that opens data keys and makes them, wherever its bytes are.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use iamseal_data_key::{self as data_key, Encoding, KeyCipher, RANDOM, Wrapped};
use zeroize::Zeroizing;

use super::static_key::KEY_BYTES;
use crate::contract::{KeyError, WrittenEncoding};

/// What data keys of the host's own are bound to: those that keep the key of a run in its journal.
pub(crate) const RUN_KEY: &[u8] = b"iamseal run key 1";

/// Whether a data key that is bound to this is none that a component may make or open.
pub(crate) fn is_for_the_host(associated_data: &[u8]) -> bool {
    associated_data == RUN_KEY
}

/// A data key, in the open and encrypted.
pub struct DataKey {
    /// 32 bytes.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// What [`Key::open`] opens with the same associated data.
    pub ciphertext: Vec<u8>,
}

/// One key that a server holds, which is asked each time it is used.
#[async_trait]
pub trait ServerKey: Send + Sync {
    /// Makes a fresh data key of 32 bytes, bound to `associated_data`.
    ///
    /// # Errors
    /// Whatever the server says.
    async fn make(&self, associated_data: &[u8]) -> Result<DataKey, KeyError>;

    /// Opens a data key that this key encrypted, whatever wrote it.
    ///
    /// # Errors
    /// `NotAuthentic` if key, data key and associated data do not belong together, and whatever else the
    /// server says.
    async fn open(
        &self,
        ciphertext: &[u8],
        associated_data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError>;
}

/// A key. The plugin gets a handle of it, which opens and makes data keys; its bytes stay here. Clones
/// are the same key.
///
/// The plugin keeps the data keys that serve many objects, and knows by [`Key::id`] whether one is still
/// under the key that it is lent. So a [`Keyring`](super::Keyring) makes a key once and lends clones of it.
#[derive(Clone)]
pub struct Key {
    id: u64,
    holder: Holder,
}

#[derive(Clone)]
enum Holder {
    Local(Arc<Zeroizing<[u8; KEY_BYTES]>>),
    #[cfg(feature = "kes")]
    ChaCha(Arc<Zeroizing<[u8; KEY_BYTES]>>),
    Server(Arc<dyn ServerKey>),
}

impl Key {
    /// A key of these bytes, as MinIO's static key. It encrypts data keys as that one does.
    #[must_use]
    pub fn local(secret: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self {
            id: fresh_id(),
            holder: Holder::Local(Arc::new(secret)),
        }
    }

    /// A key of these bytes, as KES keeps one for ChaCha20. It encrypts data keys as that does.
    #[cfg(feature = "kes")]
    pub(super) fn chacha(secret: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self {
            id: fresh_id(),
            holder: Holder::ChaCha(Arc::new(secret)),
        }
    }

    /// A key that a server holds. What is not likely to open is not tried on it.
    #[must_use]
    pub fn server(key: impl ServerKey + 'static) -> Self {
        Self::of_server(fresh_id(), key)
    }

    /// The same with an id that was made before.
    pub(super) fn of_server(id: u64, key: impl ServerKey + 'static) -> Self {
        Self {
            id,
            holder: Holder::Server(Arc::new(key)),
        }
    }

    /// Tells the key from others in this process. It says nothing of its bytes.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether each use is a call to a server.
    #[must_use]
    pub fn is_server(&self) -> bool {
        matches!(self.holder, Holder::Server(_))
    }

    /// Makes a fresh data key of 32 bytes, bound to `associated_data`. A server writes it down as it
    /// likes, whatever `encoding` is.
    ///
    /// # Errors
    /// Whatever a server says; `Other` if the system has no randomness.
    pub async fn make(
        &self,
        associated_data: &[u8],
        encoding: WrittenEncoding,
    ) -> Result<DataKey, KeyError> {
        let (secret, cipher) = match &self.holder {
            Holder::Server(key) => return key.make(associated_data).await,
            Holder::Local(secret) => (secret, KeyCipher::Aes),
            #[cfg(feature = "kes")]
            Holder::ChaCha(secret) => (secret, KeyCipher::ChaCha),
        };
        let encoding = match encoding {
            WrittenEncoding::Binary => Encoding::Binary,
            WrittenEncoding::Json => Encoding::Json,
        };
        let mut random = Zeroizing::new([0; RANDOM]);
        getrandom::fill(&mut *random)
            .map_err(|error| KeyError::Other(format!("the system has no randomness: {error}")))?;
        let made = data_key::make(secret, cipher, encoding, associated_data, &random)
            .ok_or_else(|| KeyError::Other("the data key was not encrypted".to_owned()))?;
        Ok(DataKey {
            plaintext: Zeroizing::new(made.plaintext.to_vec()),
            ciphertext: made.ciphertext,
        })
    }

    /// Opens a data key that this key encrypted.
    ///
    /// # Errors
    /// `NotAuthentic` if key, data key and associated data do not belong together, and whatever else a
    /// server says.
    pub async fn open(
        &self,
        ciphertext: &[u8],
        associated_data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let wrapped = Wrapped::parse(ciphertext).ok();
        let opened = match &self.holder {
            Holder::Server(key) => return key.open(ciphertext, associated_data).await,
            Holder::Local(secret) => wrapped.and_then(|it| it.open(secret, associated_data)),
            #[cfg(feature = "kes")]
            Holder::ChaCha(secret) => {
                wrapped.and_then(|it| it.open_under_chacha(secret, associated_data))
            }
        };
        opened.ok_or(KeyError::NotAuthentic)
    }

    /// The bytes, unless a server has them, or MinIO could not use them as its static key.
    pub(super) fn secret(&self) -> Option<&Zeroizing<[u8; KEY_BYTES]>> {
        match &self.holder {
            Holder::Local(secret) => Some(secret),
            #[cfg(feature = "kes")]
            Holder::ChaCha(_) => None,
            Holder::Server(_) => None,
        }
    }
}

/// Nothing of the bytes.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.is_server() {
            true => "server",
            false => "local",
        };
        write!(f, "Key({kind}, {})", self.id)
    }
}

/// A number that no other key in this process has.
pub(super) fn fresh_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(future)
    }

    fn key(byte: u8) -> Key {
        Key::local(Zeroizing::new([byte; KEY_BYTES]))
    }

    #[test]
    fn a_key_opens_what_it_made_and_no_other_does() {
        for encoding in [WrittenEncoding::Binary, WrittenEncoding::Json] {
            let made = wait(key(1).make(b"here", encoding)).unwrap();
            let open = |key: Key, context: &[u8]| wait(key.open(&made.ciphertext, context));
            assert_eq!(open(key(1), b"here").unwrap(), made.plaintext);
            assert_eq!(open(key(1), b"there"), Err(KeyError::NotAuthentic));
            assert_eq!(open(key(2), b"here"), Err(KeyError::NotAuthentic));
        }
        // Too short for any encoding.
        let nothing = wait(key(1).open(b"", b""));
        assert_eq!(nothing, Err(KeyError::NotAuthentic));
    }

    #[test]
    fn clones_are_the_same_key_and_nothing_shows_its_bytes() {
        let (one, other) = (key(7), key(7));
        assert_eq!(one.id(), one.clone().id());
        assert_ne!(one.id(), other.id());
        let shown = format!("{one:?}");
        assert!(!shown.contains("7, 7") && !shown.contains("0707"));
    }
}
