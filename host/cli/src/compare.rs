//! What `audit --manifest` says of each object beside the plugin.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use iamseal::contract::{Finding, ObjectError, StorageError, Verdict};
use iamseal::manifest::{Comparison, Digest, Seen, digest};
use iamseal::storage::{Cursor, Storage, Stored};
use serde_json::{Map, Value, json};

use crate::cause::Cause;
use crate::report::finding::{self, FAILS};
use crate::report::why::Why;
use crate::report::words;
use crate::tally::Tally;

/// A store that notes the digest of what is read of it, so that the bytes which are compared are those
/// that the plugin opened.
pub struct Noting {
    store: Arc<dyn Storage>,
    digests: Mutex<HashMap<Vec<u8>, Digest>>,
}

impl Noting {
    pub fn new(store: Arc<dyn Storage>) -> Self {
        Self {
            store,
            digests: Mutex::default(),
        }
    }

    /// What the manifest says of an object that was just audited. What the plugin had no reason to
    /// read, such as exempt files, is read here.
    async fn remark(&self, finding: &Finding, comparison: &mut Comparison<'_>) -> Remark {
        let path = &finding.path;
        let noted = self.digests().get(path).copied();
        let digest = match noted {
            Some(digest) => Ok(digest),
            None => self.store.read(path).await.map(|read| digest(&read.bytes)),
        };
        match digest {
            Ok(digest) => comparison.see(path, &digest).into(),
            Err(error) => {
                comparison.cannot_read(path);
                Remark::NotRead(error)
            }
        }
    }

    fn digests(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Digest>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Storage for Noting {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        self.store.list(prefix, start_after).await
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let stored = self.store.read(path).await?;
        let digest = digest(&stored.bytes);
        self.digests().insert(path.to_vec(), digest);
        Ok(stored)
    }
}

/// What a manifest says of one object.
pub enum Remark {
    AsRecorded,
    OlderCopy {
        /// The last epoch that had it; 0: none.
        until: u64,
    },
    /// From this path.
    CopiedFrom(Vec<u8>),
    Changed,
    NotRecorded,
    Missing,
    /// There is nothing to compare.
    NotRead(StorageError),
}

impl From<Seen<'_>> for Remark {
    fn from(seen: Seen<'_>) -> Self {
        match seen {
            Seen::AsRecorded => Self::AsRecorded,
            Seen::OlderCopy { until } => Self::OlderCopy { until },
            Seen::CopiedFrom(path) => Self::CopiedFrom(path.to_vec()),
            Seen::Changed => Self::Changed,
            Seen::NotRecorded => Self::NotRecorded,
        }
    }
}

impl Remark {
    /// The name in JSON: the cause, where it is one.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AsRecorded => "as-recorded",
            Self::OlderCopy { .. } => Cause::OlderCopy.name(),
            Self::CopiedFrom(_) => Cause::CopiedFrom.name(),
            Self::Changed => Cause::ChangedSince.name(),
            Self::NotRecorded => Cause::NotRecorded.name(),
            Self::Missing => Cause::Missing.name(),
            Self::NotRead(_) => "not-read",
        }
    }

    /// Why it is a failure, if it is one.
    pub fn why(&self) -> Option<Why> {
        let (cause, message, cure) = match self {
            Self::AsRecorded => return None,
            Self::OlderCopy { until } => (
                Cause::OlderCopy,
                match until {
                    0 => "it is an older copy, from before there was a manifest".into(),
                    until => format!("it is an older copy, replaced after epoch {until}"),
                },
                "restore the newest copy; if it was put back on purpose, record the store as it is \
                 with iamseal manifest",
            ),
            Self::CopiedFrom(path) => (
                Cause::CopiedFrom,
                format!(
                    "it has the bytes that are recorded at {}",
                    iamseal::shown(path)
                ),
                "restore the object that belongs here; if it was copied on purpose, record the store \
                 as it is with iamseal manifest",
            ),
            Self::Changed => (
                Cause::ChangedSince,
                "it was changed since the manifest was written".into(),
                "find out who changed it; if it is as it ought to be, record the store as it is with \
                 iamseal manifest",
            ),
            Self::NotRecorded => (
                Cause::NotRecorded,
                "it is not in the manifest".into(),
                "find out who made it; if it ought to be here, record the store as it is with iamseal \
                 manifest",
            ),
            Self::Missing => return Some(why_missing()),
            Self::NotRead(error) => {
                return Some(Why::from(&ObjectError::Storage(error.clone())));
            }
        };
        Some(Why {
            cause,
            message,
            cure: Some(cure.into()),
            opens_at: None,
        })
    }

    /// The JSON field `manifest` of an object's line: `verdict` is `as-recorded`, `not-read` or one of
    /// the causes; with `older-copy` `until_epoch` is the last epoch that had it (0: before there was
    /// a manifest), with `copied-from` `from` holds the `path` (and `path_b64`) of that object.
    pub fn json(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("verdict".into(), self.name().into());
        match self {
            Self::OlderCopy { until } => {
                fields.insert("until_epoch".into(), json!(until));
            }
            Self::CopiedFrom(path) => {
                fields.insert("from".into(), Value::Object(words::path_fields(path)));
            }
            _ => {}
        }
        Value::Object(fields)
    }
}

