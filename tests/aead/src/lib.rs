//! What seals and opens, alone in a component, for the tests that trace it, and what such a test has to find.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;

use iamseal_aes_gcm::Aes256Gcm;
use iamseal_aes_gcm::aead::inout::InOutBuf;
use iamseal_aes_gcm::aead::{Aead, AeadInOut, Key, KeyInit, Nonce, Payload, Tag};
use iamseal_chacha20_poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};

use contract::Algorithm;

#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod contract {
    wit_bindgen::generate!({
        inline: "
            package iamseal:tests;

            world aead {
                enum algorithm { aes256-gcm, chacha20-poly1305, xchacha20-poly1305 }

                /// Nothing if the key or the nonce has the wrong size.
                export seal: func(
                    algorithm: algorithm,
                    key: list<u8>,
                    nonce: list<u8>,
                    associated-data: list<u8>,
                    plaintext: list<u8>,
                ) -> list<u8>;
                /// One byte, 1, then the plaintext; or 0, then what is in its place, if it is not authentic.
                /// Nothing if the key or the nonce has the wrong size, or there is no tag.
                export open: func(
                    algorithm: algorithm,
                    key: list<u8>,
                    nonce: list<u8>,
                    associated-data: list<u8>,
                    sealed: list<u8>,
                ) -> list<u8>;
                /// Seals or opens a message of this size so many times, each time with a key's setup, with
                /// RustCrypto's or with ours.
                export work: func(
                    algorithm: algorithm,
                    rustcrypto: bool,
                    opening: bool,
                    size: u32,
                    count: u32,
                );
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
    fn seal(
        algorithm: Algorithm,
        key: Vec<u8>,
        nonce: Vec<u8>,
        associated_data: Vec<u8>,
        plaintext: Vec<u8>,
    ) -> Vec<u8> {
        let seal = match algorithm {
            Algorithm::Aes256Gcm => seal_with::<Aes256Gcm>,
            Algorithm::Chacha20Poly1305 => seal_with::<ChaCha20Poly1305>,
            Algorithm::Xchacha20Poly1305 => seal_with::<XChaCha20Poly1305>,
        };
        seal(&key, &nonce, &associated_data, &plaintext).unwrap_or_default()
    }

    fn open(
        algorithm: Algorithm,
        key: Vec<u8>,
        nonce: Vec<u8>,
        associated_data: Vec<u8>,
        sealed: Vec<u8>,
    ) -> Vec<u8> {
        let open = match algorithm {
            Algorithm::Aes256Gcm => open_with::<Aes256Gcm>,
            Algorithm::Chacha20Poly1305 => open_with::<ChaCha20Poly1305>,
            Algorithm::Xchacha20Poly1305 => open_with::<XChaCha20Poly1305>,
        };
        open(&key, &nonce, &associated_data, &sealed).unwrap_or_default()
    }

    fn work(algorithm: Algorithm, rustcrypto: bool, opening: bool, size: u32, count: u32) {
        let work = match (algorithm, rustcrypto) {
            (Algorithm::Aes256Gcm, true) => work_with::<aes_gcm::Aes256Gcm>,
            (Algorithm::Aes256Gcm, false) => work_with::<Aes256Gcm>,
            (Algorithm::Chacha20Poly1305, true) => work_with::<chacha20poly1305::ChaCha20Poly1305>,
            (Algorithm::Chacha20Poly1305, false) => work_with::<ChaCha20Poly1305>,
            (Algorithm::Xchacha20Poly1305, true) => {
                work_with::<chacha20poly1305::XChaCha20Poly1305>
            }
            (Algorithm::Xchacha20Poly1305, false) => work_with::<XChaCha20Poly1305>,
        };
        work(opening, size, count);
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

fn seal_with<A: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &[u8],
    associated_data: &[u8],
    plaintext: &[u8],
) -> Option<Vec<u8>> {
    let payload = Payload {
        msg: plaintext,
        aad: associated_data,
    };
    let aead = A::new_from_slice(key).ok()?;
    aead.encrypt(&nonce.try_into().ok()?, payload).ok()
}

fn open_with<A: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &[u8],
    associated_data: &[u8],
    sealed: &[u8],
) -> Option<Vec<u8>> {
    let aead = A::new_from_slice(key).ok()?;
    let nonce = nonce.try_into().ok()?;
    let (body, tag) = sealed.split_last_chunk::<16>()?;
    let tag = Tag::<A>::try_from(&tag[..]).ok()?;
    let mut answer = alloc::vec![0];
    answer.extend_from_slice(body);
    let (opened, message) = answer.split_first_mut()?;
    let result = aead.decrypt_inout_detached(&nonce, associated_data, message.into(), &tag);
    *opened = result.is_ok().into();
    Some(answer)
}

fn work_with<A: AeadInOut + KeyInit>(opening: bool, size: u32, count: u32) {
    // As MinIO's fragments have them.
    let associated_data = [0; 17];
    let nonce = Nonce::<A>::default();
    let mut message = alloc::vec![0; size as usize];
    let mut out = alloc::vec![0; if opening { message.len() } else { 0 }];
    let mut key = Key::<A>::default();
    let seal = |key: &Key<A>, message: &mut [u8]| {
        let aead = A::new(key);
        aead.encrypt_inout_detached(&nonce, &associated_data, message.into())
    };
    if !opening {
        for turn in 0..count {
            for (to, from) in key.iter_mut().zip(turn.to_le_bytes()) {
                *to = from;
            }
            black_box(seal(&key, &mut message).is_ok());
        }
    } else if let Ok(tag) = seal(&key, &mut message) {
        for _ in 0..count {
            let aead = A::new(black_box(&key));
            if let Ok(buffer) = InOutBuf::new(&message, &mut out) {
                let opened = aead.decrypt_inout_detached(&nonce, &associated_data, buffer, &tag);
                black_box(opened.is_ok());
            }
        }
    }
    black_box((message, out));
}
