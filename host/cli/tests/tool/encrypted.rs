//! Files of keys and archives that age encrypts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use iamseal_tests::samples::vector;
use tempfile::TempDir;

use crate::kit::identities::mixed;
use crate::kit::store::Store;
use crate::kit::{KEY, OTHER_KEY, Tool, tool, with};

/// An identity and its recipient, of age-keygen 1.2.1.
const IDENTITY: &str = "# created: 2026-11-30T06:37:14Z\n\
    AGE-SECRET-KEY-1KQWDYSVA2YVR32TTLK9G9S8WMVS44TSAKPZ3XWV4ASSXPPQN8KYSR690Z7\n";
const RECIPIENT: &str = "age1hqwn200986k9hethtm3l6llputmd8gkcn20l8rvwlap29h32hq3qhv58vr";

/// Another identity: that of the test vectors of age's specification.
const STRANGER: &str =
    "AGE-SECRET-KEY-1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4QX3S7F6\n";

/// The key of the tests under a comment, encrypted to that recipient by age 1.2.1.
const KEYS: &str = "\
-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBGbklERWwrZlEwR2RDdDJu
YVIyR3AwbEE4OWVlaGl0QnRIT0xBUENxNEQ0CitOeks0dG1sSzRPMTBEZlVDZk5Q
ZmlkTkJLajgyYkM0UTZlbThRU2E5U0EKLS0tIFJtSUtWRmNJVGt1a01FeVQwMU1N
UG9YTFJxZEs0SWVLU25lUmI0U1QyYTAKsmQ9IqQ7ycyGVkExkxUVkdPxZrLMAe85
wCb62Ze2ew3ZgLk2uPxL0aZzR9uWRdo3gSon2pBM0DL1Lx+vGQzHdDMA5bAGmNXI
M1Xdzf599mIX/CNNDt0BLquu0veZ4uZm2/VDMXLIXBaPawN45Qw=
-----END AGE ENCRYPTED FILE-----
";

/// A run that opens an object that is sealed under the key of the tests.
fn unseal() -> Tool {
    let vector = vector("dev-013");
    tool(with("unseal --path", &vector.path)).input(vector.stored)
}

fn export(store: &Store) -> Tool {
    tool(with("export", store.root())).key(KEY)
}

fn import(store: &Store, archive: &Path) -> Tool {
    tool(["import"]).args([store.root(), archive]).key(KEY)
}

fn scratch() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

#[test]
fn keys_are_read_with_the_identity_that_they_are_encrypted_to() {
    let opened = unseal().file("--keys", KEYS).file("--identity", IDENTITY);
    assert_eq!(opened.ok().stdout, vector("dev-013").plaintext);
    let both = unseal()
        .file("--keys", KEYS)
        .file("--keys", OTHER_KEY)
        .file("--identity", STRANGER)
        .file("--identity", IDENTITY);
    both.ok();
}

#[test]
fn an_identity_may_come_from_a_pipe_whatever_it_opens() {
    let vector = vector("dev-013");
    let store = Store::of([(&vector.path, &vector.stored)]);
    let cat = || tool(["cat"]).args([store.root()]).args([&vector.path]);
    let opened = cat()
        .file("--keys", KEYS)
        .file("--keys", KEYS)
        .args(["--identity", "/dev/stdin"])
        .input(IDENTITY);
    assert_eq!(opened.ok().stdout, vector.plaintext);
    // And so may what it opens.
    let opened = cat()
        .args(["--keys", "/dev/stdin"])
        .file("--identity", IDENTITY)
        .input(KEYS);
    assert_eq!(opened.ok().stdout, vector.plaintext);
}

#[test]
fn others_may_read_keys_that_are_encrypted() {
    let folder = scratch();
    let file = folder.path().join("keys.age");
    fs::write(&file, KEYS).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let opened = || unseal().args(["--keys"]).args([&file]);
    opened().file("--identity", IDENTITY).ok().says_nothing();
    // Anybody can encrypt other keys to the same recipient.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    opened()
        .file("--identity", IDENTITY)
        .ok()
        .says("others than its owner can read or write it: chmod 600");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let identity = folder.path().join("identity");
    fs::write(&identity, IDENTITY).unwrap();
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o644)).unwrap();
    opened()
        .args(["--identity"])
        .args([&identity])
        .ok()
        .says("others than its owner can read or write it: chmod 600");
}

#[test]
fn keys_that_do_not_open_are_named_with_a_cure() {
    unseal()
        .file("--keys", KEYS)
        .run()
        .fails(2)
        .says("it is encrypted with age, and no identity was given")
        .says("with --identity FILE");
    unseal()
        .file("--keys", KEYS)
        .file("--identity", STRANGER)
        .run()
        .fails(2)
        .says("to none of the identities");
    let cut = KEYS.replace("-----END AGE ENCRYPTED FILE-----\n", "");
    unseal()
        .file("--keys", &cut)
        .file("--identity", IDENTITY)
        .run()
        .fails(2)
        .says("damaged or truncated");
    let ended = unseal()
        .file("--keys", KEYS)
        .file("--identity", KEY)
        .run()
        .fails(2)
        .says("line 1 is no age identity");
    assert!(!ended.stderr.contains("rDHTF3"), "{ended}");
    // What MinIO itself would read it cannot open either.
    let folder = scratch();
    let file = folder.path().join("keys.age");
    fs::write(&file, KEYS).unwrap();
    unseal()
        .env([("MINIO_KMS_SECRET_KEY_FILE", &file)])
        .run()
        .fails(2)
        .says("it is encrypted with age")
        .says("<(age -d FILE)");
}

#[test]
fn an_archive_that_is_encrypted_is_imported_again() {
    let (store, fresh, folder) = (mixed(), Store::of::<&str, &str>([]), scratch());
    let file = folder.path().join("iam.zip.age");
    let ended = export(&store)
        .args(["--encrypt-to", RECIPIENT, "-o"])
        .args([&file])
        .ok()
        .prints("exported");
    assert!(!ended.stderr.contains("in the open"), "{ended}");
    let bytes = fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n-> X25519 "));
    import(&fresh, &file)
        .run()
        .fails(2)
        .says("no identity was given");
    import(&fresh, &file)
        .file("--identity", IDENTITY)
        .ok()
        .prints("created");
    let again = tool(with("export", fresh.root())).key(KEY).ok().stdout;
    let first = export(&store).ok().stdout;
    assert_eq!(
        crate::kit::identities::archive(&again)["users"],
        crate::kit::identities::archive(&first)["users"]
    );
}

#[test]
fn an_archive_is_not_made_for_nobody() {
    let (store, folder) = (mixed(), scratch());
    let file = folder.path().join("iam.zip.age");
    let to = |recipient: &str| {
        export(&store)
            .args(["--encrypt-to", recipient, "-o"])
            .args([&file])
    };
    to("age1qqqq").run().fails(2).says("not an age recipient");
    export(&store)
        .file("--encrypt-to", "# nobody\n")
        .run()
        .fails(2)
        .says("there is no recipient in it");
    export(&store)
        .args(["--encrypt-to", RECIPIENT, "--json"])
        .run()
        .exits(2)
        .says("--encrypt-to encrypts an archive");
    assert!(!file.exists());
    let recipients = format!("# me\n{RECIPIENT}\n");
    let made = export(&store).file("--encrypt-to", &recipients).ok();
    assert!(made.stdout.starts_with(b"age-encryption.org/v1\n"));
}
