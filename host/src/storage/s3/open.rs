//! Opening a bucket of S3, by its URL and the variables that `object_store` knows.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use std::{env, fs, io};

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::HttpConnector;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, RetryConfig};
use reqwest::Certificate;
use thiserror::Error;
use url::Url;

use super::BucketStore;
use super::connect::{self, Direct, is_open};
pub use super::credentials::SECRET_FILES;
use super::credentials::{self, Sendable};
use super::listing::Connector;
use crate::contract::StorageError;

const SCHEME: &str = "s3://";

/// Certificate authorities to trust besides the system's, as the tools of AWS name their file.
const AUTHORITIES: &str = "AWS_CA_BUNDLE";

/// The proxy that all requests to the bucket's server go through. A variable and no option, since it may
/// have a password in it.
const PROXY: &str = "IAMSEAL_S3_PROXY";

/// Where other programs find their proxies.
const PROXIES_OF_OTHERS: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// What is said where certificates prove nothing.
const ANY_CERTIFICATE: &str = "AWS_ALLOW_INVALID_CERTIFICATES is set, so whoever is on the way passes for \
    the bucket's server; name its authority in AWS_CA_BUNDLE instead";

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
        variable: String,
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
    /// for a reason that may pass is tried again for some 20 seconds. No redirect is followed, and no
    /// proxy used but the one of `IAMSEAL_S3_PROXY`. [`BucketStore::cautions`] says what an operator
    /// should know of the way to the server.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(url: &str) -> Result<Self, OpenError> {
        // Another provider that the process has installed serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (builder, connector) = from_environment(env::vars_os())?;
        let is_direct = connector.proxy.is_none();
        let caution = of_proxy(&builder, connector.proxy.as_ref())?;
        let store = with(url, builder, connector)?;
        let store = store.with(|bucket| bucket.cautions.extend(caution));
        let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let unused = PROXIES_OF_OTHERS.into_iter().find(is_set);
        Ok(match unused.filter(|_| is_direct) {
            Some(unused) => store.with(|bucket| {
                let caution =
                    format!("{unused} is not used for buckets; name their proxy in {PROXY}");
                bucket.cautions.push(caution);
            }),
            None => store,
        })
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
    let mut cautions = Vec::new();
    if let Some(endpoint) = &endpoint
        && is_open(endpoint)
    {
        cautions.push(not_encrypted("to", endpoint));
    }
    let any_certificate = ClientConfigKey::AllowInvalidCertificates;
    let any_certificate = builder.get_config_value(&AmazonS3ConfigKey::Client(any_certificate));
    if any_certificate.is_some_and(|text| connect::is_true(&text) == Ok(true)) {
        cautions.push(ANY_CERTIFICATE.to_owned());
    }
    // One by one: `object_store` believes what a server says of many at once, which names keys itself.
    let builder = builder
        .with_bucket_name(bucket)
        .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true");
    let keeps_versions = Arc::new(AtomicBool::new(false));
    let connector = Connector {
        inner: connector,
        keeps_versions: Arc::clone(&keeps_versions),
    };
    let builder = builder.with_http_connector(connector);
    // Only a store that is built tells where its credentials come from.
    let objects = builder.clone().build().map_err(OpenError::Variables)?;
    let credentials = Sendable(Arc::clone(objects.credentials()));
    let objects = builder.with_credentials(Arc::new(credentials)).build();
    let objects = Arc::new(objects.map_err(OpenError::Variables)?);
    let prefix = prefix.trim_end_matches('/');
    let mut name = format!("{SCHEME}{bucket}");
    if !prefix.is_empty() {
        name.extend(["/", prefix]);
    }
    // Buckets of the same name are others elsewhere.
    if let Some(endpoint) = endpoint {
        name.extend([" at ", &endpoint.origin().ascii_serialization()]);
    }
    let store = BucketStore::new(objects, prefix, name).map_err(OpenError::Prefix)?;
    Ok(store.with(|bucket| {
        bucket.cautions = cautions;
        bucket.keeps_versions = keeps_versions;
    }))
}

/// What is said of a proxy that requests reach in the open, where they are not encrypted themselves.
fn of_proxy(builder: &AmazonS3Builder, proxy: Option<&Url>) -> Result<Option<String>, OpenError> {
    let is_plain = endpoint(builder)?.is_some_and(|endpoint| endpoint.scheme() == "http");
    // A proxy's password goes to it as it stands, whatever is said through it.
    let has_password = |proxy: &Url| proxy.password().is_some();
    let proxy = proxy.filter(|proxy| (is_plain || has_password(proxy)) && is_open(proxy));
    Ok(proxy.map(|proxy| not_encrypted("through", proxy)))
}

/// What is said of requests that others on their way can read.
fn not_encrypted(way: &str, url: &Url) -> String {
    format!(
        "requests {way} {} are not encrypted: whoever is on the way reads and changes what is asked and \
         answered",
        url.origin().ascii_serialization()
    )
}

