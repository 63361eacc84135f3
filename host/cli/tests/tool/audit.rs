//! `audit`: one verdict per object, counts that sum, and nothing touched.

use serde_json::json;

use crate::kit::audit::findings;
use crate::kit::store::Store;
use crate::kit::{CREDENTIAL, Ended, KEY, KEY_NAME, OTHER_KEY, Tool, tool, with};
use iamseal_tests::samples::{damaged, sealed_under, vector};

const PLAINTEXT: &[u8] = br#"{"version":1}"#;

fn audit(store: &Store) -> Tool {
    tool(with("audit --json", store.root()))
        .key(KEY)
        .env(CREDENTIAL)
}

fn seal(path: &str, way: &str) -> Vec<u8> {
    let seal = tool(with("seal --path", path)).args(way.split_whitespace());
    let key = if way.contains("other") {
        OTHER_KEY
    } else {
        KEY
    };
    seal.key(key).input(PLAINTEXT).ok().stdout
}

/// An object of every form. What the vectors hold is cut, so that no server loads it.
fn good() -> Store {
    let store = Store::new();
    // Bound to their own paths: JSON data key, bare context, odd names.
    for id in ["dev-013", "dev-038", "dev-040", "dev-039"] {
        let vector = vector(id);
        store.put(&vector.path, vector.stored);
    }
    // Bound to no path.
    store.put("config/config.json", vector("dev-067").stored);
    store.put("config/iam/sts/x/identity.json", vector("dev-068").stored);
    store.put("config/iam/format.json", PLAINTEXT);
    store.put("config/history/1.kv", b"region name=x\n");
    let path = "config/iam/users/carol/identity.json";
    store.put(path, seal(path, "--form compact"));
    store.put("config/tier-config.bin", [1, 0, 1, 0, 0x82, 0xa1]);
    store.put("config/site-replication/state.json", b"\x01\x02");
    store
}

/// What to put at a path so that it fails, and with which cause.
fn bad() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let bob = "config/iam/users/bob/identity.json";
    vec![
        ("config/bad/empty", Vec::new(), "malformed"),
        ("config/bad/cut", seal(bob, "")[..60].to_vec(), "malformed"),
        (
            "config/bad/drive/xl.meta",
            b"XL2 \x01\0\x03\0\xc6".to_vec(),
            "unknown-form",
        ),
        ("config/bad/binary", vec![0xff; 40], "unknown-form"),
        ("config/bad/elsewhere", seal(bob, ""), "other-path"),
        (
            "config/bad/other",
            seal(bob, "--key other-key"),
            "key-not-found",
        ),
        (bob, damaged(seal(bob, "")), "body-not-authentic"),
        ("config/bad/root", vector("dev-074").stored, "credential"),
    ]
}

#[test]
fn every_form_opens_and_says_with_what() {
    let store = good();
    let before = store.seen();
    let ended = audit(&store).run().exits(31).says_nothing();
    assert_eq!(store.seen(), before);

    let (findings, summary) = findings(&ended);
    assert_eq!(findings.len(), 11);
    let found = |path: &str| findings[path]["found"].clone();
    let plaintext = json!({"form": "plaintext", "key": null, "context": null, "user": null});
    let bare = json!({"form": "minio", "key": KEY_NAME, "context": "bare", "user": null});
    let minio = json!({"form": "minio", "key": KEY_NAME, "context": "joined", "user": null});
    let compact = json!({"form": "compact", "key": KEY_NAME, "context": null, "user": null});
    let root =
        json!({"form": "root-credential", "key": null, "context": null, "user": "minioadmin"});
    for (path, expected, verdict) in [
        ("config/config.json", &root, "fails"),
        ("config/history/1.kv", &plaintext, "opens"),
        ("config/iam/format.json", &plaintext, "opens"),
        (
            "config/iam/groups/grün\u{2028}sep\u{2029}/members.json",
            &bare,
            "fails",
        ),
        ("config/iam/policies/日本語😀/policy.json", &minio, "fails"),
        ("config/iam/sts/x/identity.json", &root, "fails"),
        ("config/iam/users/alice/identity.json", &minio, "fails"),
        ("config/iam/users/carol/identity.json", &compact, "opens"),
        (
            "config/iam/users/tab\there\u{1}\u{7f}/identity.json",
            &bare,
            "fails",
        ),
    ] {
        assert_eq!(found(path), *expected, "{path}");
        assert_eq!(findings[path]["verdict"], verdict, "{path}");
        let cause = match verdict {
            "fails" => json!("not-loadable"),
            _ => json!(null),
        };
        assert_eq!(findings[path]["error"]["cause"], cause, "{path}");
        assert_eq!(findings[path]["size"], store.get(path).len());
    }
    for path in [
        "config/tier-config.bin",
        "config/site-replication/state.json",
    ] {
        assert_eq!(findings[path]["verdict"], "exempt");
        assert!(findings[path]["reason"].is_string());
    }
    assert_eq!(
        summary,
        json!({"objects": 11, "interrupted": false, "keys": [
            {"key": "my-minio-key", "opened": 5, "asked_for": 0, "needed": true},
            {"user": "minioadmin", "opened": 2, "asked_for": 0, "signed": 0, "needed": true},
        ], "counts": [
            {"verdict": "exempt", "objects": 2},
            {"verdict": "opens", "form": "compact", "key": "my-minio-key", "objects": 1},
            {"verdict": "opens", "form": "plaintext", "objects": 2},
            {"verdict": "fails", "cause": "not-loadable", "objects": 6},
        ]})
    );
}

