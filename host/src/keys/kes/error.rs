//! Why KES cannot be used as it was described, and what to do about it.

use std::io;
use std::path::PathBuf;

use iamseal_words::keys::given::GivenPath;
use thiserror::Error;

use super::endpoints::MAX_ENDPOINTS;

/// Why a description of KES cannot be used. No case holds a secret or any text that was meant to be one.
#[derive(Debug, Error)]
pub enum KesError {
    /// An endpoint is none.
    #[error("endpoint {number} {cause}")]
    Endpoint {
        /// Which one of the list, counted from 1. The text itself may have a password in it.
        number: usize,
        /// What is wrong with it.
        cause: EndpointError,
    },
    /// There are too many endpoints.
    #[error("there are more than {MAX_ENDPOINTS} endpoints")]
    TooManyEndpoints,
    /// There is no endpoint.
    #[error("there is no endpoint")]
    NoEndpoint,
    /// A text is no name of a key by KES' rules.
    #[error("{name:?} cannot be the name of a key in KES")]
    KeyName {
        /// The name.
        name: String,
    },
    /// A text is no API key.
    #[error("it is no API key of KES")]
    ApiKey,
    /// A file cannot be read.
    #[error("{path}: cannot be read: {cause}")]
    Unreadable {
        /// The file or folder.
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
    /// A file or folder has nothing of what it is named for.
    #[error("{}: there is no {what} in PEM in it", .path.display())]
    Nothing {
        /// The file or folder.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// A private key is encrypted and no password is there.
    #[error("{}: the private key is encrypted, and no password was given", .path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The password does not open a private key.
    #[error("{}: the password does not open the private key", .path.display())]
    Password {
        /// The file.
        path: PathBuf,
    },
    /// A private key is of a kind, or encrypted in a way, that is not known here.
    #[error("{}: {cause}", .path.display())]
    PrivateKey {
        /// The file.
        path: PathBuf,
        /// What is not known.
        cause: String,
    },
    /// A certificate and a private key do not belong together, or TLS takes one of them for damaged.
    #[error("certificate and private key: {cause}")]
    Pair {
        /// What TLS says.
        cause: String,
    },
    /// A certificate authority cannot be used.
    #[error("{}: a certificate in it cannot be used: {cause}", .path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The system has no certificate authorities.
    #[error("the system has no certificate authorities")]
    NoAuthorities,
    /// The system gives no randomness, or the client does not start. The text is for people.
    #[error("KES' client does not start: {0}")]
    Start(String),
}

/// What is wrong with an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// It is no URL.
    #[error("is no URL")]
    NotUrl,
    /// It does not begin with `https://`.
    #[error("does not begin with https://")]
    NotHttps,
    /// It has a user, a password, a query or a fragment.
    #[error("has more in it than a host, a port and a path")]
    TooMuch,
    /// It has three dots or braces that are no pattern.
    #[error("has dots or braces that are no pattern such as {{1...4}}")]
    Pattern,
}

impl KesError {
    /// What to do about it, in one line.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::Endpoint { .. } => {
                "write endpoints as https://HOST:PORT, several with commas between them or as \
                 https://kes{1...4}.example.net:7373"
            }
            Self::TooManyEndpoints => "name fewer endpoints",
            Self::NoEndpoint => "name one, as https://HOST:PORT",
            Self::KeyName { .. } => {
                "KES takes 1 to 80 of A-Z, a-z, 0-9, _ and -, not _ alone, and - neither first nor last"
            }
            Self::ApiKey => {
                "it has the form kes:v1:BASE64; `kes identity new` prints such a key"
            }
            Self::Unreadable { .. } => "check the path, and that this user may read it",
            Self::FileTooLarge { .. } | Self::Nothing { .. } => {
                "name the file that holds it, in PEM: text that begins with -----BEGIN"
            }
            Self::Encrypted { .. } => "set MINIO_KMS_KES_KEY_PASSWORD",
            Self::Password { .. } => "correct MINIO_KMS_KES_KEY_PASSWORD",
            Self::PrivateKey { .. } => {
                "convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW"
            }
            Self::Pair { .. } => "name the private key that the certificate was made for",
            Self::Authority { .. } => "name a certificate authority's certificate in PEM",
            Self::NoAuthorities => "install the system's (ca-certificates), or set MINIO_KMS_KES_CAPATH",
            Self::Start(_) => "see what the message names",
        }
        .into()
    }
}
