//! Opening a bucket of S3, by its URL and the variables that `object_store` knows.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io};

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{HttpConnector, ReqwestConnector};
use object_store::{BackoffConfig, Certificate, ClientConfigKey, ClientOptions, RetryConfig};
use thiserror::Error;
use url::Url;

use super::BucketStore;
use super::listing::Connector;
use crate::contract::StorageError;

const SCHEME: &str = "s3://";

/// Certificate authorities to trust besides the system's, as the tools of AWS name their file.
const AUTHORITIES: &str = "AWS_CA_BUNDLE";

/// How long a request is tried again: a server that restarts is waited for, and one that is gone is told
/// of well before a call of the plugin has to end ([`crate::Limits::deadline`]).
pub(super) const RETRY: Duration = Duration::from_secs(20);

/// How long one request may take, unless `AWS_TIMEOUT` says otherwise: enough for the largest object over a
/// slow line, and little enough for a put and the look at what became of it within one call of the plugin.
const REQUEST: Duration = Duration::from_secs(15);

/// Why a bucket could not be opened as a store.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The URL names no bucket and prefix.
    #[error("not an address of a bucket: {0}")]
    Url(&'static str),
    /// A variable has no value that can be used.
    #[error("{variable}: {why}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// What is wrong with its value, which is not shown.
        why: &'static str,
    },
    /// A file of certificate authorities cannot be used.
    #[error("AWS_CA_BUNDLE: {}: {cause}", .path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The variables do not go together.
    #[error("the variables AWS_* cannot be used: {0}")]
    Variables(object_store::Error),
    /// The prefix can be no key's beginning.
    #[error("{}", crate::describe_storage(.0))]
    Prefix(StorageError),
}

impl BucketStore {
    /// Opens `s3://BUCKET/PREFIX` with the variables `AWS_*` of this process. Nothing is asked of the
    /// server yet.
    ///
    /// TLS trusts the system's authorities and those of the file `AWS_CA_BUNDLE`. A request that fails
    /// for a reason that may pass is tried again for some 20 seconds.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(url: &str) -> Result<Self, OpenError> {
        // Another provider that the process has installed serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        with(
            url,
            from_environment(env::vars_os())?,
            ReqwestConnector::default(),
        )
    }
}

/// [`BucketStore::open`] with a builder's settings and another way to send requests.
///
/// # Errors
/// [`OpenError`].
pub fn with(
    url: &str,
    builder: AmazonS3Builder,
    connector: impl HttpConnector,
) -> Result<BucketStore, OpenError> {
    let (bucket, prefix) = parse(url)?;
    let endpoint = endpoint(&builder)?;
    // One by one: `object_store` believes what a server says of many at once, which names keys itself.
    let builder = builder
        .with_bucket_name(bucket)
        .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true");
    let objects = builder.with_http_connector(Connector(connector)).build();
    let objects = Arc::new(objects.map_err(OpenError::Variables)?);
    let prefix = prefix.trim_end_matches('/');
    let mut name = format!("{SCHEME}{bucket}");
    if !prefix.is_empty() {
        name.extend(["/", prefix]);
    }
    // Buckets of the same name are others elsewhere.
    if let Some(endpoint) = endpoint {
        name.extend([" at ", &endpoint]);
    }
    BucketStore::new(objects, prefix, name).map_err(OpenError::Prefix)
}

/// The settings of these variables; others than those that `object_store` knows are passed over.
///
/// # Errors
/// [`OpenError::Authorities`].
pub fn from_environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<AmazonS3Builder, OpenError> {
    let mut builder = AmazonS3Builder::new();
    let mut options = ClientOptions::new().with_timeout(REQUEST);
    for (name, value) in variables {
        if name == AUTHORITIES && !value.is_empty() {
            for authority in authorities(&value)? {
                options = options.with_root_certificate(authority);
            }
        }
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            continue;
        };
        if !name.starts_with("AWS_") || value.is_empty() {
            continue;
        }
        match name.to_ascii_lowercase().parse() {
            Ok(AmazonS3ConfigKey::Client(key)) => options = options.with_config(key, value),
            Ok(key) => builder = builder.with_config(key, value),
            Err(_) => {}
        }
    }
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        retry_timeout: RETRY,
        ..RetryConfig::default()
    };
    Ok(builder.with_client_options(options).with_retry(retry))
}

fn authorities(path: &OsStr) -> Result<Vec<Certificate>, OpenError> {
    let failed = |cause| OpenError::Authorities {
        path: path.into(),
        cause,
    };
    let pem = fs::read(path).map_err(failed)?;
    let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    match found.is_empty() {
        true => Err(failed(io::Error::other("there is no certificate in it"))),
        false => Ok(found),
    }
}

