//! Objects as RustFS writes them, made with its own crate (`tests/vectors/rustfs.json`).

use iamseal_core::{Error, Form, Policy};
use iamseal_tests::backend::backends;
use iamseal_tests::keys::Keys;
use iamseal_tests::vectors::base64;
use serde_json::Value;

const PATH: &[u8] = b"config/iam/users/alice/identity.json";

fn cases() -> Vec<Value> {
    let file = include_str!("../../vectors/rustfs.json");
    let mut file: Value = serde_json::from_str(file).unwrap();
    let cases = file["cases"].take();
    cases.as_array().unwrap().clone()
}

/// A passphrase of user and password, or of a password alone.
fn keys(passphrase: &str) -> Keys {
    let (user, password) = passphrase.split_once(':').unwrap_or(("", passphrase));
    Keys::default().credential(user, password)
}

#[test]
fn both_forms_open_under_each_kind_of_passphrase() {
    let cases = cases();
    // A file that was cut must not pass in silence.
    assert_eq!(cases.len(), 23);
    for case in cases {
        let text = |field: &str| case[field].as_str().unwrap();
        let [stored, plaintext] =
            ["ciphertext_b64", "plaintext_b64"].map(|field| base64(text(field)));
        let what = format!("{} {} {}", text("what"), text("form"), text("key_kind"));
        for backend in backends(&keys(text("key")), "store") {
            let opened = backend.unseal(PATH, &stored, Policy::Compatible).unwrap();
            assert_eq!(*opened.plaintext, plaintext, "{what}");
            assert_eq!(opened.found.form, Form::RootCredential, "{what}");
        }
        for other in [keys("another"), keys("rootadmin:another")] {
            let opened = backends(&other, "store")[0].unseal(PATH, &stored, Policy::Compatible);
            assert_eq!(opened.err(), Some(Error::CredentialNotAuthentic), "{what}");
        }
    }
}

#[test]
fn one_message_opens_whole_or_not_at_all() {
    let is_small = |case: &&Value| case["form"] == "single" && case["what"] == "identity";
    let cases = cases();
    let case = cases.iter().find(is_small).unwrap();
    let stored = base64(case["ciphertext_b64"].as_str().unwrap());
    let backend = &backends(&keys(case["key"].as_str().unwrap()), "store")[0];
    // Byte 32 tells the form.
    for at in (0..stored.len()).filter(|at| *at != 32) {
        let mut damaged = stored.clone();
        damaged[at] ^= 1;
        let opened = backend.unseal(PATH, &damaged, Policy::Compatible);
        assert_eq!(opened.err(), Some(Error::CredentialNotAuthentic), "{at}");
    }
    let cut = &stored[..stored.len() - 1];
    assert!(backend.unseal(PATH, cut, Policy::Compatible).is_err());
}
