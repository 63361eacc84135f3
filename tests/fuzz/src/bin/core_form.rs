//! Telling the forms apart and taking them apart: any bytes.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_core::{Error, Form, Location, Policy, Session, inspect, unseal};
use iamseal_fuzz::one_key::OneKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|stored: &[u8]| {
    let location = Location::new("", b"config/a.json").unwrap();
    let mut session = Session::default();
    let keyring = OneKey::Secret([1; 32]);
    let policy = Policy::Compatible;
    let opened = unseal(&keyring, &mut session, &location, stored, policy);
    match inspect(stored) {
        // Damage is the same with and without a key.
        Err(error) => assert_eq!(opened.err(), Some(error)),
        Ok(seen) => {
            assert_eq!(seen.size, stored.len() as u64);
            assert!(seen.plaintext_size <= seen.size);
            match (seen.form, opened) {
                (Form::Plaintext, Ok(opened)) => assert_eq!(*opened.plaintext, stored),
                (Form::RootCredential, Err(error)) => assert_eq!(error, Error::NoCredential),
                // The data key is taken apart only to be opened.
                (Form::Minio | Form::Compact, Err(error)) => assert!(matches!(
                    error,
                    Error::HeaderNotAuthentic(_) | Error::Malformed(_)
                )),
                (form, _) => panic!("{form:?} was taken for something else"),
            }
        }
    }
});
