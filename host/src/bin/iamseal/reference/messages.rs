//! The messages of errors that have a name, as they are said of samples.

use std::io;
use std::path::PathBuf;

use iamseal::contract::{
    self, Form, KeyError, KeyFailure, ObjectError, Reason, SizeLimit, StorageError,
};
use iamseal::journal::JournalError;
use iamseal::keys::KeysError;
use iamseal::keys::error::Place;
use iamseal::keys::root_credential::RootCredentialError;
use iamseal::keys::static_key::StaticKeyError;
use iamseal::manifest::ManifestError;
use iamseal::storage::dir::OpenError;
use iamseal::{Error, Limit};

use super::{literal, table};
use crate::cause::Cause;
use crate::compare::Remark;
use crate::failure::Failure;
use crate::manifest;
use crate::report::why::Why;

/// Numbers of samples, which the tables show as `<n>`.
const NUMBERS: [u64; 2] = [N, M];
const N: u64 = 7_000_001;
const M: u64 = 7_000_002;

/// A message and what is to be said about it.
struct Said {
    message: String,
    cause: Cause,
    cure: Option<String>,
}

/// The tables, by the names of their sections.
pub fn tables() -> Vec<(&'static str, String)> {
    vec![
        ("objects", said(object_errors().iter().map(of_object))),
        (
            "key services",
            said(
                key_errors()
                    .into_iter()
                    .map(key)
                    .map(|error| of_object(&error)),
            ),
        ),
        (
            "stores",
            said(
                storage_errors()
                    .into_iter()
                    .map(ObjectError::Storage)
                    .map(|error| of_object(&error)),
            ),
        ),
        ("folders", said(open_errors().into_iter().map(of))),
        ("reasons", said(reasons().into_iter().map(of_reason))),
        (
            "remarks",
            said(remarks().iter().filter_map(Remark::why).map(of_why)),
        ),
        ("keys", said(keys_errors().into_iter().map(of))),
        ("journals", said(journal_errors().into_iter().map(of))),
        (
            "manifests that do not open",
            said(
                manifest_errors()
                    .into_iter()
                    .map(manifest::unopened)
                    .map(of),
            ),
        ),
        (
            "manifests that are not saved",
            said(unsaved_errors().into_iter().map(manifest::unsaved).map(of)),
        ),
        ("plugins", said(plugin_errors().into_iter().map(of))),
    ]
}

fn said(all: impl Iterator<Item = Said>) -> String {
    let rows = all.map(|said| {
        let code = said.cause.exit_code().to_string();
        let cure = said.cure.map(|cure| literal(&shown(&cure)));
        vec![
            literal(&shown(&said.message)),
            code,
            literal(said.cause.name()),
            cure.unwrap_or_default(),
        ]
    });
    table(&["message", "code", "cause", "cure"], rows)
}

/// With placeholders for the samples' numbers.
fn shown(text: &str) -> String {
    NUMBERS.iter().fold(text.to_owned(), |text, number| {
        text.replace(&number.to_string(), "<n>")
    })
}

fn of(failure: impl Into<Failure>) -> Said {
    let Failure {
        cause,
        message,
        cure,
    } = failure.into();
    Said {
        message,
        cause,
        cure,
    }
}

fn of_why(why: Why) -> Said {
    Said {
        message: why.message,
        cause: why.cause,
        cure: why.cure,
    }
}

fn of_object(error: &ObjectError) -> Said {
    of_why(error.into())
}

fn of_reason(reason: Reason) -> Said {
    let error = ObjectError::HeaderNotAuthentic("<key>".into());
    of_why(
        (&contract::Failure {
            error,
            reason: Some(reason),
        })
            .into(),
    )
}

fn key(error: KeyError) -> ObjectError {
    ObjectError::Key(KeyFailure {
        key: "<key>".into(),
        error,
    })
}

fn text() -> String {
    "<what>".into()
}

fn path() -> PathBuf {
    "<file>".into()
}

fn system() -> io::Error {
    io::Error::other("<what the system says>")
}

fn object_errors() -> Vec<ObjectError> {
    vec![
        ObjectError::Empty,
        ObjectError::UnknownForm(text()),
        ObjectError::Malformed(text()),
        ObjectError::Unsupported(text()),
        ObjectError::Refused(text()),
        ObjectError::FormRefused(Form::Plaintext),
        ObjectError::FormRefused(Form::RootCredential),
        ObjectError::Outdated(text()),
        ObjectError::NoKey,
        ObjectError::HeaderNotAuthentic("<key>".into()),
        ObjectError::NoCredential,
        ObjectError::CredentialNotAuthentic,
        ObjectError::BodyNotAuthentic,
        ObjectError::CutShort,
        ObjectError::Other(text()),
    ]
}

