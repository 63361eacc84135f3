//! A store in a bucket of MinIO: all commands, and what is said of a bucket that cannot be used.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use iamseal_servers::minio::Minio;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::migration::outcomes;
use crate::kit::{Ended, KEY, OTHER_KEY, Tool, run_name, tool, with};

pub const BUCKET: &str = "control";
/// Where in the bucket the store is.
pub const PREFIX: &str = "plane/eu";
pub const URL: &str = "s3://control/plane/eu";

/// Objects by their paths.
pub type Objects = BTreeMap<Vec<u8>, Vec<u8>>;

/// A MinIO server with a bucket, and a folder of journals.
pub struct Bucket {
    pub minio: Minio,
    journals: TempDir,
}

impl Bucket {
    pub fn new() -> Self {
        Self::of(Minio::start(&[]))
    }

    pub fn of(minio: Minio) -> Self {
        minio.admin(&["mb", &format!("t/{BUCKET}")]);
        Self {
            minio,
            journals: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        }
    }

    /// A bucket whose store has so many plaintext objects, and a file beside it.
    pub fn plain(objects: usize) -> Self {
        let bucket = Self::new();
        bucket
            .minio
            .upload(&format!("{BUCKET}/{PREFIX}"), plain(objects));
        bucket.minio.upload(BUCKET, [("beside", "the store")]);
        bucket
    }

    /// The objects of the store.
    pub fn objects(&self) -> Objects {
        self.minio.download(&format!("{BUCKET}/{PREFIX}"))
    }

    /// A command on the store, with all keys.
    pub fn run(&self, command: &str) -> Tool {
        tool(with(&format!("{command} --json"), URL))
            .env(self.minio.aws_variables())
            .key(KEY)
            .file("--keys", OTHER_KEY)
    }

    /// One that keeps a journal.
    pub fn write(&self, command: &str) -> Tool {
        self.run(command)
            .args(["--journal".as_ref(), self.journals()])
    }

    pub fn journals(&self) -> &Path {
        self.journals.path()
    }

    /// Takes a run back.
    pub fn undo(&self, run: &str) -> Tool {
        self.write("undo").args([run])
    }

    /// Whether every object opens, has this form, and is what it was.
    #[track_caller]
    pub fn holds(&self, objects: usize, form: &str) {
        let mut lines = self.run("audit").ok().json_of_objects();
        assert_eq!(lines.pop().unwrap()["summary"]["objects"], objects);
        for line in &lines {
            assert_eq!(line["found"]["form"], form, "{line}");
        }
    }
}

pub fn plain(objects: usize) -> impl Iterator<Item = (String, String)> {
    (0..objects).map(|number| {
        let path = format!("config/iam/policydb/{}/{number}.json", number % 7);
        (
            path,
            json!({"version": 1, "policy": number.to_string()}).to_string(),
        )
    })
}

#[track_caller]
pub fn all(ended: &Ended, outcome: &str, objects: u64) {
    assert_eq!(outcomes(ended), [(outcome.to_owned(), objects)].into());
}

/// More than two of the server's pages, in both directions and through all commands.
#[test]
fn more_objects_than_a_page_are_migrated_and_taken_back() {
    let count = 2100;
    let bucket = Bucket::plain(count);
    let before = bucket.objects();
    all(
        &bucket.run("migrate --to kms --dry-run").ok(),
        "would-migrate",
        count as u64,
    );
    assert_eq!(bucket.objects(), before);

    let migrated = bucket
        .write("migrate --to kms --jobs 4")
        .ok()
        .says_nothing();
    all(&migrated, "migrated", count as u64);
    bucket.holds(count, "minio");
    all(
        &bucket.write("migrate --to kms --jobs 4").ok(),
        "unchanged",
        count as u64,
    );

    let undone = bucket.undo(&run_name(&migrated)).ok();
    all(&undone, "restored", count as u64);
    assert_eq!(bucket.objects(), before);
    let all = bucket.minio.download(BUCKET);
    assert_eq!(all[&b"beside"[..]], b"the store");
    assert_eq!(all.len(), count + 1, "a draft was left");
}

#[test]
fn every_form_and_back_and_a_manifest() {
    let bucket = Bucket::plain(20);
    let before = bucket.objects();
    for (to, form) in [
        ("kms --form compact", "compact"),
        ("kms --key other-key", "minio"),
        ("plaintext", "plaintext"),
    ] {
        all(
            &bucket.write(&format!("migrate --to {to}")).ok(),
            "migrated",
            20,
        );
        bucket.holds(20, form);
    }
    assert_eq!(bucket.objects(), before);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest");
    let with_manifest = |command: &str| bucket.run(command).args(["--manifest".as_ref(), &*file]);
    with_manifest("manifest").ok();
    with_manifest("audit").ok();
    bucket.minio.upload(
        &format!("{BUCKET}/{PREFIX}"),
        [("config/iam/policydb/1/1.json", "{}")],
    );
    with_manifest("audit").run().exits(24);
}

