//! The stream of fragments in MinIO's forms: any bytes, and genuine streams with edits.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_core::{Cipher, Location, Policy, SealOptions, SealedForm, Session, seal, unseal};
use iamseal_fuzz::one_key::{OneKey, minio};
use libfuzzer_sys::fuzz_target;

/// Sizes of plaintexts around the edges of fragments.
const SIZES: [usize; 8] = [0, 1, 40, 16_383, 16_384, 16_385, 32_768, 32_769];

fuzz_target!(|bytes: &[u8]| {
    let [cipher, size, kind, start, end, rest @ ..] = bytes else {
        return;
    };
    let (name, key, nonce) = match cipher % 4 {
        0 => ("AES-256-GCM", 32, "BwcHBwcHBwc="),
        1 => ("AES-128-GCM", 16, "BwcHBwcHBwc="),
        2 => ("ChaCha20-Poly1305", 32, "BwcHBwcHBwc="),
        _ => ("XChaCha20-Poly1305", 32, "BwcHBwcHBwcHBwcHBwcHBwcHBwc="),
    };
    let keyring = OneKey::Remote(vec![2; key]);
    let location = Location::new("", b"config/a.json").unwrap();
    let metadata = format!(r#"{{"keyid":"k","kmskey":"","algorithm":"{name}","nonce":"{nonce}"}}"#);
    let mut session = Session::default();
    let mut open = |stored: &[u8]| {
        let opened = unseal(&keyring, &mut session, &location, stored, Policy::Sealed);
        opened.map(|opened| opened.plaintext)
    };
    assert!(open(&minio(metadata.as_bytes(), rest)).is_err());

    let cipher = match cipher % 4 {
        0 => Cipher::Aes256Gcm,
        2 => Cipher::ChaCha20Poly1305,
        // Never written.
        _ => return,
    };
    let options = SealOptions {
        form: SealedForm::Minio,
        key: None,
        cipher: Some(cipher),
        data_key_encoding: None,
    };
    let plaintext = vec![3; SIZES[usize::from(*size) % SIZES.len()]];
    let genuine = seal(
        &keyring,
        &mut Session::default(),
        &location,
        &plaintext,
        &options,
    )
    .unwrap();
    assert_eq!(**open(&genuine).as_ref().unwrap(), plaintext);

    let header = 5 + usize::from(u16::from_le_bytes([genuine[1], genuine[2]]));
    let (header, body) = genuine.split_at(header);
    let place = |part: &u8| usize::from(*part) * (body.len() + 1) / 256;
    let (start, end) = (place(start).min(place(end)), place(start).max(place(end)));
    let changed = match kind % 4 {
        0 => body[..start].to_vec(),
        1 => [&body[..start], &body[end..]].concat(),
        2 => [&body[..end], &body[start..]].concat(),
        _ => [&body[..start], rest, &body[start..]].concat(),
    };
    let opened = open(&[header, &changed].concat());
    assert_eq!(opened.is_ok(), changed == body);
});