/// The bucket and the prefix.
fn parse(url: &str) -> Result<(&str, &str), OpenError> {
    let rest = url.strip_prefix(SCHEME);
    let rest = rest.ok_or(OpenError::Url("it does not begin with s3://"))?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.contains('@') {
        return Err(OpenError::Url(
            "it has credentials in it, which belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ));
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if bucket.is_empty() || !bucket.bytes().all(is_name) {
        return Err(OpenError::Url("there is no name of a bucket after s3://"));
    }
    Ok((bucket, prefix))
}

/// Where the server is, if that is said, without what a URL may have besides.
fn endpoint(builder: &AmazonS3Builder) -> Result<Option<String>, OpenError> {
    let variable = "AWS_ENDPOINT_URL";
    let given = builder
        .get_config_value(&AmazonS3ConfigKey::S3Endpoint)
        .or_else(|| builder.get_config_value(&AmazonS3ConfigKey::Endpoint));
    let Some(given) = given else {
        return Ok(None);
    };
    let url = Url::parse(&given).ok().filter(|url| url.has_host());
    let url = url.ok_or(OpenError::Variable {
        variable,
        why: "not a URL such as https://HOST:PORT",
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OpenError::Variable {
            variable,
            why: "it has credentials in it, which belong in AWS_ACCESS_KEY_ID and \
                  AWS_SECRET_ACCESS_KEY",
        });
    }
    let allowed = builder.get_config_value(&AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
    if url.scheme() == "http" && allowed.as_deref() != Some("true") {
        return Err(OpenError::Variable {
            variable,
            why: "it is not encrypted (http://), which only AWS_ALLOW_HTTP=true allows",
        });
    }
    Ok(Some(url.origin().ascii_serialization()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(url: &str, variables: &[(&str, &str)]) -> Result<BucketStore, OpenError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        with(
            url,
            from_environment(variables)?,
            ReqwestConnector::default(),
        )
    }

    fn name(url: &str, variables: &[(&str, &str)]) -> String {
        use crate::storage::Store as _;
        open(url, variables).unwrap().name()
    }

    #[test]
    fn a_store_has_one_name() {
        for url in ["s3://bucket/a/b", "s3://bucket/a/b/"] {
            assert_eq!(name(url, &[]), "s3://bucket/a/b");
        }
        for url in ["s3://bucket", "s3://bucket/"] {
            assert_eq!(name(url, &[]), "s3://bucket");
        }
        let endpoint = ("AWS_ENDPOINT_URL", "https://host:9000/path?query");
        assert_eq!(
            name("s3://bucket/a", &[endpoint]),
            "s3://bucket/a at https://host:9000"
        );
    }

    #[test]
    fn credentials_are_no_part_of_an_address() {
        let refused = open("s3://user:hunter2@bucket/a", &[]).unwrap_err();
        let endpoint = ("AWS_ENDPOINT", "https://user:hunter2@host");
        let variable = open("s3://bucket", &[endpoint]).unwrap_err();
        for error in [refused, variable] {
            let text = format!("{error} {error:?}");
            assert!(text.contains("AWS_SECRET_ACCESS_KEY"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn what_names_no_bucket_is_refused() {
        for url in ["s3://", "s3:///a", "s3://b c/a", "s3://b?x/a", "http://b/a"] {
            assert!(matches!(open(url, &[]), Err(OpenError::Url(_))), "{url}");
        }
        for url in ["s3://b//a", "s3://b/a/../b"] {
            assert!(matches!(open(url, &[]), Err(OpenError::Prefix(_))), "{url}");
        }
    }

    #[test]
    fn a_way_that_is_not_encrypted_is_asked_for() {
        let endpoint = ("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        let error = open("s3://b", &[endpoint]).unwrap_err().to_string();
        assert!(error.contains("AWS_ALLOW_HTTP"), "{error}");
        assert!(open("s3://b", &[endpoint, ("AWS_ALLOW_HTTP", "true")]).is_ok());
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in ["/nonexistent", file.path().to_str().unwrap()] {
            let error = open("s3://b", &[(AUTHORITIES, path)]).unwrap_err();
            assert!(matches!(error, OpenError::Authorities { .. }), "{error}");
        }
    }

    #[test]
    fn half_a_credential_is_refused() {
        let half = ("AWS_ACCESS_KEY_ID", "AKIA");
        let error = open("s3://b", &[half]).unwrap_err();
        assert!(matches!(error, OpenError::Variables(_)), "{error}");
    }
}
