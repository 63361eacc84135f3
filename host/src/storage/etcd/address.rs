//! Where a store in etcd is, and what it takes to get in.

use std::fs;
use std::path::Path;

use url::Url;
use zeroize::Zeroizing;

use super::open_error::OpenError;
use crate::keys::{Environment, GivenPath};
use crate::network::is_loopback;

/// The port of etcd's clients where none is given.
const PORT: u16 = 2379;
const ENDPOINTS: &str = "MINIO_ETCD_ENDPOINTS";
const PREFIX: &str = "MINIO_ETCD_PATH_PREFIX";
const CERTIFICATE: &str = "MINIO_ETCD_CLIENT_CERT";
const KEY: &str = "MINIO_ETCD_CLIENT_CERT_KEY";
/// Not MinIO's, which takes the authorities of its own folder and no user: those of etcd's client.
const AUTHORITY: &str = "ETCDCTL_CACERT";
const USER: &str = "ETCDCTL_USER";

/// Where a store in etcd is, and what it takes to get in.
pub struct Address {
    /// Sorted, so that an address has one name however it is given.
    nodes: Vec<Node>,
    prefix: String,
    /// None: without TLS.
    pub(super) tls: Option<Tls>,
    pub(super) user: Option<User>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    /// An IPv6 address is in brackets.
    host: String,
    port: u16,
}

/// What TLS needs beside the system's authorities.
#[derive(Default)]
pub(super) struct Tls {
    /// A further authority, PEM.
    pub authority: Option<Vec<u8>>,
    /// The client's certificate and its key, PEM.
    pub identity: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
}

/// Who asks.
pub(super) struct User {
    pub name: String,
    pub password: Zeroizing<String>,
}

impl Address {
    /// Takes `etcd://HOST:PORT[,HOST:PORT...]/PREFIX`, or `etcds://` for TLS. Without a port it is
    /// 2379; without nodes they are those of `MINIO_ETCD_ENDPOINTS`, with TLS where that says https,
    /// and then without a prefix it is that of `MINIO_ETCD_PATH_PREFIX`. The prefix is taken as MinIO
    /// takes it: to the letter, nothing is added and nothing decoded.
    ///
    /// With TLS `MINIO_ETCD_CLIENT_CERT` and `MINIO_ETCD_CLIENT_CERT_KEY` name the client's
    /// certificate, and `ETCDCTL_CACERT` an authority beside the system's. `ETCDCTL_USER` has
    /// NAME:PASSWORD of the user.
    ///
    /// # Errors
    /// [`OpenError`], for whatever is wrong with the address, a variable or a file.
    pub fn parse(text: &str, environment: &Environment) -> Result<Self, OpenError> {
        // Which part of it would be a password cannot be told for sure.
        if text.contains('@') {
            return Err(OpenError::UserInAddress);
        }
        let no_address = || OpenError::NoAddress {
            address: text.to_owned(),
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(no_address)?;
        let mut is_tls = match scheme {
            "etcd" => false,
            "etcds" => true,
            _ => return Err(no_address()),
        };
        let (nodes, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let mut prefix = prefix.to_owned();
        let is_given = !nodes.is_empty();
        let mut nodes = if is_given {
            let nodes = nodes.split(',').map(Node::parse);
            nodes.collect::<Option<_>>().ok_or_else(no_address)?
        } else {
            let (nodes, says_tls) = endpoints(environment)?;
            is_tls |= says_tls;
            if prefix.is_empty() {
                prefix = environment
                    .get(PREFIX)?
                    .map_or_else(String::new, |prefix| prefix.as_str().to_owned());
            }
            nodes
        };
        nodes.sort();
        nodes.dedup();
        let identity = identity(environment)?;
        // MinIO passes over a certificate beside http, and an address in a variable is MinIO's.
        if identity.is_some() && !is_tls && is_given {
            return Err(OpenError::CertificateWithoutTls);
        }
        let tls = match is_tls {
            false => None,
            true => Some(Tls {
                authority: file(environment, AUTHORITY)?.map(|pem| pem.to_vec()),
                identity,
            }),
        };
        Ok(Self {
            nodes,
            prefix,
            tls,
            user: user(environment)?,
        })
    }

    /// The store's name: the same however it was given, and without secrets.
    pub fn name(&self) -> String {
        let scheme = if self.tls.is_some() { "etcds" } else { "etcd" };
        let nodes: Vec<_> = self.nodes.iter().map(Node::shown).collect();
        format!("{scheme}://{}/{}", nodes.join(","), self.prefix)
    }

    /// What an operator should know of the way to etcd, in one line: that it is not encrypted.
    pub fn caution(&self) -> Option<String> {
        let is_elsewhere = |node: &Node| match url::Host::parse(&node.host) {
            Ok(host) => !is_loopback(&host),
            Err(_) => true,
        };
        let node = self.nodes.iter().find(|node| is_elsewhere(node))?;
        let password = match self.user {
            Some(_) => ", the password of ETCDCTL_USER among it",
            None => "",
        };
        let text = format!(
            "requests to {} are not encrypted: whoever is on the way reads and changes what is asked and \
             answered{password}",
            node.shown()
        );
        self.tls.is_none().then_some(text)
    }

    /// What all keys of the store begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Each node's URL and its bare host, as its certificate has it.
    pub(super) fn urls(&self) -> impl Iterator<Item = (String, String)> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.nodes.iter().map(move |node| {
            let host = node.host.trim_matches(['[', ']']);
            (format!("{scheme}://{}", node.shown()), host.to_owned())
        })
    }
}

impl Node {
    /// None: it is none.
    fn parse(text: &str) -> Option<Self> {
        // A scheme that `url` knows nothing of, so that it leaves the port as it is.
        let url = Url::parse(&format!("etcd://{}", text.trim())).ok()?;
        let is_bare = matches!(url.path(), "" | "/") && url.query().or(url.fragment()).is_none();
        let is_nobodys = url.username().is_empty() && url.password().is_none();
        let host = url.host_str().filter(|host| !host.is_empty())?;
        (is_bare && is_nobodys).then(|| Self {
            host: host.to_ascii_lowercase(),
            port: url.port().unwrap_or(PORT),
        })
    }

    fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The nodes that MinIO is given, and whether they talk TLS.
fn endpoints(environment: &Environment) -> Result<(Vec<Node>, bool), OpenError> {
    let all = environment.get(ENDPOINTS)?.ok_or(OpenError::NoNode)?;
    let mut nodes = Vec::new();
    let mut says_tls = None;
    for endpoint in all.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        if endpoint.contains('@') {
            return Err(OpenError::UserInAddress);
        }
        let (is_tls, node) = match endpoint.split_once("://") {
            Some(("http", node)) => (false, Node::parse(node)),
            Some(("https", node)) => (true, Node::parse(node)),
            _ => (false, None),
        };
        let node = node.ok_or_else(|| OpenError::NoAddress {
            address: format!("{ENDPOINTS}: {endpoint}"),
        })?;
        if *says_tls.get_or_insert(is_tls) != is_tls {
            return Err(OpenError::MixedSchemes);
        }
        nodes.push(node);
    }
    match says_tls {
        Some(says_tls) => Ok((nodes, says_tls)),
        None => Err(OpenError::NoNode),
    }
}

type Identity = (Vec<u8>, Zeroizing<Vec<u8>>);

fn identity(environment: &Environment) -> Result<Option<Identity>, OpenError> {
    match (file(environment, CERTIFICATE)?, file(environment, KEY)?) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some((certificate.to_vec(), key))),
        (Some(_), None) => Err(half(CERTIFICATE, KEY)),
        (None, Some(_)) => Err(half(KEY, CERTIFICATE)),
    }
}

fn half(set: &'static str, missing: &'static str) -> OpenError {
    OpenError::HalfCertificate { set, missing }
}

fn user(environment: &Environment) -> Result<Option<User>, OpenError> {
    let Some(given) = environment.get(USER)? else {
        return Ok(None);
    };
    let (name, password) = given.split_once(':').ok_or(OpenError::NoPassword)?;
    Ok(Some(User {
        name: name.to_owned(),
        password: Zeroizing::new(password.to_owned()),
    }))
}

