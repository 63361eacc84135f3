//! The compact form, under static keys and keys in a server.

use std::sync::Arc;

use iamseal_core::{Form, Policy, SealOptions, SealedForm};
use iamseal_tests::backend::Backend;
use iamseal_tests::component::Component;
use iamseal_tests::keys::Keys;
use iamseal_tests::peer::Peer;
use iamseal_tests::service::Service;
use iamseal_tests::vectors::base64;
use serde_json::{Value, json};

use crate::{KEY, NAME, NAMES, PATH, PATHS, plaintext, text};

const OPTIONS: SealOptions = SealOptions {
    form: SealedForm::Compact,
    key: None,
    cipher: None,
    data_key_encoding: None,
};

/// A fragment is 64 KiB.
const SIZES: [usize; 6] = [0, 1, 65_535, 65_536, 65_537, 200_000];

const STORES: [&str; 4] = ["", "site-a", "a/b", "gr\u{fc}n <\"\\&> \u{2028}\n\u{1}"];

/// Everything that is varied: the sizes at one place, and each place with one size.
fn cases() -> Vec<(&'static str, &'static str, &'static [u8], usize)> {
    let mut cases: Vec<_> = SIZES.map(|size| (NAME, "site-a", PATH, size)).into();
    cases.extend(NAMES.map(|name| (name, "site-a", PATH, 20)));
    cases.extend(STORES.map(|store| (NAME, store, PATH, 20)));
    cases.extend(PATHS.map(|path| (NAME, "site-a", path, 20)));
    cases
}

#[test]
fn python_opens_what_is_sealed_under_a_secret_key() {
    let mut peer = Peer::start();
    for (name, store, path, size) in cases() {
        let component = Component::new(&Keys::one(name, &KEY), store);
        let stored = component.seal(path, &plaintext(size), &OPTIONS).unwrap();
        let mut request = json!({
            "do": "open-compact",
            "stored": text(&stored),
            "store": store,
            "path": text(path),
            "keys": { name: text(&KEY) },
        });
        let opened = peer.ask(&request).unwrap();
        assert_eq!(opened["plaintext"], text(&plaintext(size)), "{request}");
        assert_eq!(opened["key"], name);

        request["path"] = text(b"config/elsewhere").into();
        assert_eq!(peer.ask(&request).unwrap_err(), "header-not-authentic");
    }
}

#[test]
fn python_opens_what_is_sealed_under_a_remote_key() {
    let mut peer = Peer::start();
    for (name, store, path, size) in cases() {
        let service = Arc::new(Service::default());
        let component = Component::new(&Keys::none().remote(name, &service), store);
        let stored = component.seal(path, &plaintext(size), &OPTIONS).unwrap();
        let [[ciphertext, context, seed]] = service.known().try_into().unwrap();
        let request = json!({
            "do": "open-compact",
            "stored": text(&stored),
            "store": store,
            "path": text(path),
            "keys": {},
            "seeds": { text(&ciphertext): text(&seed) },
        });
        let opened = peer.ask(&request).unwrap();
        assert_eq!(opened["plaintext"], text(&plaintext(size)), "{request}");
        assert_eq!(opened["key"], name);
        let context = String::from_utf8(context).unwrap();
        assert_eq!(opened["context"], context);
    }
}

#[test]
fn the_component_opens_what_python_seals_under_a_secret_key() {
    let mut peer = Peer::start();
    for (name, store, path, size) in cases() {
        let mut request = seal(name, store, path, size);
        request["key"] = text(&KEY).into();
        let stored = base64(peer.ask(&request).unwrap()["stored"].as_str().unwrap());
        opens(&Keys::one(name, &KEY), &request, &stored);
    }
}

#[test]
fn the_component_opens_what_python_seals_under_a_remote_key() {
    let mut peer = Peer::start();
    // As long as the ciphertexts of KES are, of old and now, and two that take two and three
    // bytes to say how long they are.
    for (at, (name, store, path, size)) in cases().into_iter().enumerate() {
        let ciphertext = vec![at as u8; [76, 200, 20_000][at % 3]];
        let seed = [at as u8; 32];
        let mut request = seal(name, store, path, size);
        request["seed"] = text(&seed).into();
        request["seed_ciphertext"] = text(&ciphertext).into();
        let sealed = peer.ask(&request).unwrap();

        // Python says what its seed was bound to.
        let opened = peer.ask(&json!({
            "do": "open-compact",
            "stored": sealed["stored"],
            "store": store,
            "path": request["path"],
            "keys": {},
            "seeds": { text(&ciphertext): text(&seed) },
        }));
        let service = Arc::new(Service::default());
        let context = opened.unwrap()["context"].as_str().unwrap().to_string();
        service.learn(name, &ciphertext, context.as_bytes(), &seed);
        let stored = base64(sealed["stored"].as_str().unwrap());
        opens(&Keys::none().remote(name, &service), &request, &stored);
        assert_eq!(service.decrypted(), 1);
    }
}

fn seal(name: &str, store: &str, path: &[u8], size: usize) -> Value {
    json!({
        "do": "seal-compact",
        "plaintext": text(&plaintext(size)),
        "store": store,
        "path": text(path),
        "name": name,
    })
}

fn opens(keys: &Keys, request: &Value, stored: &[u8]) {
    let component = Component::new(keys, request["store"].as_str().unwrap());
    let path = base64(request["path"].as_str().unwrap());
    let opened = component.unseal(&path, stored, Policy::Sealed);
    let opened = opened.unwrap_or_else(|error| panic!("{error:?}: {request}"));
    assert_eq!(text(&opened.plaintext), request["plaintext"], "{request}");
    assert_eq!(opened.found.form, Form::Compact);
    assert_eq!(opened.found.key.as_deref(), request["name"].as_str());
}
