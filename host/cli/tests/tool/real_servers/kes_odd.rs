//! A KES that does not behave: a TLS server of the test's own.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use iamseal::contract::KeyError;
use iamseal::keys::Kes as Client;
use iamseal::keys::kes::{Authorities, Endpoints, Identity};
use iamseal_servers::authority::Authority;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

/// 0x00 and 32 bytes of 0x00: an API key that is no secret.
const API_KEY: &str = "kes:v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const KEY: &str = "a-key";

/// A server that answers every request with the same bytes and ends the connection.
struct Odd {
    client: Client,
    asked: Arc<AtomicUsize>,
}

impl Odd {
    fn answering(status: &str, body: &str) -> Self {
        let length = body.len();
        Self::sending(format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    fn sending(answer: String) -> Self {
        let folder = TempDir::new().unwrap();
        let authority = Authority::new(folder.path());
        let files = authority.certify("odd");
        let authority = authority.certificate();
        Self::of(&files.certificate, &files.key, &authority, answer)
    }

    /// With this certificate and key, to a client that this authority vouches to.
    fn of(certificate: &Path, key: &Path, authority: &Path, answer: String) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(certificate).unwrap()],
                PrivateKeyDer::from_pem_file(key).unwrap(),
            )
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        // It ends with the process of the tests.
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                serve(socket, &config, &answer);
            }
        });
        let endpoints = Endpoints::parse(&format!("https://127.0.0.1:{port}")).unwrap();
        let identity = Identity::of_api_key(API_KEY).unwrap();
        let authorities = Authorities::of_path(authority).unwrap();
        Self {
            client: Client::new(&endpoints, identity, &authorities).unwrap(),
            asked,
        }
    }

    async fn generate(&self) -> KeyError {
        self.client.generate(KEY, b"{}").await.err().unwrap()
    }

    async fn decrypt(&self) -> KeyError {
        self.client
            .decrypt(KEY, b"data key", b"{}")
            .await
            .err()
            .unwrap()
    }
}

fn serve(socket: TcpStream, config: &Arc<ServerConfig>, answer: &str) {
    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    let mut request = [0; 4096];
    // A client that has seen enough may be gone.
    if stream.read(&mut request).is_ok() && stream.write_all(answer.as_bytes()).is_ok() {
        stream.conn.send_close_notify();
        let _ = stream.flush();
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_a_bad_one() {
    let other = |text: &str| KeyError::Other(text.into());
    let shapeless = other("KES' answer is not what it should be");
    for body in [
        "",
        "garbage",
        "{}",
        "[]",
        r#"{"plaintext":7}"#,
        r#"{"plaintext":"?"}"#,
    ] {
        let odd = Odd::answering("200 OK", body);
        assert_eq!(odd.generate().await, shapeless, "{body}");
        assert_eq!(odd.decrypt().await, shapeless, "{body}");
    }
    let short = r#"{"plaintext":"AAAAAAA=","ciphertext":"AAAA"}"#;
    let odd = Odd::answering("200 OK", short);
    let says = other("KES' answer has a data key of 5 bytes");
    assert_eq!(odd.generate().await, says);
    assert_eq!(odd.decrypt().await, says);
}

#[tokio::test]
async fn a_huge_answer_is_not_read_to_its_end() {
    let odd = Odd::answering("200 OK", &" ".repeat(8 << 20));
    let says = KeyError::Other("KES' answer is longer than 1 MiB".into());
    assert_eq!(odd.decrypt().await, says);
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_only_if_that_may_help() {
    for (status, times) in [("503 Busy", 3), ("500 Broken", 1), ("502 Broken", 1)] {
        let odd = Odd::answering(status, "{\"message\":\"oh\u{1b}[2J\"}");
        let error = odd.decrypt().await;
        assert!(matches!(error, KeyError::Unavailable(_)), "{error:?}");
        assert_eq!(odd.asked.load(Ordering::Relaxed), times, "{status}");
    }
    let odd = Odd::sending("nonsense\r\n\r\n".into());
    assert!(matches!(odd.decrypt().await, KeyError::Unavailable(_)));
    // Nobody is asked right after that.
    let asked = odd.asked.load(Ordering::Relaxed);
    assert!(matches!(odd.decrypt().await, KeyError::Unavailable(_)));
    assert_eq!(odd.asked.load(Ordering::Relaxed), asked);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = TempDir::new().unwrap();
    let authority = Authority::new(folder.path());
    let endpoints = Endpoints::parse(&format!("https://127.0.0.1:{port}")).unwrap();
    let identity = Identity::of_api_key(API_KEY).unwrap();
    let authorities = Authorities::of_path(&authority.certificate()).unwrap();
    let client = Client::new(&endpoints, identity, &authorities).unwrap();
    let error = client.decrypt(KEY, b"", b"").await.err().unwrap();
    assert!(matches!(error, KeyError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let odd = Odd::sending(
        "HTTP/1.1 307 Elsewhere\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
            .into(),
    );
    let error = odd.decrypt().await;
    assert!(
        matches!(&error, KeyError::Other(text) if text.contains("307")),
        "{error:?}"
    );
}

/// What `openssl req -x509` makes: a certificate that signed itself and says that it may sign others.
#[tokio::test]
async fn a_certificate_that_signed_itself_is_taken_if_it_was_given() {
    let folder = TempDir::new().unwrap();
    let make = |name: &str, host: &str| {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pair = KeyPair::generate().unwrap();
        let made = params.self_signed(&pair).unwrap();
        let files = ["crt", "key"].map(|kind| folder.path().join(format!("{name}.{kind}")));
        fs::write(&files[0], made.pem()).unwrap();
        fs::write(&files[1], pair.serialize_pem()).unwrap();
        files
    };
    let [certificate, key] = make("own", "127.0.0.1");
    let [other, _] = make("other", "127.0.0.1");
    let [elsewhere, its_key] = make("elsewhere", "kes.example.net");
    let answer = || "HTTP/1.1 501 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned();
    let odd = Odd::of(&certificate, &key, &certificate, answer());
    assert!(matches!(odd.decrypt().await, KeyError::Other(_)));
    let odd = Odd::of(&certificate, &key, &other, answer());
    assert!(matches!(odd.decrypt().await, KeyError::Unavailable(_)));
    let odd = Odd::of(&elsewhere, &its_key, &elsewhere, answer());
    let error = odd.decrypt().await;
    assert!(
        matches!(&error, KeyError::Unavailable(text) if text.contains("name")),
        "{error:?}"
    );
}
