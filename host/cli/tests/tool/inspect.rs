//! `inspect`: what is seen of an object without a key.

use serde_json::json;

use crate::kit::store::Store;
use crate::kit::{KEY, KEY_NAME, Tool, tool, with};
use iamseal_tests::samples::{sealed_under, vector};

const PATH: &str = "config/iam/users/alice/identity.json";
const PLAINTEXT: &[u8] = br#"{"version":1,"credentials":{"accessKey":"alice"}}"#;

fn seal(path: &str) -> Tool {
    tool(with("seal --path", path)).key(KEY)
}

fn sealed() -> Vec<u8> {
    seal(PATH).input(PLAINTEXT).ok().stdout
}

#[test]
fn every_form_is_described_without_a_key() {
    let compact = seal(PATH).args(["--form", "compact"]).input(PLAINTEXT).ok();
    let size = PLAINTEXT.len();
    let cases = [
        (
            PLAINTEXT.to_vec(),
            json!(["plaintext", size, null, null, null, null]),
        ),
        (
            sealed(),
            json!(["minio", size, KEY_NAME, "chacha20-poly1305", "binary", null]),
        ),
        (
            compact.stdout,
            json!(["compact", size, KEY_NAME, "chacha20-poly1305", null, null]),
        ),
        (
            vector("dev-067").stored,
            json!([
                "root-credential",
                180,
                null,
                "aes-256-gcm",
                null,
                "Argon2id"
            ]),
        ),
        (
            vector("dev-069").stored,
            json!(["root-credential", 180, null, "aes-256-gcm", null, "PBKDF2"]),
        ),
        (
            vector("dev-017").stored,
            json!(["minio", 180, KEY_NAME, "xchacha20-poly1305", "binary", null]),
        ),
        (
            vector("dev-014").stored,
            json!(["minio", 180, KEY_NAME, "aes-256-gcm", "json", null]),
        ),
    ];
    for (stored, [form, holds, key, cipher, data_key, derivation]) in
        cases.map(|(stored, all)| (stored, std::array::from_fn(|index| all[index].clone())))
    {
        let size = stored.len();
        let line = tool(["inspect", "--json"])
            .input(stored.clone())
            .ok()
            .json()
            .remove(0);
        let expected = json!({
            "file": "standard input", "form": form, "size": size, "plaintext_size": holds,
            "key": key, "cipher": cipher, "data_key_encoding": data_key, "key_derivation": derivation,
        });
        assert_eq!(line, expected);
        let form = form.as_str().unwrap();
        // Keys are not even looked at.
        tool(["inspect"])
            .key("no key")
            .input(stored)
            .ok()
            .says_nothing()
            .prints(form);
    }
}

#[test]
fn an_objects_key_name_does_not_reach_the_terminal_as_it_is() {
    let evil = sealed_under("evil\u{1b}[2J\u{202e}\nname");
    let ended = tool(["inspect"]).input(evil.clone()).ok();
    let ended = ended.prints("evil\\u{1b}[2J\\u{202e}\\nname");
    assert!(!ended.text().contains(['\u{1b}', '\u{202e}']), "{ended}");
    let unseal = tool(with("unseal --path", PATH)).key(KEY);
    let ended = unseal.input(evil).run().fails(4);
    assert!(!ended.stderr.contains(['\u{1b}', '\u{202e}']), "{ended}");
}

#[test]
fn a_file_is_described_under_its_name() {
    let store = Store::of([("config/x", sealed()), ("config/\u{1b}[2J", sealed())]);
    let file = store.file("config/x");
    let line = tool(with("inspect --json", &file)).ok().json().remove(0);
    assert_eq!(line["file"], file.to_str().unwrap());
    tool(with("inspect", &file)).ok().prints("config/x");
    let ended = tool(with("inspect", store.file("config/\u{1b}[2J"))).ok();
    assert!(!ended.text().contains('\u{1b}'), "{ended}");
    for (missing, code) in [("config", 2), ("config/y", 13)] {
        let missing = store.file(missing);
        let says = format!("error: {}: ", missing.display());
        let ended = tool(with("inspect", missing)).run();
        ended.fails(code).says(&says);
    }
}
