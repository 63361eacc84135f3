//! Keys in a real KES: every way to be known to it, and every cause of failure.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal_servers::authority::Authority;
use iamseal_servers::etcd::Etcd;
use iamseal_servers::kes::{Identity, Kes, identity_of};
use iamseal_servers::minio::Minio;
use tempfile::TempDir;

use crate::kit::migration::{all, plain};
use crate::kit::store::Store;
use crate::kit::{Ended, Tool, tool, with};

pub const KEY: &str = "iam-key";
const POLICIES: [&str; 3] = ["describe", "generate", "decrypt"];

/// A server with the key.
pub fn kes() -> Kes {
    let kes = Kes::start();
    kes.create_key(KEY);
    kes
}

pub fn migrate(store: &Store, kes: &Kes) -> Tool {
    tool(with("migrate --json --to kms", store.root())).env(kes.variables(KEY))
}

pub fn audit(store: &Store, kes: &Kes) -> Tool {
    tool(with("audit --json --require current", store.root())).env(kes.variables(KEY))
}

fn status<V: AsRef<OsStr>>(variables: impl IntoIterator<Item = (&'static str, V)>) -> Ended {
    tool(["kes", "status", "--json"]).env(variables).run()
}

/// The policy that lets somebody make these calls, as text below `policy:`.
pub fn policy(identity: &str, calls: &[&str]) -> String {
    let paths: Vec<_> = calls
        .iter()
        .map(|call| format!("/v1/key/{call}/*"))
        .collect();
    format!(
        "  some:\n    allow: [{}]\n    identities: [{identity}]",
        paths.join(", ")
    )
}

/// The one cause that all objects failed for.
#[track_caller]
pub fn cause(ended: &Ended) -> String {
    let lines = ended.json();
    let mut causes = lines
        .iter()
        .filter_map(|line| line["error"]["cause"].as_str());
    let cause = causes.next().unwrap().to_owned();
    assert!(causes.all(|other| other == cause), "{ended}");
    cause
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../src/keys/kes/testing")
        .join(name)
}

#[test]
fn a_store_goes_to_kes_and_opens_with_it() {
    let kes = kes();
    let store = plain();
    all(&migrate(&store, &kes).ok(), "migrated");
    audit(&store, &kes).ok();
    all(&migrate(&store, &kes).ok(), "unchanged");
    // Back again.
    let back = tool(with("migrate --json --to plaintext", store.root()));
    all(&back.env(kes.variables(KEY)).ok(), "migrated");
    assert_eq!(store.bytes(), plain().bytes());
}

#[test]
fn what_minio_seals_under_kes_opens_and_the_other_way_round() {
    let (etcd, kes) = (Etcd::start(), Kes::start());
    let mut variables = kes.variables(KEY);
    variables.push(("MINIO_ETCD_ENDPOINTS", etcd.endpoints()));
    let mut minio = Minio::start(&variables);
    minio.admin(&["admin", "user", "add", "t", "alice", "password-of-alice"]);
    minio.stop();
    let mut seen = 0;
    for stored in etcd.get("config/iam/") {
        let bytes = |field: &str| STANDARD.decode(stored[field].as_str().unwrap()).unwrap();
        let path = String::from_utf8(bytes("key")).unwrap();
        let opened = tool(["unseal", "--require", "current", "--path", &path]);
        let opened = opened.env(kes.variables(KEY)).input(bytes("value")).ok();
        let sealed = tool(["seal", "--path", &path]);
        let sealed = sealed.env(kes.variables(KEY)).input(opened.stdout).ok();
        assert_ne!(sealed.stdout, bytes("value"));
        etcd.put(&path, &sealed.stdout);
        seen += 1;
    }
    assert!(seen >= 2, "MinIO keeps its format and its users there");
    minio.restart(&variables);
    let listed = minio.admin(&["admin", "user", "list", "t"]).stdout;
    assert!(String::from_utf8_lossy(&listed).contains("alice"));
}

#[test]
fn an_api_key_may_stand_without_its_prefix() {
    let kes = kes();
    let mut variables = kes.variables(KEY);
    for (name, value) in &mut variables {
        if *name == "MINIO_KMS_KES_API_KEY" {
            *value = value.trim_start_matches("kes:v1:").to_owned();
        }
    }
    let line = status(variables).exits(0).json().remove(0);
    assert_eq!(line["identity"], kes.admin().identity);
}

#[test]
fn a_certificate_with_its_key_is_taken_encrypted_or_not() {
    let mut kes = kes();
    let made = kes.authority().certify("client");
    let files = [
        (made.certificate.clone(), made.key.clone()),
        (fixture("client.crt"), fixture("sec1.pem")),
        (fixture("client.crt"), fixture("pkcs8.pem")),
        (fixture("client.crt"), fixture("pbes2.pem")),
    ];
    let identities = [&made.certificate, &fixture("client.crt")].map(|file| identity_of(file));
    kes.configure(&policy(&identities.join(", "), &POLICIES));
    kes.restart();
    for (certificate, key) in files {
        let mut variables = kes.variables(KEY);
        variables.retain(|(name, _)| *name != "MINIO_KMS_KES_API_KEY");
        let shown = |path: &Path| path.display().to_string();
        variables.extend([
            ("MINIO_KMS_KES_CERT_FILE", shown(&certificate)),
            ("MINIO_KMS_KES_KEY_FILE", shown(&key)),
            ("MINIO_KMS_KES_KEY_PASSWORD", "open-sesame".to_owned()),
        ]);
        let line = status(variables).exits(0).json().remove(0);
        assert_eq!(line["identity"], identity_of(&certificate));
    }
}

#[test]
fn a_folder_of_authorities_is_taken_and_another_authority_is_not() {
    let kes = kes();
    let with_authority = |path: &Path| {
        let mut variables = kes.variables(KEY);
        variables.retain(|(name, _)| *name != "MINIO_KMS_KES_CAPATH");
        variables.push(("MINIO_KMS_KES_CAPATH", path.display().to_string()));
        variables
    };
    let folder = TempDir::new().unwrap();
    fs::copy(kes.authority().certificate(), folder.path().join("1.crt")).unwrap();
    fs::write(folder.path().join("README"), "not one").unwrap();
    status(with_authority(folder.path())).exits(0);
    let folder = TempDir::new().unwrap();
    let other = Authority::new(folder.path());
    let ended = status(with_authority(&other.certificate())).exits(5);
    assert!(ended.text().contains("certificate"), "{ended}");
}

#[test]
fn no_such_key_is_told_with_those_that_are_there() {
    let kes = kes();
    let ended = status(kes.variables("another-key")).exits(4);
    assert!(
        ended.text().contains(&format!("there are {KEY}")),
        "{ended}"
    );
    let store = plain();
    let before = store.seen();
    let ended = tool(with("migrate --json --to kms", store.root()));
    let ended = ended.env(kes.variables("another-key")).run().exits(4);
    assert_eq!(ended.error()["cause"], "key-not-found");
    assert_eq!(store.seen(), before);
}

#[test]
fn a_call_that_a_policy_denies_is_told_with_its_path() {
    let mut kes = kes();
    let who = Identity::new();
    for denied in POLICIES {
        let allowed: Vec<_> = POLICIES
            .into_iter()
            .filter(|call| *call != denied)
            .collect();
        kes.configure(&policy(&who.identity, &allowed));
        kes.restart();
        let ended = status(kes.variables_of(&who, KEY)).exits(6);
        let says = format!("{} may not use /v1/key/{denied}/{KEY}", who.identity);
        assert!(ended.text().contains(&says), "{ended}");
        let line = ended.json().remove(0);
        for call in line["calls"].as_array().unwrap() {
            assert_eq!(call["ok"], call["call"] != denied, "{call}");
        }
    }
    // What cannot be opened again is not put in the place of what can.
    let store = plain();
    let before = store.seen();
    let ended = tool(with("migrate --json --to kms", store.root()));
    let ended = ended.env(kes.variables_of(&who, KEY)).run().exits(6);
    assert_eq!(cause(&ended), "key-denied");
    assert_eq!(store.seen(), before);
    // Nobody at all.
    let stranger = Identity::new();
    status(kes.variables_of(&stranger, KEY)).exits(6);
}

#[test]
fn another_key_of_the_same_name_opens_nothing() {
    let (kes, other) = (kes(), kes());
    let store = plain();
    migrate(&store, &kes).ok();
    let ended = audit(&store, &other).run().exits(19);
    assert_eq!(cause(&ended), "other-key-bytes");
}
