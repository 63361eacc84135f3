//! `keygen`, `seal` and `unseal`: one object at a time through the pipes.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use serde_json::json;

use crate::kit::{KEY, KEY_NAME, Tool, tool, with};
use iamseal_tests::samples::{decode, vector};

const PATH: &str = "config/iam/users/alice/identity.json";
const PLAINTEXT: &[u8] = br#"{"version":1,"credentials":{"accessKey":"alice"}}"#;
/// Every way to seal.
const WAYS: [&str; 6] = [
    "",
    "--form minio --cipher aes-256-gcm --data-key binary",
    "--form minio --cipher aes-256-gcm --data-key json",
    "--form minio --cipher chacha20-poly1305 --data-key json",
    "--form compact",
    "--form compact --cipher chacha20-poly1305 --store-name deployment-1",
];

fn seal(path: impl AsRef<OsStr>) -> Tool {
    tool(with("seal --path", path)).key(KEY)
}

fn unseal(path: impl AsRef<OsStr>) -> Tool {
    tool(with("unseal --path", path))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace()
}

#[test]
fn a_fresh_key_seals() {
    let printed = tool(["keygen", "my key"]).ok().says_nothing();
    let key = printed.text().trim_end();
    let encoded = key.strip_prefix("my key:").unwrap();
    assert_eq!(decode(encoded).len(), 32);
    let again = tool(["keygen", "my key"]).ok();
    assert_ne!(again.text().trim_end(), key);

    let sealed = tool(with("seal --path", PATH)).key(key).input(PLAINTEXT);
    let opened = unseal(PATH).key(key).input(sealed.ok().stdout).ok();
    assert_eq!(opened.stdout, PLAINTEXT);

    let line = tool(["keygen", "k", "--json"]).ok().json().remove(0);
    assert_eq!(line["name"], "k");
    assert!(line["key"].as_str().unwrap().starts_with("k:"));
}

#[test]
fn a_key_has_no_colon_in_its_name() {
    tool(["keygen", "a:b"])
        .run()
        .fails(2)
        .says("error: a key's name must not hold a colon")
        .says(" cure: choose a name without a colon");
}

#[test]
fn what_was_sealed_in_any_way_opens_again() {
    for way in WAYS {
        let sealed = seal(PATH).args(words(way)).input(PLAINTEXT).ok();
        let sealed = sealed.says_nothing().stdout;
        assert_ne!(sealed, PLAINTEXT, "{way}");
        let store = way.split(' ').skip_while(|word| *word != "--store-name");
        let opened = unseal(PATH)
            .args(["--require", "sealed"])
            .args(store)
            .key(KEY);
        let opened = opened.input(sealed).ok().says_nothing();
        assert_eq!(opened.stdout, PLAINTEXT, "{way}");
    }
}

#[test]
fn nothing_is_sealed_like_anything_else() {
    for way in WAYS {
        let sealed = seal(PATH).args(words(way)).ok().stdout;
        let opened = unseal(PATH)
            .key(KEY)
            .args(["--json", "--store-name", "deployment-1"]);
        let line = opened.input(sealed).run();
        // Of the compact objects only the one of this store opens.
        let is_of_another_store = way == "--form compact";
        if is_of_another_store {
            line.exits(7);
        } else {
            assert_eq!(line.exits(0).json()[0]["plaintext"], "", "{way}");
        }
    }
}

#[test]
fn the_same_in_json() {
    let line = seal(PATH)
        .args(["--json"])
        .input(PLAINTEXT)
        .ok()
        .json()
        .remove(0);
    assert_eq!(line["path"], PATH);
    let stored = decode(line["stored"].as_str().unwrap());
    let opened = unseal(PATH).args(["--json"]).key(KEY).input(stored).ok();
    let line = opened.json().remove(0);
    assert_eq!(decode(line["plaintext"].as_str().unwrap()), PLAINTEXT);
    let found = json!({"form": "minio", "key": KEY_NAME, "context": "joined", "user": null});
    assert_eq!(line["found"], found);
    assert_eq!(line["path"], PATH);
}

#[test]
fn a_path_is_cleaned_before_it_is_bound() {
    for way in ["", "--form compact"] {
        let sealed = seal("config//iam/./users/../x")
            .args(words(way))
            .input(PLAINTEXT)
            .ok()
            .stdout;
        for path in ["config/iam/x", "/config/iam/x/", "config/iam//y/../x"] {
            let opened = unseal(path).key(KEY).input(sealed.clone()).ok();
            assert_eq!(opened.stdout, PLAINTEXT);
        }
        let elsewhere = unseal("config/iam/y").key(KEY).input(sealed).run();
        elsewhere.fails(7).says("check --path");
    }
}

#[test]
fn a_path_of_the_server_is_refused_with_the_path_to_give() {
    for path in [
        ".minio.sys/config/config.json",
        "/.minio.sys/config/config.json",
        "./.minio.sys/config/config.json",
    ] {
        for run in [seal(path), unseal(path)] {
            run.run()
                .fails(2)
                .says("the path takes in .minio.sys")
                .says(" cure: give the path below it: --path config/config.json\n");
        }
    }
}

#[test]
fn a_path_that_leads_nowhere_is_refused() {
    for (path, says) in [
        (
            "../config/x",
            "../config/x: refused: the path climbs out of the store",
        ),
        ("config/../../x", "the path climbs out of the store"),
        ("", "the path is empty"),
        ("config/..", "the path is empty"),
    ] {
        for run in [seal(path), unseal(path).key(KEY)] {
            run.input(PLAINTEXT).run().fails(12).says(says);
        }
    }
}

#[test]
fn what_minio_does_not_encrypt_is_not_sealed() {
    for path in [
        "config/tier-config.bin",
        "config/site-replication/state.json",
    ] {
        seal(path).input(PLAINTEXT).run().fails(12).says(path);
    }
}

#[test]
fn what_is_never_written_is_refused() {
    seal(PATH)
        .args(["--form", "compact", "--cipher", "aes-256-gcm"])
        .run()
        .fails(2)
        .says("one cipher");
}

#[test]
fn plaintext_passes_through_with_a_note() {
    let opened = unseal(PATH).input(PLAINTEXT).ok();
    let opened = opened.says(&format!("note: {PATH}: it is plaintext and passed through"));
    assert_eq!(opened.stdout, PLAINTEXT);

    let opened = unseal(PATH).args(["--json"]).input(PLAINTEXT).ok();
    assert_eq!(opened.json()[0]["found"]["form"], "plaintext");
    let note = opened.errors()[0]["note"].to_string();
    assert!(note.contains("plaintext"), "{note}");
}

#[test]
fn a_path_need_not_be_text() {
    let path: &[u8] = b"config/iam/users/bad\xff\xfeutf8/identity.json";
    let vector = vector("dev-041");
    let opened = unseal(OsStr::from_bytes(path)).key(KEY).args(["--json"]);
    let line = opened.input(vector.stored).ok().json().remove(0);
    assert_eq!(decode(line["path_b64"].as_str().unwrap()), path);
    assert_eq!(
        decode(line["plaintext"].as_str().unwrap()),
        vector.plaintext
    );
}

#[test]
fn what_cannot_be_printed_is_a_failure() {
    // Without it a key would be lost, or an object cut.
    let seal = || seal(PATH);
    for run in [tool(["keygen", "k"]), seal(), seal().args(["--json"])] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = run.command();
        let output = command.stdin(Stdio::null()).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(13));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.contains("standard output: No space left"),
            "{stderr}"
        );
    }
}
