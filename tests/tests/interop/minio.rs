//! MinIO's sealed form and the root-credential form.

use iamseal_core::{Cipher, Context, DataKeyEncoding, Form, Policy, SealOptions, SealedForm};
use iamseal_tests::backend::Backend;
use iamseal_tests::component::Component;
use iamseal_tests::keys::Keys;
use iamseal_tests::peer::Peer;
use iamseal_tests::vectors::base64;
use serde_json::{Value, json};

use crate::{KEY, NAME, NAMES, PATH, PATHS, plaintext, text};

const CIPHERS: [(Cipher, &str); 4] = [
    (Cipher::Aes256Gcm, "AES-256-GCM"),
    (Cipher::ChaCha20Poly1305, "ChaCha20-Poly1305"),
    (Cipher::Aes128Gcm, "AES-128-GCM"),
    (Cipher::XChaCha20Poly1305, "XChaCha20-Poly1305"),
];
/// Of them, the ones that are written.
const WRITTEN_CIPHERS: usize = 2;

const ENCODINGS: [(DataKeyEncoding, &str); 2] = [
    (DataKeyEncoding::Binary, "binary"),
    (DataKeyEncoding::Json, "json"),
];

/// A fragment is 16 KiB.
const SIZES: [usize; 7] = [0, 1, 16_383, 16_384, 16_385, 32_768, 100_000];

fn component(name: &str) -> Component {
    Component::new(&Keys::one(name, &KEY), "")
}

/// Seals with the component and opens with Python.
fn python_opens(
    peer: &mut Peer,
    component: &Component,
    name: &str,
    path: &[u8],
    size: usize,
    (cipher, cipher_name): (Cipher, &str),
    (encoding, encoding_name): (DataKeyEncoding, &str),
) {
    let options = SealOptions {
        form: SealedForm::Minio,
        key: None,
        cipher: Some(cipher),
        data_key_encoding: Some(encoding),
    };
    let stored = component.seal(path, &plaintext(size), &options).unwrap();
    let request = json!({
        "do": "open-minio",
        "stored": text(&stored),
        "path": text(path),
        "keys": { name: text(&KEY) },
    });
    let opened = peer.ask(&request).unwrap();
    let what = format!("{size} bytes at {}", path.escape_ascii());
    assert_eq!(opened["plaintext"], text(&plaintext(size)), "{what}");
    assert_eq!(opened["key"], name, "{what}");
    assert_eq!(opened["cipher"], cipher_name, "{what}");
    assert_eq!(opened["data_key_encoding"], encoding_name, "{what}");
    assert_eq!(opened["context"], "joined", "{what}");
}

#[test]
fn python_opens_both_ciphers_and_encodings_at_the_edges_of_fragments() {
    let (mut peer, component) = (Peer::start(), component(NAME));
    for size in SIZES {
        for cipher in CIPHERS.into_iter().take(WRITTEN_CIPHERS) {
            for encoding in ENCODINGS {
                python_opens(&mut peer, &component, NAME, PATH, size, cipher, encoding);
            }
        }
    }
}

#[test]
fn python_opens_at_odd_paths_under_odd_key_names() {
    let mut peer = Peer::start();
    for name in NAMES {
        let component = component(name);
        for path in PATHS {
            for encoding in ENCODINGS {
                python_opens(&mut peer, &component, name, path, 20, CIPHERS[0], encoding);
            }
        }
    }
}

#[test]
fn what_python_opens_is_what_is_sealed_when_nothing_is_asked_for() {
    let (mut peer, component) = (Peer::start(), component(NAME));
    let options = SealOptions {
        form: SealedForm::Minio,
        key: None,
        cipher: None,
        data_key_encoding: None,
    };
    let stored = component.seal(PATH, b"{}", &options).unwrap();
    let mut request = json!({
        "do": "open-minio",
        "stored": text(&stored),
        "path": text(PATH),
        "keys": { NAME: text(&KEY) },
    });
    let opened = peer.ask(&request).unwrap();
    assert_eq!(opened["cipher"], "ChaCha20-Poly1305");
    assert_eq!(opened["data_key_encoding"], "binary");
    // It is not opened elsewhere or with other keys.
    request["path"] = text(b"config/other").into();
    peer.ask(&request).unwrap_err();
    request["path"] = text(PATH).into();
    request["keys"][NAME] = text(&[8; 32]).into();
    peer.ask(&request).unwrap_err();
}

