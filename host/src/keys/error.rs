//! Why keys could not be taken from where the operator put them, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use iamseal_words::keys::given::GivenPath;
use thiserror::Error;

use super::root_credential::RootCredentialError;
use super::static_key::StaticKeyError;

/// Where a text stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a variable of the environment.
    Variable(&'static str),
    /// In a file as a whole.
    File(PathBuf),
    /// In a line of a file, counted from 1.
    Line(PathBuf, usize),
}

/// Why keys or root credentials could not be taken. No case holds a secret or any text that was
/// meant to be one.
#[derive(Debug, Error)]
pub enum KeysError {
    /// A text that should be a key is none.
    #[error("{place}: {cause}")]
    Key {
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        cause: StaticKeyError,
    },
    /// A text that should be a root credential is none.
    #[error("{place}: {cause}")]
    RootCredential {
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        cause: RootCredentialError,
    },
    /// Half a root credential.
    #[error("{}", half(.set, .missing))]
    HalfRootCredential {
        /// The half that is there.
        set: Place,
        /// The half that is not.
        missing: &'static str,
    },
    /// Something is not UTF-8.
    #[error("{place}: not UTF-8 text")]
    NotText {
        /// Where it stands.
        place: Place,
    },
    /// A file begins with U+FEFF, which some editors write and nobody sees.
    #[error("{place}: it begins with a byte-order mark")]
    ByteOrderMark {
        /// The first line.
        place: Place,
    },
    /// A file cannot be read.
    #[error("{path}: cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: GivenPath,
        /// What the system said.
        cause: io::Error,
    },
    /// A file is over 1 MiB.
    #[error("{}: larger than 1 MiB", .path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A file is encrypted with age.
    #[error("{}: it is encrypted with age", .path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// There is no key or credential in a file of them: it is empty, or holds comments alone.
    #[error("{}: there is nothing in it", .path.display())]
    NothingIn {
        /// The file.
        path: PathBuf,
    },
    /// With a file there are more than 100 root credentials.
    #[error("{}: there are more than 100 root credentials with it", .path.display())]
    TooManyRootCredentials {
        /// The file.
        path: PathBuf,
    },
    /// There is no key in what should be KES' folder of keys.
    #[error("{path}: there is no key of KES in it")]
    NoKesKey {
        /// The folder.
        path: GivenPath,
    },
    /// What should be KES' folder of keys has more than 10,000 names.
    #[error("{path}: it has more than 10,000 names, too many for KES' folder of keys")]
    KesStoreTooLarge {
        /// The folder.
        path: GivenPath,
    },
    /// The key that KES had for new objects is not in its folder of keys.
    #[error("MINIO_KMS_KES_KEY_NAME names {name:?}, and {path} has no such key")]
    NotInKesStore {
        /// The key's name.
        name: String,
        /// The folder.
        path: GivenPath,
    },
    /// A file that a variable names is not there.
    #[error("{variable} names {path}, which does not exist; MinIO would go on without a KMS")]
    FileMissing {
        /// The variable.
        variable: &'static str,
        /// The file.
        path: GivenPath,
    },
    /// A variable that should name a file holds the key itself, which is not shown here.
    #[error("{variable} holds a key and not the path of a file")]
    KeyForPath {
        /// The variable.
        variable: &'static str,
        /// The variable that takes a key.
        rather: &'static str,
    },
    /// A line of MinIO's environment file is no assignment.
    #[error("{place}: neither NAME=VALUE nor a comment")]
    NoAssignment {
        /// The line.
        place: Place,
    },
    /// A line of it sets a variable of MinIO's in a way that MinIO passes over without a word.
    #[error("{place}: MinIO takes nothing from this line, and does not say so")]
    PassedOver {
        /// The line.
        place: Place,
    },
    /// `MINIO_KMS_SECRET_KEY` is there but empty, and something else says that a KMS is wanted.
    #[error("MINIO_KMS_SECRET_KEY is empty, but {beside} is set; MinIO would take it for unset")]
    EmptyKey {
        /// The other variable.
        beside: &'static str,
    },
    /// A variable of a KMS is set but empty, which counts as present.
    #[error("{variable} is set but empty; MinIO takes that for a KMS that is present")]
    EmptyKms {
        /// The variable.
        variable: &'static str,
    },
    /// Both `MINIO_KMS_SECRET_KEY` and `MINIO_KMS_SECRET_KEY_FILE` are set.
    #[error("MINIO_KMS_SECRET_KEY and MINIO_KMS_SECRET_KEY_FILE are both set")]
    TwoKeys,
    /// More than one kind of KMS is present.
    #[error("{one} and {other} are both set, but there can be only one KMS")]
    TwoKms {
        /// A variable of one.
        one: &'static str,
        /// A variable of another.
        other: &'static str,
    },
    /// A kind of KMS that this version cannot use.
    #[error("{variable} is set, but this version does not support {kms} yet")]
    UnsupportedKms {
        /// The kind, in words.
        kms: &'static str,
        /// A variable of it.
        variable: &'static str,
    },
    /// A variable that KES needs is not set.
    #[error("{variable} is not set, and KES cannot be used without it")]
    KesVariable {
        /// The variable.
        variable: &'static str,
    },
    /// Half a certificate and private key for KES.
    #[error("{set} is set, but {missing} is not")]
    HalfIdentity {
        /// The half that is there.
        set: &'static str,
        /// The half that is not.
        missing: &'static str,
    },
    /// KES is to be asked with an API key and with a certificate.
    #[error("MINIO_KMS_KES_API_KEY and {other} are both set")]
    TwoIdentities {
        /// What is set beside the API key.
        other: &'static str,
    },
    /// A variable of KES says something that cannot be.
    #[cfg(feature = "kes")]
    #[error("{place}: {cause}")]
    Kes {
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        cause: super::kes::KesError,
    },
    /// Something needs a KMS, and there is none.
    #[error("{variable} is on, but there is no KMS")]
    NoKms {
        /// What needs it.
        variable: &'static str,
    },
    /// The key that was named for new objects is not there.
    #[error("there is no key named `{name}`")]
    NoSuchKey {
        /// Its name.
        name: String,
    },
}

