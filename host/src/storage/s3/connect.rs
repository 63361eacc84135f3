//! Connections to the bucket's server: as careful as those to KES, and with nobody between but a proxy that
//! was named for it.

use std::fmt;
use std::time::Duration;

use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientConfigKey, ClientOptions, Error};
use reqwest::{Certificate, NoProxy, Proxy};
use url::Url;

use crate::network::{self, is_loopback};

/// The machine itself, and where the credentials of a cloud's machines come from: no proxy stands in for these, nor sees
/// what is asked of them.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1,169.254.0.0/16,fd00:ec2::/32";

/// Connects directly, or through one proxy. `object_store`'s own way follows redirects, with the session
/// token, and takes its proxies from the environment.
#[derive(Clone, Default)]
pub struct Direct {
    /// Authorities besides the system's.
    pub(super) authorities: Vec<Certificate>,
    pub(super) proxy: Option<Url>,
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A proxy may have a password.
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

/// A proxy for all that goes to the bucket's server.
///
/// # Errors
/// The text is no `http://` or `https://` URL.
pub(super) fn proxy(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(Url::has_host);
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or("not a URL such as http://HOST:PORT")
}

/// Whether others can be on the way to a server, and read what goes there.
pub(super) fn is_open(endpoint: &Url) -> bool {
    endpoint.scheme() == "http" && !endpoint.host().is_some_and(|host| is_loopback(&host))
}

/// Whether a setting of `object_store`'s client means anything here.
pub(super) fn is_heeded(key: ClientConfigKey) -> bool {
    matches!(
        key,
        ClientConfigKey::AllowHttp
            | ClientConfigKey::AllowInvalidCertificates
            | ClientConfigKey::ConnectTimeout
            | ClientConfigKey::DefaultContentType
            | ClientConfigKey::Http1Only
            | ClientConfigKey::Http2Only
            | ClientConfigKey::NoSystemCertificates
            | ClientConfigKey::PoolIdleTimeout
            | ClientConfigKey::ReadTimeout
            | ClientConfigKey::Timeout
            | ClientConfigKey::UserAgent
    )
}

/// Whether this text is true, as `object_store` reads it.
///
/// # Errors
/// It is neither that nor false.
pub(super) fn is_true(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "on" | "yes" | "y" => Ok(true),
        "0" | "false" | "off" | "no" | "n" => Ok(false),
        _ => Err("neither true nor false"),
    }
}

impl HttpConnector for Direct {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let flag = |key| match options.get_config_value(&key) {
            Some(text) => is_true(&text).map_err(|why| unusable(key, why)),
            None => Ok(false),
        };
        let time = |key| -> object_store::Result<Option<Duration>> {
            let text = options.get_config_value(&key);
            let time = text.map(|text| humantime::parse_duration(&text));
            time.transpose().map_err(|why| unusable(key, why))
        };
        let mut client = network::client()
            .https_only(!flag(ClientConfigKey::AllowHttp)?)
            .tls_danger_accept_invalid_certs(flag(ClientConfigKey::AllowInvalidCertificates)?);
        client = match flag(ClientConfigKey::NoSystemCertificates)? {
            true => client.tls_certs_only(self.authorities.clone()),
            false => client.tls_certs_merge(self.authorities.clone()),
        };
        if flag(ClientConfigKey::Http1Only)? {
            client = client.http1_only();
        }
        if flag(ClientConfigKey::Http2Only)? {
            client = client.http2_prior_knowledge();
        }
        if let Some(time) = time(ClientConfigKey::Timeout)? {
            client = client.timeout(time);
        }
        if let Some(time) = time(ClientConfigKey::ConnectTimeout)? {
            client = client.connect_timeout(time);
        }
        if let Some(time) = time(ClientConfigKey::ReadTimeout)? {
            client = client.read_timeout(time);
        }
        if let Some(time) = time(ClientConfigKey::PoolIdleTimeout)? {
            client = client.pool_idle_timeout(time);
        }
        if let Some(name) = options.get_config_value(&ClientConfigKey::UserAgent) {
            client = client.user_agent(name);
        }
        let failed = |error: reqwest::Error| Error::Generic {
            store: "S3",
            source: Box::new(error),
        };
        if let Some(proxy) = &self.proxy {
            let proxy = Proxy::all(proxy.clone()).map_err(failed)?;
            client = client.proxy(proxy.no_proxy(NoProxy::from_string(THIS_MACHINE)));
        }
        let client = client.build().map_err(failed)?;
        Ok(HttpClient::new(client))
    }
}

fn unusable(key: ClientConfigKey, why: impl fmt::Display) -> Error {
    Error::Generic {
        store: "S3",
        source: format!("{}: {why}", key.as_ref()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_of_http() {
        assert!(proxy("http://proxy:3128").is_ok());
        assert!(proxy("https://user:password@proxy").is_ok());
        for text in ["proxy:3128", "socks5://proxy", "http://", "proxy"] {
            assert!(proxy(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_setting_that_is_no_setting_is_refused() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        for (key, text) in [
            (ClientConfigKey::AllowInvalidCertificates, "perhaps"),
            (ClientConfigKey::Timeout, "soon"),
        ] {
            let options = ClientOptions::new().with_config(key, text);
            let error = Direct::default().connect(&options).err().unwrap();
            assert!(error.to_string().contains(key.as_ref()), "{error}");
        }
        for text in ["YES", "1", "true"] {
            assert_eq!(is_true(text), Ok(true));
        }
    }
}