/// The file that a variable names.
fn file(
    environment: &Environment,
    variable: &'static str,
) -> Result<Option<Zeroizing<Vec<u8>>>, OpenError> {
    let Some(path) = environment.get(variable)? else {
        return Ok(None);
    };
    let path = Path::new(path.as_str());
    let bytes = fs::read(path).map_err(|cause| OpenError::Unreadable {
        variable,
        // A private key may stand in the variable itself.
        path: match variable {
            KEY => path.into(),
            _ => GivenPath::harmless(path),
        },
        cause,
    })?;
    if variable == KEY {
        environment.saw(path);
    }
    Ok(Some(Zeroizing::new(bytes)))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn parse(text: &str, variables: &'static [(&str, &str)]) -> Result<Address, OpenError> {
        let lookup = |name: &str| {
            let mut variables = variables.iter();
            let (_, value) = variables.find(|(variable, _)| *variable == name)?;
            Some(OsString::from(value))
        };
        Address::parse(text, &Environment::new(lookup).unwrap())
    }

    #[test]
    fn an_address_has_one_name_however_it_is_given() {
        const FROM_VARIABLES: &[(&str, &str)] =
            &[(ENDPOINTS, " http://b:80 , http://A,"), (PREFIX, "minio/")];
        for (text, variables, name) in [
            ("etcd://a", &[][..], "etcd://a:2379/"),
            ("etcd://B:80,a/minio/", &[], "etcd://a:2379,b:80/minio/"),
            ("etcd://", FROM_VARIABLES, "etcd://a:2379,b:80/minio/"),
            ("etcd:///", FROM_VARIABLES, "etcd://a:2379,b:80/minio/"),
            ("etcd:///x", FROM_VARIABLES, "etcd://a:2379,b:80/x"),
            ("etcd://c", FROM_VARIABLES, "etcd://c:2379/"),
            ("etcds://[::1]:1", &[], "etcds://[::1]:1/"),
            ("etcd://a//p%20 q?#", &[], "etcd://a:2379//p%20 q?#"),
            ("etcd://", &[(ENDPOINTS, "https://a:1/")], "etcds://a:1/"),
        ] {
            assert_eq!(parse(text, variables).unwrap().name(), name);
        }
    }

    #[test]
    fn a_way_that_others_can_read_is_named() {
        const USER_GIVEN: &[(&str, &str)] = &[(USER, "root:hunter2")];
        let caution = |text| parse(text, USER_GIVEN).unwrap().caution();
        for fine in ["etcd://127.0.0.1,[::1],localhost", "etcds://a"] {
            assert_eq!(caution(fine), None, "{fine}");
        }
        let named = caution("etcd://127.0.0.1,b/x").unwrap();
        assert!(named.starts_with("requests to b:2379 are not"), "{named}");
        assert!(named.contains("ETCDCTL_USER") && !named.contains("hunter2"));
    }

    #[test]
    fn what_is_wrong_is_told_without_secrets() {
        const CERTIFICATE_ALONE: &[(&str, &str)] = &[(CERTIFICATE, "/dev/null")];
        const CERTIFIED: &[(&str, &str)] = &[(CERTIFICATE, "/dev/null"), (KEY, "/dev/null")];
        for (text, variables, error) in [
            ("etcd://", &[][..], "no node of etcd is named"),
            (
                "etcd://a:x",
                &[],
                "etcd://a:x: no address of a store in etcd",
            ),
            ("etcd://a,", &[], "etcd://a,: no address of a store in etcd"),
            (
                "etcd://a?q",
                &[],
                "etcd://a?q: no address of a store in etcd",
            ),
            ("http://a", &[], "http://a: no address of a store in etcd"),
            (
                "etcd://",
                &[(ENDPOINTS, "a:1")],
                "MINIO_ETCD_ENDPOINTS: a:1: no address of a store in etcd",
            ),
            (
                "etcd://",
                &[(ENDPOINTS, "http://a,https://b")],
                "MINIO_ETCD_ENDPOINTS has http and https in it",
            ),
            (
                "etcd://a",
                &[(USER, "root")],
                "ETCDCTL_USER is not NAME:PASSWORD",
            ),
            (
                "etcds://a",
                CERTIFICATE_ALONE,
                "MINIO_ETCD_CLIENT_CERT is set, but MINIO_ETCD_CLIENT_CERT_KEY is not",
            ),
            (
                "etcd://a",
                CERTIFIED,
                "a client certificate is given, but the address is without TLS",
            ),
        ] {
            let told = parse(text, variables).err().unwrap();
            assert_eq!(told.to_string(), error);
            assert!(!told.cure().is_empty() && told.is_usage());
        }
        for (text, variables) in [
            ("etcd://root:secret@a", &[][..]),
            ("etcd://root:se/cret@a", &[]),
            ("etcd://", &[(ENDPOINTS, "http://root:secret@a")]),
        ] {
            let told = parse(text, variables).err().unwrap();
            assert!(matches!(told, OpenError::UserInAddress));
        }
    }

    #[test]
    fn a_certificate_beside_minios_own_http_is_passed_over_as_minio_does() {
        const VARIABLES: &[(&str, &str)] = &[
            (ENDPOINTS, "http://a"),
            (CERTIFICATE, "/dev/null"),
            (KEY, "/dev/null"),
        ];
        assert!(parse("etcd://", VARIABLES).unwrap().tls.is_none());
    }

    #[test]
    fn a_user_has_a_name_and_any_password() {
        let address = parse("etcd://a", &[(USER, "root:a:b@c/")]).unwrap();
        let user = address.user.unwrap();
        assert_eq!((&*user.name, &**user.password), ("root", "a:b@c/"));
    }
}
