//! `sign-tokens`: tokens that a root secret signed, signed by the accounts' own secrets.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iamseal_data_key::sign;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::audit::findings;
use crate::kit::identities::ALICE;
use crate::kit::migration::outcomes;
use crate::kit::store::Store;
use crate::kit::{KEY, KEY_WITH_OTHER_BYTES, OTHER_KEY, Tool, run_name, tool, with};

const OLD: (&str, &str) = ("rootadmin", "old-root-secret");
const PRESENT: (&str, &str) = ("rootadmin", "present-root-secret");
const OWN: &str = "secret-of-account";

/// The object of an account whose token this secret signed, with odd white space that has to stay.
fn account(by: &str) -> String {
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(json!({"alg": "HS512", "typ": "JWT"}));
    let claims =
        encode(json!({"accessKey": "SVC", "parent": "alice", "sa-policy": "inherited-policy"}));
    let message = format!("{header}.{claims}");
    let signature = sign(by.as_bytes(), message.as_bytes()).unwrap();
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    format!(
        "{{ \"version\":1,\n\"credentials\":{{\"accessKey\":\"SVC\",\"secretKey\":\"{OWN}\",\
         \"sessionToken\":\"{token}\",\"parentUser\":\"alice\",\"status\":\"on\"}},\"new\":1.50 }}"
    )
}

fn path(name: &str) -> String {
    format!("config/iam/service-accounts/{name}/identity.json")
}

fn sealed(path: &str, how: &str, key: &str, plaintext: &str) -> Vec<u8> {
    let seal = tool(with("seal --path", path)).args(how.split_whitespace());
    seal.key(key).input(plaintext).ok().stdout
}

struct Place {
    store: Store,
    journals: TempDir,
}

impl Place {
    /// Accounts of each kind, in each form.
    fn new() -> Self {
        let temporary = "config/iam/sts/TEMPORARY/identity.json";
        let objects = [
            ("by-old", "--form minio --cipher aes-256-gcm", KEY, OLD.1),
            (
                "by-old-json",
                "--form minio --data-key json",
                OTHER_KEY,
                OLD.1,
            ),
            ("by-present", "--form compact", KEY, PRESENT.1),
            ("by-own", "--form minio", KEY, OWN),
            ("by-other", "--form minio", KEY, "nobody-knows"),
        ];
        let objects = objects.map(|(name, how, key, by)| {
            let path = path(name);
            let stored = sealed(&path, how, key, &account(by));
            (path, stored)
        });
        let store = Store::of(objects);
        store.put(path("plain"), account(OLD.1));
        store.put(temporary, account(OLD.1));
        store.put(
            ALICE,
            r#"{"version":1,"credentials":{"secretKey":"longenough"}}"#,
        );
        let journals = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { store, journals }
    }

    fn run(&self, line: &str, given: impl AsRef<std::ffi::OsStr>) -> Tool {
        tool(with(line, given))
            .env([("XDG_STATE_HOME", self.journals.path())])
            .env([
                ("MINIO_ROOT_USER", PRESENT.0),
                ("MINIO_ROOT_PASSWORD", PRESENT.1),
            ])
            .file("--keys", &format!("{KEY}\n{OTHER_KEY}\n"))
            .file("--root-credentials", &format!("{}:{}\n", OLD.0, OLD.1))
    }

    fn sign(&self, options: &str) -> Tool {
        let sign = self.run("sign-tokens --json", self.store.root());
        sign.args(options.split_whitespace())
    }

    /// Whose secret signed which token.
    fn signers(&self) -> Vec<(String, String)> {
        let ended = self.run("audit --json", self.store.root()).ok();
        let (found, _) = findings(&ended);
        let signed = found.iter().filter_map(|(path, found)| {
            let by = found["signed_by"]["secret"].as_str()?;
            Some((path.clone(), by.to_owned()))
        });
        signed.collect()
    }

    fn opened(&self, name: &str) -> String {
        let cat = self.run("cat", self.store.root());
        cat.args([path(name)]).ok().text().to_owned()
    }
}

#[test]
fn what_a_root_secret_signed_the_account_signs_and_undo_takes_it_back() {
    let place = Place::new();
    let (before, signers) = (place.store.bytes(), place.signers());
    let dry = place.sign("--dry-run").ok();
    assert_eq!(outcomes(&dry), [("would-sign".to_owned(), 4)].into());
    assert_eq!(place.store.bytes(), before);

    let ended = place.sign("").ok();
    let ended = ended.says("temporary credentials that a root secret signed: 1");
    let ended = ended.says("tokens of service accounts whose signer is not known: 1");
    assert_eq!(outcomes(&ended), [("signed".to_owned(), 4)].into());
    for (path, by) in place.signers() {
        let is_left = path.contains("/sts/") || path.contains("/by-other/");
        assert_eq!(by == "account", !is_left, "{path}: {by}");
    }
    for name in ["by-old", "by-old-json", "by-present", "plain"] {
        assert_eq!(place.opened(name), account(OWN), "{name}");
    }
    // Each in the form and under the key that it had.
    let before_it = |name: &str| before[path(name).as_bytes()].clone();
    for name in ["by-old", "by-old-json", "by-present"] {
        let inspect = |bytes: Vec<u8>| {
            let told = tool(["inspect", "--json"])
                .input(bytes)
                .ok()
                .json()
                .remove(0);
            ["form", "key", "cipher", "data_key"].map(|field| told[field].clone())
        };
        let now = place.store.get(path(name));
        assert_eq!(inspect(now), inspect(before_it(name)), "{name}");
    }
    for name in ["by-own", "by-other"] {
        assert_eq!(place.store.get(path(name)), before_it(name), "{name}");
    }

    // There is nothing left to do.
    let again = place.sign("").run().exits(8);
    let again =
        again.says("no token of a service account is signed by one of these root credentials");
    assert!(outcomes(&again).is_empty());

    let undo = place.run("undo --json", place.store.root());
    undo.args([run_name(&ended)]).ok();
    assert_eq!(place.store.bytes(), before);
    assert_eq!(place.signers(), signers);
}

#[test]
fn another_name_and_an_open_mode_are_told_before_it_writes() {
    let place = Place::new();
    let plain = place.store.file(path("plain"));
    fs::set_permissions(&plain, Permissions::from_mode(0o644)).unwrap();
    fs::hard_link(&plain, place.store.root().join("elsewhere")).unwrap();
    for options in ["--dry-run", ""] {
        let ended = place.sign(options).ok();
        let ended = ended.says("1 object with another name (a hard link)");
        ended.says("1 object will hold plaintext that others than the owner can read");
    }
}

#[test]
fn an_account_that_nobody_can_read_is_told() {
    let place = Place::new();
    let lost = path("lost");
    let other_bytes = sealed(&lost, "", KEY_WITH_OTHER_BYTES, &account(OLD.1));
    place.store.put(&lost, &other_bytes);
    place
        .store
        .put(path("truncated"), r#"{"version":1,"credentials":{"#);
    let ended = place.sign("").run().exits(3);
    let counts = outcomes(&ended);
    assert_eq!(counts["signed"], 4, "{ended}");
    assert_eq!(counts["failed"], 2, "{ended}");
    assert_eq!(place.store.get(&lost), other_bytes);
}

#[test]
fn without_a_root_credential_nothing_is_done() {
    let place = Place::new();
    let before = place.store.bytes();
    let run = tool(with("sign-tokens", place.store.root())).key(KEY);
    run.run().exits(2).says("--root-credentials");
    assert_eq!(place.store.bytes(), before);
}
