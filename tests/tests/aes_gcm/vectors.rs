//! The public vectors: NIST's and Project Wycheproof's.

use serde::Deserialize;

use crate::module::Compiled;

const FILE: &str = include_str!("../../vectors/aes-256-gcm.json");

/// As many as there are, so that a file that was cut does not pass in silence.
const COUNT: usize = 125 + 48;

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
    let collections: Vec<Collection> = serde_json::from_str(FILE).unwrap();
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
        let ours = running.call("seal", &[&key, &nonce, &associated_data, &plaintext]);
        assert_eq!(ours == sealed, case.opens, "{}", case.sealed);
        let opened = running.call("open", &[&key, &nonce, &associated_data, &sealed]);
        let wanted: Vec<u8> = [1].into_iter().chain(plaintext).collect();
        assert_eq!(
            opened,
            if case.opens { wanted } else { vec![] },
            "{}",
            case.sealed
        );
        count += 1;
    }
    assert_eq!(count, COUNT);
}