fn key_errors() -> Vec<KeyError> {
    vec![
        KeyError::NotFound,
        KeyError::Denied(text()),
        KeyError::Unavailable(text()),
        KeyError::NotAuthentic,
        KeyError::Other(text()),
    ]
}

fn storage_errors() -> Vec<StorageError> {
    vec![
        StorageError::NotFound,
        StorageError::Conflict,
        StorageError::TooLarge(SizeLimit {
            asked: N,
            allowed: M,
        }),
        StorageError::Refused(text()),
        StorageError::Other(text()),
    ]
}

fn open_errors() -> Vec<OpenError> {
    let root = || "<folder>".into();
    vec![
        OpenError::NotFound { root: root() },
        OpenError::NotADirectory { root: root() },
        OpenError::PermissionDenied { root: root() },
        OpenError::Other {
            root: root(),
            source: system(),
        },
    ]
}

fn reasons() -> Vec<Reason> {
    vec![
        Reason::OtherKeyBytes,
        Reason::OtherPath(b"<path>".to_vec()),
        Reason::DamagedDataKey,
    ]
}

fn remarks() -> Vec<Remark> {
    vec![
        Remark::OlderCopy { until: 0 },
        Remark::OlderCopy { until: N },
        Remark::CopiedFrom(b"<path>".to_vec()),
        Remark::Changed,
        Remark::NotRecorded,
        Remark::Missing,
    ]
}

fn keys_errors() -> Vec<KeysError> {
    let place = || Place::Variable("<place>");
    let (variable, path) = ("<variable>", path());
    let key = |cause| KeysError::Key {
        place: place(),
        cause,
    };
    let credential = |cause| KeysError::RootCredential {
        place: place(),
        cause,
    };
    let (bytes, least) = (7_000_001, 7_000_002);
    let all = [
        StaticKeyError::NoColon,
        StaticKeyError::NotBase64,
        StaticKeyError::NotHex,
        StaticKeyError::Length { bytes },
        StaticKeyError::Length { bytes: 48 },
        StaticKeyError::ColonInName,
        StaticKeyError::NoRandomness(text()),
    ];
    let credentials = [
        RootCredentialError::NoColon,
        RootCredentialError::UserTooShort { bytes, least },
        RootCredentialError::PasswordTooShort { bytes, least },
    ];
    let others = [
        KeysError::HalfRootCredential {
            set: place(),
            missing: variable,
        },
        KeysError::NotText { place: place() },
        KeysError::Unreadable {
            path: path.clone(),
            cause: system(),
        },
        KeysError::FileTooLarge { path: path.clone() },
        KeysError::TooManyRootCredentials { path: path.clone() },
        KeysError::FileMissing { variable, path },
        KeysError::KeyForPath {
            variable,
            rather: "<other variable>",
        },
        KeysError::NoAssignment { place: place() },
        KeysError::EmptyKey { beside: variable },
        KeysError::EmptyKms { variable },
        KeysError::TwoKeys,
        KeysError::TwoKms {
            one: variable,
            other: "<other variable>",
        },
        KeysError::UnsupportedKms {
            kms: "<kind>",
            variable,
        },
        KeysError::NoKms { variable },
        KeysError::NoSuchKey {
            name: "<key>".into(),
        },
    ];
    let all = all.into_iter().map(key);
    all.chain(credentials.into_iter().map(credential))
        .chain(others)
        .collect()
}

fn journal_errors() -> Vec<JournalError> {
    let name = || "<run>".to_owned();
    vec![
        JournalError::Io {
            action: "<do>",
            path: path(),
            source: system(),
        },
        JournalError::NotFound {
            name: name(),
            folder: "<folder>".into(),
        },
        JournalError::UnderWay(name()),
        JournalError::NotAJournal(path()),
        JournalError::Damaged {
            path: path(),
            line: N,
        },
    ]
}

fn manifest_errors() -> Vec<ManifestError> {
    let (part, parts) = (7_000_001, 7_000_002);
    let error = Error::Object(ObjectError::HeaderNotAuthentic("<key>".into()));
    vec![
        ManifestError::NotFound,
        ManifestError::Io {
            action: "<do>",
            source: system(),
        },
        ManifestError::NotAFile,
        ManifestError::NotAManifest,
        ManifestError::UnknownVersion(2),
        ManifestError::CutShort,
        ManifestError::Trailing,
        ManifestError::PartLength {
            part,
            parts,
            length: part,
        },
        ManifestError::Part { part, parts, error },
        ManifestError::Malformed(text()),
        ManifestError::OtherStore {
            expected: "<name>".into(),
            found: "<other name>".into(),
        },
        ManifestError::TooOld {
            epoch: N,
            at_least: M,
        },
    ]
}

