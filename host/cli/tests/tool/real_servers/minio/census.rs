//! The census of drives that a real MinIO has just written, against what was put there.

use std::fs;

use iamseal_servers::minio::Minio;
use serde_json::{Value, json};

use super::deployment::key;
use crate::kit::{KEY, KEY_NAME, OTHER_KEY, tool};

const OTHER_NAME: &str = "other-key";
/// A key that a client brings, in hexadecimal digits.
const CUSTOMER: &str = "3031323334353637383930313233343536373839303132333435363738393031";
/// Sizes of objects: in `xl.meta`, beside it, and in several parts.
const SIZES: [usize; 3] = [100, 300_000, 40_000_000];

fn put(minio: &Minio, options: &[&str], size: usize, at: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), vec![7; size]).unwrap();
    let place = format!("t/{at}");
    let ends = [file.path().to_str().unwrap(), &place];
    minio.admin(&[&["cp"], options, &ends[..]].concat());
}

/// The line of a key and use.
fn line<'a>(lines: &'a [Value], key: &str, of: &str) -> &'a Value {
    let mut all = lines.iter();
    let found = all.find(|line| line["key"] == key && line["use"] == of);
    found.unwrap_or_else(|| panic!("{key} {of}: {lines:#?}"))
}

fn is(line: &Value, objects: u64, versions: u64, bytes: u64) {
    let counts = ["objects", "versions", "bytes"].map(|name| line[name].as_u64().unwrap());
    assert_eq!(counts, [objects, versions, bytes], "{line}");
}

fn census(mut minio: Minio, drives: usize, has_customers: bool) {
    minio.restart(&key(KEY));
    minio.admin(&[
        "mb",
        "t/plain",
        "t/versioned",
        "t/default-s3",
        "t/default-kms",
    ]);
    minio.admin(&["version", "enable", "t/versioned"]);
    minio.admin(&["encrypt", "set", "sse-s3", "t/default-s3"]);
    minio.admin(&["encrypt", "set", "sse-kms", KEY_NAME, "t/default-kms"]);
    let kms = format!("t/plain/={KEY_NAME}");
    for size in SIZES {
        put(&minio, &[], size, &format!("plain/open/{size}"));
        put(
            &minio,
            &["--enc-s3", "t/plain/"],
            size,
            &format!("plain/s3/{size}"),
        );
        put(
            &minio,
            &["--enc-kms", &kms],
            size,
            &format!("plain/kms/{size}"),
        );
        if has_customers {
            let customer = format!("t/plain/={CUSTOMER}");
            put(
                &minio,
                &["--enc-c", &customer],
                size,
                &format!("plain/c/{size}"),
            );
        }
    }
    for size in [100, 200, 300] {
        put(&minio, &["--enc-s3", "t/versioned/"], size, "versioned/one");
    }
    minio.admin(&["rm", "t/versioned/one"]);
    put(&minio, &[], 100, "default-s3/one");
    put(&minio, &[], 100, "default-kms/one");
    minio.admin(&["admin", "user", "add", "t", "alice", "password-of-alice"]);
    minio.stop();
    let store = match drives {
        1 => minio.drive().to_str().unwrap().to_owned(),
        _ => format!("drives:{}", minio.drives()),
    };
    // The configuration is brought to another key, and the objects of users are not.
    let folder = tempfile::tempdir().unwrap();
    tool(["migrate", &store, "--to", "kms", "--server-is-stopped"])
        .args(["--key", OTHER_NAME])
        .env([("XDG_STATE_HOME", folder.path())])
        .file("--keys", &format!("{KEY}\n{OTHER_KEY}\n"))
        .ok();
    minio.restart(&key(OTHER_KEY));
    put(&minio, &["--enc-s3", "t/plain/"], 5, "plain/later");
    put(&minio, &["--enc-s3", "t/versioned/"], 400, "versioned/one");
    minio.stop();

    // No key is given.
    let mut lines = tool(["keys", "--json", &store]).ok().json();
    let summary = lines.pop().unwrap()["summary"].clone();
    let sum: u64 = SIZES.iter().map(|size| *size as u64).sum();
    is(line(&lines, KEY_NAME, "sse-s3"), 5, 7, sum + 600 + 100);
    is(line(&lines, KEY_NAME, "sse-kms"), 4, 4, sum + 100);
    is(line(&lines, OTHER_NAME, "sse-s3"), 2, 2, 405);
    assert_eq!(
        line(&lines, KEY_NAME, "default-encryption")["buckets"],
        json!(["default-kms"])
    );
    assert!(line(&lines, OTHER_NAME, "config")["objects"].as_u64() > Some(2));
    assert!(
        !lines
            .iter()
            .any(|line| line["key"] == KEY_NAME && line["use"] == "config")
    );
    let customers = if has_customers { 3 } else { 0 };
    assert_eq!(summary["customer"]["objects"], customers);
    assert_eq!(summary["objects"], 13 + customers);
    assert_eq!(summary["versions"], 16 + customers);
    assert_eq!(summary["keys"], json!([KEY_NAME, OTHER_NAME]));
    assert_eq!(summary["complete"], true, "{summary}");
}

#[test]
fn the_census_of_one_drive_is_what_was_put() {
    census(Minio::start_tls(), 1, true);
}

#[test]
fn the_census_of_four_drives_is_what_was_put() {
    census(Minio::start_on(4, &[]), 4, false);
}