/// Seals with Python and opens with the component; Python's object is made by `request`.
fn component_opens(peer: &mut Peer, component: &Component, request: &Value) {
    let stored = base64(peer.ask(request).unwrap()["stored"].as_str().unwrap());
    let path = base64(request["path"].as_str().unwrap());
    let opened = component.unseal(&path, &stored, Policy::Sealed);
    let opened = opened.unwrap_or_else(|error| panic!("{error:?}: {request}"));
    assert_eq!(text(&opened.plaintext), request["plaintext"], "{request}");
    assert_eq!(opened.found.form, Form::Minio);
    assert_eq!(opened.found.key.as_deref(), request["name"].as_str());
    let bare = request["context"] == "bare";
    let context = if bare { Context::Bare } else { Context::Joined };
    assert_eq!(opened.found.context, Some(context), "{request}");

    let seen = component.inspect(&stored).unwrap();
    let cipher = CIPHERS.iter().find(|(_, name)| *name == request["cipher"]);
    assert_eq!(seen.cipher, cipher.map(|(cipher, _)| *cipher));
    let encoding = match request["data_key_encoding"].as_str().unwrap() {
        "binary" => DataKeyEncoding::Binary,
        "json-aes" | "json-chacha" => DataKeyEncoding::Json,
        _ => DataKeyEncoding::MessagePack,
    };
    assert_eq!(seen.data_key_encoding, Some(encoding), "{request}");
    assert_eq!(seen.plaintext_size, opened.plaintext.len() as u64);
}

fn seal_minio(name: &str, path: &[u8], size: usize) -> Value {
    json!({
        "do": "seal-minio",
        "path": text(path),
        "plaintext": text(&plaintext(size)),
        "name": name,
        "key": text(&KEY),
        "cipher": "AES-256-GCM",
        "data_key_encoding": "binary",
        "context": "joined",
    })
}

#[test]
fn the_component_opens_every_combination_that_python_seals() {
    let (mut peer, component) = (Peer::start(), component(NAME));
    for (_, cipher) in CIPHERS {
        for encoding in [
            "binary",
            "json-aes",
            "json-chacha",
            "message-pack-aes",
            "message-pack-chacha",
        ] {
            for context in ["joined", "bare"] {
                for size in [0, 16_384, 16_385] {
                    let mut request = seal_minio(NAME, PATH, size);
                    request["cipher"] = cipher.into();
                    request["data_key_encoding"] = encoding.into();
                    request["context"] = context.into();
                    component_opens(&mut peer, &component, &request);
                }
            }
        }
    }
}

#[test]
fn the_component_opens_every_style_of_json() {
    let (mut peer, component) = (Peer::start(), component(NAME));
    for style in [
        "plain",
        "reordered",
        "uppercase",
        "spaced",
        "unknown-field",
        "duplicate",
    ] {
        for encoding in ["binary", "json-aes", "message-pack-chacha"] {
            let mut request = seal_minio(NAME, PATH, 20);
            request["json_style"] = style.into();
            request["data_key_encoding"] = encoding.into();
            component_opens(&mut peer, &component, &request);
        }
    }
}

#[test]
fn the_component_opens_at_odd_paths_under_odd_key_names() {
    let mut peer = Peer::start();
    for name in NAMES {
        let component = component(name);
        for path in PATHS {
            for context in ["joined", "bare"] {
                let mut request = seal_minio(name, path, 20);
                request["context"] = context.into();
                component_opens(&mut peer, &component, &request);
            }
        }
    }
}

#[test]
fn the_component_opens_root_credential_objects_of_all_ids() {
    // Colons are not escaped by either side.
    let (user, password) = ("minio:admin", "gr\u{fc}n:secret:key");
    let keys = Keys::none().credential(user, password);
    let (mut peer, component) = (Peer::start(), Component::new(&keys, ""));
    for (id, sizes) in [(0, &[20_000][..]), (1, &[0]), (2, &[0, 20_000])] {
        for size in sizes {
            let mut request = json!({
                "do": "seal-root-credential",
                "plaintext": text(&plaintext(*size)),
                "user": user,
                "password": password,
                "id": id,
            });
            let sealed = peer.ask(&request).unwrap();
            let stored = base64(sealed["stored"].as_str().unwrap());
            let opened = component.unseal(PATH, &stored, Policy::Compatible).unwrap();
            assert_eq!(opened.plaintext, plaintext(*size));
            assert_eq!(opened.found.form, Form::RootCredential);
            assert_eq!(opened.found.user.as_deref(), Some(user));

            request["do"] = "open-root-credential".into();
            request["stored"] = sealed["stored"].clone();
            assert_eq!(peer.ask(&request).unwrap()["id"], id);
        }
    }
}

#[test]
fn python_opens_what_is_written_for_rustfs() {
    let mut peer = Peer::start();
    let options = SealOptions {
        form: SealedForm::Rustfs,
        key: None,
        cipher: None,
        data_key_encoding: None,
    };
    for (user, password) in [("", "gr\u{fc}n master:key"), ("root:admin", "secret")] {
        let component = Component::new(&Keys::none().credential(user, password), "");
        for size in SIZES {
            let stored = component.seal(PATH, &plaintext(size), &options).unwrap();
            let mut request = json!({
                "do": "open-root-credential",
                "stored": text(&stored),
                "user": user,
                "password": password,
            });
            let opened = peer.ask(&request).unwrap();
            assert_eq!(opened["plaintext"], text(&plaintext(size)));
            // PBKDF2 and AES-256-GCM, as RustFS writes it.
            assert_eq!(opened["id"], 2);
            request["password"] = "another".into();
            peer.ask(&request).unwrap_err();
        }
    }
}
