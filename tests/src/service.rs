//! A remote key service in memory that counts its calls.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use iamseal_core::{DataKey, KeyError, Secret};

use crate::data_key;

/// What KES makes of a 32-byte data key: ciphertext, tag, iv, nonce.
const CIPHERTEXT: usize = 76;

/// The name of a key, an encrypted data key and its context.
type Entry = (String, Vec<u8>, Vec<u8>);

/// A key service that remembers every data key it made; with a key it also opens data keys that
/// were made with that key elsewhere.
#[derive(Default)]
pub struct Service {
    made: Mutex<HashMap<Entry, Vec<u8>>>,
    generated: AtomicUsize,
    decrypted: AtomicUsize,
    down: AtomicBool,
    forgets: AtomicBool,
    key: Option<[u8; 32]>,
}

impl Service {
    /// A service with a key.
    pub fn holding(key: [u8; 32]) -> Self {
        Self {
            key: Some(key),
            ..Self::default()
        }
    }

    /// How often `generate` was called.
    pub fn generated(&self) -> usize {
        self.generated.load(SeqCst)
    }

    /// How often `decrypt` was called.
    pub fn decrypted(&self) -> usize {
        self.decrypted.load(SeqCst)
    }

    /// From now on the service gives no answer, or does again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, SeqCst);
    }

    /// From now on the service makes data keys that it does not open.
    pub fn forget_what_it_makes(&self) {
        self.forgets.store(true, SeqCst);
    }

    /// Takes over a data key that was made elsewhere.
    pub fn learn(&self, name: &str, ciphertext: &[u8], context: &[u8], plaintext: &[u8]) {
        let entry = (name.to_string(), ciphertext.to_vec(), context.to_vec());
        self.made.lock().unwrap().insert(entry, plaintext.to_vec());
    }

    /// The data keys that it knows: ciphertext, context and plaintext.
    pub fn known(&self) -> Vec<[Vec<u8>; 3]> {
        let made = self.made.lock().unwrap();
        let all = made.iter().map(|((_, ciphertext, context), plaintext)| {
            [ciphertext, context, plaintext].map(Clone::clone)
        });
        all.collect()
    }

    /// Makes a data key of random bytes; its ciphertext is random too.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] while the service is down.
    pub fn generate(&self, name: &str, context: &[u8]) -> Result<DataKey, KeyError> {
        self.generated.fetch_add(1, SeqCst);
        self.answer()?;
        let mut plaintext = vec![0; 32];
        let mut ciphertext = vec![0; CIPHERTEXT];
        getrandom::fill(&mut plaintext).unwrap();
        getrandom::fill(&mut ciphertext).unwrap();
        if !self.forgets.load(SeqCst) {
            self.learn(name, &ciphertext, context, &plaintext);
        }
        Ok(DataKey {
            plaintext: plaintext.into(),
            ciphertext,
        })
    }

    /// Opens a data key that it made or took over.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] while the service is down, [`KeyError::NotAuthentic`] if name,
    /// ciphertext and context do not belong together.
    pub fn decrypt(
        &self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Secret, KeyError> {
        self.decrypted.fetch_add(1, SeqCst);
        self.answer()?;
        let entry = (name.to_string(), ciphertext.to_vec(), context.to_vec());
        let made = self.made.lock().unwrap().get(&entry).cloned();
        let opened = made.or_else(|| data_key::open(&self.key?, ciphertext, context));
        opened.map(Into::into).ok_or(KeyError::NotAuthentic)
    }

    fn answer(&self) -> Result<(), KeyError> {
        if self.down.load(SeqCst) {
            return Err(KeyError::Unavailable("the key service is down".to_string()));
        }
        Ok(())
    }
}
