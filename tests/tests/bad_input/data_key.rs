//! Data keys that are too short. MinIO panics below 28 bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal_core::{Error, Policy};
use iamseal_tests::backend::backends;
use iamseal_tests::errors::outcome;
use iamseal_tests::keys::Keys;
use iamseal_tests::objects;

use crate::samples::{KEY, NAME, PATH, STORE};

/// Tag, iv and nonce of a binary data key that holds nothing.
const SHORTEST: usize = 44;

#[test]
fn a_short_data_key_is_malformed_and_a_long_enough_one_not_authentic() {
    for backend in backends(&Keys::one(NAME, &KEY), STORE) {
        for size in 0..=SHORTEST + 1 {
            for [first, last] in [[0, 0], [b'{', b'}'], [0x95, 0]] {
                let mut data_key = vec![b' '; size];
                if let [head, .., tail] = data_key.as_mut_slice() {
                    [*head, *tail] = [first, last];
                }
                let metadata = format!(
                    r#"{{"keyid":"{NAME}","kmskey":"{}","algorithm":"AES-256-GCM","nonce":"AAAAAAAAAAA="}}"#,
                    STANDARD.encode(&data_key),
                );
                let stored = objects::join(metadata.as_bytes(), &[0; 16]);
                let opened = backend.unseal(PATH, &stored, Policy::Compatible);
                let what = format!("{}: {size} bytes, first {first}", backend.name());
                if size >= SHORTEST {
                    assert_eq!(outcome(&opened), "header-not-authentic", "{what}");
                    continue;
                }
                let said = format!("its data key is {size} bytes, the shortest has {SHORTEST}");
                assert_eq!(opened, Err(Error::Malformed(said)), "{what}");
            }
        }
    }
}
