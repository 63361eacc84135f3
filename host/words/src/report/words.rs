//! Words, lines and JSON fields for objects and their errors.

use serde_json::{Map, Value, json};

use super::paint::verdict;
use super::why::Why;
use crate::contract::{Cipher, Context, DataKeyEncoding, Form, Found, KeyDerivation};
use crate::shown::{harmless, is_hidden, shown};

/// A line for an object that was opened or left alone.
pub fn object_line(name: &str, what: &str, with: &str, path: &[u8]) -> String {
    // Wide enough for the longest verdict, cause and usual key name; more just moves the path.
    let verdict = verdict(&format!("{name:<13}"), false);
    format!("{verdict}  {what:<20}  {with:<31}  {}", shown(path))
}

/// Two lines for an object that was left alone: which and why.
pub fn exempt_lines(reason: &str, path: &[u8]) -> String {
    left_lines("exempt", reason, path)
}

/// The same by another name.
pub fn left_lines(name: &str, reason: &str, path: &[u8]) -> String {
    format!(
        "{}\n    why:  {}",
        object_line(name, "", "", path),
        harmless(reason)
    )
}

/// Two lines for an object that goes: which, and what is lost with it.
pub fn lost_lines(name: &str, loss: &str, path: &[u8]) -> String {
    format!("{}\n    lost: {loss}", object_line(name, "", "", path))
}

/// Three lines for an object that failed: which, why and what to do.
pub fn failure_lines(name: &str, why: &Why, path: &[u8]) -> String {
    let verdict = verdict(&format!("{name:<13}"), true);
    let cause = why.cause.name();
    let mut lines = format!(
        "{verdict}  {cause:<20}  {:<31}  {}\n    why:  {}",
        "",
        shown(path),
        harmless(&why.message)
    );
    if let Some(cure) = &why.cure {
        lines.push_str(&format!("\n    cure: {}", harmless(cure)));
    }
    lines
}

/// A line of JSON, in which what does not show is escaped: it says the same, and drives no terminal that it
/// is printed on.
pub fn json_line(value: &Value) -> String {
    let json = value.to_string();
    let mut line = String::with_capacity(json.len());
    for character in json.chars() {
        if !is_hidden(character) {
            line.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            line.push_str(&format!("\\u{unit:04x}"));
        }
    }
    line
}

/// The path's JSON fields; `path_b64` only where `path` cannot hold all of it.
pub fn path_fields(path: &[u8]) -> Map<String, Value> {
    use base64::Engine as _;
    let mut fields = Map::new();
    fields.insert("path".into(), String::from_utf8_lossy(path).into());
    if std::str::from_utf8(path).is_err() {
        let encoded = base64::engine::general_purpose::STANDARD.encode(path);
        fields.insert("path_b64".into(), encoded.into());
    }
    fields
}

/// A form's name.
pub fn form_name(form: Form) -> &'static str {
    match form {
        Form::Plaintext => "plaintext",
        Form::RootCredential => "root-credential",
        Form::Minio => "minio",
        Form::Compact => "compact",
    }
}

/// A cipher's name.
pub fn cipher_name(cipher: Cipher) -> &'static str {
    match cipher {
        Cipher::Aes256Gcm => "aes-256-gcm",
        Cipher::Aes128Gcm => "aes-128-gcm",
        Cipher::Chacha20Poly1305 => "chacha20-poly1305",
        Cipher::Xchacha20Poly1305 => "xchacha20-poly1305",
    }
}

/// The name of a data key's encoding.
pub fn encoding_name(encoding: DataKeyEncoding) -> &'static str {
    match encoding {
        DataKeyEncoding::Binary => "binary",
        DataKeyEncoding::Json => "json",
        DataKeyEncoding::MessagePack => "message-pack",
    }
}

/// The name of a key derivation.
pub fn derivation_name(how: KeyDerivation) -> &'static str {
    match how {
        KeyDerivation::Argon2id => "Argon2id",
        KeyDerivation::Pbkdf2 => "PBKDF2",
    }
}

/// A context's name.
pub fn context_name(context: Context) -> &'static str {
    match context {
        Context::Joined => "joined",
        Context::Bare => "bare",
    }
}

/// What stands for the user of a passphrase that has none.
pub const NO_USER: &str = "passphrase without a user";

/// What opened an object, in a few words: the key's name or the credential's user.
pub fn opened_with(found: &Found) -> String {
    let shown = |name: &str| shown(name.as_bytes());
    match (&found.key, &found.user, found.context) {
        (Some(key), _, Some(Context::Bare)) => format!("key {}, bare context", shown(key)),
        (Some(key), _, _) => format!("key {}", shown(key)),
        (_, Some(user), _) if user.is_empty() => NO_USER.to_owned(),
        (_, Some(user), _) => format!("root credential {}", shown(user)),
        _ => String::new(),
    }
}

/// The JSON of what an object was.
pub fn found_json(found: &Found) -> Value {
    json!({
        "form": form_name(found.form),
        "key": found.key,
        "context": found.context.map(context_name),
        "user": found.user,
    })
}

/// The JSON of why an object failed; `opens_at` only where that is known.
pub fn error_json(why: &Why) -> Value {
    let mut fields = Map::new();
    fields.insert("cause".into(), why.cause.name().into());
    fields.insert("message".into(), why.message.as_str().into());
    fields.insert("cure".into(), json!(why.cure));
    if let Some(path) = &why.opens_at {
        fields.insert("opens_at".into(), Value::Object(path_fields(path)));
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_without_what_does_not_show() {
        let value = json!(["a\u{1b}b\\c\u{202e}d\u{7f}\u{9b}\u{1d173}é€👍"]);
        let line = json_line(&value);
        assert!(!line.chars().any(is_hidden), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).ok(), Some(value));
        assert!(line.ends_with("é€👍\"]"), "{line}");
    }
}
