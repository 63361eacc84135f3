//! What an audit says of keys that objects need no more, and under wasmtime too.

use serde_json::{Value, json};

use crate::kit::audit::findings;
use crate::kit::component::component;
use crate::kit::store::Store;
use crate::kit::{CREDENTIAL, KEY, KEY_NAME, KEY_WITH_OTHER_BYTES, OTHER_KEY, Tool, tool, with};
use iamseal_tests::samples::{damaged, vector};

const PLAINTEXT: &[u8] = br#"{"version":1}"#;
const NEW: &str = "other-key";
const PATHS: [&str; 3] = [
    "config/iam/users/alice/identity.json",
    "config/iam/users/bob/identity.json",
    "config/iam/users/carol/identity.json",
];

fn seal(path: &str, key: &str) -> Vec<u8> {
    let seal = tool(with("seal --path", path)).key(key);
    seal.input(PLAINTEXT).ok().stdout
}

/// The new key for new objects, the old one to read with.
fn both(run: Tool) -> Tool {
    run.key(OTHER_KEY).file("--keys", KEY)
}

/// Objects under the old key that were brought to the new one.
fn migrated() -> Store {
    let store = Store::of(PATHS.map(|path| (path, seal(path, KEY))));
    let migrate = tool(with("migrate --to kms", store.root()));
    both(migrate).ok();
    store
}

/// What the summary says of each key, from the tool and from the component.
#[track_caller]
fn keys(store: &Store, options: &str, lend: impl Fn(Tool) -> Tool) -> Value {
    let line = with("audit --json", store.root());
    let options = || options.split_whitespace();
    let [keys, same] = [tool(&line), component(&line)].map(|run| {
        let (_, summary) = findings(&lend(run.args(options())).run());
        summary["keys"].clone()
    });
    assert_eq!(keys, same);
    keys
}

fn key(name: &str, opened: u64, asked_for: u64, needed: Option<bool>) -> Value {
    json!({"key": name, "opened": opened, "asked_for": asked_for, "needed": needed})
}

#[test]
fn after_a_migration_the_old_key_is_not_needed() {
    let store = migrated();
    let all = [key(KEY_NAME, 0, 0, Some(false)), key(NEW, 3, 0, Some(true))];
    assert_eq!(keys(&store, "", both), json!(all));
    assert_eq!(keys(&store, "--require current", both), json!(all));

    // Plaintext and exempt files need none, whatever is asked of them.
    store.put("config/iam/format.json", PLAINTEXT);
    store.put("config/site-replication/state.json", PLAINTEXT);
    assert_eq!(keys(&store, "--require sealed", both), json!(all));

    // It is sure of nothing that it did not look at.
    let narrow = [key(KEY_NAME, 0, 0, None), key(NEW, 1, 0, Some(true))];
    let prefix = "--prefix config/iam/users/alice/";
    assert_eq!(keys(&store, prefix, both), json!(narrow));
}

#[test]
fn an_object_that_was_left_behind_needs_its_key() {
    let store = migrated();
    store.put(PATHS[0], seal(PATHS[0], KEY));
    let expected = [key(KEY_NAME, 1, 0, Some(true)), key(NEW, 2, 0, Some(true))];
    assert_eq!(keys(&store, "", both), json!(expected));
    // One that does not open needs it too, if it names it: other bytes, damage, an older key.
    let asks = json!([key(KEY_NAME, 0, 1, Some(true)), key(NEW, 2, 0, Some(true))]);
    assert_eq!(keys(&store, "--require current", both), asks);
    store.put(PATHS[0], damaged(seal(PATHS[0], KEY)));
    assert_eq!(keys(&store, "", both), asks);
    store.put(PATHS[0], seal(PATHS[0], KEY_WITH_OTHER_BYTES));
    assert_eq!(keys(&store, "", both), asks);
}

#[test]
fn an_object_that_does_not_say_its_key_leaves_it_open() {
    for bytes in [&[0xff; 40][..], &seal(PATHS[0], KEY)[..60], b""] {
        let store = migrated();
        store.put(PATHS[0], bytes);
        let expected = [key(KEY_NAME, 0, 0, None), key(NEW, 2, 0, Some(true))];
        assert_eq!(keys(&store, "", both), json!(expected));
    }
}

