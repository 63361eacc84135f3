//! What all that talks to servers has in common.

#[cfg(any(feature = "kes", feature = "s3"))]
use reqwest::redirect::Policy;
#[cfg(any(feature = "kes", feature = "s3"))]
use reqwest::{Client, ClientBuilder};
#[cfg(any(feature = "etcd", feature = "s3"))]
use url::Host;

/// A client for HTTP that goes where it is sent and nowhere else.
#[cfg(any(feature = "kes", feature = "s3"))]
pub(crate) fn client() -> ClientBuilder {
    Client::builder()
        // What is meant for one server, credentials above all, is for no other.
        .redirect(Policy::none())
        // The servers are reached directly, whatever the environment says of the web.
        .no_proxy()
        .user_agent(concat!("iamseal/", env!("CARGO_PKG_VERSION")))
}

/// Whether a host is this machine, so that nobody is on the way to it.
#[cfg(any(feature = "etcd", feature = "s3"))]
pub(crate) fn is_loopback(host: &Host<impl AsRef<str>>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref().eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(all(test, any(feature = "etcd", feature = "s3")))]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_from_others() {
        let is_loopback = |host| is_loopback(&Host::parse(host).unwrap());
        for here in ["localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in ["localhost.example.org", "10.0.0.1", "0.0.0.0", "[::2]"] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }
}
