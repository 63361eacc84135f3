//! MinIO's sealed objects, taken apart and put together without the core.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

/// The version byte and the metadata's size.
pub const PREFIX: usize = 5;

/// A sealed object's metadata and body.
pub fn split(stored: &[u8]) -> (&[u8], &[u8]) {
    let size = u32::from_le_bytes(stored[1..PREFIX].try_into().unwrap());
    stored[PREFIX..].split_at(size as usize)
}

/// The object of this metadata and body.
pub fn join(metadata: &[u8], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(metadata.len()).unwrap();
    [&[1], &size.to_le_bytes()[..], metadata, body].concat()
}

/// A sealed object whose metadata went through `change`.
pub fn with_metadata(stored: &[u8], change: impl FnOnce(&str) -> String) -> Vec<u8> {
    let (metadata, body) = split(stored);
    join(
        change(std::str::from_utf8(metadata).unwrap()).as_bytes(),
        body,
    )
}

/// What a reader sees in an object. Two objects that mean the same open alike.
#[derive(PartialEq, Eq)]
pub struct Meaning {
    /// The metadata's fields by their lower-case names, with base64 decoded, down into a data key
    /// that is JSON itself.
    fields: BTreeMap<String, Vec<u8>>,
    body: Vec<u8>,
}

/// What an object means; none if its metadata cannot be read.
pub fn meaning(stored: &[u8]) -> Option<Meaning> {
    let size = u32::from_le_bytes(stored.get(1..PREFIX)?.try_into().ok()?);
    let (metadata, body) = stored[PREFIX..].split_at_checked(size as usize)?;
    if stored[0] != 1 {
        return None;
    }
    let mut fields = strings(metadata)?;
    let data_key = decode(fields.get("kmskey")?)?;
    match strings(&data_key) {
        Some(inner) => {
            for (name, text) in inner {
                let bytes = if name == "aead" { text } else { decode(&text)? };
                fields.insert(format!("kmskey.{name}"), bytes);
            }
            fields.remove("kmskey");
        }
        None => {
            fields.insert("kmskey".to_string(), data_key);
        }
    }
    let nonce = decode(fields.get("nonce")?)?;
    fields.insert("nonce".to_string(), nonce);
    let body = body.to_vec();
    Some(Meaning { fields, body })
}

/// The strings of a JSON object by their lower-case names.
fn strings(json: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(json) else {
        return None;
    };
    let text = |(name, value): (String, Value)| {
        Some((
            name.to_ascii_lowercase(),
            value.as_str()?.as_bytes().to_vec(),
        ))
    };
    fields.into_iter().map(text).collect()
}

/// Go's base64: the spare bits of the last digit mean nothing, the padding is wanted.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    GeneralPurpose::new(&STANDARD, lenient).decode(text).ok()
}