#[test]
fn every_failure_has_its_cause_and_the_rest_goes_on() {
    let store = good();
    let bad = bad();
    for (path, bytes, _) in &bad {
        store.put(path, bytes);
    }
    let before = store.seen();
    let ended = audit(&store).run().exits(3);
    assert_eq!(store.seen(), before);
    let (findings, summary) = findings(&ended);
    for (path, _, cause) in &bad {
        let finding = &findings[*path];
        assert_eq!(finding["verdict"], "fails", "{path}");
        assert_eq!(finding["error"]["cause"], *cause, "{path}: {finding}");
        assert!(finding["error"]["message"].is_string());
        assert!(finding["error"]["cure"].is_string(), "{path}: {finding}");
    }
    let elsewhere = &findings["config/bad/elsewhere"];
    let bob = json!({"path": "config/iam/users/bob/identity.json"});
    assert_eq!(elsewhere["error"]["opens_at"], bob);
    assert_eq!(elsewhere["key"], KEY_NAME);
    let fails = findings.values().filter(|one| one["verdict"] == "fails");
    assert_eq!(fails.count(), 6 + bad.len());
    assert_eq!(summary["objects"], 11 + bad.len());
    let counts = summary["counts"].as_array().unwrap();
    let sum: u64 = counts
        .iter()
        .map(|count| count["objects"].as_u64().unwrap())
        .sum();
    assert_eq!(sum, 11 + bad.len() as u64);
    assert_eq!(findings.len() as u64, sum);
}

#[test]
fn the_exit_code_is_the_one_cause() {
    for ((path, bytes, cause), code) in bad().into_iter().zip([10, 10, 11, 11, 7, 4, 9, 8]) {
        let store = Store::of([("config/iam/format.json", PLAINTEXT), (path, &bytes)]);
        let (findings, _) = findings(&audit(&store).run().exits(code));
        // Alone in a store nothing tells where an object belongs.
        let alone = match cause {
            "other-path" => "header-not-authentic",
            other => other,
        };
        assert_eq!(findings[path]["error"]["cause"], alone);
        assert_eq!(findings["config/iam/format.json"]["verdict"], "opens");
    }
}

