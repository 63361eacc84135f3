//! It is RustCrypto's, which runs natively beside it: byte for byte, at every size.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};

use crate::module::{Algorithm, Compiled, Running};

/// Bytes that look random and are the same in each run: SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn bytes(&mut self, size: usize) -> Vec<u8> {
        (0..size).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }
}

/// Seals with RustCrypto's.
fn theirs<A: Aead + KeyInit>(key: &[u8], nonce: &[u8], payload: Payload<'_, '_>) -> Vec<u8> {
    let nonce = Nonce::<A>::try_from(nonce).unwrap();
    let aead = A::new_from_slice(key).unwrap();
    aead.encrypt(&nonce, payload).unwrap()
}

/// Seals with both and opens, and opens nothing that one bit was changed of.
fn compare(
    running: &mut Running,
    random: &mut Random,
    algorithm: Algorithm,
    size: usize,
    associated: usize,
) {
    let (key, nonce) = (random.bytes(32), random.bytes(algorithm.nonce()));
    let (associated_data, plaintext) = (random.bytes(associated), random.bytes(size));
    let payload = Payload {
        msg: &plaintext,
        aad: &associated_data,
    };
    let theirs = match algorithm {
        Algorithm::Aes256Gcm => theirs::<Aes256Gcm>,
        Algorithm::ChaCha20Poly1305 => theirs::<ChaCha20Poly1305>,
        Algorithm::XChaCha20Poly1305 => theirs::<XChaCha20Poly1305>,
    };
    let wanted = theirs(&key, &nonce, payload);
    let sealed = running.seal(algorithm, [&key, &nonce, &associated_data, &plaintext]);
    assert!(
        sealed == wanted,
        "{algorithm:?}: sealed {size} bytes and {associated} others"
    );

    let mut open = |parts: [&[u8]; 4]| running.open(algorithm, parts);
    let opened = open([&key, &nonce, &associated_data, &sealed]);
    assert!(
        opened.split_first() == Some((&1, &plaintext[..])),
        "{algorithm:?}: opened {size} bytes"
    );

    let mut parts = [key, nonce, associated_data, sealed];
    // One bit of each in turn, of the last byte more often than chance would have it.
    let part = size % parts.len();
    if let Some(last) = parts[part].len().checked_sub(1) {
        let at = if size.is_multiple_of(3) {
            last
        } else {
            random.below(last + 1)
        };
        parts[part][at] ^= 1 << random.below(8);
        let opened = open(parts.each_ref().map(|part| &part[..]));
        let [.., sealed] = &parts;
        assert!(
            refused(&opened, sealed),
            "{algorithm:?}: tampered {size} bytes"
        );
    }
}

/// Whether it was not authentic, and is as it was.
pub fn refused(opened: &[u8], sealed: &[u8]) -> bool {
    let body = &sealed[..sealed.len() - 16];
    opened.split_first() == Some((&0, body))
}

#[test]
fn every_size_is_sealed_and_opened_as_rustcrypto_does() {
    let (module, mut random) = (Compiled::plain(), Random::new(3));
    let mut running = module.start();
    for algorithm in Algorithm::ALL {
        for size in 0..=1100 {
            let associated = random.below(100);
            compare(&mut running, &mut random, algorithm, size, associated);
        }
        for size in [4095, 16384, 16385, 65536, 1 << 20] {
            compare(&mut running, &mut random, algorithm, size, 17);
        }
    }
}

#[test]
fn every_size_of_associated_data_is_as_rustcrypto_has_it() {
    let (module, mut random) = (Compiled::plain(), Random::new(4));
    let mut running = module.start();
    for algorithm in Algorithm::ALL {
        for associated in 0..=1100 {
            let size = random.below(150);
            compare(&mut running, &mut random, algorithm, size, associated);
        }
    }
}

#[test]
fn keys_and_nonces_of_other_sizes_and_what_is_too_short_are_refused() {
    let module = Compiled::plain();
    let mut running = module.start();
    for algorithm in Algorithm::ALL {
        let right = algorithm.nonce();
        for (key, nonce) in [
            (31, right),
            (33, right),
            (16, right),
            (32, right - 1),
            (32, 16),
            (0, 0),
        ] {
            let parts: [&[u8]; 4] = [&vec![1; key], &vec![2; nonce], &[], &[0; 32]];
            assert!(running.seal(algorithm, parts).is_empty());
            assert!(running.open(algorithm, parts).is_empty());
        }
        for size in 0..16 {
            let parts: [&[u8]; 4] = [&[1; 32], &vec![2; right], &[], &vec![0; size]];
            assert!(running.open(algorithm, parts).is_empty());
        }
    }
}
