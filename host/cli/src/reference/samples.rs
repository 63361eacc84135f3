//! A sample of every error that has a name.

use std::io;
use std::path::PathBuf;

use iamseal::contract::{Form, KeyError, ObjectError, Reason, SizeLimit, StorageError, Tries};
use iamseal::journal::JournalError;
use iamseal::keys::error::Place;
use iamseal::keys::kes::{EndpointError, KesError};
use iamseal::keys::root_credential::RootCredentialError;
use iamseal::keys::static_key::StaticKeyError;
use iamseal::keys::{GivenPath, KeysError};
use iamseal::manifest::ManifestError;
use iamseal::storage::{dir::OpenError, etcd, s3};
use iamseal::{Error, Limit};

use crate::compare::Remark;
use crate::store::archive::Wrong;

/// The numbers in samples.
pub const NUMBERS: [u64; 2] = [N, M];
const N: u64 = 7_000_001;
const M: u64 = 7_000_002;

fn text() -> String {
    "<what>".into()
}

fn path() -> PathBuf {
    "<file>".into()
}

fn system() -> io::Error {
    io::Error::other("<what the system says>")
}

pub fn object_errors() -> Vec<ObjectError> {
    vec![
        ObjectError::Empty,
        ObjectError::UnknownForm(text()),
        ObjectError::Malformed(text()),
        ObjectError::Unsupported(text()),
        ObjectError::Refused(text()),
        ObjectError::FormRefused(Form::Plaintext),
        ObjectError::FormRefused(Form::RootCredential),
        ObjectError::FormRefused(Form::Minio),
        ObjectError::Outdated(text()),
        ObjectError::NotLoadable(text()),
        ObjectError::NoKey,
        ObjectError::HeaderNotAuthentic("<key>".into()),
        ObjectError::NoCredential,
        ObjectError::CredentialNotAuthentic,
        ObjectError::CredentialUntried(Tries {
            tried: N as u32,
            lent: M as u32,
        }),
        ObjectError::BodyNotAuthentic,
        ObjectError::CutShort,
        ObjectError::Other(text()),
    ]
}

pub fn archive_errors() -> Vec<Wrong> {
    vec![
        Wrong::Written,
        Wrong::OtherPacking("<program>"),
        Wrong::Encrypted("<program>"),
        Wrong::Malformed(text()),
        Wrong::LeadsOut("<name>".into()),
        Wrong::NoFile("<name>".into()),
        Wrong::Twice("<name>".into()),
        Wrong::AfterEnd,
        Wrong::Deep("<name>".into()),
        Wrong::Large,
        Wrong::NoStore,
        Wrong::SeveralStores("<names>".into()),
        Wrong::NoFormat("<name>".into()),
        Wrong::System(system()),
        Wrong::Left {
            folder: "<folder>".into(),
            why: system(),
        },
    ]
}

pub fn bucket_errors() -> Vec<s3::OpenError> {
    vec![
        s3::OpenError::Url("<why>"),
        s3::OpenError::Variable {
            variable: "<variable>".into(),
            why: "<why>",
        },
        s3::OpenError::Authorities {
            path: path(),
            cause: system(),
        },
        s3::OpenError::Variables(object_store::Error::NotImplemented {
            operation: text(),
            implementer: text(),
        }),
        s3::OpenError::Prefix(StorageError::Refused(text())),
    ]
}

pub fn key_errors() -> Vec<KeyError> {
    vec![
        KeyError::NotFound,
        KeyError::Denied(text()),
        KeyError::Unavailable(text()),
        KeyError::NotAuthentic,
        KeyError::Other(text()),
    ]
}

pub fn storage_errors() -> Vec<StorageError> {
    vec![
        StorageError::NotFound,
        StorageError::Conflict,
        StorageError::TooLarge(SizeLimit {
            asked: N,
            allowed: M,
        }),
        StorageError::Refused(text()),
        StorageError::Refused("<path> is a folder".into()),
        StorageError::Refused("access is denied: <what the server says>".into()),
        StorageError::Refused("no request can name the key <key>: <why>".into()),
        StorageError::Refused(
            "the permissions of <path> cannot be kept: its <what>: <what the system says>".into(),
        ),
        StorageError::Other(text()),
        StorageError::Other("access is denied: cannot <do>: etcd says: <what>".into()),
        StorageError::Other("its draft is gone: <why>".into()),
    ]
}

