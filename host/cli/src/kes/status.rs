//! `iamseal kes status`: whether each endpoint answers and what this identity may do there.

use std::collections::BTreeSet;
use std::process::ExitCode;

use iamseal::contract::KeyError;
use iamseal::keys::{Environment, Kes};
use serde_json::{Map, Value, json};

use super::why;
use crate::arguments::Common;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::report::why::Why;
use crate::report::words;
use crate::{keys, output};

/// What the data key is bound to that is made and opened for a look: nothing, as MinIO does at its start.
const CONTEXT: &[u8] = b"{}";
/// How many names of other keys are told where the key is not there.
const TOLD: usize = 5;

/// What became of a call.
type Call = (&'static str, Result<(), Why>);

/// An endpoint that was asked.
struct Asked {
    endpoint: String,
    version: Option<String>,
    calls: Vec<Call>,
}

pub async fn run(common: &Common) -> Result<ExitCode, Failure> {
    let environment = Environment::of_process()?;
    // What MinIO refuses is told first.
    environment.keyring()?;
    keys::warn(common, &environment, []);
    let (kes, key) = (environment.kes()?, environment.kes_key_name()?);
    let mut causes = BTreeSet::new();
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for (endpoint, alone) in kes.each_endpoint() {
        let asked = ask(endpoint, &alone, &key).await;
        let failed = asked
            .calls
            .iter()
            .filter_map(|(_, call)| call.as_ref().err());
        causes.extend(failed.map(|why| why.cause));
        if common.json {
            output::line(&asked.json(kes.identity(), &key))?;
        } else {
            failures.extend(asked.failures());
            rows.push(asked.row());
        }
    }
    if !common.json {
        let key = iamseal::shown(key.as_bytes());
        output::line(&format!("identity {}, key {key}", kes.identity()))?;
        let header = ["endpoint", "version", "describe", "generate", "decrypt"];
        output::line(&output::table(&header, rows))?;
        for failure in failures {
            output::line(&failure)?;
        }
    }
    let cause = match causes.len() {
        0 => return Ok(ExitCode::SUCCESS),
        1 => causes.first().copied(),
        _ => None,
    };
    Ok(cause.unwrap_or(Cause::Several).exit_code().into())
}

async fn ask(endpoint: String, kes: &Kes, key: &str) -> Asked {
    let version = kes.version().await;
    let mut calls: Vec<Call> = Vec::new();
    let (version, reached) = match version {
        Ok(version) => (Some(version), Ok(())),
        Err(error) => (None, Err(error)),
    };
    let is_reached = !matches!(reached, Err(KeyError::Unavailable(_)));
    calls.push(("version", reached.map_err(|error| why(key, error))));
    // An endpoint that does not answer would keep each of the others waiting.
    if is_reached {
        let described = kes.describe_key(key).await.map(|_description| ());
        calls.push(("describe", told(kes, key, described).await));
        match kes.generate(key, CONTEXT).await {
            Ok(made) => {
                calls.push(("generate", Ok(())));
                let opened = kes.decrypt(key, &made.ciphertext, CONTEXT).await;
                let opened = opened.and_then(|opened| match opened == made.plaintext {
                    true => Ok(()),
                    false => Err(KeyError::Other(
                        "it opens its own data key to something else".into(),
                    )),
                });
                calls.push(("decrypt", told(kes, key, opened).await));
            }
            // Without a data key there is nothing to decrypt.
            Err(error) => calls.push(("generate", told(kes, key, Err(error)).await)),
        }
    }
    Asked {
        endpoint,
        version,
        calls,
    }
}

/// With the names of keys that are there where this one is not.
async fn told(kes: &Kes, key: &str, call: Result<(), KeyError>) -> Result<(), Why> {
    let error = match call {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let is_missing = error == KeyError::NotFound;
    let mut why = why(key, error);
    if is_missing
        && let Ok(listed) = kes.list_keys("").await
        && !listed.names.is_empty()
    {
        let names = listed.names;
        let more = if names.len() > TOLD || !listed.are_all {
            ", ..."
        } else {
            ""
        };
        // In quotes: they are the server's word.
        let names: Vec<_> = names.iter().take(TOLD).map(|name| shown(name)).collect();
        why.message = format!("{}; there are {}{more}", why.message, names.join(", "));
    }
    Err(why)
}

/// A name that KES takes, and of another one its beginning.
fn shown(name: &str) -> String {
    let longest = 80; // As KES has it.
    let begin: String = name.chars().take(longest).collect();
    iamseal::shown(begin.as_bytes())
}

impl Asked {
    fn json(&self, identity: &str, key: &str) -> String {
        let calls = self.calls.iter().map(|(name, call)| {
            let mut fields = Map::new();
            fields.insert("call".into(), (*name).into());
            fields.insert("ok".into(), call.is_ok().into());
            if let Err(why) = call {
                fields.insert("error".into(), words::error_json(why));
            }
            Value::Object(fields)
        });
        let calls: Vec<_> = calls.collect();
        words::json_line(&json!({
            "endpoint": self.endpoint, "version": self.version, "identity": identity, "key": key,
            "calls": calls,
        }))
    }

    fn row(&self) -> Vec<String> {
        let call = |name: &str| {
            let mut calls = self.calls.iter();
            match calls.find(|(other, _)| *other == name) {
                Some((_, Ok(()))) => output::verdict("ok", false),
                Some((_, Err(why))) => output::verdict(why.cause.name(), true),
                None => "-".to_owned(),
            }
        };
        let version = match &self.version {
            Some(version) => iamseal::shown(version.as_bytes()),
            None => call("version"),
        };
        let calls = ["describe", "generate", "decrypt"].map(call);
        [self.endpoint.clone(), version]
            .into_iter()
            .chain(calls)
            .collect()
    }

    fn failures(&self) -> Vec<String> {
        let failed = self
            .calls
            .iter()
            .filter_map(|(name, call)| Some((name, call.as_ref().err()?)));
        failed
            .map(|(name, why)| {
                let cure = why.cure.as_ref().map(|cure| format!("\n    cure: {cure}"));
                format!(
                    "{}, {name}\n    why:  {}{}",
                    self.endpoint,
                    why.message,
                    cure.unwrap_or_default()
                )
            })
            .collect()
    }
}
