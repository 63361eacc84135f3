//! Why a store in etcd could not be opened, and what to do about it. No case holds a password.

use std::io;

use iamseal_words::keys::given::GivenPath;
use thiserror::Error;

use crate::keys::KeysError;

/// Why a store in etcd could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The address is none.
    #[error("{address}: no address of a store in etcd")]
    NoAddress {
        /// What was given.
        address: String,
    },
    /// The address has a user in it.
    #[error("there is an @ in an address of etcd: whoever lists processes reads a password there")]
    UserInAddress,
    /// No node is named.
    #[error("no node of etcd is named")]
    NoNode,
    /// Some nodes talk TLS, others do not.
    #[error("MINIO_ETCD_ENDPOINTS has http and https in it")]
    MixedSchemes,
    /// Half a client certificate.
    #[error("{set} is set, but {missing} is not")]
    HalfCertificate {
        /// The half that is there.
        set: &'static str,
        /// The half that is not.
        missing: &'static str,
    },
    /// A client certificate that nobody would ask for.
    #[error("a client certificate is given, but the address is without TLS")]
    CertificateWithoutTls,
    /// A user without a password.
    #[error("ETCDCTL_USER is not NAME:PASSWORD")]
    NoPassword,
    /// A variable, or the file of variables, cannot be read.
    #[error(transparent)]
    Variable(#[from] KeysError),
    /// A file cannot be read.
    #[error("{variable} names {path}: {cause}")]
    Unreadable {
        /// What names it.
        variable: &'static str,
        /// The file.
        path: GivenPath,
        /// What the system said.
        cause: io::Error,
    },
    /// A certificate or its key is none.
    #[error("the certificates for etcd cannot be used: {0}")]
    Certificates(String),
    /// A node's certificate, or ours, was refused.
    #[error("etcd's certificate or ours is refused: {0}")]
    Tls(String),
    /// Nobody answers.
    #[error("{0}")]
    NoAnswer(String),
    /// The user, or who gives none, was refused.
    #[error("etcd lets nobody in: {0}")]
    Denied(String),
    /// Anything else that etcd says.
    #[error("etcd says: {0}")]
    Other(String),
    /// Nothing of MinIO's is there.
    #[error("no key in etcd begins with {begin}")]
    Nothing {
        /// The prefix and `config/`.
        begin: String,
    },
}

impl OpenError {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::NoAddress { .. } => {
                "write etcd://HOST:PORT[,HOST:PORT...]/PREFIX, or etcds:// for TLS".into()
            }
            Self::UserInAddress => {
                "give the user as NAME:PASSWORD in ETCDCTL_USER; a prefix with an @ in it goes into \
                 MINIO_ETCD_PATH_PREFIX"
                    .into()
            }
            Self::NoNode => "write etcd://HOST:PORT/PREFIX, or set MINIO_ETCD_ENDPOINTS".into(),
            Self::MixedSchemes => "give all of them the same scheme".into(),
            Self::HalfCertificate { missing, .. } => format!("set {missing} too, or neither"),
            Self::CertificateWithoutTls => {
                "write etcds:// for TLS, or unset MINIO_ETCD_CLIENT_CERT".into()
            }
            Self::NoPassword => "set it to the user's name, a colon and the password".into(),
            Self::Variable(error) => error.cure(),
            Self::Unreadable { variable, .. } => format!("correct {variable}"),
            Self::Certificates(_) => {
                "give PEM files: ETCDCTL_CACERT the authority, MINIO_ETCD_CLIENT_CERT the \
                 certificate, MINIO_ETCD_CLIENT_CERT_KEY its key"
                    .into()
            }
            Self::Tls(_) => {
                "name the authority of etcd's certificate in ETCDCTL_CACERT, and a certificate that \
                 etcd takes in MINIO_ETCD_CLIENT_CERT and MINIO_ETCD_CLIENT_CERT_KEY"
                    .into()
            }
            Self::NoAnswer(_) => {
                "see that most nodes of etcd run and that the address is theirs; etcds:// if they \
                 talk TLS"
                    .into()
            }
            Self::Denied(_) => {
                "give a user who may read and write below the prefix, as NAME:PASSWORD in \
                 ETCDCTL_USER"
                    .into()
            }
            Self::Other(_) => "see etcd's log".into(),
            Self::Nothing { .. } => {
                "give the prefix as MINIO_ETCD_PATH_PREFIX has it, to the letter: nothing is put \
                 between it and config/"
                    .into()
            }
        }
    }

    /// Whether what was given is wrong, and not the server that was asked.
    pub fn is_usage(&self) -> bool {
        !matches!(
            self,
            Self::Tls(_) | Self::NoAnswer(_) | Self::Denied(_) | Self::Other(_)
        )
    }
}