#[test]
fn a_key_under_another_name_is_found_and_not_called_needless() {
    let store = migrated();
    let bytes = OTHER_KEY.split_once(':').unwrap().1;
    let misnamed = |run: Tool| run.key(KEY).file("--keys", &format!("othre-key:{bytes}"));
    let expected = [key(KEY_NAME, 0, 0, None), key("othre-key", 0, 0, None)];
    assert_eq!(keys(&store, "", misnamed), json!(expected));
    let ended = misnamed(tool(with("audit", store.root()))).run().exits(4);
    let ended = ended.says("given as othre-key is the one that 3 objects ask for as other-key");
    ended.prints("it may have been given under another name");
    // One of other bytes hides none that fits.
    let two = format!("other-key:{}=\nolder:{bytes}", "A".repeat(43));
    let ended = tool(with("audit", store.root()))
        .key(KEY)
        .file("--keys", &two);
    ended
        .run()
        .says("given as older is the one that 3 objects ask for as other-key");
}

#[test]
fn a_store_without_objects_is_no_evidence() {
    let expected = [key(KEY_NAME, 0, 0, None), key(NEW, 0, 0, None)];
    assert_eq!(keys(&Store::new(), "", both), json!(expected));
}

#[test]
fn root_credentials_are_judged_by_objects_in_their_form_alone() {
    let user = |opened, needed: Option<bool>| json!({"user": "minioadmin", "opened": opened, "asked_for": 0, "signed": 0, "needed": needed});
    let lend = |run: Tool| both(run).env(CREDENTIAL);
    let store = migrated();
    let (old, new) = (key(KEY_NAME, 0, 0, Some(false)), key(NEW, 3, 0, Some(true)));
    let expected = json!([old, new, user(0, Some(false))]);
    assert_eq!(keys(&store, "", lend), expected);

    // One that another credential sealed says nothing of keys.
    store.put("config/config.json", vector("dev-074").stored);
    assert_eq!(keys(&store, "", lend), json!([old, new, user(0, None)]));
    store.put("config/config.json", vector("dev-067").stored);
    let expected = json!([old, new, user(1, Some(true))]);
    assert_eq!(keys(&store, "", lend), expected);
    let expected = json!([old, new, user(0, None)]);
    assert_eq!(keys(&store, "--require sealed", lend), expected);
}

#[test]
fn the_manifest_needs_its_key() {
    let store = migrated();
    let manifest = store.file("manifest");
    let write =
        tool(with("manifest", store.root())).args(["--manifest".as_ref(), manifest.as_os_str()]);
    both(write).args(["--key", KEY_NAME]).ok();
    let audit = tool(with("audit --json", store.root())).args(["--manifest".into(), manifest]);
    let (_, summary) = findings(&both(audit).ok());
    let expected = [key(KEY_NAME, 0, 0, Some(true)), key(NEW, 3, 0, Some(true))];
    assert_eq!(summary["keys"], json!(expected));
}

#[test]
fn people_are_told_where_there_is_a_choice() {
    let store = migrated();
    let line = with("audit", store.root());
    let words = |run: Tool| -> Vec<String> {
        let ended = run.run();
        let words = |line: &str| {
            let words = line.split_whitespace().filter(|word| *word != "│");
            words.collect::<Vec<_>>().join(" ")
        };
        ended.text().lines().map(words).collect()
    };
    for run in [tool::<&std::ffi::OsString>, component] {
        let lines = words(both(run(&line)));
        for expected in [
            "key my-minio-key 0 0 no object needs it",
            "key other-key 3 0 needed",
            "metadata, tier-config.bin, backups and the journals of runs may need it too.",
        ] {
            assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
        }
        // Of one key that is needed there is nothing to say.
        let lines = words(run(&line).key(OTHER_KEY));
        assert!(
            !lines.iter().any(|line| line.contains("needed")),
            "{lines:#?}"
        );

        let narrow = run(&line).args(["--prefix", "config/iam/groups/"]);
        let lines = words(narrow.key(OTHER_KEY).env(CREDENTIAL));
        for expected in [
            "key other-key 0 0 not known",
            "root credential minioadmin 0 0 not known",
            "Not known: only what begins with config/iam/groups/ was looked at.",
        ] {
            assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
        }
    }

    store.put("config/bad", [0xff; 40]);
    store.put("config/config.json", vector("dev-074").stored);
    let lines = words(both(tool(&line)).env(CREDENTIAL));
    for expected in [
        "Not known: 1 object not read, or without the name of a key.",
        "Not known: 1 object in the root-credential form not opened, and none says whose credential it needs.",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
    }
}
