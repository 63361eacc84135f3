//! The lines of JSON about one object that was sealed or opened.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::words;
use crate::contract::Found;

/// What sealing made for the object at this path.
pub fn sealed_json(path: &[u8], stored: &[u8]) -> String {
    let mut fields = words::path_fields(path);
    insert_bytes(&mut fields, "stored", stored);
    words::json_line(&Value::Object(fields))
}

/// What the object at this path was, and what it holds.
pub fn opened_json(path: &[u8], found: &Found, plaintext: &[u8]) -> String {
    let mut fields = words::path_fields(path);
    fields.insert("found".into(), words::found_json(found));
    insert_bytes(&mut fields, "plaintext", plaintext);
    words::json_line(&Value::Object(fields))
}

fn insert_bytes(fields: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    fields.insert(name.into(), STANDARD.encode(bytes).into());
}
