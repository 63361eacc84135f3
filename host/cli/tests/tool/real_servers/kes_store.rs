//! `--kes-store`: keys out of the folder of a KES that no longer runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal_servers::kes::Kes;
use tempfile::TempDir;

use super::kes::{KEY, cause, kes, migrate};
use crate::kit::identities::objects;
use crate::kit::migration::{all, plain};
use crate::kit::store::Store;
use crate::kit::{OTHER_KEY, Tool, only_mine, tool, with};

const PATH: &str = "config/iam/users/alice/identity.json";
const PLAINTEXT: &[u8] = br#"{"version":1}"#;

/// A key as KES wrote it until 2024, of the bytes 7.
fn old_file(algorithm: &str) -> String {
    let bytes = STANDARD.encode([7; 32]);
    match algorithm {
        // Before 2021.
        "" => format!(r#"{{"bytes":"{bytes}"}}"#),
        algorithm => format!(
            r#"{{"bytes":"{bytes}","algorithm":"{algorithm}","created_at":"2022-04-01T00:00:00Z","created_by":"someone"}}"#
        ),
    }
}

/// Puts a key of a former KES into a folder of keys.
fn put(folder: &Path, name: &str, content: &str) {
    fs::write(folder.join(name), content).unwrap();
    only_mine(&folder.join(name));
}

/// The tool without a KES that answers, and with its folder.
fn with_store(line: &str, last: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Tool {
    tool(with(line, last)).args(["--kes-store".as_ref(), folder])
}

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

#[test]
fn what_a_kes_sealed_opens_when_it_is_gone() {
    let mut kes = kes();
    // A key of an old KES beside its own.
    put(&kes.keys(), "old-key", &old_file("AES256-GCM_SHA256"));
    kes.restart();
    let (store, compact, old) = (plain(), plain(), plain());
    all(&migrate(&store, &kes).ok(), "migrated");
    all(
        &migrate(&compact, &kes).args(["--form", "compact"]).ok(),
        "migrated",
    );
    let under_old = tool(with("migrate --json --to kms", old.root()));
    all(&under_old.env(kes.variables("old-key")).ok(), "migrated");
    // The environment is still that of the server.
    let variables = kes.variables(KEY);
    let keys = kes.keys();
    kes.stop();
    let asked = tool(with("audit --json", store.root())).env(variables.clone());
    assert_eq!(cause(&asked.run()), "key-unavailable");
    for sealed in [&store, &compact] {
        let audit = with_store("audit --json --require current", sealed.root(), &keys);
        audit.env(variables.clone()).ok().says_nothing();
        // Nor does it need any of it.
        with_store("audit --json --require sealed", sealed.root(), &keys).ok();
    }
    // What is under another of its keys is not under the present one.
    with_store("audit --json --require sealed", old.root(), &keys).ok();
    let audit = with_store("audit --json --require current", old.root(), &keys);
    audit.env(variables.clone()).run().exits(22);
    // It is read everywhere where keys are.
    let object = store.get("config/iam/format.json");
    let opened = with_store("unseal --path", "config/iam/format.json", &keys).input(object);
    opened.ok().prints("\"version\":1");
    let cat = tool(with("cat", store.root())).args(["config/iam/format.json"]);
    cat.args(["--kes-store".as_ref(), keys.as_path()])
        .ok()
        .prints("\"version\":1");
    let journals = folder();
    let journaled = |line: &str| {
        let run = with_store(&format!("{line} --json"), store.root(), &keys);
        run.args(["--journal".as_ref(), journals.path()])
            .file("--keys", OTHER_KEY)
    };
    let before = store.bytes();
    let ended = journaled("migrate --to kms --key other-key").ok();
    all(&ended, "migrated");
    let name = ended.json().pop().unwrap()["summary"]["run"]["name"].clone();
    journaled("undo").args([name.as_str().unwrap()]).ok();
    assert_eq!(store.bytes(), before);
    journaled("migrate --to kms --key other-key").ok();
    tool(with("audit --require current", store.root()))
        .key(OTHER_KEY)
        .ok();
}

#[test]
fn what_is_sealed_with_its_folder_opens_in_kes_again() {
    let mut kes = kes();
    let keys = kes.keys();
    for (name, algorithm) in [
        ("none", ""),
        ("aes", "AES256-GCM_SHA256"),
        ("chacha", "XCHACHA20-POLY1305"),
        ("present", "ChaCha20"),
    ] {
        put(&keys, name, &old_file(algorithm));
    }
    kes.stop();
    let names = [KEY, "none", "aes", "chacha", "present"];
    let mut sealed = Vec::new();
    for name in names {
        for form in [
            "",
            " --form compact",
            " --data-key json",
            " --cipher aes-256-gcm",
        ] {
            let line = format!("seal --key {name}{form} --path");
            let stored = with_store(&line, PATH, &keys).input(PLAINTEXT).ok().stdout;
            let opened = with_store("unseal --require sealed --path", PATH, &keys);
            assert_eq!(
                opened.input(stored.clone()).ok().stdout,
                PLAINTEXT,
                "{line}"
            );
            sealed.push((line, name, stored));
        }
    }
    kes.restart();
    for (line, name, stored) in sealed {
        let through = tool(with("unseal --require current --path", PATH)).env(kes.variables(name));
        let opened = through.input(stored).run();
        assert_eq!(opened.stdout, PLAINTEXT, "{line}: {opened}");
        // And the other way round.
        let through = tool(with("seal --path", PATH)).env(kes.variables(name));
        let stored = through.input(PLAINTEXT).ok().stdout;
        let opened = with_store("unseal --require sealed --path", PATH, &keys);
        assert_eq!(opened.input(stored).ok().stdout, PLAINTEXT, "{name}");
    }
}

#[test]
fn its_key_for_new_objects_is_that_of_the_environment() {
    let folder = folder();
    put(folder.path(), "some-key", &old_file("AES256"));
    let seal = |name: &'static str| {
        let seal = with_store("seal --path", PATH, folder.path()).input(PLAINTEXT);
        seal.env([("MINIO_KMS_KES_KEY_NAME", name)])
    };
    let stored = seal("some-key").ok().stdout;
    let inspected = tool(["inspect", "--json"]).input(stored).ok().json();
    assert_eq!(inspected[0]["key"], "some-key");
    seal("other-key")
        .run()
        .exits(2)
        .says("MINIO_KMS_KES_KEY_NAME names \"other-key\"")
        .says("unset it and name a key with --key");
    // Without it there is none: nothing is guessed.
    with_store("seal --path", PATH, folder.path())
        .input(PLAINTEXT)
        .run()
        .exits(4);
}

#[test]
fn what_is_no_key_is_named_and_passed_over() {
    let keys = folder();
    put(keys.path(), "good", &old_file("AES256"));
    for number in 1..=5 {
        put(keys.path(), &format!("bad-{number}"), "hunter2");
    }
    put(keys.path(), "of-others", &old_file("AES128"));
    let file = keys.path().join("good");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(keys.path(), fs::Permissions::from_mode(0o775)).unwrap();
    let sealed = with_store("seal --key good --path", PATH, keys.path());
    let ended = sealed.input(PLAINTEXT).ok();
    for said in [
        "bad-1 is passed over, it is neither JSON nor base64",
        "3 more files in ",
        "others than its owner can put keys in ",
        "good holds a secret, and others than its owner can read or write it: chmod 600",
    ] {
        assert!(ended.stderr.contains(said), "{said}: {ended}");
    }
    assert!(!ended.stderr.contains("hunter2"), "{ended}");
    let store = Store::of([(PATH, &ended.stdout)]);
    fs::remove_file(&file).unwrap();
    with_store("audit", store.root(), keys.path())
        .run()
        .exits(2)
        .says("there is no key of KES in it");
    with_store("audit", store.root(), &keys.path().join("missing"))
        .run()
        .exits(2)
        .says("cannot be read");
}

#[test]
fn a_key_of_it_goes_into_another_kes() {
    let old = kes();
    let sealed = tool(with("seal --path", PATH))
        .env(old.variables(KEY))
        .input(PLAINTEXT);
    let sealed = sealed.ok().stdout;
    let (keys, new) = (old.keys(), Kes::start());
    let import = with_store("kes import", KEY, &keys).env(new.variables(KEY));
    import.ok();
    let opened = tool(with("unseal --path", PATH)).env(new.variables(KEY));
    assert_eq!(opened.input(sealed).ok().stdout, PLAINTEXT);
}

#[test]
fn identities_are_brought_out_of_a_store_of_a_kes_that_is_gone() {
    let kes = kes();
    let identities = objects()
        .into_iter()
        .map(|(path, it)| (path, it.to_string()));
    let store = Store::of(identities);
    migrate(&store, &kes).ok();
    let keys = kes.keys();
    let expected = tool(with("export", store.root()))
        .env(kes.variables(KEY))
        .ok();
    let exported = with_store("export", store.root(), &keys).ok();
    let archive = crate::kit::identities::archive;
    assert_eq!(archive(&exported.stdout), archive(&expected.stdout));
}
