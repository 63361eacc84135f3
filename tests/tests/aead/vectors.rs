//! The public vectors: NIST's and Project Wycheproof's.

use serde::Deserialize;

use crate::module::{Algorithm, Compiled};
use crate::same::refused;

/// The files, each with as many cases as there are, so that one that was cut does not pass in silence.
const FILES: [(Algorithm, &str, usize); 3] = [
    (
        Algorithm::Aes256Gcm,
        include_str!("../../vectors/aes-256-gcm.json"),
        125 + 48,
    ),
    (
        Algorithm::ChaCha20Poly1305,
        include_str!("../../vectors/chacha20-poly1305.json"),
        201,
    ),
    (
        Algorithm::XChaCha20Poly1305,
        include_str!("../../vectors/xchacha20-poly1305.json"),
        56,
    ),
];

#[derive(Deserialize)]
struct Collection {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    key: String,
    nonce: String,
    associated_data: String,
    plaintext: String,
    sealed: String,
    opens: bool,
}

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).unwrap() as u8)
        .collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    assert!(rest.is_empty());
    pairs.iter().map(|[high, low]| high << 4 | low).collect()
}

#[test]
fn the_public_vectors_are_sealed_opened_and_refused() {
    let module = Compiled::plain();
    let mut running = module.start();
    for (algorithm, file, cases) in FILES {
        let collections: Vec<Collection> = serde_json::from_str(file).unwrap();
        let mut count = 0;
        for case in collections.iter().flat_map(|collection| &collection.cases) {
            let [key, nonce, associated_data, plaintext, sealed] = [
                &case.key,
                &case.nonce,
                &case.associated_data,
                &case.plaintext,
                &case.sealed,
            ]
            .map(|text| bytes(text));
            let ours = running.seal(algorithm, [&key, &nonce, &associated_data, &plaintext]);
            assert_eq!(ours == sealed, case.opens, "{}", case.sealed);
            let opened = running.open(algorithm, [&key, &nonce, &associated_data, &sealed]);
            let wanted: Vec<u8> = [1].into_iter().chain(plaintext).collect();
            let right = if case.opens {
                opened == wanted
            } else {
                refused(&opened, &sealed)
            };
            assert!(right, "{}", case.sealed);
            count += 1;
        }
        assert_eq!(count, cases);
    }
}