impl KeysError {
    /// What to do about it, in one line.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::Key { cause, .. } => cause.cure(),
            Self::RootCredential { cause, .. } => cause.cure(),
            Self::HalfRootCredential { set: Place::Variable(set), missing } => {
                format!("set {missing} too, or unset {set}")
            }
            Self::HalfRootCredential { missing, .. } => {
                format!("set {missing} too, or write the other half into the file that {missing}_FILE names")
            }
            Self::NotText { .. } => "write it as UTF-8 text".into(),
            Self::ByteOrderMark { .. } => "save the file as UTF-8 without a byte-order mark".into(),
            Self::Unreadable { .. } => "check the path, and that this user may read it".into(),
            Self::FileTooLarge { .. } => "name the file that holds the keys".into(),
            Self::Encrypted { .. } => "give a pipe in its place: <(age -d FILE)".into(),
            Self::NothingIn { .. } => {
                "write a key (NAME:BASE64) or credential (USER:PASSWORD) in each line, or leave out the option that names the file".into()
            }
            Self::TooManyRootCredentials { .. } => {
                "run once for each part of the file; what is migrated stays so".into()
            }
            Self::NoKesKey { .. } | Self::KesStoreTooLarge { .. } => {
                "give the folder that `keystore: fs: path:` of KES' configuration names".into()
            }
            Self::NotInKesStore { .. } => {
                "correct MINIO_KMS_KES_KEY_NAME, or unset it and name a key with --key".into()
            }
            Self::FileMissing { variable, .. } => {
                format!("correct {variable}, or unset it if there is to be no KMS")
            }
            Self::KeyForPath { variable, rather } => format!("unset {variable} and set {rather}"),
            Self::NoAssignment { .. } => "correct the line, or begin it with `#`".into(),
            Self::PassedOver { .. } => "write NAME=VALUE: the name in capitals, no space before the `=`, and nothing \
                                        before the name but `export`"
                .into(),
            Self::EmptyKey { beside } => {
                format!("set MINIO_KMS_SECRET_KEY to NAME:BASE64, or unset it or {beside}")
            }
            Self::EmptyKms { variable } => format!("unset {variable}"),
            Self::TwoKeys => "unset one of them".into(),
            Self::TwoKms { one, other } => {
                format!("unset the one that the server does not use, {one} or {other}")
            }
            Self::UnsupportedKms { variable, .. } => format!(
                "unset {variable} and its companions and lend the key itself: \
                 MINIO_KMS_SECRET_KEY or --keys FILE, as NAME:BASE64"
            ),
            Self::KesVariable { variable } => match *variable {
                "MINIO_KMS_KES_ENDPOINT" => "set it to https://HOST:PORT".into(),
                "MINIO_KMS_KES_KEY_NAME" => {
                    "set it to the name of the key in KES; `iamseal kes status` says what is there"
                        .into()
                }
                _ => "set MINIO_KMS_KES_API_KEY, or MINIO_KMS_KES_CERT_FILE and \
                      MINIO_KMS_KES_KEY_FILE"
                    .into(),
            },
            Self::HalfIdentity { set, missing } => format!("set {missing} too, or unset {set}"),
            Self::TwoIdentities { .. } => {
                "unset MINIO_KMS_KES_API_KEY, or MINIO_KMS_KES_CERT_FILE and MINIO_KMS_KES_KEY_FILE"
                    .into()
            }
            #[cfg(feature = "kes")]
            Self::Kes { cause, .. } => cause.cure(),
            Self::NoKms { variable } => {
                format!("set MINIO_KMS_SECRET_KEY to NAME:BASE64, or {variable} to off")
            }
            Self::NoSuchKey { .. } => "lend it with --keys FILE, as NAME:BASE64".into(),
        }
    }
}

fn half(set: &Place, missing: &str) -> String {
    match set {
        Place::Variable(set) => format!("{set} is set, but {missing} is not"),
        place => format!(
            "{place} holds one half of the root credential, but {missing} is not set, nor is there a file of it"
        ),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Line(path, line) => write!(f, "{}, line {line}", path.display()),
        }
    }
}
