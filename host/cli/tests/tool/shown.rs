//! Whatever an operator, a store or a file calls something, its name cannot drive a terminal: it is
//! shown escaped wherever it is quoted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::kit::store::Store;
use crate::kit::{Ended, KEY, Tool, tool};

/// Escape, bell, delete, C1, direction, zero width, soft hyphen, selector, tag, separator, filler.
const ODD: &str = "odd\u{1b}]0;x\u{7}\u{7f}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{200d}\u{ad}\u{fe0f}\u{e0041}\u{2028}\u{3164}";
/// Where a name may have a line break.
const LINES: &str = "odd\u{1b}[2J\nerror: forged\r\u{202e}";
const SECRET: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// A character that does not show, as little as a test needs to know of them.
fn is_hidden(character: char) -> bool {
    character != '\n' && character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Nothing hidden is printed, and the name is, since otherwise the case would say nothing.
#[track_caller]
fn escaped(what: &str, ended: &Ended) {
    let all = format!("{}{}", ended.text(), ended.stderr);
    let hidden: String = all
        .chars()
        .filter(|character| is_hidden(*character))
        .collect();
    assert!(hidden.is_empty(), "{what}: {hidden:?} in {all:?}");
    assert!(!all.contains("\nerror: forged"), "{what}: {all:?}");
    assert!(all.contains("odd\\u{1b}"), "{what}: not quoted: {all}");
    assert!(!all.contains("odd\\\\u"), "{what}: escaped twice: {all}");
}

/// The same of lines of JSON, which name it as it is.
#[track_caller]
fn escaped_json(what: &str, name: &str, ended: &Ended) {
    let all = format!("{}{}", ended.text(), ended.stderr);
    assert!(!all.chars().any(is_hidden), "{what}: {all:?}");
    let lines: Vec<Value> = all
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let path = |line: &Value| {
        line["path"]
            .as_str()
            .is_some_and(|path| path.contains(name))
    };
    assert!(lines.iter().any(path), "{what}: not named: {all}");
}

fn run(arguments: &[&str]) -> Tool {
    tool(arguments).key(KEY).input("{}")
}

#[test]
fn names_on_the_command_line() {
    let store = Store::of([("config/a", "{}")]);
    let root = store.root().to_str().unwrap();
    let scratch = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let journals = scratch.path().join("journals");
    let journals = journals.to_str().unwrap();
    for odd in [ODD, LINES] {
        let file = scratch.path().join(odd);
        fs::write(&file, "no key").unwrap();
        let missing = scratch.path().join("gone").join(odd);
        let (file, missing) = (file.to_str().unwrap(), missing.to_str().unwrap());
        let empty = scratch.path().join(format!("empty {odd}"));
        fs::create_dir_all(&empty).unwrap();
        let empty = empty.to_str().unwrap();
        let below = &format!("{odd}/.minio.sys/{odd}");
        // What has a colon is taken for a key, and not shown.
        let key = &odd.replace(':', "");
        for arguments in [
            &["audit", root, "--keys", missing][..],
            &["audit", root, "--keys", file],
            &["audit", root, "--root-credentials", missing],
            &["audit", root, "--root-credentials", file],
            &["audit", root, "--plugin", missing],
            &["audit", root, "--plugin", file],
            &["audit", root, "--manifest", missing],
            &["audit", root, "--manifest", file],
            &["audit", root, "--prefix", odd],
            &["audit", root, "--prefix", &format!("config/{odd}")],
            &["audit", missing],
            &["audit", empty],
            &["audit", &format!("s3://bucket/{odd}/../x")],
            &["audit", &format!("etcd://127.0.0.1:x{odd}/")],
            &["audit", &format!("drives:{odd}")],
            &["audit", root, &format!("--{odd}")],
            &["audit", root, odd],
            &["audit", root, "--require", odd],
            &[odd],
            &["manifest", root, "--manifest", missing],
            &["inspect", missing],
            &["inspect", file],
            &["plugin", "inspect", missing],
            &["plugin", "test", missing],
            &["seal", "--path", below],
            &["seal", "--path", "config/a", "--key", key],
            &["unseal", "--path", &format!("config/{odd}")],
            &[
                "migrate",
                root,
                "--to",
                "kms",
                "--key",
                key,
                "--journal",
                journals,
            ],
            &[
                "migrate",
                root,
                "--to",
                "kms",
                "--journal",
                &format!("{file}/{odd}"),
            ],
            &["migrate", root, "--to", "kms", "--shard", odd],
            &["undo", root, odd, "--journal", journals],
            &["undo", root, "none", "--journal", empty],
            &["demo", scratch.path().to_str().unwrap(), odd],
            &["demo", &format!("{file}/{odd}")],
        ] {
            let ended = run(arguments).run();
            escaped(&format!("{arguments:?}"), &ended);
        }
    }
}

#[test]
fn names_in_variables() {
    let store = Store::of([("config/a", "{}")]);
    let root = store.root().to_str().unwrap();
    let minimum = [
        ("MINIO_KMS_KES_ENDPOINT", "https://127.0.0.1:1"),
        ("MINIO_KMS_KES_KEY_NAME", "my-key"),
        (
            "MINIO_KMS_KES_API_KEY",
            "kes:v1:AL31+gpwOtwm4QY+3D2vPPSnwS1I8XEA5ztXU7Eq1H/7",
        ),
        (
            "MINIO_KMS_KES_CAPATH",
            concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/src/keys/kes/testing/client.crt"
            ),
        ),
    ];
    let odd_url = format!("https://127.0.0.1:1/{ODD}");
    let odd_port = format!("https://127.0.0.1:{ODD}");
    for (name, value) in [
        ("MINIO_KMS_SECRET_KEY_FILE", ODD),
        ("MINIO_CONFIG_ENV_FILE", ODD),
        ("MINIO_KMS_KES_CAPATH", ODD),
        ("MINIO_KMS_KES_ENDPOINT", &odd_url),
        ("MINIO_KMS_KES_ENDPOINT", &odd_port),
        ("MINIO_KMS_KES_KEY_NAME", ODD),
    ] {
        let kes = name
            .contains("KES")
            .then_some(minimum)
            .into_iter()
            .flatten();
        let command = match name.contains("KES") {
            true => ["kes", "status"],
            false => ["audit", root],
        };
        let ended = tool(command).env(kes).env([(name, value)]).run();
        let all = format!("{}{}", ended.text(), ended.stderr);
        assert_ne!(ended.code, Some(0), "{name}");
        let hidden = all.chars().any(is_hidden);
        assert!(!hidden, "{name}: {all:?}");
    }
    let etcd = |name, value: &str| {
        tool(["audit", "etcds://127.0.0.1:1"])
            .env([(name, value.to_owned())])
            .run()
    };
    escaped("etcd's authority", &etcd("ETCDCTL_CACERT", ODD));
    let bucket = tool(["audit", "s3://bucket/x"]).env([
        ("AWS_CA_BUNDLE", ODD),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
    ]);
    escaped("S3's authorities", &bucket.run());
}

