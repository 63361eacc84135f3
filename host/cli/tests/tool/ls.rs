//! `ls`: the paths of stores.

use crate::kit::drives::Drives;
use crate::kit::store::Store;
use crate::kit::{tool, with};
use iamseal_tests::samples::decode;

#[test]
fn every_object_is_named_once_and_nothing_else() {
    let paths = [
        "config/config.json",
        "config/iam/users/a/identity.json",
        "config/iam/users/b/x",
    ];
    let store = Store::of(paths.map(|path| (path, "{}")));
    store.put("buckets/b/.metadata.bin", "no configuration");
    let listed = tool(with("ls", store.root())).ok().says_nothing();
    assert_eq!(listed.text().lines().collect::<Vec<_>>(), paths);
    let below = tool(with("ls", store.root()))
        .args(["config/iam/users/a"])
        .ok();
    assert_eq!(below.text(), format!("{}\n", paths[1]));
    let lines = tool(with("ls --json", store.root())).ok().json();
    let named: Vec<_> = lines
        .iter()
        .map(|line| line["path"].as_str().unwrap())
        .collect();
    assert_eq!(named, paths);
}

#[test]
fn names_drive_no_terminal() {
    let path: &[u8] = b"config/iam/users/\x1b[2J\xff/identity.json";
    let store = Store::of([(path, "{}")]);
    let listed = tool(with("ls", store.root())).ok();
    assert_eq!(
        listed.text(),
        "config/iam/users/\\u{1b}[2J\\xff/identity.json\n"
    );
    let lines = tool(with("ls --json", store.root())).ok().json();
    assert_eq!(decode(lines[0]["path_b64"].as_str().unwrap()), path);
}

#[test]
fn nothing_there_is_said() {
    let store = Store::of([("config/config.json", "{}")]);
    let listed = tool(with("ls", store.root())).args(["config/iam/"]).ok();
    listed.says("there is no object whose path begins with config/iam/");
    tool(["ls", "/no/such/folder"]).run().fails(13);
}

#[test]
fn drives_list_the_objects_that_they_hold_together() {
    let drives = Drives::of("four-sealed.tar.gz");
    let listed = tool(["ls", "--json", &drives.store()]).ok().json();
    let listed: Vec<_> = listed
        .iter()
        .map(|line| line["path"].as_str().unwrap())
        .collect();
    let audited = tool(["audit", "--json", &drives.store()]).run();
    let audited = audited.json_of_objects();
    let audited: Vec<_> = audited
        .iter()
        .filter_map(|line| line["path"].as_str())
        .collect();
    assert_eq!(listed, audited);
    assert!(audited.len() > 5);
}
