//! Data keys that KES has opened, kept for when they are asked for again.
//!
//! A data key of the compact form serves a whole store. The plugin keeps it too, but each of its instances
//! for itself and only as long as it lives; with this a server that opens many objects at once asks KES
//! once for all of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::Kes;
use crate::contract::KeyError;

/// How many are kept; those that were not asked for the longest go. A store in the compact form has a
/// handful. One in MinIO's form has one for each object, and keeping more of them would be of no use.
const KEPT: usize = 64;

type DataKey = OnceCell<Zeroizing<Vec<u8>>>;

/// The data keys that were opened last. They are wiped when they go.
#[derive(Default)]
pub(in crate::keys) struct Opened {
    kept: Mutex<VecDeque<([u8; 32], Arc<DataKey>)>>,
}

impl Opened {
    /// Opens a data key: by KES when it is asked for the first time, and once for all who ask for it at
    /// the same time. A failure is not kept.
    ///
    /// # Errors
    /// As [`Kes::decrypt`].
    pub async fn decrypt(
        &self,
        kes: &Kes,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let data_key = self.of(name, ciphertext, context);
        let opened = data_key.get_or_try_init(|| kes.decrypt(name, ciphertext, context));
        opened.await.cloned()
    }

    fn of(&self, name: &str, ciphertext: &[u8], context: &[u8]) -> Arc<DataKey> {
        let mut digest = Sha256::new();
        for part in [name.as_bytes(), ciphertext, context] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let digest = digest.finalize().into();
        // Nothing panics while it is locked.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(known, _)| *known == digest);
        let (_, data_key) = found
            .and_then(|at| kept.remove(at))
            .unwrap_or_else(|| (digest, Arc::default()));
        kept.push_back((digest, Arc::clone(&data_key)));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        data_key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_were_asked_for_last_are_kept() {
        let opened = Opened::default();
        let of = |number: usize| opened.of("name", &number.to_le_bytes(), b"");
        let first = of(0);
        for number in 1..KEPT {
            of(number);
        }
        assert!(Arc::ptr_eq(&first, &of(0)));
        // The one at 1 has to go, and not the one that was just asked for.
        of(KEPT);
        assert!(Arc::ptr_eq(&first, &of(0)));
        assert_eq!(opened.kept.lock().unwrap().len(), KEPT);
    }

    #[test]
    fn name_data_key_and_context_are_told_apart() {
        let opened = Opened::default();
        let all = [
            opened.of("ab", b"c", b"d"),
            opened.of("a", b"bc", b"d"),
            opened.of("ab", b"", b"cd"),
            opened.of("ab", b"c", b""),
        ];
        for (at, one) in all.iter().enumerate() {
            let others = all.iter().skip(at + 1);
            assert!(others.into_iter().all(|other| !Arc::ptr_eq(one, other)));
        }
    }
}
