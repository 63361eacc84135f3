//! The vectors of the compact form, `vectors/compact.json`; `interop/README.md` says what their
//! fields mean.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::keys::Keys;
use crate::service::Service;
use crate::vectors::base64;

const FILE: &str = include_str!("../vectors/compact.json");

/// One case, with what it refers to in other cases put in.
#[derive(Clone)]
pub struct Case {
    /// The case's name.
    pub id: String,
    /// What the case is about.
    pub note: String,
    /// `ok`, or the error.
    pub expect: String,
    /// The store's name.
    pub store: String,
    /// The object's path.
    pub path: Vec<u8>,
    /// `name:base64`.
    pub key: String,
    /// The object.
    pub stored: Vec<u8>,
    /// What it holds; empty for cases that do not open.
    pub plaintext: Vec<u8>,
}

#[derive(Deserialize)]
struct Fields {
    id: String,
    note: String,
    expect: String,
    store: String,
    path: Option<String>,
    path_b64: Option<String>,
    key: String,
    plaintext_b64: Option<String>,
    plaintext_size: Option<usize>,
    stored_b64: Option<String>,
    #[serde(default)]
    stored_parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Bytes(String),
    Of(String, usize, usize),
}

impl Case {
    /// The one key that the case lends, as a static key.
    pub fn keys(&self) -> Keys {
        let (name, key) = self.named_key();
        Keys::one(name, &key)
    }

    /// The same in a key server.
    pub fn in_server(&self) -> Keys {
        let (name, key) = self.named_key();
        Keys::none().remote(name, &Arc::new(Service::holding(key)))
    }

    fn named_key(&self) -> (&str, [u8; 32]) {
        let (name, key) = self.key.rsplit_once(':').unwrap();
        (name, base64(key).try_into().unwrap())
    }
}

/// All cases.
pub fn compact() -> Vec<Case> {
    let mut objects = HashMap::new();
    let mut case = |fields: Fields| {
        let parts = fields.stored_parts.iter().flat_map(|part| match part {
            Part::Bytes(text) => base64(text),
            Part::Of(id, start, end) => {
                let object: &Vec<u8> = &objects[id];
                object[*start..*end].to_vec()
            }
        });
        let stored = match &fields.stored_b64 {
            Some(text) => base64(text),
            None => parts.collect(),
        };
        objects.insert(fields.id.clone(), stored.clone());
        let pattern = |size| (0..=250).cycle().take(size).collect();
        let plaintext = fields.plaintext_b64.as_deref().map(base64);
        let path = fields.path_b64.as_deref().map(base64);
        Case {
            plaintext: plaintext.unwrap_or_else(|| pattern(fields.plaintext_size.unwrap())),
            path: path.unwrap_or_else(|| fields.path.unwrap().into_bytes()),
            stored,
            id: fields.id,
            note: fields.note,
            expect: fields.expect,
            store: fields.store,
            key: fields.key,
        }
    };
    let fields: Vec<Fields> = serde_json::from_str(FILE).unwrap();
    fields.into_iter().map(&mut case).collect()
}
