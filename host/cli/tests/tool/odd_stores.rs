//! What an audit makes of folders that are no store and of things in a store that are no objects.

use std::fs::{self, File};
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, OFlags, mkdirat, mknodat, openat};

use crate::kit::audit::findings;
use crate::kit::store::Store;
use crate::kit::{KEY, Tool, tool, with};
use iamseal_tests::samples::{decode, sealed_under};

const PLAINTEXT: &[u8] = br#"{"version":1}"#;

fn audit(store: &Store) -> Tool {
    tool(with("audit --json", store.root())).key(KEY)
}

#[test]
fn links_and_pipes_are_reported_and_not_followed() {
    let store = Store::of([("config/iam/format.json", PLAINTEXT)]);
    store.put("outside/secret.json", PLAINTEXT);
    symlink(store.file("outside/secret.json"), store.file("config/file")).unwrap();
    symlink(store.file("outside"), store.file("config/folder")).unwrap();
    symlink("nowhere", store.file("config/nothing")).unwrap();
    let pipe = store.file("config/pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let ended = audit(&store).run().exits(12);
    let (findings, summary) = findings(&ended);
    for path in ["config/file", "config/folder", "config/nothing"] {
        let error = &findings[path]["error"];
        assert_eq!(error["cause"], "refused");
        assert!(error["message"].as_str().unwrap().contains("symbolic link"));
    }
    let error = &findings["config/pipe"]["error"];
    assert!(error["message"].as_str().unwrap().contains("named pipe"));
    assert_eq!(summary["objects"], 5);
}

#[test]
fn a_folder_that_cannot_be_read_is_reported_and_the_rest_goes_on() {
    let store = Store::of([
        ("config/iam/format.json", PLAINTEXT),
        ("config/iam/zzz.json", PLAINTEXT),
    ]);
    // Step by step a program can make folders that are too deep to be named; permissions would not
    // keep root out.
    let (part, mut folder) = (
        "d".repeat(250),
        File::open(store.file("config/iam")).unwrap(),
    );
    for _ in 0..17 {
        mkdirat(&folder, &part, Mode::RWXU).unwrap();
        folder = openat(&folder, &part, OFlags::DIRECTORY, Mode::empty())
            .unwrap()
            .into();
    }
    let migrated = tool(with("migrate --json --to kms", store.root()))
        .key(KEY)
        .run()
        .exits(12);
    let lines = migrated.json();
    let (summary, steps) = lines.split_last().unwrap();
    assert_eq!(summary["summary"]["objects"], 3);
    let outcomes: Vec<_> = steps.iter().map(|step| &step["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "migrated", "migrated"]);
    assert!(steps[0]["path"].as_str().unwrap().ends_with("ddd/"));
}

#[test]
fn a_mistyped_prefix_does_not_look_like_success() {
    let store = Store::of([("config/iam/format.json", PLAINTEXT)]);
    tool(with("audit --prefix config/iam/usres/", store.root()))
        .run()
        .exits(0)
        .says("there is no object whose path begins with config/iam/usres/");
}

#[test]
fn a_name_that_is_not_text_is_told_whole() {
    let name: &[u8] = b"config/iam/users/ba\xff\xfeutf8/identity.json";
    let store = Store::new();
    store.put(name, PLAINTEXT);
    let line = audit(&store).ok().json().remove(0);
    assert_eq!(
        line["path"],
        "config/iam/users/ba\u{fffd}\u{fffd}utf8/identity.json"
    );
    assert_eq!(decode(line["path_b64"].as_str().unwrap()), name);
    let evil = "config/iam/users/\u{1b}[2J\u{202e}\n/identity.json";
    store.put(evil, b"");
    let ended = tool(with("audit", store.root())).run().exits(10);
    let ended = ended.prints("\\u{1b}[2J\\u{202e}\\n/identity.json");
    assert!(!ended.text().contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn the_marker_is_explained() {
    for (content, says) in [
        (
            "encrypted",
            "once encrypted this store with its root credential",
        ),
        ("incomplete", "a migration by an old MinIO was interrupted"),
        ("x", "unknown content"),
    ] {
        let store = Store::of([("config/iam/format.json", PLAINTEXT)]);
        store.put("backend-encrypted", content);
        let ended = audit(&store).ok();
        let note = ended.errors()[0]["note"].to_string();
        assert!(note.contains(says), "{note}");
        tool(with("audit", store.root()))
            .ok()
            .says("note: the marker backend-encrypted");
        assert_eq!(store.get("backend-encrypted"), content.as_bytes());
    }
}

#[test]
fn another_folder_than_the_store_is_told_with_the_one_that_was_meant() {
    let store = Store::of([("data/.minio.sys/config/config.json", PLAINTEXT)]);
    let audit = |path: &str| tool(with("audit", store.file(path))).run();
    let cure = |path: &str| format!(" cure: {path}{}\n", store.file("data/.minio.sys").display());
    audit("data")
        .fails(2)
        .says("data has no config/ in it")
        .says(&cure("the store is the folder below it: "));
    audit("data/.minio.sys/config")
        .fails(2)
        .says(&cure("the store is the folder above it: "));
    fs::create_dir(store.file("none")).unwrap();
    audit("none")
        .fails(2)
        .says("give the folder that holds config/");
    audit("nothing")
        .fails(13)
        .says("nothing: there is no such directory")
        .says(" cure: ");
    audit("data/.minio.sys/config/config.json")
        .fails(13)
        .says("not a directory")
        .says(" cure: ");
    tool(with("audit", "drives:/d{1...4}"))
        .run()
        .fails(2)
        .says("/d1: ")
        .says(" cure: give all drives of the server");
}

#[test]
fn an_objects_key_name_does_not_reach_the_terminal_as_it_is() {
    // The name stands in an object that anybody may have written.
    let store = Store::of([("config/x", sealed_under("\u{1b}[2Jname"))]);
    let ended = tool(with("audit", store.root())).key(KEY).run().exits(4);
    assert!(!ended.text().contains('\u{1b}'), "{ended}");
}
