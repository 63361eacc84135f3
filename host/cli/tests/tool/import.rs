//! `import`: archives as objects of a store.

use std::fs;
use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::kit::drives::{Drives, keys};
use crate::kit::identities::{ALICE, POLICY, TEAM, TEMPORARY, archive, mixed, objects};
use crate::kit::store::Store;
use crate::kit::{Ended, KEY, OTHER_KEY, Tool, tool, with};

/// A store, an archive, and a place for journals.
struct Place {
    store: Store,
    zip: NamedTempFile,
    journals: TempDir,
}

impl Place {
    /// An empty store, and the archive of one of every form.
    fn new() -> Self {
        let exported = tool(with("export", mixed().root())).key(KEY).ok();
        Self::of(&exported.stdout)
    }

    fn of(zip: &[u8]) -> Self {
        let file = NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(&file, zip).unwrap();
        Self {
            store: Store::new(),
            zip: file,
            journals: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        }
    }

    fn run(&self, command: &str) -> Tool {
        tool(with(command, self.store.root()))
            .env([("XDG_STATE_HOME", self.journals.path())])
            .key(KEY)
            .file("--keys", OTHER_KEY)
    }

    fn import(&self, options: &str) -> Tool {
        let import = self.run("import --json").args([self.zip.path()]);
        import.args(options.split_whitespace())
    }

    /// What the store's identities are.
    #[track_caller]
    fn exported(&self) -> Value {
        json!(archive(&self.run("export").ok().stdout))
    }

    fn archive(&self) -> Value {
        json!(archive(&fs::read(&self.zip).unwrap()))
    }

    /// Writes another archive in the place of this one.
    fn with(&self, change: impl FnOnce(&mut Value)) {
        let mut archive = self.archive();
        change(&mut archive);
        fs::write(&self.zip, zip(&archive)).unwrap();
    }
}