#[test]
fn tls_with_an_authority_of_ones_own() {
    let bucket = Bucket::of(Minio::start_tls());
    bucket.minio.upload(&format!("{BUCKET}/{PREFIX}"), plain(3));
    let untrusted = bucket.run("audit").run().exits(13);
    assert!(
        untrusted.stderr.to_lowercase().contains("certificate"),
        "{untrusted}"
    );
    let authority = bucket.minio.authority().certificate();
    let trusted = bucket
        .write("migrate --to kms")
        .env([("AWS_CA_BUNDLE", &authority)]);
    all(&trusted.ok(), "migrated", 3);
}

#[test]
fn what_cannot_be_opened_is_told_with_its_cause_and_a_cure() {
    let bucket = Bucket::plain(2);
    let tried = |url: &str, variables: &[(&'static str, &str)]| {
        let variables = variables.iter().copied();
        let ended = tool(with("audit --json", url))
            .env(bucket.minio.aws_variables())
            .env(variables)
            .run();
        let error = ended.errors().pop().unwrap()["error"].clone();
        assert!(error["message"].is_string() && error["cause"].is_string());
        assert!(!ended.stderr.contains("root-password-1"), "{ended}");
        (
            ended.code.unwrap(),
            error["message"].as_str().unwrap().to_owned(),
            error["cure"].clone(),
        )
    };
    for (url, variables, code, words) in [
        ("s3://nobody/plane", &[][..], 13, "there is no such bucket"),
        (
            "s3://control/other",
            &[],
            2,
            "s3://control/other has no config/ in it",
        ),
        (
            "s3://control/plane/eu/config/",
            &[],
            2,
            "has no config/ in it",
        ),
        ("s3://control/plane/", &[], 2, "has no config/ in it"),
        ("s3://control//plane", &[], 2, "no request can name"),
        ("s3://", &[], 2, "no name of a bucket"),
        (
            URL,
            &[("AWS_ACCESS_KEY_ID", "nobody")],
            12,
            "access is denied",
        ),
        (
            URL,
            &[("AWS_SECRET_ACCESS_KEY", "wrong")],
            12,
            "access is denied",
        ),
        (URL, &[("AWS_ALLOW_HTTP", "false")], 2, "AWS_ALLOW_HTTP"),
        (URL, &[("AWS_CA_BUNDLE", "/nonexistent")], 2, "/nonexistent"),
        (
            URL,
            &[("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "maybe")],
            2,
            "AWS_*",
        ),
    ] {
        let (exit, message, cure) = tried(url, variables);
        assert!(
            exit == code && message.contains(words),
            "{url}: {exit}, {message}"
        );
        assert!(
            code == 13 || cure.is_string(),
            "{url}: no cure for {message}"
        );
    }
    let (_, _, cure) = tried("s3://control/plane/eu/config", &[]);
    assert_eq!(cure, "the store is above it: s3://control/plane/eu");
}

/// Credentials that may read and not write: nothing is begun.
#[test]
fn a_bucket_that_may_not_be_written_to_is_left_alone() {
    let bucket = Bucket::plain(3);
    let before = bucket.objects();
    let minio = &bucket.minio;
    minio.admin(&["admin", "user", "add", "t", "reader", "password-of-reader"]);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::*"},
    ]});
    let file = bucket.journals().join("policy.json");
    fs::write(&file, policy.to_string()).unwrap();
    let file = file.to_str().unwrap();
    minio.admin(&["admin", "policy", "create", "t", "look", file]);
    minio.admin(&["admin", "policy", "attach", "t", "look", "--user", "reader"]);
    let reader = [
        ("AWS_ACCESS_KEY_ID", "reader"),
        ("AWS_SECRET_ACCESS_KEY", "password-of-reader"),
    ];
    bucket.run("audit").env(reader).ok();
    let ended = bucket.write("migrate --to kms").env(reader).run().exits(12);
    let errors = ended.errors();
    let error = &errors.last().unwrap()["error"];
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("access is denied"),
        "{error}"
    );
    assert!(error["cure"].is_string());
    assert_eq!(bucket.objects(), before);
    assert!(runs(&bucket).is_empty());
}

/// The runs of its journals.
fn runs(bucket: &Bucket) -> Vec<Value> {
    let runs = tool(["runs", "--json", "--journal"]).args([bucket.journals()]);
    runs.ok().json()
}