#[test]
fn names_in_a_store() {
    for odd in [ODD, LINES] {
        let path = format!("config/iam/{odd}");
        let scratch = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store = Store::of(
            [(&path, "{}"), (&format!("{path}/x"), "garbage")][..1]
                .iter()
                .copied(),
        );
        store.put(format!("config/damaged {odd}"), "garbage");
        let root = store.root().to_str().unwrap();
        let journals = scratch.path().join("journals");
        let journals = journals.to_str().unwrap();
        let manifest = scratch.path().join("manifest");
        let manifest = manifest.to_str().unwrap();
        escaped("audit", &run(&["audit", root]).run());
        let dry = ["migrate", root, "--to", "kms", "--dry-run"];
        escaped("dry run", &run(&dry).run());
        // The first tells of no object by its name.
        run(&["manifest", root, "--manifest", manifest]).ok();
        store.put(&path, "{\"changed\": 1}");
        store.put(format!("config/new {odd}"), "{}");
        fs::remove_file(store.file(format!("config/damaged {odd}"))).unwrap();
        escaped(
            "audit with a manifest",
            &run(&["audit", root, "--manifest", manifest]).run(),
        );
        escaped(
            "changes",
            &run(&["manifest", root, "--manifest", manifest]).run(),
        );
        let ended = run(&["migrate", root, "--to", "kms", "--journal", journals]).run();
        let (_, undo) = ended
            .stderr
            .split_once("to take it back: iamseal undo ")
            .unwrap();
        let name = undo.split(' ').nth(1).unwrap();
        let dry = ["undo", root, name, "--journal", journals, "--dry-run"];
        escaped("dry undo", &run(&dry).run());
        store.put(&path, "{}");
        escaped(
            "undo",
            &run(&["undo", root, name, "--journal", journals]).run(),
        );
    }
}

#[test]
fn names_in_json() {
    for odd in [ODD, LINES] {
        let scratch = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store = Store::of([(format!("config/{odd}"), "{}")]);
        store.put(format!("config/damaged {odd}"), "garbage");
        let root = store.root().to_str().unwrap();
        let [journals, manifest] = ["journals", "manifest"].map(|name| scratch.path().join(name));
        let (journals, manifest) = (journals.to_str().unwrap(), manifest.to_str().unwrap());
        for arguments in [
            &["audit", root][..],
            &["manifest", root, "--manifest", manifest],
            &["migrate", root, "--to", "kms", "--journal", journals],
            &["audit", root, "--manifest", manifest],
        ] {
            let ended = run(arguments).args(["--json"]).run();
            escaped_json(&format!("{arguments:?}"), odd, &ended);
        }
        let audit = ["migrate", root, "--to", "kms", "--journal", journals];
        run(&audit)
            .args(["--store-name", &format!("odd {ODD}")])
            .run();
        let runs = tool(["runs", "--json", "--journal", journals]).ok();
        assert!(!runs.text().chars().any(is_hidden), "{runs}");
        assert!(runs.text().contains("odd "), "{runs}");
    }
}

