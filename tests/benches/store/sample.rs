//! Stores like those that a server leaves: many users, fewer service accounts and policies.

use std::fs;
use std::path::Path;

use iamseal_core::{Location, SealOptions, SealedForm, Session, seal};
use iamseal_tests::keys::Keys;
use iamseal_tests::lent::Lent;
use iamseal_tests::vectors::case;
use sha2::{Digest as _, Sha256};

/// What a store is full of.
#[derive(Clone, Copy)]
pub enum Kind {
    /// 70 % plaintext, 20 % MinIO's form and 10 % the compact one under the old key.
    Usual,
    /// Root-credential objects whose key PBKDF2 derives.
    Pbkdf2,
    /// Root-credential objects whose key Argon2id derives.
    Argon2id,
}

impl Kind {
    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Usual => "70 % plaintext, 30 % sealed",
            Self::Pbkdf2 => "root credential, PBKDF2",
            Self::Argon2id => "root credential, Argon2id",
        }
    }
}

/// The names of the keys that objects are under, and are to be under.
pub const OLD: &str = "old";
pub const NEW: &str = "new";
/// `[1; 32]` and `[2; 32]`.
const OLD_KEY: &str = "old:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";
const NEW_KEY: &str = "new:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n";

const CREDENTIAL: &str = "minioadmin:minioadmin\n";

/// Writes `both.keys`, `new.key` and `credentials` for the tool.
pub fn key_files(folder: &Path) {
    fs::write(folder.join("both.keys"), [OLD_KEY, NEW_KEY].concat()).unwrap();
    fs::write(folder.join("new.key"), NEW_KEY).unwrap();
    fs::write(folder.join("credentials"), CREDENTIAL).unwrap();
}

/// The same for the plain loop.
pub fn keys() -> Keys {
    let keys = Keys::none().secret(OLD, &[1; 32]).secret(NEW, &[2; 32]);
    keys.credential("minioadmin", "minioadmin")
}

/// How new objects are sealed.
pub fn sealed(key: &str) -> SealOptions {
    SealOptions {
        form: SealedForm::Minio,
        key: Some(key.to_string()),
        cipher: None,
        data_key_encoding: None,
    }
}

/// The SHA-256 of all that a store holds: paths and bytes.
pub fn digest(store: &Path) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut folders = vec![store.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for entry in entries {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                digest.update(entry.as_os_str().as_encoded_bytes());
                digest.update(Sha256::digest(fs::read(entry).unwrap()));
            }
        }
    }
    digest.finalize().into()
}

/// Makes a store of so many objects.
pub fn make(store: &Path, kind: Kind, count: usize) {
    let lent = Lent::keys(keys());
    let mut session = Session::default();
    let compact = SealOptions {
        form: SealedForm::Compact,
        ..sealed(OLD)
    };
    let root_credential = match kind {
        Kind::Usual => Vec::new(),
        // Nothing binds such an object to its path, so one stands for all.
        Kind::Pbkdf2 => case("dev-069").stored(),
        Kind::Argon2id => case("dev-067").stored(),
    };
    for number in 0..count {
        let path = path(number);
        let location = Location::new("", path.as_bytes()).unwrap();
        let plaintext = plaintext(number);
        let mut seal =
            |options: &_| seal(&lent, &mut session, &location, &plaintext, options).unwrap();
        let bytes = match (kind, number % 10) {
            (Kind::Usual, 0..7) => plaintext,
            (Kind::Usual, 7..9) => seal(&sealed(OLD)),
            (Kind::Usual, _) => seal(&compact),
            _ => root_credential.clone(),
        };
        let file = store.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

/// Of 20 objects 12 are users and 3 are service accounts, each in a folder of its own as MinIO has
/// it; 3 say which policy a user has, all in one folder; one is a policy and one a group.
fn path(number: usize) -> String {
    // The forms come round after 10 objects: this spreads them over the kinds of paths.
    match number / 10 % 20 {
        0..12 => format!("config/iam/users/user-{number:06}/identity.json"),
        12..15 => format!("config/iam/service-accounts/KEY{number:017}/identity.json"),
        15..18 => format!("config/iam/policydb/users/user-{number:06}.json"),
        18 => format!("config/iam/policies/policy-{number:06}/policy.json"),
        _ => format!("config/iam/groups/group-{number:06}/members.json"),
    }
}

/// JSON of 200 to 1000 bytes, as most identities and policies have.
fn plaintext(number: usize) -> Vec<u8> {
    // 271 and 801 have no factor in common, so all sizes come up.
    let size = 200 + number * 271 % 801;
    let text = format!(r#"{{"version":1,"number":{number},"text":""#);
    let end = r#""}"#;
    let filling = "x".repeat(size - text.len() - end.len());
    [text, filling, end.to_string()].concat().into_bytes()
}
