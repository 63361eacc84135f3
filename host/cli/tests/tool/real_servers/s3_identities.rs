//! Single objects and identities of a store in a bucket.

use serde_json::{Value, json};

use super::s3::Bucket;
use super::s3::{BUCKET, PREFIX, URL};
use crate::kit::identities::{POLICY, archive, mixed, objects};
use crate::kit::{KEY, tool};
use iamseal_tests::samples::decode;

#[test]
fn a_bucket_is_looked_at_exported_and_edited() {
    let bucket = Bucket::new();
    let store = mixed();
    let place = format!("{BUCKET}/{PREFIX}");
    bucket.minio.upload(&place, store.bytes());
    bucket.minio.upload(BUCKET, [("beside", "the store")]);

    let mut paths: Vec<_> = objects().into_iter().map(|(path, _)| path).collect();
    paths.sort_unstable();
    let listed = bucket.run("ls").ok().json();
    let listed: Vec<_> = listed.iter().map(|line| &line["path"]).collect();
    assert_eq!(listed, paths);
    let opened = |path: &str| {
        let line = bucket.run("cat").args([path]).ok().json().remove(0);
        let plaintext = decode(line["plaintext"].as_str().unwrap());
        serde_json::from_slice::<Value>(&plaintext).unwrap()
    };
    for (path, object) in objects() {
        assert_eq!(opened(path), object, "{path}");
    }
    let export = tool(["export", URL]).env(bucket.minio.aws_variables());
    let from_bucket = archive(&export.key(KEY).ok().stdout);
    let export = tool(["export".as_ref(), store.root()]).key(KEY).ok();
    assert_eq!(json!(from_bucket), json!(archive(&export.stdout)));

    let before = bucket.objects();
    let edit = bucket.write("edit").args([POLICY]);
    let editor = "f() { sed -i s/GetObject/PutObject/ \"$1\"; }; f";
    let ended = edit.env([("EDITOR", editor)]).ok().json();
    let action = &opened(POLICY)["Policy"]["Statement"][0]["Action"];
    assert_eq!(action, &json!(["s3:PutObject"]));
    let summary = &ended.last().unwrap()["summary"];
    bucket.undo(summary["run"]["name"].as_str().unwrap()).ok();
    assert_eq!(bucket.objects(), before);
}

#[test]
fn what_was_imported_is_taken_back_by_the_command_that_is_printed() {
    let bucket = Bucket::new();
    let place = format!("{BUCKET}/{PREFIX}");
    bucket.minio.upload(&place, [("config/config.json", "{}")]);
    let zip = tempfile::NamedTempFile::new().unwrap();
    let export = tool(["export".as_ref(), mixed().root()]).key(KEY).ok();
    std::fs::write(&zip, export.stdout).unwrap();
    let before = bucket.objects();
    let import = tool(["import", URL]).env(bucket.minio.aws_variables());
    let journals = ["--journal".as_ref(), bucket.journals().as_os_str()];
    let ended = import.key(KEY).args([zip.path()]).args(journals).ok();
    assert_ne!(bucket.objects(), before);
    let (_, command) = ended.stderr.split_once("to take it back: ").unwrap();
    let command = command.lines().next().unwrap();
    assert!(command.contains(" --server-is-stopped"), "{command}");
    let words: Vec<_> = command.split(' ').collect();
    assert_eq!(words[..3], ["iamseal", "undo", URL]);
    let undo = bucket.write("undo").args([words[3], "--server-is-stopped"]);
    undo.ok();
    assert_eq!(bucket.objects(), before);
}
