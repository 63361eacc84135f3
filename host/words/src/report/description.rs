//! What can be seen of an object without a key.

use serde_json::json;

use super::words;
use crate::contract::{Description, Form};
use crate::shown::shown;

/// One line of JSON about the object in the file of this name.
pub fn json_line(file: &str, seen: &Description) -> String {
    words::json_line(&json!({
        "file": file,
        "form": words::form_name(seen.form),
        "size": seen.size,
        "plaintext_size": seen.plaintext_size,
        "key": seen.key,
        "cipher": seen.cipher.map(words::cipher_name),
        "data_key_encoding": seen.data_key_encoding.map(words::encoding_name),
        "key_derivation": seen.key_derivation.map(words::derivation_name),
    }))
}

/// What RustFS' form of one message has besides what it holds: salt, id, nonce and tag.
const SINGLE: u64 = 32 + 1 + 12 + 16;

/// The rows of a table, each a name and a value.
pub fn rows(seen: &Description) -> Vec<Vec<String>> {
    let mut rows = vec![
        ("form", words::form_name(seen.form).to_owned()),
        ("size", format!("{} bytes", seen.size)),
        ("holds", holds(seen)),
    ];
    // Nothing vouches for the name: whoever wrote the object chose it.
    let key = seen.key.as_deref();
    rows.extend(key.map(|key| ("key", shown(key.as_bytes()))));
    rows.extend(
        seen.cipher
            .map(|cipher| ("cipher", words::cipher_name(cipher).to_owned())),
    );
    let encoding = seen.data_key_encoding.map(words::encoding_name);
    rows.extend(encoding.map(|encoding| ("data key", encoding.to_owned())));
    let function = seen.key_derivation.map(words::derivation_name);
    rows.extend(function.map(|function| ("key from password", function.to_owned())));
    rows.into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect()
}

/// What it holds. Whether a root-credential object's body is a stream or one message, as RustFS writes it with a
/// longer nonce, nothing in it tells.
fn holds(seen: &Description) -> String {
    let stream = format!("{} bytes", seen.plaintext_size);
    match seen.size.checked_sub(SINGLE) {
        Some(single) if seen.form == Form::RootCredential => {
            format!("{stream}, or {single} if RustFS wrote it as one message")
        }
        _ => stream,
    }
}
