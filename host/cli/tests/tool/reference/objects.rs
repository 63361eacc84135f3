//! The commands on single objects, keys and components.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use tempfile::NamedTempFile;

use super::document::Reference;
use crate::kit::store::Store;
use crate::kit::{CREDENTIAL, KEY, tool, with};
use iamseal_tests::samples::{encode, sealed_under, vector};

/// A path that is not UTF-8.
pub const ODD: &[u8] = b"config/iam/users/\xff/identity.json";

/// The arguments of a command on an object at a path.
fn at(line: &str, path: &[u8]) -> Vec<OsString> {
    with(line, OsStr::from_bytes(path))
}

/// What is to be stored at this path.
pub fn seal(path: &[u8], key: &str, how: &str, plaintext: &[u8]) -> Vec<u8> {
    let seal = tool(at("seal --path", path)).args(how.split_whitespace());
    seal.key(key).input(plaintext).ok().stdout
}

pub fn run(reference: &mut Reference) {
    reference.compare("keygen", &tool(["keygen", "--json", "x"]).ok());
    let path = b"config/config.json";
    for path in [&path[..], ODD] {
        let seal = tool(at("seal --json --path", path)).key(KEY);
        reference.compare("seal", &seal.input("{}").ok());
    }

    let unseal = |path: &[u8], stored: Vec<u8>| {
        let unseal = tool(at("unseal --json --path", path)).key(KEY);
        unseal.env(CREDENTIAL).input(stored)
    };
    for id in ["dev-040", "dev-067"] {
        let vector = vector(id);
        let ended = unseal(vector.path.as_bytes(), vector.stored).ok();
        reference.compare("unseal", &ended);
    }
    let compact = seal(path, KEY, "--form compact", b"{}");
    reference.compare("unseal", &unseal(path, compact.clone()).ok());
    reference.compare("unseal", &unseal(ODD, seal(ODD, KEY, "", b"{}")).ok());
    reference.compare("unseal", &unseal(path, b"{}".to_vec()).ok());
    // Of one object alone nothing more is known, and of a refusal there is no cure.
    let elsewhere = unseal(b"config/x", compact.clone()).run();
    reference.compare("unseal", &elsewhere.exits(7));
    let outside = unseal(b"../x", b"{}".to_vec()).run().exits(12);
    reference.compare("unseal", &outside);
    let no_key = tool(at("unseal --json --path", path)).key("no key").run();
    reference.compare("unseal", &no_key.exits(2));
    reference.compare("audit", &tool(["audit", "--json"]).run().exits(2));

    let root = ["dev-067", "dev-068", "dev-069"];
    let sealed = ["dev-001", "dev-002", "dev-004", "dev-017", "dev-027"];
    let vectors = root.into_iter().chain(sealed).map(|id| vector(id).stored);
    let others = [
        b"{}".to_vec(),
        compact,
        sealed_under("x"),
        message_pack(),
        sealed_with([1, 2, 3]),
    ];
    for stored in vectors.chain(others) {
        let ended = tool(["inspect", "--json"]).input(stored).ok();
        reference.compare("inspect", &ended);
    }
    components(reference);
}

fn components(reference: &mut Reference) {
    let bare = wat::parse_str("(component)").unwrap();
    let plugin = iamseal_component::PLUGIN;
    let mut revised = plugin.to_vec();
    // A custom section: its length, that of its name, its name, its content.
    revised.extend([0, 10, 8]);
    revised.extend(b"revisionx");
    let components = [
        (plugin, 0),
        (&revised, 0),
        (iamseal_component::AUDITOR, 0),
        (&bare, 16),
    ];
    for (bytes, code) in components {
        let file = NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(&file, bytes).unwrap();
        for command in ["inspect", "test"] {
            let line = format!("plugin {command} --json");
            let ended = tool(with(&line, file.path())).run().exits(code);
            reference.compare(&format!("plugin {command}"), &ended);
        }
    }
    let store = Store::new();
    let missing = tool(with("audit --json", store.file("nothing"))).run();
    reference.compare("audit", &missing.exits(13));
}

/// A sealed object with this data key. It opens with no key.
fn sealed_with(data_key: impl AsRef<[u8]>) -> Vec<u8> {
    let header = serde_json::json!({
        "keyid": "x",
        "kmskey": encode(data_key.as_ref()),
        "algorithm": "AES-256-GCM",
        "nonce": encode(&[7; 8]),
    });
    let header = header.to_string();
    let length = u32::try_from(header.len()).unwrap().to_le_bytes();
    [&[1], &length[..], header.as_bytes(), &[0xff; 16]].concat()
}

/// One whose data key is a MessagePack array, as KES wrote it (docs/formats/minio.md section 3).
fn message_pack() -> Vec<u8> {
    let algorithm = b"AES256-GCM_SHA256";
    let data_key = [
        &[0x95, 0xa0 + algorithm.len() as u8],
        &algorithm[..],
        &[0xa1, b'x', 0xc4, 16],
        &[1; 16],
        &[0xc4, 12],
        &[2; 12],
        &[0xc4, 48],
        &[3; 48],
    ];
    sealed_with(data_key.concat())
}
