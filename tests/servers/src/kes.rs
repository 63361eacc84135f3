//! KES, with its keys in a folder.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use crate::authority::Authority;
use crate::process::Running;
use crate::{port, program, succeed};

/// A KES server.
pub struct Kes {
    running: Option<Running>,
    port: u16,
    folder: TempDir,
    authority: Authority,
    admin: Identity,
}

/// Who asks: an API key and the name that KES knows it by.
pub struct Identity {
    /// `kes:v1:…`
    pub api_key: String,
    /// The hexadecimal SHA-256 of its public key.
    pub identity: String,
}

impl Identity {
    /// A new one, made by KES' own program.
    ///
    /// # Panics
    /// If that prints something else than expected.
    pub fn new() -> Self {
        let printed = succeed(program("kes").args(["identity", "new"])).stdout;
        let printed = String::from_utf8(printed).unwrap();
        let words: Vec<&str> = printed.split_whitespace().collect();
        let api_key = words.iter().find(|word| word.starts_with("kes:v1:"));
        let is_identity =
            |word: &&&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        Self {
            api_key: (*api_key.unwrap()).to_owned(),
            identity: (*words.iter().find(is_identity).unwrap()).to_owned(),
        }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

/// What KES calls the one who has this certificate.
///
/// # Panics
/// If KES' own program does not say it.
pub fn identity_of(certificate: &Path) -> String {
    let mut command = program("kes");
    let printed = succeed(command.args(["identity", "of"]).arg(certificate)).stdout;
    let printed = String::from_utf8(printed).unwrap();
    let mut words = printed.split_whitespace();
    words.next_back().unwrap().to_owned()
}

impl Kes {
    /// A server whose administrator may do everything.
    pub fn start() -> Self {
        Self::with_policies("")
    }

    /// The same with this text as its policies, which is put below `policy:` of its configuration.
    pub fn with_policies(policies: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let admin = Identity::new();
        let mut kes = Self {
            running: None,
            port: port::free(),
            folder,
            authority,
            admin,
        };
        kes.configure(policies);
        kes.restart();
        kes
    }

    /// Writes its configuration; it is read when the server starts.
    pub fn configure(&self, policies: &str) {
        let server = self.authority.certify("kes");
        let keys = self.folder.path().join("keys");
        fs::create_dir_all(&keys).unwrap();
        let policy = match policies {
            "" => String::new(),
            policies => format!("policy:\n{policies}\n"),
        };
        let text = format!(
            "version: v1\n\
             address: 127.0.0.1:{}\n\
             admin:\n  identity: {}\n\
             tls:\n  key: {}\n  cert: {}\n\
             cache:\n  expiry:\n    any: 1s\n    unused: 1s\n    offline: 0s\n\
             api:\n  /v1/metrics:\n    skip_auth: true\n    timeout: 15s\n\
             {policy}\
             keystore:\n  fs:\n    path: {}\n",
            self.port,
            self.admin.identity,
            server.key.display(),
            server.certificate.display(),
            keys.display(),
        );
        fs::write(self.folder.path().join("config.yml"), text).unwrap();
    }

    /// Starts it again, on the same port and with the same keys.
    pub fn restart(&mut self) {
        self.stop();
        let mut command = program("kes");
        command
            .arg("server")
            .arg("--config")
            .arg(self.folder.path().join("config.yml"));
        let log = self.folder.path().join("kes.log");
        let port = self.port;
        let is_ready = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        self.running = Some(Running::start(&mut command, &log, is_ready));
    }

    /// Kills it.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// What it has written so far.
    ///
    /// # Panics
    /// If it is not running.
    pub fn said(&self) -> String {
        self.running.as_ref().unwrap().said()
    }

    /// Its administrator.
    pub fn admin(&self) -> &Identity {
        &self.admin
    }

    /// Its address as `MINIO_KMS_KES_ENDPOINT` takes it.
    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The authority of its certificate, for `MINIO_KMS_KES_CAPATH`.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The folder of its keys.
    pub fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// What MinIO and iamseal read to use this server with the key `name`.
    pub fn variables(&self, name: &str) -> Vec<(&'static str, String)> {
        let authority = self.authority.certificate();
        vec![
            ("MINIO_KMS_KES_ENDPOINT", self.endpoint()),
            ("MINIO_KMS_KES_KEY_NAME", name.to_owned()),
            ("MINIO_KMS_KES_API_KEY", self.admin.api_key.clone()),
            ("MINIO_KMS_KES_CAPATH", authority.display().to_string()),
        ]
    }

    /// The same as somebody else.
    pub fn variables_of(&self, who: &Identity, name: &str) -> Vec<(&'static str, String)> {
        let mut variables = self.variables(name);
        for (variable, value) in &mut variables {
            if *variable == "MINIO_KMS_KES_API_KEY" {
                value.clone_from(&who.api_key);
            }
        }
        variables
    }

    /// How many requests it has answered since it started, by its own metrics; those for metrics do not
    /// count, and none of the others may be under way.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn answered(&self) -> u64 {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(self.authority.certificate()).unwrap();
        roots.add(certificate).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        stream
            .write_all(b"GET /v1/metrics HTTP/1.0\r\nHost: kes\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        // KES ends the connection without a farewell.
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
        let counts = answer.lines().filter(|line| {
            line.starts_with("kes_http_request_success{")
                || line.starts_with("kes_http_request_error{")
        });
        counts
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
            .sum()
    }

    /// KES' own program as its administrator, with `-k` for the commands that take it.
    pub fn client(&self) -> Command {
        let mut command = program("kes");
        command
            .env("KES_SERVER", self.endpoint())
            .env("KES_API_KEY", &self.admin.api_key);
        command
    }

    /// Makes a key by KES' own program.
    ///
    /// # Panics
    /// If that does not succeed.
    pub fn create_key(&self, name: &str) {
        succeed(self.client().args(["key", "create", "-k", name]));
    }
}