/// The settings of these variables, and how to connect; others than those that are known are passed over.
///
/// # Errors
/// [`OpenError::Authorities`], [`OpenError::Variable`].
pub fn from_environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(AmazonS3Builder, Direct), OpenError> {
    let mut builder = AmazonS3Builder::new();
    let mut options = ClientOptions::new().with_timeout(REQUEST);
    let mut connector = Direct::default();
    for (name, value) in variables {
        if name == AUTHORITIES && !value.is_empty() {
            connector.authorities.extend(authorities(&value)?);
        }
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            continue;
        };
        let unfit = |why| OpenError::Variable {
            variable: name.to_owned(),
            why,
        };
        credentials::check(name, value).map_err(unfit)?;
        if name == PROXY && !value.is_empty() {
            connector.proxy = Some(connect::proxy(value).map_err(unfit)?);
        }
        if !name.starts_with("AWS_") || value.is_empty() {
            continue;
        }
        match name.to_ascii_lowercase().parse() {
            Ok(AmazonS3ConfigKey::Client(key)) if connect::is_heeded(key) => {
                options = options.with_config(key, value);
            }
            // Passed over, it would be taken for heeded.
            Ok(AmazonS3ConfigKey::Client(
                ClientConfigKey::ProxyUrl
                | ClientConfigKey::ProxyExcludes
                | ClientConfigKey::ProxyCaCertificate,
            )) => return Err(unfit("a proxy is named in IAMSEAL_S3_PROXY")),
            Ok(AmazonS3ConfigKey::Client(_)) => return Err(unfit("iamseal has no such setting")),
            Ok(key) => builder = builder.with_config(key, value),
            Err(_) => {}
        }
    }
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        retry_timeout: RETRY,
        ..RetryConfig::default()
    };
    let builder = builder.with_client_options(options).with_retry(retry);
    Ok((builder, connector))
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

/// Where the server is, if that is said.
fn endpoint(builder: &AmazonS3Builder) -> Result<Option<Url>, OpenError> {
    let unfit = |why| OpenError::Variable {
        variable: "AWS_ENDPOINT_URL".into(),
        why,
    };
    let given = builder
        .get_config_value(&AmazonS3ConfigKey::S3Endpoint)
        .or_else(|| builder.get_config_value(&AmazonS3ConfigKey::Endpoint));
    let Some(given) = given else {
        return Ok(None);
    };
    let url = Url::parse(&given).ok().filter(|url| url.has_host());
    let url = url.ok_or_else(|| unfit("not a URL such as https://HOST:PORT"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(unfit(
            "it has credentials in it, which belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ));
    }
    let allowed = builder.get_config_value(&AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
    if url.scheme() == "http" && allowed.as_deref() != Some("true") {
        return Err(unfit(
            "it is not encrypted (http://), which only AWS_ALLOW_HTTP=true allows",
        ));
    }
    Ok(Some(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(url: &str, variables: &[(&str, &str)]) -> Result<BucketStore, OpenError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let (builder, connector) = from_environment(variables)?;
        with(url, builder, connector)
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
    fn a_way_that_others_can_read_is_named() {
        let cautions = |variables: &[(&str, &str)]| -> Vec<String> {
            let store = open("s3://b", variables).unwrap();
            store.cautions().map(str::to_owned).collect()
        };
        let plain =
            |endpoint| cautions(&[("AWS_ENDPOINT_URL", endpoint), ("AWS_ALLOW_HTTP", "true")]);
        assert!(plain("http://example.org:9000")[0].contains("http://example.org:9000 are not"));
        for fine in [
            "http://127.0.0.1:9",
            "http://[::1]:9",
            "http://localhost",
            "https://a",
        ] {
            assert_eq!(plain(fine), [""; 0], "{fine}");
        }
        let any = cautions(&[("AWS_ALLOW_INVALID_CERTIFICATES", "yes")]);
        assert!(
            any[0].contains("AWS_ALLOW_INVALID_CERTIFICATES is set"),
            "{any:?}"
        );
    }

    #[test]
    fn a_proxy_that_reads_all_is_named() {
        let proxy = |proxy, endpoint| {
            let variables = [
                ("AWS_ENDPOINT_URL", endpoint),
                ("AWS_ALLOW_HTTP", "true"),
                (PROXY, proxy),
            ];
            let variables = variables.map(|(name, value)| (name.into(), value.into()));
            let (builder, connector) = from_environment(variables).unwrap();
            of_proxy(&builder, connector.proxy.as_ref()).unwrap()
        };
        let named = proxy("http://user:hunter2@192.0.2.1:3128", "http://127.0.0.1:9").unwrap();
        assert!(
            named.contains("through http://192.0.2.1:3128 are not"),
            "{named}"
        );
        assert!(proxy("http://127.0.0.1:3128", "http://127.0.0.1:9").is_none());
        assert!(proxy("http://192.0.2.1:3128", "https://a").is_none());
        assert!(proxy("http://user:hunter2@192.0.2.1:3128", "https://a").is_some());
    }

    #[test]
    fn a_value_that_no_request_can_carry_is_refused() {
        for (name, value) in [
            ("AWS_SESSION_TOKEN", "tok\nen"),
            ("AWS_ACCESS_KEY_ID", "A\u{1}"),
            ("AWS_SECRET_ACCESS_KEY", "é"),
            ("AWS_REGION", "eu\r"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/a\nb"),
        ] {
            let refused = from_environment([(name.into(), value.into())]).err();
            let said = refused.unwrap().to_string();
            assert!(said.contains(name) && !said.contains(value), "{said}");
        }
    }

    #[test]
    fn settings_of_others_that_would_not_be_heeded_are_refused() {
        for (name, value) in [
            ("AWS_PROXY_URL", "http://proxy"),
            ("AWS_HTTP2_MAX_FRAME_SIZE", "1"),
            ("IAMSEAL_S3_PROXY", "user:hunter2@proxy"),
        ] {
            let error = open("s3://b", &[(name, value)]).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.starts_with(&format!("{name}: ")), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        let proxy = ("IAMSEAL_S3_PROXY", "http://user:hunter2@proxy:3128");
        let store = open("s3://b", &[proxy]).unwrap();
        assert!(!format!("{store:?}").contains("hunter2"));
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
