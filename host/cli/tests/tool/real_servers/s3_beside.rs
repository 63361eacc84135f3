//! What an object of a bucket has beside its bytes.

use serde_json::Value;

use iamseal_servers::minio::Minio;

use super::s3::{BUCKET, Bucket, PREFIX, plain};
use crate::kit::{KEY, run_name};

/// What an object has beside its bytes is kept, and where that cannot be, the object is left alone.
#[test]
fn tags_and_metadata_of_objects() {
    let bucket = Bucket::plain(3);
    let object = |number: usize| {
        let path = plain(3).nth(number).unwrap().0;
        (format!("t/{BUCKET}/{PREFIX}/{path}"), path)
    };
    let ([(tagged, path), (described, _)], before) = ([0, 1].map(object), bucket.objects());
    bucket
        .minio
        .admin(&["tag", "set", &tagged, "access=restricted"]);
    let attributes = "Cache-Control=no-store;X-Amz-Meta-Who=me;Content-Type=application/json";
    bucket
        .minio
        .admin(&["cp", "--attr", attributes, &described, &described]);
    let ended = bucket.write("migrate --to kms").run().exits(12);
    let failed: Vec<_> = ended
        .json()
        .into_iter()
        .filter(|line| line["outcome"] == "failed")
        .collect();
    let [failed] = &failed[..] else {
        panic!("{ended}");
    };
    assert_eq!(failed["path"], path);
    assert!(
        failed["error"]["message"]
            .to_string()
            .contains("it has tags")
    );
    let now = bucket.objects();
    assert_eq!(now[path.as_bytes()], before[path.as_bytes()]);
    assert_eq!(
        now.iter()
            .filter(|(path, bytes)| before[*path] != **bytes)
            .count(),
        2
    );
    let stat = bucket.minio.admin(&["stat", "--json", &described]);
    let stat: Value = serde_json::from_slice(&stat.stdout).unwrap();
    let metadata = stat["metadata"].to_string();
    for kept in ["no-store", "application/json", "\"me\""] {
        assert!(metadata.contains(kept), "{metadata}");
    }
    bucket.minio.admin(&["tag", "remove", &tagged]);
    bucket.write("migrate --to kms").ok();
}

/// A put that the server would not encrypt is not made of an object that it does, unless the bucket says so of all.
#[test]
fn objects_that_their_server_encrypts() {
    let bucket = Bucket::of(Minio::start(&[("MINIO_KMS_SECRET_KEY", KEY.to_owned())]));
    let at = format!("{BUCKET}/{PREFIX}");
    bucket.minio.upload(&at, plain(2));
    let path = plain(1).next().unwrap().0;
    let object = format!("t/{at}/{path}");
    bucket
        .minio
        .admin(&["cp", "--enc-s3", "t/control", &object, &object]);
    let is_encrypted = || {
        let stat = bucket.minio.admin(&["stat", "--json", &object]);
        String::from_utf8(stat.stdout)
            .unwrap()
            .to_lowercase()
            .contains("server-side-encryption")
    };
    assert!(is_encrypted());
    let ended = bucket.write("migrate --to kms").run().exits(12);
    let failed = ended
        .text()
        .lines()
        .find(|line| line.contains("\"failed\""))
        .unwrap();
    assert!(failed.contains(&path), "{failed}");
    assert!(failed.contains("x-amz-server-side-encryption"), "{failed}");
    assert!(is_encrypted());
    let of_bucket = ["encrypt", "set", "sse-s3", &format!("t/{BUCKET}")];
    bucket.minio.admin(&of_bucket);
    bucket.write("migrate --to kms").ok();
    assert!(is_encrypted());
    // What goes is put again by an undo, which the bucket encrypts as well by now.
    let set_aside = ["--server-is-stopped", &path];
    let gone = bucket.write("set-aside").args(set_aside).ok();
    let run = run_name(&gone);
    bucket
        .write("undo")
        .args(["--server-is-stopped", &run])
        .ok();
    assert!(is_encrypted());
    bucket
        .minio
        .admin(&["encrypt", "clear", &format!("t/{BUCKET}")]);
    let refused = bucket.write("set-aside").args(set_aside).run();
    let refused = refused.exits(12);
    assert!(
        refused.text().contains("x-amz-server-side-encryption"),
        "{refused}"
    );
    assert!(is_encrypted());
}
