//! Against a second implementation, in Python, that shares no code with the core: what the component
//! seals Python opens, and what Python seals the component opens.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod compact;
mod minio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal_tests::peer::self_check;

const NAME: &str = "my-minio-key";
const KEY: [u8; 32] = [9; 32];
const PATH: &[u8] = b"config/iam/users/alice/identity.json";

/// Names with what MinIO escapes, cleans, or cannot render.
const PATHS: [&[u8]; 8] = [
    PATH,
    b"config/iam/policydb/users/uid=alice,ou=people,dc=example,dc=org.json",
    b"config/iam/groups/cn=a b/ou=c/members.json",
    b"config/iam/users/a<b>&\"c\\d/identity.json",
    "config/iam/groups/gr\u{fc}n\u{2028}\u{2029}\u{1f600}/members.json".as_bytes(),
    b"config/iam/users/tab\t\x01\x08\x7f\r\n/identity.json",
    b"config/iam/users/bad\xff\xfe\xc3/identity.json",
    b"/config//iam/./users/x/../y/identity.json/",
];

const NAMES: [&str; 5] = [
    "my-minio-key",
    "",
    "k<e>&y\"\\ \u{2028} gr\u{fc}n",
    "a/b/../c",
    // The header is UTF-8 from 79 characters on.
    "a-name-of-ninety-characters-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

fn text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn plaintext(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

#[test]
fn python_itself_opens_all_vectors() {
    let output = self_check(&["minio.json", "minio-large.json", "compact.json"]);
    let said = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complaints}");
    // One of each file, so that none was passed over.
    for case in ["dev-001", "dev-035", "compact json-seed"] {
        let passed = format!("pass {case}");
        assert!(said.contains(&passed), "{passed}: {said}");
    }
}
