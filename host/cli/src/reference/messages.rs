//! The messages of errors that have a name, as they are said of samples.

use std::collections::HashSet;

use iamseal::Error;
use iamseal::contract::{self, KeyFailure, ObjectError, Reason};

use super::samples;
use super::{literal, table};
use crate::cause::Cause;
use crate::compare::Remark;
use crate::failure::Failure;
use crate::manifest;
use crate::report::why::Why;

/// A message and what is to be said about it.
struct Said {
    message: String,
    cause: Cause,
    cure: Option<String>,
}

/// The tables, by the names of their sections.
pub fn tables() -> Vec<(&'static str, String)> {
    let keys = samples::key_errors().into_iter().map(|error| {
        let key = "<key>".into();
        ObjectError::Key(KeyFailure { key, error })
    });
    let stores = samples::storage_errors().into_iter();
    let remarks = samples::remarks();
    let unopened = samples::manifest_errors()
        .into_iter()
        .map(manifest::unopened);
    let unsaved = samples::unsaved_errors().into_iter().map(manifest::unsaved);
    vec![
        (
            "objects",
            table_of(samples::object_errors().iter().map(Why::from)),
        ),
        (
            "key services",
            table_of(keys.map(|error| Why::from(&error))),
        ),
        (
            "stores",
            table_of(stores.map(|error| Why::from(&ObjectError::Storage(error)))),
        ),
        ("reasons", table_of(samples::reasons().into_iter().map(why))),
        ("remarks", table_of(remarks.iter().filter_map(Remark::why))),
        ("folders", table_of(failures(samples::open_errors()))),
        ("archives", table_of(failures(samples::archive_errors()))),
        ("etcd", table_of(failures(samples::etcd_errors()))),
        ("buckets", table_of(failures(samples::bucket_errors()))),
        ("keys", table_of(failures(samples::keys_errors()))),
        ("journals", table_of(failures(samples::journal_errors()))),
        ("manifests that do not open", table_of(unopened)),
        ("manifests that are not saved", table_of(unsaved)),
        ("plugins", table_of(failures(samples::plugin_errors()))),
    ]
}

fn failures(errors: Vec<impl Into<Failure>>) -> impl Iterator<Item = Failure> {
    errors.into_iter().map(Into::into)
}

fn why(reason: Reason) -> Why {
    let error = ObjectError::HeaderNotAuthentic("<key>".into());
    let reason = Some(reason);
    Why::from(&contract::Failure { error, reason })
}

fn table_of(all: impl Iterator<Item = impl Into<Said>>) -> String {
    let rows = all.map(Into::into).map(|said| {
        let code = said.cause.exit_code().to_string();
        let cure = said.cure.map(|cure| literal(&shown(&cure)));
        let (message, cause) = (literal(&shown(&said.message)), literal(said.cause.name()));
        vec![message, code, cause, cure.unwrap_or_default()]
    });
    table(&["message", "code", "cause", "cure"], rows)
}

/// With placeholders for the samples' numbers.
fn shown(text: &str) -> String {
    samples::NUMBERS
        .iter()
        .fold(text.to_owned(), |text, number| {
            text.replace(&number.to_string(), "<n>")
        })
}

impl From<Failure> for Said {
    fn from(
        Failure {
            cause,
            message,
            cure,
        }: Failure,
    ) -> Self {
        Self {
            message,
            cause,
            cure,
        }
    }
}

impl From<Why> for Said {
    fn from(
        Why {
            cause,
            message,
            cure,
            ..
        }: Why,
    ) -> Self {
        Self {
            message,
            cause,
            cure,
        }
    }
}

/// How many cases a variant has in a file of the contract.
fn cases(file: &str, variant: &str) -> usize {
    let (_, rest) = file.split_once(&format!("  variant {variant} {{")).unwrap();
    let (cases, _) = rest.split_once("\n  }").unwrap();
    let lines = cases.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("///"))
        .count()
}

/// How many kinds there are among samples.
fn kinds<T>(samples: &[T]) -> usize {
    let kinds: HashSet<_> = samples.iter().map(std::mem::discriminant).collect();
    kinds.len()
}

#[test]
fn no_error_is_left_out() {
    let types = include_str!("../../../../wit/types.wit");
    let auditing = include_str!("../../../../wit/auditing.wit");
    // `key` and `storage` have tables of their own.
    assert_eq!(kinds(&samples::object_errors()) + 2, cases(types, "error"));
    assert_eq!(kinds(&samples::key_errors()), cases(types, "key-error"));
    assert_eq!(
        kinds(&samples::storage_errors()),
        cases(types, "storage-error")
    );
    assert_eq!(kinds(&samples::reasons()), cases(auditing, "reason"));

    let keys = samples::keys_errors();
    let variants = |source: &str| source.matches("#[error(").count();
    // `Object` is what is said of objects.
    assert_eq!(
        kinds(&samples::plugin_errors()) + 1,
        variants(include_str!("../../../src/error.rs"))
    );
    assert_eq!(
        kinds(&keys),
        variants(include_str!("../../../src/keys/error.rs"))
    );
    assert_eq!(
        kinds(&samples::journal_errors()),
        variants(include_str!("../../../src/journal.rs"))
    );
    assert_eq!(
        kinds(&samples::open_errors()),
        variants(include_str!("../../../src/storage/dir.rs"))
    );
    assert_eq!(
        kinds(&samples::etcd_errors()),
        variants(include_str!("../../../src/storage/etcd/open_error.rs"))
    );
    assert_eq!(
        kinds(&samples::bucket_errors()),
        variants(include_str!("../../../src/storage/s3/open.rs"))
    );
    let mut manifests = samples::manifest_errors();
    manifests.extend(samples::unsaved_errors());
    assert_eq!(
        kinds(&manifests),
        variants(include_str!("../../../src/manifest/error.rs"))
    );

    // Those that others hold: three kinds of keys' errors, one of which has two samples; of those of KES one that
    // holds others itself; and half a credential, which has two samples too.
    let held: usize = [
        include_str!("../../../src/keys/kes/error.rs"),
        include_str!("../../../words/src/keys/static_key.rs"),
        include_str!("../../../words/src/keys/root_credential.rs"),
    ]
    .map(variants)
    .iter()
    .sum();
    let words: HashSet<String> = keys.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), kinds(&keys) - 3 + held + 2 - 1);
    let (_, limits) = include_str!("../../../src/plugin/limits.rs")
        .split_once("pub enum Limit {")
        .unwrap();
    let (limits, _) = limits.split_once('}').unwrap();
    let limits = limits.lines().filter(|line| line.ends_with(',')).count();
    let shown = samples::plugin_errors()
        .iter()
        .filter(|error| matches!(error, Error::Limit { asked: None, .. }))
        .count();
    assert_eq!(shown, limits);
}