/// A comparison that goes along with an audit.
pub struct Comparing<'a> {
    noting: &'a Noting,
    comparison: Comparison<'a>,
    as_recorded: u64,
}

impl<'a> Comparing<'a> {
    pub fn new(noting: &'a Noting, comparison: Comparison<'a>) -> Self {
        Self {
            noting,
            comparison,
            as_recorded: 0,
        }
    }

    /// The line about an object that was just audited, which is added to the run's counts. An object
    /// that fails keeps its own cause, which explains more.
    ///
    /// In JSON it is the line of an audit without a manifest, with `manifest` ([`Remark::json`]). Where
    /// the manifest makes it a failure, `verdict` and `error` say so, and what was `found` stays.
    pub async fn line(&mut self, finding: &Finding, json: bool, tally: &mut Tally) -> String {
        let remark = self.noting.remark(finding, &mut self.comparison).await;
        self.as_recorded += u64::from(matches!(remark, Remark::AsRecorded));
        let fails = finding::cause(finding).is_some();
        // That an object belongs elsewhere explains that no server loads it here.
        let opens = !matches!(finding.verdict, Verdict::Fails(_));
        let why = remark.why().filter(|_| opens);
        match &why {
            None => finding::count(finding, tally),
            Some(why) => tally.failed(FAILS, why.cause),
        }
        if json {
            let mut fields = finding::fields(finding);
            if let Some(why) = &why {
                fields.insert("verdict".into(), FAILS.into());
                fields.insert("error".into(), words::error_json(why));
            }
            fields.insert("manifest".into(), remark.json());
            return words::json_line(&Value::Object(fields));
        }
        if let Some(why) = &why {
            return words::failure_lines(FAILS, why, &finding.path);
        }
        let mut line = finding::text_line(finding);
        let also = match &remark {
            // Whoever changed it did so before the manifest was written.
            Remark::AsRecorded if fails => Some("it is as the manifest records it".into()),
            // Of what cannot be read its own cause says that already.
            Remark::NotRead(_) => None,
            remark => remark.why().map(|why| why.message),
        };
        if let Some(also) = also {
            line.push_str(&format!("\n    also: {also}"));
        }
        line
    }

    /// How many objects were as the manifest records them.
    pub fn as_recorded(&self) -> u64 {
        self.as_recorded
    }

    /// Goes on to the next step of the audit. The plugin reads an object in the step that reports it.
    pub fn next(&self) {
        self.noting.digests().clear();
    }

    /// The lines about objects that are in the manifest alone, counted with the others.
    pub fn missing(&self, json: bool, tally: &mut Tally) -> impl Iterator<Item = String> {
        self.comparison.missing().map(move |path| {
            let why = why_missing();
            tally.failed(FAILS, why.cause);
            if !json {
                return words::failure_lines(FAILS, &why, path);
            }
            let mut fields = words::path_fields(path);
            fields.insert("size".into(), Value::Null);
            fields.insert("key".into(), Value::Null);
            fields.insert("verdict".into(), FAILS.into());
            fields.insert("error".into(), words::error_json(&why));
            fields.insert("manifest".into(), Remark::Missing.json());
            words::json_line(&Value::Object(fields))
        })
    }
}

fn why_missing() -> Why {
    let cure = "restore it from a backup; if it was removed on purpose, record that with iamseal \
                manifest";
    Why {
        cause: Cause::Missing,
        message: "it is in the manifest and not in the store".into(),
        cure: Some(cure.into()),
        opens_at: None,
    }
}
