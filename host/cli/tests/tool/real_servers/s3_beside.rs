//! What an object of a bucket has beside its bytes.

use serde_json::Value;

use super::s3::{BUCKET, Bucket, PREFIX, plain};

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