fn unsaved_errors() -> Vec<ManifestError> {
    vec![
        ManifestError::Conflict {
            read: N,
            found: Some(M),
        },
        ManifestError::Conflict {
            read: N,
            found: Some(N),
        },
        ManifestError::Conflict {
            read: N,
            found: None,
        },
        ManifestError::Conflict {
            read: 0,
            found: None,
        },
        ManifestError::Locked(N),
        ManifestError::Io {
            action: "<do>",
            source: system(),
        },
        ManifestError::Seal(Error::Object(ObjectError::NoKey)),
    ]
}

fn plugin_errors() -> Vec<Error> {
    let component = || "<component>".to_owned();
    let limit = |limit, asked| Error::Limit {
        component: component(),
        limit,
        asked,
        allowed: M,
    };
    let trap = |panic| Error::Trap {
        component: component(),
        message: text(),
        panic,
    };
    let world = Error::Incompatible {
        component: component(),
        world: "<world>",
        expected: Vec::new(),
        found: Vec::new(),
        message: text(),
    };
    let limits = [
        Limit::Memory,
        Limit::Table,
        Limit::Instances,
        Limit::Stack,
        Limit::CopiedBytes,
        Limit::Object,
        Limit::GuestTime,
        Limit::Deadline,
        Limit::Handles,
        Limit::Random,
        Limit::Component,
    ];
    let mut all = vec![
        Error::Load {
            component: component(),
            message: text(),
        },
        world,
        Error::Unfit {
            component: component(),
            check: "<test>".into(),
            message: text(),
        },
        trap(None),
        trap(Some("<its words>".into())),
        Error::Contract {
            component: component(),
            message: text(),
        },
        Error::Ended,
    ];
    all.extend(limits.map(|kind| limit(kind, None)));
    all.push(limit(Limit::Memory, Some(N)));
    all
}

/// The names of a variant's cases in a file of the contract.
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
    let kinds: std::collections::HashSet<_> = samples.iter().map(std::mem::discriminant).collect();
    kinds.len()
}

#[test]
fn no_error_is_left_out() {
    let types = include_str!("../../../../../wit/types.wit");
    let auditing = include_str!("../../../../../wit/auditing.wit");
    // `key` and `storage` have tables of their own.
    assert_eq!(kinds(&object_errors()) + 2, cases(types, "error"));
    assert_eq!(kinds(&key_errors()), cases(types, "key-error"));
    assert_eq!(kinds(&storage_errors()), cases(types, "storage-error"));
    assert_eq!(kinds(&reasons()), cases(auditing, "reason"));

    let variants = |source: &str| source.matches("#[error(").count();
    // `Object` is what is said of objects.
    assert_eq!(
        kinds(&plugin_errors()) + 1,
        variants(include_str!("../../../error.rs"))
    );
    assert_eq!(
        kinds(&keys_errors()),
        variants(include_str!("../../../keys/error.rs"))
    );
    assert_eq!(
        kinds(&journal_errors()),
        variants(include_str!("../../../journal.rs"))
    );
    assert_eq!(
        kinds(&open_errors()),
        variants(include_str!("../../../storage/dir.rs"))
    );
    let mut manifests = manifest_errors();
    manifests.extend(unsaved_errors());
    assert_eq!(
        kinds(&manifests),
        variants(include_str!("../../../manifest/error.rs"))
    );

    // Those that others hold stand in the table of keys by their words.
    let words = |errors: Vec<KeysError>| -> Vec<String> {
        errors.iter().map(ToString::to_string).collect()
    };
    let all = words(keys_errors());
    for (source, count) in [
        (include_str!("../../../keys/static_key.rs"), 7 - 1), // one length has a cure of its own
        (include_str!("../../../keys/root_credential.rs"), 3),
    ] {
        assert_eq!(variants(source), count);
    }
    assert!(all.len() == kinds(&keys_errors()) - 2 + 7 + 3);
    let (_, limits) = include_str!("../../../plugin/limits.rs")
        .split_once("pub enum Limit {")
        .unwrap();
    let (limits, _) = limits.split_once('}').unwrap();
    let limits = limits.lines().filter(|line| line.ends_with(',')).count();
    let shown = plugin_errors()
        .iter()
        .filter(|error| matches!(error, Error::Limit { asked: None, .. }))
        .count();
    assert_eq!(shown, limits);
}