fn zip(archive: &Value) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, entries) in archive.as_object().unwrap() {
        let file = format!("iam-assets/{name}.json");
        zip.start_file(file, SimpleFileOptions::default()).unwrap();
        zip.write_all(entries.to_string().as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The outcomes of all identities, and how often each was.
#[track_caller]
fn outcomes(ended: &Ended) -> Value {
    let mut lines = ended.json();
    let summary = lines.pop().unwrap()["summary"].clone();
    assert_eq!(summary["identities"], lines.len());
    let mut outcomes = json!({});
    for line in &lines {
        let count = &mut outcomes[line["outcome"].as_str().unwrap()];
        *count = json!(count.as_u64().unwrap_or(0) + 1);
    }
    outcomes
}

#[test]
fn an_empty_store_gets_all_of_them_and_gives_them_back() {
    let place = Place::new();
    let dry = place.import("--dry-run").ok();
    assert_eq!(outcomes(&dry), json!({"would-create": 8}));
    assert!(place.store.bytes().is_empty());
    let ended = place.import("").ok();
    assert_eq!(outcomes(&ended), json!({"created": 8}));
    place.run("audit --require current").ok();
    assert_eq!(place.exported(), place.archive());
    // As MinIO would have written them.
    let identities = objects().into_iter().map(|(path, _)| path);
    let identities =
        identities.filter(|path| path.starts_with("config/iam/") && *path != TEMPORARY);
    let identities = identities.filter(|path| !path.ends_with("format.json"));
    let mut wanted: Vec<Vec<u8>> = identities.map(|path| path.as_bytes().to_vec()).collect();
    wanted.sort();
    assert!(place.store.bytes().keys().eq(&wanted));

    let again = place.import("").ok();
    assert_eq!(outcomes(&again), json!({"unchanged": 8}));
    let run = ended.json().pop().unwrap()["summary"]["run"]["name"].clone();
    place.run("undo").args([run.as_str().unwrap()]).ok();
    assert!(place.store.bytes().is_empty());
}

#[test]
fn they_are_sealed_as_it_was_asked_for() {
    for (options, form, key) in [
        (
            "--key other-key --cipher aes-256-gcm",
            "minio",
            Some("other-key"),
        ),
        ("--form compact", "compact", Some("my-minio-key")),
        ("--to plaintext", "plaintext", None),
    ] {
        let place = Place::new();
        place.import(options).ok();
        let audited = place.run("audit --json").ok().json_of_objects();
        assert_eq!(audited.len(), 8 + 1);
        for line in &audited[..8] {
            assert_eq!(line["found"]["form"], form);
            assert_eq!(line["found"]["key"].as_str(), key);
        }
        assert_eq!(place.exported(), place.archive());
    }
    let place = Place::new();
    place.import("--to plaintext --form compact").run().exits(2);
    let no_key = tool(with("import", place.store.root())).args([place.zip.path()]);
    no_key
        .env([("XDG_STATE_HOME", place.journals.path())])
        .run()
        .exits(4);
    assert!(place.store.bytes().is_empty());
}

#[test]
fn what_is_there_and_another_gives_way_only_if_that_is_asked_for() {
    let place = Place::new();
    place.store.put(
        ALICE,
        r#"{"credentials":{"secretKey":"present","status":"on"}}"#,
    );
    place.store.put(
        POLICY,
        objects()
            .iter()
            .find(|(path, _)| *path == POLICY)
            .unwrap()
            .1
            .to_string(),
    );
    let before = place.store.get(ALICE);
    let ended = place.import("").run().exits(14);
    assert_eq!(
        outcomes(&ended),
        json!({"created": 6, "unchanged": 1, "failed": 1})
    );
    let lines = ended.json();
    let alice = lines.iter().find(|line| line["path"] == ALICE).unwrap();
    assert_eq!(alice["error"]["cause"], "conflict");
    assert_eq!(place.store.get(ALICE), before);

    let dry = place.import("--replace --dry-run").ok();
    assert_eq!(outcomes(&dry), json!({"unchanged": 7, "would-replace": 1}));
    let ended = place.import("--replace").ok();
    assert_eq!(outcomes(&ended), json!({"unchanged": 7, "replaced": 1}));
    assert_eq!(place.exported(), place.archive());
    let run = ended.json().pop().unwrap()["summary"]["run"]["name"].clone();
    place.run("undo").args([run.as_str().unwrap()]).ok();
    assert_eq!(place.store.get(ALICE), before);
}

#[test]
fn what_no_credential_opens_is_not_tried_with_all_of_them_without_end() {
    let place = Place::new();
    let mut garbage = vec![0xa5; 57];
    // A kind that is cheap to try.
    garbage[32] = 2;
    place.with(|archive| {
        let user = archive["users"]["alice"].clone();
        archive["users"] = json!({});
        for number in 0..12 {
            let name = format!("a{number:02}");
            let path = format!("config/iam/users/{name}/identity.json");
            place.store.put(path, &garbage);
            archive["users"][name] = user.clone();
        }
    });
    let credentials = "a:password-a\nb:password-b\nc:password-c\n";
    let import = |options| {
        let import = place.import(options).args(["--only", "users"]);
        import.file("--root-credentials", credentials).run()
    };
    let ended = import("").exits(3);
    let causes = |cause| ended.text().matches(cause).count();
    assert_eq!(
        // Each object, and the summary.
        [causes("credential-untried"), causes("\"conflict\"")],
        [4 + 1, 8 + 1],
        "{ended}"
    );
    let all = import("--try-all-credentials").exits(14);
    assert_eq!(outcomes(&all), json!({"failed": 12}));
    assert_eq!(
        outcomes(&import("--replace").exits(0)),
        json!({"replaced": 12})
    );
}

#[test]
fn only_what_is_asked_for_is_made() {
    let place = Place::new();
    let ended = place.import("--only users,groups --name *a*").ok();
    assert_eq!(outcomes(&ended), json!({"created": 3}));
    let none = place.import("--name nobody").ok();
    none.says("there is no identity to import");
}

#[test]
fn what_an_archive_should_not_have_is_named_and_not_made() {
    let place = Place::new();
    place.with(|archive| {
        let users = archive["users"].as_object_mut().unwrap();
        let user = users.remove("dev/carol").unwrap();
        for name in ["../../evil", "a/../b", "", "/a", "a//b", "."] {
            users.insert(name.into(), user.clone());
        }
        archive["groups"]["team"] = json!({"members": []});
        archive["policies"]["empty"] = json!("no policy");
        archive["more"] = json!({"x": {}});
    });
    let ended = place.import("").run().exits(10);
    assert_eq!(outcomes(&ended), json!({"created": 6, "failed": 8}));
    let above = fs::read_dir(place.store.root()).unwrap();
    assert_eq!(above.count(), 1);
    assert!(!place.store.file(TEAM).exists());
    place.run("audit --require current").ok();
}

#[test]
fn what_is_no_archive_is_refused_before_anything_is_written() {
    let place = Place::new();
    for bytes in [&b"no zip"[..], b"", &zip(&json!({"users": [1]}))] {
        fs::write(&place.zip, bytes).unwrap();
        let ended = place.import("").run().exits(10);
        assert!(
            ended.error()["message"]
                .as_str()
                .unwrap()
                .contains("not an archive")
        );
    }
    fs::remove_file(place.zip.path()).unwrap();
    place.import("").run().exits(13);
    assert!(place.store.bytes().is_empty());
    fs::write(place.zip.path(), "").unwrap();
}

#[test]
fn drives_take_what_is_new_and_what_replaces() {
    let drives = Drives::of("four-sealed.tar.gz");
    let place = Place::new();
    let run = |arguments: &[&str]| {
        tool(arguments)
            .env([("XDG_STATE_HOME", place.journals.path())])
            .file("--keys", &format!("{}{OTHER_KEY}\n", keys()))
            .key(KEY)
    };
    let store = drives.store();
    let export = || archive(&run(&["export", &store]).ok().stdout);
    let before = json!(export());
    let mut wanted = before.clone();
    wanted["users"]["alice"]["secretKey"] = json!("another-secret-of-alice");
    wanted["users"]["new"] = wanted["users"]["alice"].clone();
    fs::write(&place.zip, zip(&wanted)).unwrap();
    let zip = place.zip.path().to_str().unwrap();
    let options = ["--replace", "--server-is-stopped", "--json"];
    let ended = run(&[&["import", &store, zip][..], &options].concat()).ok();
    let lines = ended.json();
    for (name, outcome) in [("new", "created"), ("alice", "replaced")] {
        let line = |line: &&Value| line["name"] == name && line["kind"] == "users";
        let line = lines.iter().find(line).unwrap();
        assert_eq!(line["outcome"], outcome, "{line}");
    }
    assert_eq!(json!(export()), wanted);
    let run_name = lines.last().unwrap()["summary"]["run"]["name"].clone();
    let undo = [
        "undo",
        &store,
        run_name.as_str().unwrap(),
        "--server-is-stopped",
    ];
    run(&undo).ok();
    assert_eq!(json!(export()), before);
}
