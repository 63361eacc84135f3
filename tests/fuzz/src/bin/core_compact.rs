//! The compact form's header after its fixed part, and whole objects with one bit changed.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_core::{
    Form, Location, Policy, SealOptions, SealedForm, Session, inspect, seal, unseal,
};
use iamseal_fuzz::one_key::OneKey;
use libfuzzer_sys::fuzz_target;

/// Prefix and a salt that has its marked bit.
const FIXED: [u8; 36] = {
    let mut fixed = [0x80; 36];
    [fixed[0], fixed[1], fixed[2], fixed[3]] = [0xf9, b'i', b's', 1];
    fixed
};

fuzz_target!(|bytes: &[u8]| {
    let stored = [&FIXED, bytes].concat();
    if let Ok(seen) = inspect(&stored)
        && seen.form == Form::Compact
    {
        assert!(seen.plaintext_size < seen.size);
        let name = seen.key.unwrap();
        assert!(
            stored
                .windows(name.len().max(1))
                .any(|part| part == name.as_bytes())
                || name.is_empty()
        );
    }

    let [remote, at, bit, name, plaintext @ ..] = bytes else {
        return;
    };
    let keyring = match remote & 1 {
        0 => OneKey::Secret([1; 32]),
        _ => OneKey::Remote(vec![2; 32]),
    };
    let options = SealOptions {
        form: SealedForm::Compact,
        key: Some("k".repeat(usize::from(*name))),
        cipher: None,
        data_key_encoding: None,
    };
    let location = Location::new("store", b"config/a.json").unwrap();
    let mut session = Session::default();
    let mut stored = seal(&keyring, &mut session, &location, plaintext, &options).unwrap();
    let mut open = |stored: &[u8]| {
        let opened = unseal(&keyring, &mut session, &location, stored, Policy::Sealed);
        opened.map(|opened| opened.plaintext)
    };
    assert_eq!(**open(&stored).as_ref().unwrap(), plaintext);
    let at = usize::from(*at) * 3 % stored.len();
    // The service opens any seed, so a change in it shows in the commitment alone.
    stored[at] ^= 1 << (bit & 7);
    assert!(open(&stored).is_err(), "byte {at}");
});
