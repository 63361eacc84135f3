//! The sealed object that says that all is current.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::contract::{SealOptions, SealedForm};
use crate::error::Error;
use crate::plugin::Plugin;

use super::MARKER;
use super::objects::{Objects, is_conflict};

/// Objects that do not open and are named in a marker. With more than these a start goes through all.
const NAMED: usize = 1000;
/// How often a marker is written that other servers write at the same time.
const TRIES: u32 = 3;

/// What a marker is to be about.
pub(super) struct Subject {
    pub store: String,
    pub prefix: Vec<u8>,
    /// The key's name; its bytes are those that the marker is sealed under.
    pub key: String,
    pub options: SealOptions,
    /// The marker has to open under the policy `current`.
    pub is_default_key: bool,
}

/// What a marker tells of its subject.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing.
    Nothing,
    /// Nothing, since it does not open.
    Damaged,
    /// All was sealed once, but for what did not open.
    WasSealed(Failed),
    /// All is current, but for what did not open.
    Current(Failed),
}

/// The paths of objects that did not open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Failed {
    pub all: BTreeSet<Vec<u8>>,
    /// Those that were in the root-credential form when that was still believed: they may be opened when their
    /// credential comes.
    pub credential: BTreeSet<Vec<u8>>,
    /// There are more, which are not named.
    pub is_cut: bool,
}

impl Subject {
    /// What the store's marker tells.
    ///
    /// # Errors
    /// The store's.
    pub async fn read(&self, plugin: &Plugin, objects: &Objects) -> Result<Told, Error> {
        let Some(own) = objects.read(plugin, MARKER).await? else {
            return Ok(Told::Nothing);
        };
        let Some(record) = own.record else {
            return Ok(Told::Damaged);
        };
        Ok(self.told(&record, own.is_current))
    }

    fn told(&self, record: &Value, is_current: bool) -> Told {
        let meant = self.record(true, &Failed::default());
        let same = |field: &str| {
            record
                .get(field)
                .is_some_and(|it| Some(it) == meant.get(field))
        };
        // What was sealed in another way, or under another key, was sealed.
        if !(same("version") && same("store") && same("prefix")) {
            return Told::Nothing;
        }
        let is_current = is_current || !self.is_default_key;
        let is_whole = is_current && same("key") && same("form") && same("complete");
        let all = paths(record, "failed");
        let credential = paths(record, "root_credential").unwrap_or_default();
        match all {
            Some(all) if is_whole => Told::Current(Failed {
                all,
                credential,
                is_cut: false,
            }),
            all => Told::WasSealed(Failed {
                all: all.unwrap_or_default(),
                credential,
                is_cut: false,
            }),
        }
    }

    /// Says that all is current but for these, or that all was and something is not.
    ///
    /// # Errors
    /// The store's and the plugin's.
    pub async fn write(
        &self,
        plugin: &Plugin,
        objects: &Objects,
        is_current: bool,
        failed: &Failed,
    ) -> Result<(), Error> {
        let record = match failed.all.len() <= NAMED && !failed.is_cut {
            true => self.record(is_current, failed),
            false => self.record(false, &Failed::default()),
        };
        let mut tries = 1;
        loop {
            let over = objects.read(plugin, MARKER).await?.map(|own| own.version);
            match objects.write(plugin, MARKER, &record, over).await {
                Err(error) if is_conflict(&error) && tries < TRIES => tries += 1,
                written => return written.map(drop),
            }
        }
    }

    fn record(&self, is_complete: bool, failed: &Failed) -> Value {
        json!({
            "version": 1,
            "store": self.store,
            "prefix": BASE64.encode(&self.prefix),
            "key": self.key,
            "form": form(&self.options),
            "complete": is_complete,
            "failed": encoded(&failed.all),
            "root_credential": encoded(&failed.credential),
        })
    }
}

/// Paths are bytes.
fn encoded(paths: &BTreeSet<Vec<u8>>) -> Vec<String> {
    paths.iter().map(|path| BASE64.encode(path)).collect()
}

/// None if there is no list of paths.
fn paths(record: &Value, field: &str) -> Option<BTreeSet<Vec<u8>>> {
    let paths = record.get(field)?.as_array()?.iter();
    paths
        .map(|path| BASE64.decode(path.as_str()?).ok())
        .collect()
}

/// Lets a marker that is there say nothing.
///
/// # Errors
/// The store's and the plugin's.
pub(super) async fn clear(plugin: &Plugin, objects: &Objects) -> Result<(), Error> {
    let Some(own) = objects.read(plugin, MARKER).await? else {
        return Ok(());
    };
    let nothing = json!({ "version": 1 });
    let written = objects.write(plugin, MARKER, &nothing, Some(own.version));
    written.await.map(drop)
}

/// What new objects are, in a word for each thing that can be chosen.
fn form(options: &SealOptions) -> Value {
    match &options.form {
        SealedForm::Compact => json!(["compact"]),
        // No migration of a store that is served writes it.
        SealedForm::Rustfs => json!(["rustfs"]),
        SealedForm::Minio(minio) => json!([
            "minio",
            minio.cipher.map(|cipher| format!("{cipher:?}")),
            minio
                .data_key_encoding
                .map(|encoding| format!("{encoding:?}")),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(store: &str, prefix: &[u8], form: SealedForm) -> Subject {
        Subject {
            store: store.to_owned(),
            prefix: prefix.to_vec(),
            key: "key".to_owned(),
            options: SealOptions { form, key: None },
            is_default_key: true,
        }
    }

    #[test]
    fn a_marker_holds_for_its_store_key_and_plan_alone() {
        let minio = SealedForm::default();
        let meant = subject("store", b"config/", minio);
        let failed = Failed {
            all: [b"config/\xff".to_vec(), b"config/a".to_vec()].into(),
            credential: [b"config/a".to_vec()].into(),
            is_cut: false,
        };
        let record = meant.record(true, &failed);
        let was_sealed = || Told::WasSealed(failed.clone());
        assert_eq!(meant.told(&record, true), Told::Current(failed.clone()));
        assert_eq!(meant.told(&record, false), was_sealed());
        assert_eq!(
            meant.told(&meant.record(false, &failed), true),
            was_sealed()
        );
        let other_key = Subject {
            key: "other".to_owned(),
            ..subject("store", b"config/", minio)
        };
        assert_eq!(other_key.told(&record, true), was_sealed());
        let other_form = subject("store", b"config/", SealedForm::Compact);
        assert_eq!(other_form.told(&record, true), was_sealed());
        for other in [
            subject("other", b"config/", minio),
            subject("store", b"", minio),
        ] {
            assert_eq!(other.told(&record, true), Told::Nothing);
        }
        assert_eq!(meant.told(&json!({}), true), Told::Nothing);
        assert_eq!(meant.told(&json!("text"), true), Told::Nothing);
    }
}
