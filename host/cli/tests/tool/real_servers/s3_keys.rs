//! Odd keys in a bucket of MinIO: each is itself or refused, never another one.

use serde_json::json;

use super::s3::{BUCKET, Bucket, Objects, PREFIX};
use crate::kit::migration::outcomes;

/// Names that have to stay the names they are.
const NAMES: [&str; 9] = [
    "config/iam/users/alice/identity.json",
    "config/iam/policydb/users/uid=bob smith,ou=people,dc=example,dc=org.json",
    "config/iam/policydb/groups/cn=a,b \"c\" <d>&e,dc=example.json",
    "config/iam/groups/grün 日本語😀/members.json",
    "config/iam/users/.hidden/identity.json",
    "config/iam/users/a%2Fb%20c+d/identity.json",
    "config/iam/users/~a#b?c=d*e[f]{g}|h`i'j/identity.json",
    "config/iam/users/ leading/trailing ",
    "config/iam/users/zz",
];

fn content(name: &str) -> Vec<u8> {
    json!({"version": 1, "name": name}).to_string().into_bytes()
}

#[test]
fn odd_names_are_migrated_and_come_back() {
    let bucket = Bucket::new();
    let objects = NAMES.map(|name| (name, content(name)));
    bucket.minio.upload(&format!("{BUCKET}/{PREFIX}"), objects);
    let before = bucket.objects();
    let names: Objects = NAMES
        .map(|name| (name.into(), content(name)))
        .into_iter()
        .collect();
    assert_eq!(before, names);

    let ended = bucket.write("migrate --to kms").ok();
    assert_eq!(
        outcomes(&ended),
        [("migrated".to_owned(), NAMES.len() as u64)].into()
    );
    bucket.holds(NAMES.len(), "minio");
    assert!(bucket.objects().keys().eq(before.keys()));
    bucket.write("migrate --to plaintext").ok();
    assert_eq!(bucket.objects(), before);
}

/// Keys that no request can name, between others: those are handled, and these reported.
#[test]
fn a_key_that_cannot_be_named_is_reported_and_the_rest_is_done() {
    let bucket = Bucket::new();
    let objects = NAMES[..2].iter().map(|name| (name, content(name)));
    bucket.minio.upload(&format!("{BUCKET}/{PREFIX}"), objects);
    // No client of S3 takes such names; a bucket that is open to all takes plain requests.
    let minio = &bucket.minio;
    minio.admin(&["anonymous", "set", "public", &format!("t/{BUCKET}")]);
    let put = |name: &str, bytes: &[u8]| {
        let url = format!("{}/{BUCKET}/{PREFIX}/config/iam/{name}", minio.endpoint());
        ureq::put(url).send(bytes).unwrap();
    };
    put("policies/a%0Ab", b"{}");
    put("folder/", b"{}");
    // A folder as consoles make them holds nothing, and is nothing to report.
    put("empty/", b"");

    let ended = bucket.write("migrate --to kms").run().exits(12);
    let counted = outcomes(&ended);
    assert_eq!(
        counted,
        [("failed".to_owned(), 2), ("migrated".to_owned(), 2)].into()
    );
    let lines = ended.json();
    let failed = lines.iter().filter(|line| line["outcome"] == "failed");
    let failed: Vec<_> = failed.collect();
    let mut paths: Vec<_> = failed
        .iter()
        .map(|line| line["path"].as_str().unwrap())
        .collect();
    paths.sort_unstable();
    assert_eq!(paths, ["config/iam/folder/", "config/iam/policies/a\nb"]);
    for line in failed {
        let message = line["error"]["message"].as_str().unwrap();
        assert!(message.contains("no request can name"), "{message}");
    }
}