#[test]
fn for_people_there_is_a_line_and_a_table() {
    let store = good();
    store.put("config/bad/empty", b"");
    // At paths whose objects are not judged.
    store.put("config/old.json", vector("dev-067").stored);
    store.put("config/new.json", seal("config/new.json", ""));
    let text = tool(with("audit", store.root())).key(KEY).env(CREDENTIAL);
    let text = text.run().exits(3).says_nothing();
    let text = text.text();
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for line in [
        "opens minio key my-minio-key config/new.json",
        "fails not-loadable config/iam/users/tab\\there\\u{1}\\u{7f}/identity.json",
        "opens root-credential root credential minioadmin config/old.json",
        "warning: it holds no secret key, so nobody logs in with it",
        "opens plaintext config/iam/format.json",
        "fails malformed config/bad/empty",
        "why: the object is empty",
        "cure: MinIO takes an empty object for absent: restore it from a backup, or remove it if it never held anything",
        "exempt config/tier-config.bin",
        "│ opens compact key my-minio-key 1 │",
        "│ fails malformed 1 │",
        "│ fails not-loadable 6 │",
        "│ total 14 │",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        assert!(lines.contains(&words), "no line {line}:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "colours in a pipe");
}

#[test]
fn sealed_can_be_required() {
    let store = good();
    let ended = audit(&store).args(["--require", "sealed"]).run().exits(3);
    let (findings, summary) = findings(&ended);
    let refused = |one: &&serde_json::Value| one["error"]["cause"] == "form-refused";
    assert_eq!(findings.values().filter(refused).count(), 4);
    assert_eq!(
        findings["config/config.json"]["error"]["cause"],
        "form-refused"
    );
    assert_eq!(summary["objects"], 11);
}

#[test]
fn the_present_key_can_be_required() {
    let store = Store::new();
    for (path, key) in [("config/new", OTHER_KEY), ("config/old", KEY)] {
        let seal = tool(with("seal --path", path)).key(key);
        store.put(path, seal.input(&b"{}"[..]).ok().stdout);
    }
    let audit = |arguments: &str| {
        let run = tool(with(arguments, store.root())).key(OTHER_KEY);
        run.file("--keys", KEY).run()
    };
    audit("audit --require sealed").exits(0);
    let ended = audit("audit --json --require current").exits(22);
    let (findings, summary) = findings(&ended);
    assert_eq!(findings["config/new"]["verdict"], "opens");
    let old = &findings["config/old"];
    assert_eq!(
        (&old["verdict"], &old["key"], &old["error"]["cause"]),
        (&"fails".into(), &"my-minio-key".into(), &"outdated".into())
    );
    assert_eq!(
        old["error"]["message"],
        "outdated: it is under the key \"my-minio-key\", the policy wants \"other-key\""
    );
    assert!(
        old["error"]["cure"]
            .to_string()
            .contains("iamseal migrate --to kms")
    );
    assert_eq!(summary["objects"], 2);

    audit("migrate --to kms").exits(0);
    audit("audit --require current").exits(0);
}

#[test]
fn without_any_key_it_says_which_are_missing() {
    let store = good();
    let ended = tool(with("audit --json", store.root())).run().exits(3);
    let (findings, _) = findings(&ended);
    let error = |path: &str| findings[path]["error"].to_string();
    assert!(
        error("config/iam/users/alice/identity.json").contains("give the key \\\"my-minio-key")
    );
    assert!(
        error("config/iam/users/carol/identity.json").contains("give the key \\\"my-minio-key")
    );
    assert!(error("config/config.json").contains("set MINIO_ROOT_USER and MINIO_ROOT_PASSWORD"));
    assert_eq!(findings["config/iam/format.json"]["verdict"], "opens");
}

#[test]
fn a_prefix_narrows_it_and_cannot_widen_it() {
    let store = good();
    store.put("format.json", PLAINTEXT);
    let ended = audit(&store).args(["--prefix", "config/iam/users/"]);
    let ended = ended.run().exits(31);
    let (findings, _) = findings(&ended);
    assert_eq!(findings.len(), 3);
    for prefix in ["", "config", "format", "../"] {
        let ended = audit(&store).args(["--prefix", prefix]).run().exits(2);
        assert!(
            ended.errors()[0]["error"]["cure"]
                .to_string()
                .contains("config/")
        );
    }
}

/// Nobody reads a thousand lines that say the same.
#[test]
fn objects_that_fail_for_one_cause_are_counted_after_the_first_ten() {
    let store = Store::of((0..40).map(|number| {
        let path = format!("config/iam/users/u{number:02}/identity.json");
        (path, sealed_under("gone"))
    }));
    let named = |ended: &Ended| ended.text().matches("gone").count();
    let text = || tool(with("audit", store.root())).key(KEY);
    let ended = text().run().exits(4);
    let ended = ended.prints("30 more failed, cause key-not-found; --verbose names them");
    let all = text().args(["--verbose"]).run().exits(4);
    assert!(named(&all) >= 40 && named(&ended) < 40, "{ended}");
    assert!(!all.text().contains(" more failed"));
    let json = audit(&store).run().exits(4);
    let lines = json.json();
    let named = lines.iter().filter(|line| line.get("path").is_some());
    assert_eq!(named.count(), 40);
    let migrate = tool(with("migrate --to plaintext", store.root()));
    let ended = migrate.key(KEY).run().exits(4);
    ended.prints("30 more failed, cause key-not-found; --verbose names them");
}