pub fn open_errors() -> Vec<OpenError> {
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

pub fn etcd_errors() -> Vec<etcd::OpenError> {
    vec![
        etcd::OpenError::NoAddress {
            address: "<address>".into(),
        },
        etcd::OpenError::UserInAddress,
        etcd::OpenError::NoNode,
        etcd::OpenError::MixedSchemes,
        etcd::OpenError::HalfCertificate {
            set: "<variable>",
            missing: "<other variable>",
        },
        etcd::OpenError::CertificateWithoutTls,
        etcd::OpenError::NoPassword,
        etcd::OpenError::Variable(KeysError::NotText {
            place: Place::Variable("<variable>"),
        }),
        etcd::OpenError::Unreadable {
            variable: "<variable>",
            path: GivenPath::harmless(&path()),
            cause: system(),
        },
        etcd::OpenError::Certificates(text()),
        etcd::OpenError::Tls(text()),
        etcd::OpenError::NoAnswer(text()),
        etcd::OpenError::Denied(text()),
        etcd::OpenError::Other(text()),
        etcd::OpenError::Nothing {
            begin: "<prefix>config/".into(),
        },
    ]
}

pub fn reasons() -> Vec<Reason> {
    vec![
        Reason::OtherKeyBytes,
        Reason::OtherPath(b"<path>".to_vec()),
        Reason::EarlierKey,
        Reason::DamagedDataKey,
    ]
}

pub fn remarks() -> Vec<Remark> {
    vec![
        Remark::OlderCopy { until: 0 },
        Remark::OlderCopy { until: N },
        Remark::CopiedFrom(b"<path>".to_vec()),
        Remark::Changed,
        Remark::NotRecorded,
        Remark::Missing,
    ]
}

pub fn keys_errors() -> Vec<KeysError> {
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
        StaticKeyError::Assignment,
        StaticKeyError::NotBase64,
        StaticKeyError::NotHex,
        StaticKeyError::Length { bytes },
        StaticKeyError::Length { bytes: 48 },
        StaticKeyError::ColonInName,
        StaticKeyError::NoRandomness(text()),
    ];
    let credentials = [
        RootCredentialError::NoColon,
        RootCredentialError::Assignment,
        RootCredentialError::UserTooShort { bytes, least },
        RootCredentialError::PasswordTooShort { bytes, least },
    ];
    let others = [
        KeysError::HalfRootCredential {
            set: place(),
            missing: variable,
        },
        KeysError::HalfRootCredential {
            set: Place::File("<file>".into()),
            missing: variable,
        },
        KeysError::NotText { place: place() },
        KeysError::ByteOrderMark { place: place() },
        KeysError::Unreadable {
            path: GivenPath::harmless(&path),
            cause: system(),
        },
        KeysError::FileTooLarge { path: path.clone() },
        KeysError::Encrypted { path: path.clone() },
        KeysError::NothingIn { path: path.clone() },
        KeysError::TooManyRootCredentials { path: path.clone() },
        KeysError::NoKesKey {
            path: GivenPath::harmless(&path),
        },
        KeysError::KesStoreTooLarge {
            path: GivenPath::harmless(&path),
        },
        KeysError::NotInKesStore {
            name: "<key>".into(),
            path: GivenPath::harmless(&path),
        },
        KeysError::FileMissing {
            variable,
            path: GivenPath::harmless(&path),
        },
        KeysError::KeyForPath {
            variable,
            rather: "<other variable>",
        },
        KeysError::NoAssignment { place: place() },
        KeysError::PassedOver { place: place() },
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
        KeysError::KesVariable { variable },
        KeysError::HalfIdentity {
            set: variable,
            missing: "<other variable>",
        },
        KeysError::TwoIdentities { other: variable },
        KeysError::NoKms { variable },
        KeysError::NoSuchKey {
            name: "<key>".into(),
        },
    ];
    let kes = kes_errors().into_iter().map(|cause| KeysError::Kes {
        place: place(),
        cause,
    });
    let all = all.into_iter().map(key).chain(kes);
    all.chain(credentials.into_iter().map(credential))
        .chain(others)
        .collect()
}

fn kes_errors() -> Vec<KesError> {
    let endpoint = |cause| KesError::Endpoint { number: 1, cause };
    let endpoints = [
        EndpointError::NotUrl,
        EndpointError::NotHttps,
        EndpointError::TooMuch,
        EndpointError::Pattern,
    ];
    let others = [
        KesError::TooManyEndpoints,
        KesError::NoEndpoint,
        KesError::KeyName {
            name: "<key>".into(),
        },
        KesError::ApiKey,
        KesError::Unreadable {
            path: GivenPath::harmless(&path()),
            cause: system(),
        },
        KesError::FileTooLarge { path: path() },
        KesError::Nothing {
            path: path(),
            what: "<what>",
        },
        KesError::Encrypted { path: path() },
        KesError::Password { path: path() },
        KesError::PrivateKey {
            path: path(),
            cause: text(),
        },
        KesError::Pair { cause: text() },
        KesError::Authority {
            path: path(),
            cause: text(),
        },
        KesError::NoAuthorities,
        KesError::Start(text()),
    ];
    endpoints.into_iter().map(endpoint).chain(others).collect()
}

pub fn journal_errors() -> Vec<JournalError> {
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
        JournalError::Proof {
            path: path(),
            source: io::Error::other("<text>"),
        },
        JournalError::NotAJournal(path()),
        JournalError::Damaged {
            path: path(),
            line: N,
        },
        JournalError::NotAuthentic {
            path: path(),
            line: N,
        },
        JournalError::NoKey {
            path: path(),
            opened_by: "<keys>".into(),
        },
        JournalError::Unkeyed(path()),
        JournalError::Key {
            name: "<key>".into(),
            error: KeyError::Unavailable(text()),
        },
        JournalError::NotPrivate(io::Error::other("others can change <file>")),
        JournalError::NotAProof(path()),
        JournalError::CutShort(path()),
        JournalError::NotEnded(name()),
        JournalError::NoDrives(name()),
        JournalError::NoRandomness(text()),
        JournalError::Argon2id(text()),
    ]
}

pub fn manifest_errors() -> Vec<ManifestError> {
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

pub fn unsaved_errors() -> Vec<ManifestError> {
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

pub fn plugin_errors() -> Vec<Error> {
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
        Limit::InstancesInUse,
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
        Error::OtherDigest {
            component: component(),
            found: "<SHA-256>".into(),
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
