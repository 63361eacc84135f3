//! The command as a component under the stock wasmtime CLI reads MinIO's drives as the tool does: the same lines of
//! each object, which are those of the manifest of the archives, the same notes and the same exit codes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kit::component::component;
use crate::kit::drives::{Drives, keys, manifest};
use crate::kit::{Ended, Tool, tool, with};

/// The lines of objects, by their paths.
fn lines(ended: &Ended) -> BTreeMap<String, Value> {
    let lines = ended.json().into_iter();
    let objects = lines.filter_map(|line| Some((line["path"].as_str()?.to_owned(), line)));
    objects.collect()
}

/// What both say of a store, which is the same but for what the tool looks at besides.
#[track_caller]
fn both(command: &str, store: &str) -> Ended {
    let lend = |run: Tool| run.file("--keys", &keys()).run();
    let native = lend(tool(with(command, store)));
    let ended = lend(component(with(command, store)));
    assert_eq!(lines(&ended), lines(&native), "{store}: {ended}{native}");
    assert_eq!(ended.code, native.code, "{store}: {ended}{native}");
    assert_eq!(ended.stderr, native.stderr, "{store}");
    ended
}

#[test]
fn every_archive_is_read_as_its_manifest_says() {
    let mut read = 0;
    for (archive, fixture) in manifest()["fixtures"].as_object().unwrap() {
        let drives = Drives::of(archive);
        let is_plain_files = archive.starts_with("old-fs-");
        let store = match is_plain_files {
            true => drives.drive(1).join(".minio.sys").display().to_string(),
            false => drives.store(),
        };
        let before = drives.all();
        let ended = both("audit --json", &store);
        assert!(drives.all() == before, "{archive}");
        let said = lines(&ended);
        for object in fixture["objects"].as_array().unwrap() {
            let path = object["path"].as_str().unwrap();
            let path = path.strip_prefix(".minio.sys/").unwrap_or(path);
            // What there is of a user's or another server's is no object of this store.
            if !path.starts_with("config/") || object["form"] == "dangling" {
                continue;
            }
            let line = said
                .get(path)
                .unwrap_or_else(|| panic!("{archive}: {path}"));
            match object["form"].as_str() {
                // Another server's, or none that is looked at.
                _ if line["verdict"] == "exempt" => {}
                Some("kms") => assert_eq!(line["key"], object["key"], "{archive}: {line}"),
                Some("plain") => {
                    assert_eq!(line["found"]["form"], "plaintext", "{archive}: {line}")
                }
                _ => {}
            }
            read += 1;
        }
    }
    assert!(read > 200, "{read}");
}

#[test]
fn the_folder_of_a_drive_is_recognised() {
    let drives = Drives::of("single-sealed.tar.gz");
    let drive = drives.drive(1);
    for folder in [drive.clone(), drive.join(".minio.sys")] {
        let ended = both("audit --json", folder.to_str().unwrap());
        assert!(lines(&ended).len() > 10, "{ended}");
    }
}

#[test]
fn damage_and_missing_drives_are_told_as_the_tool_tells_them() {
    let drives = Drives::of("stale-one-of-four.tar.gz");
    both("audit --json", &drives.store()).says("has an older version of");
    both("audit --json", &drives.some([1, 2, 3])).says("missing or not whole");
    let one = both("audit --json", &drives.some([1])).exits(13);
    let last = one.json().pop().unwrap();
    assert_eq!(last["summary"]["all_seen"], false, "{one}");
}

#[test]
fn what_is_no_store_has_the_tools_cure() {
    let drives = Drives::of("four-sealed.tar.gz");
    for store in [
        "drives:".to_owned(),
        format!("drives:{}/x{{1..4}}", drives.root().display()),
        format!("drives:{}", drives.root().display()),
    ] {
        let native = tool(with("audit --json", &store)).run().exits(2);
        let ended = component(with("audit --json", &store)).run().exits(2);
        assert_eq!(ended.stderr, native.stderr, "{store}");
    }
    component(with("audit", "drives:/nowhere/disk1"))
        .run()
        .fails(2)
        .says("--dir");
}

#[test]
fn drives_are_only_read() {
    let drives = Drives::of("four-sealed.tar.gz");
    let before = drives.all();
    let how = "migrate --to plaintext --server-is-stopped --modes-are-lost";
    let run = |how: &str| {
        let run = component(with(how, drives.store())).file("--keys", &keys());
        run.run()
    };
    run(how).fails(2).says("drives are only read here");
    let shown = run("migrate --to plaintext --dry-run --json").exits(0);
    assert!(lines(&shown).len() > 10, "{shown}");
    assert!(drives.all() == before);
}