#[test]
fn names_of_keys_and_users() {
    let odd_key = format!("{ODD}:{SECRET}");
    let store = Store::of([("config/a", "{}")]);
    let root = store.root().to_str().unwrap();
    let scratch = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let journals = scratch.path().join("journals");
    let journals = journals.to_str().unwrap();
    let manifest = scratch.path().join("manifest");
    let manifest = manifest.to_str().unwrap();
    let odd = |arguments: &[&str]| tool(arguments).key(&odd_key).run();
    let credential = format!("{ODD}:password of it");
    escaped(
        "keys and users that are lent",
        &run(&["audit", root])
            .file("--keys", &odd_key)
            .file("--root-credentials", &credential)
            .run(),
    );
    let migrate = ["migrate", root, "--to", "kms", "--key", ODD];
    let migrated = tool(migrate).args(["--journal", journals, "--json"]);
    let summary = migrated.key(&odd_key).ok().json();
    let summary = &summary.last().unwrap()["summary"];
    escaped(
        "what a run was",
        &tool(["runs", "--journal", journals]).run(),
    );
    let name = summary["run"]["name"].as_str().unwrap();
    let undo = ["undo", root, name, "--journal", journals];
    escaped("what opens a journal", &run(&undo).run());
    let proof = summary["run"]["proof"].as_str().unwrap();
    escaped("what opens a proof", &run(&["verify-proof", proof]).run());
    escaped("what opens", &odd(&["audit", root]));
    escaped("no such key", &run(&["audit", root]).run());
    let other = format!("{ODD}:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=");
    escaped(
        "another key of that name",
        &tool(["audit", root]).key(&other).run(),
    );
    escaped(
        "another current key",
        &odd_with(&["audit", root, "--require", "current"], &odd_key),
    );
    escaped(
        "a manifest's key",
        &odd(&["manifest", root, "--manifest", manifest]),
    );
    escaped(
        "that is not lent",
        &run(&["audit", root, "--manifest", manifest]).run(),
    );
    let stored = store.get("config/a");
    escaped("inspect", &tool(["inspect"]).input(stored.clone()).run());
    let unseal = run(&["unseal", "--path", "config/a"]).input(stored);
    escaped("unseal", &unseal.run());
    escaped(
        "migrated from",
        &run(&["migrate", root, "--to", "kms", "--journal", journals])
            .file("--keys", &odd_key)
            .run(),
    );
}

fn odd_with(arguments: &[&str], key: &str) -> Ended {
    tool(arguments).key(KEY).file("--keys", key).run()
}

/// Files with secrets that others can read are named, once each, with a cure that works.
#[test]
fn files_that_others_can_read() {
    let store = Store::of([("config/a", "{}")]);
    let scratch = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        path
    };
    let keys = file("it's old.keys", &format!("old:{SECRET}"));
    let credentials = file("credentials", "user:password of it");
    let secret = file("secret", KEY);
    let environment = file("config.env", "MINIO_ROOT_USER=user\n");
    let password = file("password", "password of it");
    let all = [&keys, &credentials, &secret, &environment, &password];
    let audit = |json: &[&str]| {
        tool(["audit"])
            .args(json)
            .args([
                store.root(),
                Path::new("--keys"),
                &keys,
                Path::new("--root-credentials"),
                &credentials,
            ])
            .env([
                ("MINIO_KMS_SECRET_KEY_FILE", &secret),
                ("MINIO_CONFIG_ENV_FILE", &environment),
                ("MINIO_ROOT_PASSWORD_FILE", &password),
            ])
            .ok()
    };
    let ended = audit(&[]);
    let cures: Vec<_> = ended
        .stderr
        .lines()
        .map(|line| {
            line.split_once("others than its owner can read or write it: ")
                .unwrap()
                .1
        })
        .collect();
    assert_eq!(cures.len(), all.len(), "{ended}");
    for line in audit(&["--json"]).errors() {
        assert!(line["note"].as_str().unwrap().contains("chmod 600 "));
    }
    for cure in cures {
        let cured = std::process::Command::new("sh")
            .args(["-c", cure])
            .status()
            .unwrap();
        assert!(cured.success(), "{cure}");
    }
    audit(&[]).says_nothing();
    for path in all {
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}
