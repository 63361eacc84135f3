//! Objects that are not sealed or opened: one code, one message, one cure, and nothing on standard output.

use std::fs::File;

use crate::kit::{CREDENTIAL, KEY, KEY_WITH_OTHER_BYTES, OTHER_KEY, Tool, tool, with};
use iamseal_tests::samples::{damaged, vector};

const PATH: &str = "config/iam/users/alice/identity.json";
const PLAINTEXT: &[u8] = br#"{"version":1,"credentials":{"accessKey":"alice"}}"#;

fn seal(path: &str) -> Tool {
    tool(with("seal --path", path)).key(KEY)
}

fn unseal(path: &str) -> Tool {
    tool(with("unseal --path", path))
}

fn sealed() -> Vec<u8> {
    seal(PATH).input(PLAINTEXT).ok().stdout
}

#[test]
fn every_way_not_to_open_has_its_own_code_and_cure() {
    let root = || vector("dev-067").stored;
    let short = |mut stored: Vec<u8>| {
        stored.truncate(50);
        stored
    };
    let cases: [(Tool, Vec<u8>, i32, &str); 9] = [
        (
            unseal(PATH).key(KEY_WITH_OTHER_BYTES),
            sealed(),
            7,
            "add other keys named \"my-minio-key\"",
        ),
        (unseal("config/iam/x").key(KEY), sealed(), 7, "check --path"),
        (
            unseal(PATH).key(OTHER_KEY),
            sealed(),
            4,
            "give the key \"my-minio-key\"",
        ),
        (unseal(PATH), sealed(), 4, "give the key \"my-minio-key\""),
        (
            unseal(PATH).key(KEY),
            damaged(sealed()),
            9,
            "restore the object from a backup",
        ),
        (
            unseal(PATH).key(KEY),
            short(sealed()),
            10,
            "restore the object from a backup",
        ),
        (
            unseal(PATH).key(KEY),
            Vec::new(),
            10,
            "MinIO takes an empty object for absent",
        ),
        (
            unseal(PATH).key(KEY),
            b"XL2 \x01\0\x03\0\xc6".to_vec(),
            11,
            "has .minio.sys in it",
        ),
        (unseal(PATH).key(KEY), root(), 8, "--root-credentials"),
    ];
    for (run, stored, code, cure) in cases {
        let ended = run.input(stored).run().fails(code);
        let cured = ended.stderr.lines().any(|line| {
            let cured = line.strip_prefix(" cure: ");
            cured.is_some_and(|text| text.contains(cure))
        });
        assert!(cured, "no cure with {cure}: {ended}");
        let named = ended.stderr.starts_with("error: config/iam/");
        assert!(named, "the object is not named: {ended}");
    }
}

#[test]
fn a_failure_in_json_names_cause_and_cure() {
    let ended = unseal(PATH)
        .args(["--json"])
        .key(KEY)
        .input(damaged(sealed()))
        .run()
        .exits(9);
    assert!(ended.stdout.is_empty());
    let error = &ended.errors()[0]["error"];
    assert_eq!(error["cause"], "body-not-authentic");
    assert!(error["message"].as_str().unwrap().starts_with(PATH));
    assert!(error["cure"].as_str().unwrap().contains("backup"));
}

#[test]
fn an_object_without_end_reaches_a_limit() {
    // Larger than any memory: it ends only because it is not read to its end.
    let endless = || File::open("/dev/zero").unwrap();
    for run in [
        seal(PATH),
        unseal(PATH).key(KEY),
        tool(["inspect"]),
        tool(["inspect", "/dev/zero"]),
    ] {
        run.input_from(endless()).run().fails(15).says("16777216");
    }
}

#[test]
fn an_object_of_64_mib_reaches_a_limit() {
    for run in [seal(PATH), unseal(PATH).key(KEY), tool(["inspect"])] {
        run.input(vec![b'{'; 64 << 20])
            .run()
            .fails(15)
            .says("larger than an object may be, 16777216 bytes");
    }
}

#[test]
fn plaintext_is_refused_where_sealed_is_required() {
    let strict = |stored: &[u8]| {
        unseal(PATH)
            .args(["--require", "sealed"])
            .env(CREDENTIAL)
            .input(stored)
    };
    strict(PLAINTEXT).run().fails(18).says("it is plaintext");
    strict(&vector("dev-067").stored)
        .run()
        .fails(18)
        .says("it is sealed with a root credential");
}

#[test]
fn without_a_key_nothing_is_sealed() {
    tool(with("seal --path", PATH))
        .input(PLAINTEXT)
        .run()
        .fails(4)
        .says("error: config/iam/users/alice/identity.json: no key was named")
        .says("MINIO_KMS_SECRET_KEY")
        .says("iamseal keygen");
    seal(PATH)
        .args(["--key", "another"])
        .run()
        .fails(4)
        .says("\"another\"")
        .says("--keys");
}
