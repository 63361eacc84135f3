//! Connections to etcd's nodes.

use std::error::Error;
use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::address::{Address, Tls};
use super::open_error::OpenError;

/// How long a connection may take to be made; a host that is away often does not answer at all.
const CONNECTING: Duration = Duration::from_secs(2);

/// How often it is asked whether a node that owes an answer is there still. etcd hangs up on those who
/// ask more often than every 5 s.
const ALIVE: Duration = Duration::from_secs(10);

/// A connection to each node, made when it is used.
pub(super) fn channels(address: &Address) -> Result<Vec<Channel>, OpenError> {
    let unusable = |error: tonic::transport::Error| OpenError::Certificates(deepest(&error));
    let tls = address.tls.as_ref().map(config);
    address
        .urls()
        .map(|(url, host)| {
            let mut endpoint = Endpoint::from_shared(url)
                .map_err(unusable)?
                .connect_timeout(CONNECTING)
                .http2_keep_alive_interval(ALIVE)
                .keep_alive_timeout(CONNECTING)
                .tcp_nodelay(true);
            if let Some(tls) = &tls {
                let tls = tls.clone().domain_name(host);
                endpoint = endpoint.tls_config(tls).map_err(unusable)?;
            }
            Ok(endpoint.connect_lazy())
        })
        .collect()
}

/// The system's authorities, those that are given, and our own certificate.
fn config(tls: &Tls) -> ClientTlsConfig {
    // A system that has none is no error where one is given.
    let system = rustls_native_certs::load_native_certs().certs;
    let system = system.iter().map(|certificate| {
        let text = STANDARD.encode(certificate);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n").into_bytes()
    });
    let all = system.chain(tls.authority.clone());
    let config = ClientTlsConfig::new().ca_certificates(all.map(Certificate::from_pem));
    match &tls.identity {
        Some((certificate, key)) => {
            config.identity(Identity::from_pem(certificate, key.as_slice()))
        }
        None => config,
    }
}

/// Whether a connection failed because one side does not take the other's certificate, which no
/// further try changes.
pub(super) fn is_about_tls(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| {
        error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
    })
}

/// The cause of an error: what stands above it says no more than that something failed.
pub(super) fn deepest(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}
