//! Objects that MinIO's own code made, and objects made of them.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// One case of the vectors.
pub struct Vector {
    /// Empty if it is not text.
    pub path: String,
    /// The object as MinIO stores it.
    pub stored: Vec<u8>,
    /// What it holds.
    pub plaintext: Vec<u8>,
}

/// The case of this name.
#[track_caller]
pub fn vector(id: &str) -> Vector {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/minio.json");
    let cases: Vec<Value> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let case = cases.iter().find(|case| case["id"] == id).unwrap();
    let bytes = |field: &str| decode(case[field].as_str().unwrap());
    Vector {
        path: case["path"].as_str().unwrap_or_default().to_owned(),
        stored: bytes("ciphertext_b64"),
        plaintext: bytes("plaintext_b64"),
    }
}

/// The bytes of base64.
#[track_caller]
pub fn decode(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// Bytes in base64.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The same with its last bit flipped: a sealed object's body is then not authentic.
pub fn damaged(mut stored: Vec<u8>) -> Vec<u8> {
    *stored.last_mut().unwrap() ^= 1;
    stored
}

/// An object of MinIO's sealed form that asks for this key and opens with none (docs/formats/minio.md
/// section 2).
pub fn sealed_under(key_name: &str) -> Vec<u8> {
    let header = serde_json::json!({
        "keyid": key_name,
        "kmskey": STANDARD.encode([7; 76]),
        "algorithm": "AES-256-GCM",
        "nonce": STANDARD.encode([7; 8]),
    });
    let header = header.to_string();
    let length = u32::try_from(header.len()).unwrap().to_le_bytes();
    [&[1], &length[..], header.as_bytes(), &[0xff; 16]].concat()
}
