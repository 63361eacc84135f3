//! The JSON of MinIO's metadata, beside another reader of JSON: what that one reads is read here, and to
//! the same. (Not the other way round: MinIO's reader takes texts that are not UTF-8.)
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use std::fmt::{self, Formatter};

use iamseal_core::{Error, inspect};
use iamseal_fuzz::one_key::minio;
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// As deep as what is skipped may be nested, counted from the object itself.
const DEEPEST: usize = 64;

fuzz_target!(|metadata: &[u8]| {
    let seen = inspect(&minio(metadata, &[0; 16]));
    let Ok(Fields(fields)) = serde_json::from_slice(metadata) else {
        return;
    };
    let Some(keyid) = field(&fields, "keyid") else {
        return;
    };
    match seen {
        Ok(seen) => assert_eq!(seen.key.as_deref(), Some(keyid)),
        Err(Error::Malformed(text)) if text.contains(" at byte ") => panic!("{text}"),
        Err(_) => {}
    }
});

/// A field's text. None where the readers may differ: another field that is known holds something
/// else than a text, a name stands there twice, or values are nested deep.
fn field<'a>(fields: &'a [(String, Value)], name: &str) -> Option<&'a str> {
    let known = ["keyid", "kmskey", "algorithm", "nonce"];
    let mut found = None;
    for (there, value) in fields {
        let there = there.to_ascii_lowercase();
        if depth(value) >= DEEPEST {
            return None;
        }
        if known.contains(&there.as_str()) {
            let text = value.as_str()?;
            if there == name && found.replace(text).is_some() {
                return None;
            }
        }
    }
    Some(found.unwrap_or_default())
}

/// The fields of an object, those of the same name too.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Fields;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        reader.deserialize_map(All)
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}
