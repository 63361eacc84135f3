//! The vectors made with MinIO's code: `vectors/minio.json` and `vectors/minio-large.json`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::keys::Keys;

const FILES: [&str; 2] = [
    include_str!("../vectors/minio.json"),
    include_str!("../vectors/minio-large.json"),
];

/// One case. Keys that are absent are empty texts.
#[derive(Clone, Deserialize)]
pub struct Case {
    /// The case's name, e.g. `dev-001`.
    pub id: String,
    /// `kms`, `legacy`, `auto`, or one of the two forms that were never at rest.
    pub kind: String,
    /// What the case is about.
    pub note: String,
    /// `ok` or `error`: what MinIO makes of it with the one named context.
    pub expect: String,
    /// `ok`, `plaintext-passthrough` or an error's text: what MinIO's whole read path makes of it.
    pub auto_result: String,
    /// `joined`, `bare` or empty.
    pub context_variant: String,
    key: String,
    root_user: String,
    root_password: String,
    path: String,
    path_b64: Option<String>,
    plaintext_b64: String,
    ciphertext_b64: String,
}

impl Case {
    /// The key and the root credential of the case, as far as it has them.
    pub fn keys(&self) -> Keys {
        let mut keys = Keys::none();
        if let Some((name, key)) = self.key.split_once(':') {
            keys = keys.secret(name, &base64(key));
        }
        if !self.root_user.is_empty() {
            keys = keys.credential(&self.root_user, &self.root_password);
        }
        keys
    }

    /// Equal for cases with equal [`keys`](Self::keys).
    pub fn keyring(&self) -> [&str; 3] {
        [&self.key, &self.root_user, &self.root_password]
    }

    /// The object's path.
    pub fn path(&self) -> Vec<u8> {
        let bytes = self.path_b64.as_deref().map(base64);
        bytes.unwrap_or_else(|| self.path.clone().into_bytes())
    }

    /// What the object holds; empty for cases that do not open.
    pub fn plaintext(&self) -> Vec<u8> {
        base64(&self.plaintext_b64)
    }

    /// The object.
    pub fn stored(&self) -> Vec<u8> {
        base64(&self.ciphertext_b64)
    }
}

/// All cases of both files.
pub fn minio() -> Vec<Case> {
    let read = |text: &&str| serde_json::from_str::<Vec<Case>>(text).unwrap();
    FILES.iter().flat_map(read).collect()
}

/// The case of this name.
pub fn case(id: &str) -> Case {
    let mut cases = minio().into_iter();
    cases.find(|case| case.id == id).unwrap()
}

/// Decodes standard base64.
pub fn base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}
