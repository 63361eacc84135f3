//! The calls of KES' API.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::Method;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use zeroize::Zeroizing;

use super::answer::Answer;
use super::client::{Request, shown};
use super::{Kes, check_name};
use crate::contract::KeyError;
use crate::keys::{DataKey, StaticKey};

/// The length of the data keys that are made, and of the shortest that are opened: of AES-128.
const DATA_KEY: usize = 32;
const SHORT_DATA_KEY: usize = 16;

/// What became of a key that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is there now.
    New,
    /// There is one of that name, and it was left as it is.
    Exists,
}

/// What KES says of a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KeyDescription {
    /// Its name.
    pub name: String,
    /// What it encrypts with, such as `AES256`.
    #[serde(default)]
    pub algorithm: String,
    /// When it was made, by RFC 3339.
    #[serde(default)]
    pub created_at: String,
    /// Whose it is: an identity.
    #[serde(default)]
    pub created_by: String,
}

/// Names of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyNames {
    /// Some of them, in KES' order.
    pub names: Vec<String>,
    /// Whether there are no others.
    pub are_all: bool,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Generated {
    plaintext: Bytes64,
    ciphertext: Bytes64,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: Bytes64,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    continue_at: String,
}

impl Kes {
    /// Each endpoint as it was given and, to ask it alone, as a KES of its own.
    #[must_use]
    pub fn each_endpoint(&self) -> Vec<(String, Self)> {
        let alone = self.client.each().into_iter();
        alone
            .map(|(url, client)| {
                let client = Arc::new(client);
                (shown(&url).to_owned(), Self { client })
            })
            .collect()
    }

    /// The version of KES; empty if it does not know it. Nobody needs leave to ask this.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`], [`KeyError::Other`].
    pub async fn version(&self) -> Result<String, KeyError> {
        let (answer, caller) = self.ask(Method::GET, &["version"], None).await?;
        answer.read::<Version>(&caller).map(|answer| answer.version)
    }

    /// Makes a key of KES' own randomness.
    ///
    /// # Errors
    /// [`KeyError::Denied`], [`KeyError::Unavailable`], [`KeyError::Other`]; [`KeyError::NotFound`] for a
    /// name that no key can have.
    pub async fn create_key(&self, name: &str) -> Result<Made, KeyError> {
        self.make("create", name, None).await
    }

    /// Gives KES a static key under the name that it has, so that KES opens what it sealed.
    ///
    /// # Errors
    /// As [`Kes::create_key`].
    pub async fn import_key(&self, key: &StaticKey) -> Result<Made, KeyError> {
        let mut encoded = Zeroizing::new(String::with_capacity(64));
        STANDARD.encode_string(key.secret(), &mut encoded);
        // MinIO's static keys encrypt as KES' keys of this kind do.
        let body = format!(r#"{{"key":"{}","cipher":"AES256"}}"#, *encoded);
        let body = Zeroizing::new(body.into_bytes());
        self.make("import", key.name(), Some(Bytes::from_owner(body)))
            .await
    }

    /// Describes a key.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], [`KeyError::Denied`], [`KeyError::Unavailable`], [`KeyError::Other`].
    pub async fn describe_key(&self, name: &str) -> Result<KeyDescription, KeyError> {
        check_name(name)?;
        let path = ["v1", "key", "describe", name];
        let (answer, caller) = self.ask(Method::GET, &path, None).await?;
        answer.read(&caller)
    }

    /// The names of keys that begin with a text, as many as KES tells at once.
    ///
    /// # Errors
    /// [`KeyError::Denied`], [`KeyError::Unavailable`], [`KeyError::Other`].
    pub async fn list_keys(&self, prefix: &str) -> Result<KeyNames, KeyError> {
        let prefix = if prefix.is_empty() { "*" } else { prefix };
        let path = ["v1", "key", "list", prefix];
        let (answer, caller) = self.ask(Method::GET, &path, None).await?;
        let listed: Listed = answer.read(&caller)?;
        Ok(KeyNames {
            names: listed.names.unwrap_or_default(),
            are_all: listed.continue_at.is_empty(),
        })
    }

    /// Makes a fresh data key of 32 bytes under a key, bound to `context`.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], [`KeyError::Denied`], [`KeyError::Unavailable`], [`KeyError::Other`].
    pub async fn generate(&self, name: &str, context: &[u8]) -> Result<DataKey, KeyError> {
        check_name(name)?;
        let body = match context.is_empty() {
            true => json!({}),
            false => json!({"context": STANDARD.encode(context)}),
        };
        let path = ["v1", "key", "generate", name];
        let body = Bytes::from(body.to_string());
        let (answer, caller) = self.ask(Method::POST, &path, Some(body)).await?;
        let key: Generated = answer.read(&caller)?;
        if key.plaintext.0.len() != DATA_KEY || key.ciphertext.0.is_empty() {
            return Err(bad_data_key(&key.plaintext));
        }
        Ok(DataKey {
            plaintext: key.plaintext.0,
            ciphertext: key.ciphertext.0.to_vec(),
        })
    }

    /// Opens a data key that a key encrypted with `context`, whatever KES wrote it.
    ///
    /// # Errors
    /// As [`Kes::generate`], and [`KeyError::NotAuthentic`] if the three do not belong together.
    pub async fn decrypt(
        &self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        check_name(name)?;
        let mut body = json!({"ciphertext": STANDARD.encode(ciphertext)});
        if let Some(fields) = body.as_object_mut()
            && !context.is_empty()
        {
            fields.insert("context".into(), STANDARD.encode(context).into());
        }
        let path = ["v1", "key", "decrypt", name];
        let body = Bytes::from(body.to_string());
        let (answer, caller) = self.ask(Method::POST, &path, Some(body)).await?;
        let key: Decrypted = answer.read(&caller)?;
        match key.plaintext.0.len() {
            SHORT_DATA_KEY | DATA_KEY => Ok(key.plaintext.0),
            _ => Err(bad_data_key(&key.plaintext)),
        }
    }

    async fn make(&self, how: &str, name: &str, body: Option<Bytes>) -> Result<Made, KeyError> {
        check_name(name)?;
        let path = ["v1", "key", how, name];
        let (answer, caller) = self.ask(Method::POST, &path, body).await?;
        let said = answer.said();
        match answer.status {
            200 => Ok(Made::New),
            400 | 409
                if said.contains("key already exists") || said.contains("does already exist") =>
            {
                Ok(Made::Exists)
            }
            _ => Err(answer.error(&caller)),
        }
    }

    /// The answer, and who asked what, for an error.
    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        body: Option<Bytes>,
    ) -> Result<(Answer, String), KeyError> {
        let caller = format!("{} may not use /{}", self.client.identity, path.join("/"));
        let request = Request {
            method,
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            body,
        };
        Ok((self.client.ask(&request).await?, caller))
    }
}

fn bad_data_key(key: &Bytes64) -> KeyError {
    let bytes = key.0.len();
    KeyError::Other(format!("KES' answer has a data key of {bytes} bytes"))
}

/// Bytes that stand in JSON as base64.
struct Bytes64(Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for Bytes64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Bytes64;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bytes64, E> {
                let decoded = STANDARD.decode(text).map(Zeroizing::new);
                decoded.map(Bytes64).map_err(|_| E::custom("no base64"))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
