//! `cat`: one object of a store, opened or as it is stored.

use crate::kit::drives::{Drives, keys};
use crate::kit::identities::{ALICE, POLICY, mixed, objects};
use crate::kit::store::Store;
use crate::kit::{KEY, OTHER_KEY, Tool, tool, with};
use iamseal_tests::samples::{decode, vector};

fn cat(store: &Store, path: &str) -> Tool {
    tool(with("cat", store.root())).args([path]).key(KEY)
}

#[test]
fn whatever_form_it_has_the_plaintext_is_printed() {
    let store = mixed();
    for (path, object) in objects() {
        let printed = cat(&store, path).ok();
        assert_eq!(printed.text(), object.to_string(), "{path}");
        let stored = store.get(path);
        let is_plaintext = stored == printed.stdout;
        assert_eq!(
            printed.stderr.contains("it is plaintext"),
            is_plaintext,
            "{path}"
        );
        // Without any key.
        let raw = tool(with("cat --raw", store.root())).args([path]).ok();
        assert_eq!(raw.says_nothing().stdout, stored, "{path}");
    }
}

#[test]
fn it_refuses_what_unseal_refuses() {
    let store = mixed();
    for (path, _) in objects() {
        for require in ["sealed", "current"] {
            let ours = cat(&store, path).args(["--require", require]).run();
            let unseal = tool(with(&format!("unseal --require {require} --path"), path));
            let theirs = unseal.key(KEY).input(store.get(path)).run();
            assert_eq!(ours.code, theirs.code, "{path}");
            assert_eq!(ours.stdout, theirs.stdout, "{path}");
        }
    }
    let other = tool(with("cat", store.root()))
        .args([POLICY])
        .key(OTHER_KEY)
        .run();
    other.fails(4);
    cat(&store, "config/none")
        .run()
        .fails(13)
        .says("config/none");
    cat(&store, "../config/config.json").run().fails(12);
    let server = cat(&store, ".minio.sys/config/config.json").run().fails(2);
    server.says(" cure: give the path below it: config/config.json\n");
}

#[test]
fn bytes_that_are_no_text_come_out_as_they_are() {
    let bytes: Vec<u8> = (0..=255).collect();
    let sealed = tool(with("seal --path", "config/x"))
        .key(KEY)
        .input(bytes.clone())
        .ok();
    let store = Store::of([("config/x", sealed.stdout.clone())]);
    assert_eq!(cat(&store, "config/x").ok().stdout, bytes);
    let line = cat(&store, "config/x")
        .args(["--json"])
        .ok()
        .json()
        .remove(0);
    assert_eq!(decode(line["plaintext"].as_str().unwrap()), bytes);
    let line = cat(&store, "config/x")
        .args(["--json", "--raw"])
        .ok()
        .json()
        .remove(0);
    assert_eq!(decode(line["stored"].as_str().unwrap()), sealed.stdout);
}

#[test]
fn what_is_damaged_is_not_printed_in_part() {
    let vector = vector("dev-041");
    let mut stored = vector.stored;
    *stored.last_mut().unwrap() ^= 1;
    let path: &[u8] = b"config/iam/users/bad\xff\xfeutf8/identity.json";
    let store = Store::of([(path, stored)]);
    let printed = tool(with("cat", store.root())).key(KEY);
    let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path);
    printed.args([path]).run().fails(9);
}

#[test]
fn an_object_of_drives_is_put_together() {
    let drives = Drives::of("four-sealed.tar.gz");
    let arguments = ["cat", &drives.store(), ALICE, "--require", "sealed"];
    let printed = tool(arguments).file("--keys", &keys()).ok();
    let read: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(read["credentials"]["accessKey"], "alice");
}
