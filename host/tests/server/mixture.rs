//! Documents in all forms that there are, for a server to migrate.

use std::sync::Arc;

use iamseal::Plugin;
use iamseal::contract::{Policy, SealOptions, SealedForm};
use iamseal::keys::{RootCredential, StaticKey, StaticKeyring};
use iamseal_tests::samples::{decode, vector};
use tokio::runtime::Runtime;

use crate::running::KEY;

/// Another key. It is no secret.
pub const OTHER: &str = "later:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
/// The root credential of two of the vectors, as the server is lent it.
const ROOT: [(&str, &str); 2] = [
    ("MINIO_ROOT_USER", "minioadmin"),
    ("MINIO_ROOT_PASSWORD", "minioadmin"),
];
/// What each folder of documents is below.
const ALL: &str = "config/documents";
/// So that a listing of one, which reads what it lists, is some fifty objects at the most.
const FOLDERS: usize = 200;

/// What seals and opens beside the server.
pub struct Mixture {
    plugin: Plugin,
    runtime: Runtime,
}

impl Mixture {
    /// With both keys, of which this one is for new objects.
    pub fn new(default: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let keyring = [KEY, OTHER].map(|key| StaticKey::parse(key).unwrap());
        let keyring = keyring
            .into_iter()
            .fold(StaticKeyring::new(), StaticKeyring::key);
        let root = format!("{}:{}", ROOT[0].1, ROOT[1].1);
        let keyring = keyring.root_credential(RootCredential::parse(&root).ok().unwrap());
        let keyring = keyring.default_key(default).unwrap();
        let plugin = Plugin::builder()
            .component(iamseal_component::PLUGIN)
            .keyring(Arc::new(keyring))
            .load();
        Self {
            plugin: runtime.block_on(plugin).unwrap(),
            runtime,
        }
    }

    /// What stands at the path of this document at first: plaintext, MinIO's form and compact under either key, and now
    /// and then what a root credential opens, which takes its time.
    pub fn stored(&self, number: usize) -> Vec<u8> {
        let sealed = |key: &str, form| {
            let options = SealOptions {
                form,
                key: Some(key.to_owned()),
            };
            let (path, content) = (document(number), content(number));
            let sealed = self.plugin.seal(path.as_bytes(), &content, &options);
            self.runtime.block_on(sealed).unwrap()
        };
        match (number % 200, number % 6) {
            (7, _) => vector("dev-069").stored,
            (_, 0 | 1) => content(number),
            (_, 2) => sealed("later", SealedForm::default()),
            (_, 3) => sealed("later", SealedForm::Compact),
            (_, 4) => sealed("my-minio-key", SealedForm::Compact),
            _ => sealed("my-minio-key", SealedForm::default()),
        }
    }

    /// Whether a document is in MinIO's form and under `my-minio-key` from the first.
    pub fn is_current(number: usize) -> bool {
        number % 6 == 5 && number % 200 != 7
    }

    /// What these bytes hold, which are current.
    #[track_caller]
    pub fn open_current(&self, path: &str, stored: &[u8]) -> Vec<u8> {
        let opened = self.plugin.unseal(path.as_bytes(), stored, Policy::Current);
        let opened = self.runtime.block_on(opened);
        let opened = opened.unwrap_or_else(|error| panic!("{path}: {error}"));
        opened.plaintext.to_vec()
    }
}

pub fn folder(number: usize) -> String {
    format!("{ALL}/{:03}", number % FOLDERS)
}

pub fn document(number: usize) -> String {
    format!("{}/{number}.json", folder(number))
}

/// What a document holds at first.
pub fn content(number: usize) -> Vec<u8> {
    match number % 200 {
        7 => vector("dev-069").plaintext,
        _ => format!("{{\"number\":{number}}}").into_bytes(),
    }
}

/// The server's variables with these two keys, the first one for new objects.
pub fn keys(first: &str, second: &str) -> String {
    let (name, bytes) = second.split_once(':').unwrap();
    let hex: String = decode(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let [user, password] = ROOT.map(|(name, value)| format!("{name}={value}\n"));
    format!("MINIO_KMS_SECRET_KEY={first}\nMINIO_KMS_MASTER_KEY={name}:{hex}\n{user}{password}")
}
