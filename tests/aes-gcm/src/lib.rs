//! AES-256-GCM alone in a component, for the tests that trace it, and what such a test has to find.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;

use iamseal_aes_gcm::Aes256Gcm;
use iamseal_aes_gcm::aead::{Aead, AeadInOut, Key, KeyInit, Nonce, Payload};

#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod contract {
    wit_bindgen::generate!({
        inline: "
            package iamseal:tests;

            world aes-gcm {
                /// Nothing if the key or the nonce has the wrong size.
                export seal: func(
                    key: list<u8>,
                    nonce: list<u8>,
                    associated-data: list<u8>,
                    plaintext: list<u8>,
                ) -> list<u8>;
                /// One byte, 1, then the plaintext; or nothing if it is not authentic.
                export open: func(
                    key: list<u8>,
                    nonce: list<u8>,
                    associated-data: list<u8>,
                    sealed: list<u8>,
                ) -> list<u8>;
                /// Seals a message of this size so many times, each under a key of its own, with
                /// RustCrypto's or with ours.
                export work: func(rustcrypto: bool, size: u32, count: u32);
                /// Takes an address from a secret.
                export planted-address: func(secret: list<u8>) -> list<u8>;
                /// Branches on a secret.
                export planted-branch: func(secret: list<u8>) -> list<u8>;
            }
        ",
    });
    use super::Alone;
    export!(Alone);
}

struct Alone;

iamseal_runtime::component!(|_| ());

impl contract::Guest for Alone {
    fn seal(key: Vec<u8>, nonce: Vec<u8>, associated_data: Vec<u8>, plaintext: Vec<u8>) -> Vec<u8> {
        let sealed = with(&key, &nonce, |aead, nonce| {
            let payload = Payload {
                msg: &plaintext,
                aad: &associated_data,
            };
            aead.encrypt(nonce, payload).ok()
        });
        sealed.unwrap_or_default()
    }

    fn open(key: Vec<u8>, nonce: Vec<u8>, associated_data: Vec<u8>, sealed: Vec<u8>) -> Vec<u8> {
        let plaintext = with(&key, &nonce, |aead, nonce| {
            let payload = Payload {
                msg: &sealed,
                aad: &associated_data,
            };
            aead.decrypt(nonce, payload).ok()
        });
        let mut answer = Vec::new();
        if let Some(plaintext) = plaintext {
            answer.push(1);
            answer.extend_from_slice(&plaintext);
        }
        answer
    }

    fn work(rustcrypto: bool, size: u32, count: u32) {
        if rustcrypto {
            seal_often::<aes_gcm::Aes256Gcm>(size, count);
        } else {
            seal_often::<Aes256Gcm>(size, count);
        }
    }

    fn planted_address(secret: Vec<u8>) -> Vec<u8> {
        let table: [u8; 256] = black_box(core::array::from_fn(|at| at as u8 ^ 0x5a));
        secret
            .iter()
            .filter_map(|byte| table.get(usize::from(*byte)).copied())
            .collect()
    }

    fn planted_branch(secret: Vec<u8>) -> Vec<u8> {
        let mut count = 0u8;
        for byte in secret {
            if byte & 1 == 1 {
                // A call, so that no arithmetic takes the branch's place.
                count = black_box(count).wrapping_add(1);
            }
        }
        alloc::vec![count]
    }
}

fn seal_often<A: AeadInOut + KeyInit>(size: u32, count: u32) {
    let mut message = alloc::vec![0; size as usize];
    for turn in 0..count {
        let mut key = Key::<A>::default();
        for (to, from) in key.iter_mut().zip(turn.to_le_bytes()) {
            *to = from;
        }
        // As MinIO's fragments have them.
        let associated_data = [0; 17];
        let aead = A::new(&key);
        let message = message.as_mut_slice().into();
        let tag = aead.encrypt_inout_detached(&Nonce::<A>::default(), &associated_data, message);
        black_box(tag.is_ok());
    }
    black_box(message);
}

fn with<T>(
    key: &[u8],
    nonce: &[u8],
    work: impl FnOnce(&Aes256Gcm, &Nonce<Aes256Gcm>) -> Option<T>,
) -> Option<T> {
    let aead = Aes256Gcm::new_from_slice(key).ok()?;
    work(&aead, &nonce.try_into().ok()?)
}
