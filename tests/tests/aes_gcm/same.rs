//! It is RustCrypto's AES-256-GCM, which runs natively beside it: byte for byte, at every size.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};

use crate::module::{Compiled, Running};

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

/// Seals with both and opens, and opens nothing that one bit was changed of.
fn compare(running: &mut Running, random: &mut Random, size: usize, associated: usize) {
    let (key, nonce) = (random.bytes(32), random.bytes(12));
    let (associated_data, plaintext) = (random.bytes(associated), random.bytes(size));
    let theirs = Aes256Gcm::new_from_slice(&key).unwrap();
    let payload = Payload {
        msg: &plaintext,
        aad: &associated_data,
    };
    let nonce_ = Nonce::<Aes256Gcm>::try_from(&nonce[..]).unwrap();
    let wanted = theirs.encrypt(&nonce_, payload).unwrap();
    let sealed = running.call("seal", &[&key, &nonce, &associated_data, &plaintext]);
    assert!(
        sealed == wanted,
        "sealed {size} bytes and {associated} others"
    );

    let mut open = |parts: [&[u8]; 4]| running.call("open", &parts);
    let opened = open([&key, &nonce, &associated_data, &sealed]);
    assert!(
        opened.split_first() == Some((&1, &plaintext[..])),
        "opened {size} bytes"
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
        assert!(
            open(parts.each_ref().map(|part| &part[..])).is_empty(),
            "tampered {size} bytes"
        );
    }
}

#[test]
fn every_size_is_sealed_and_opened_as_rustcrypto_does() {
    let (module, mut random) = (Compiled::plain(), Random::new(3));
    let mut running = module.start();
    for size in 0..=1100 {
        let associated = random.below(100);
        compare(&mut running, &mut random, size, associated);
    }
    for size in [4095, 16384, 16385, 65536, 1 << 20] {
        compare(&mut running, &mut random, size, 17);
    }
}

#[test]
fn every_size_of_associated_data_is_as_rustcrypto_has_it() {
    let (module, mut random) = (Compiled::plain(), Random::new(4));
    let mut running = module.start();
    for associated in 0..=1100 {
        let size = random.below(150);
        compare(&mut running, &mut random, size, associated);
    }
}

#[test]
fn keys_and_nonces_of_other_sizes_and_what_is_too_short_are_refused() {
    let module = Compiled::plain();
    let mut running = module.start();
    for (key, nonce) in [(31, 12), (33, 12), (16, 12), (32, 11), (32, 16), (0, 0)] {
        let parts: [&[u8]; 4] = [&vec![1; key], &vec![2; nonce], &[], &[0; 32]];
        assert!(running.call("seal", &parts).is_empty());
        assert!(running.call("open", &parts).is_empty());
    }
    for size in 0..16 {
        let parts: [&[u8]; 4] = [&[1; 32], &[2; 12], &[], &vec![0; size]];
        assert!(running.call("open", &parts).is_empty());
    }
}
