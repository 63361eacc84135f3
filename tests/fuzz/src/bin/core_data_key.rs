//! Taking an encrypted data key apart and trying a secret key on it: any bytes.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal_core::{Error, Location, Policy, Session, inspect, unseal};
use iamseal_fuzz::one_key::{OneKey, minio};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data_key: &[u8]| {
    let metadata = format!(
        r#"{{"keyid":"k","kmskey":"{}","algorithm":"AES-256-GCM","nonce":"AAAAAAAAAAA="}}"#,
        STANDARD.encode(data_key)
    );
    let stored = minio(metadata.as_bytes(), &[0; 16]);
    let seen = inspect(&stored).unwrap();
    let location = Location::new("", b"config/a.json").unwrap();
    let mut session = Session::default();
    let keyring = OneKey::Secret([1; 32]);
    let opened = unseal(&keyring, &mut session, &location, &stored, Policy::Sealed);
    match opened.err().unwrap() {
        Error::HeaderNotAuthentic(_) => assert!(seen.data_key_encoding.is_some()),
        Error::Malformed(_) => assert_eq!(seen.data_key_encoding, None),
        error => panic!("{error:?}"),
    }
});
