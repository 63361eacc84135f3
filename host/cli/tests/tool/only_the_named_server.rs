//! Requests to a bucket and to etcd reach the server that was named and no other: no redirect is followed,
//! no proxy used that was not named for them, and a way that others can read is told of.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::kit::{Ended, KEY, Tool, tool};

const TOKEN: &str = "the-session-token";

/// A server, and the heads of all requests that reached it. It ends with the process.
#[derive(Clone)]
struct Server {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request by its head: the status line, further header lines, and the body.
    fn http(answer: impl Fn(&str) -> (String, String) + Send + 'static) -> Self {
        let (server, listener) = Self::listen();
        let seen = Arc::clone(&server.seen);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A client that goes away early is no reason to stop.
                let _ = serve(&client, &seen, &answer);
            }
        });
        server
    }

    /// Nobody is to come here.
    fn trap() -> Self {
        Self::http(|_| ("HTTP/1.1 200 OK".into(), "trapped".into()))
    }

    fn listen() -> (Self, TcpListener) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::default();
        (Self { address, seen }, listener)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Answers one request and hangs up.
fn serve(
    mut client: &TcpStream,
    seen: &Mutex<Vec<String>>,
    answer: &impl Fn(&str) -> (String, String),
) -> io::Result<()> {
    let mut request = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        request.read_line(&mut line)?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    io::copy(&mut request.take(length), &mut io::sink())?;
    seen.lock().unwrap().push(head.clone());
    let (begin, body) = answer(&head);
    let length = body.len();
    write!(
        client,
        "{begin}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// The whole of a listing with these keys.
fn listing(keys: &[&str]) -> (String, String) {
    let time = "2026-01-01T00:00:00.000Z";
    let contents: String = keys
        .iter()
        .map(|key| {
            format!(
                "<Contents><Key>{key}</Key><Size>2</Size><LastModified>{time}</LastModified>\
                 <ETag>\"1\"</ETag></Contents>"
            )
        })
        .collect();
    let body = format!("<ListBucketResult>{contents}</ListBucketResult>");
    ("HTTP/1.1 200 OK".into(), body)
}

fn is_listing(head: &str) -> bool {
    head.lines().next().unwrap().contains("list-type=2")
}

fn of_bucket(command: &str, endpoint: &str) -> Tool {
    let words = command.split(' ').chain(["s3://bucket/plane", "--json"]);
    tool(words).key(KEY).env([
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "the-key-id"),
        ("AWS_SECRET_ACCESS_KEY", "the-secret-key"),
        ("AWS_SESSION_TOKEN", TOKEN),
    ])
}

fn notes(ended: &Ended) -> Vec<String> {
    let errors = ended.errors().into_iter();
    let note = |line: Value| Some(line["note"].as_str()?.to_owned());
    errors.filter_map(note).collect()
}

#[test]
fn a_redirect_of_a_bucket_is_told_and_not_followed() {
    let other = Server::trap();
    let to = other.url();
    for status in [301, 302, 303, 307, 308] {
        // At the opening, and when objects are read.
        for lists in [false, true] {
            let to = to.clone();
            let server = Server::http(move |head| match is_listing(head) && lists {
                true => listing(&["plane/config/a"]),
                false => {
                    let begin = format!(
                        "HTTP/1.1 {status} Elsewhere\r\nlocation: {to}/bucket\r\n\
                         x-amz-bucket-region: eu-central-1"
                    );
                    (begin, String::new())
                }
            });
            let ended = of_bucket("audit", &server.url()).run().exits(13);
            let said = ended.text().to_owned() + &ended.stderr;
            let told = format!(
                "it sends us to another place ({status}), which is not followed; it says that the \
                 bucket is in the region eu-central-1"
            );
            assert!(said.contains(&told), "{said}");
            // It is signed and has the token, or the test would prove nothing.
            assert!(server.seen()[0].contains(TOKEN));
        }
    }
    assert_eq!(other.seen(), [""; 0]);
}

#[test]
fn a_write_is_not_redirected_either() {
    let other = Server::trap();
    let to = other.url();
    let server = Server::http(move |head| match is_listing(head) {
        true => listing(&["plane/config/a"]),
        false => {
            let begin = format!("HTTP/1.1 307 Elsewhere\r\nlocation: {to}/bucket");
            (begin, String::new())
        }
    });
    let journals = tempfile::tempdir().unwrap();
    let migrate = of_bucket("migrate --to kms", &server.url());
    let ended = migrate
        .args(["--journal".as_ref(), journals.path()])
        .run()
        .exits(13);
    assert!(ended.stderr.contains("(307), which is not followed"));
    let seen = server.seen();
    assert!(seen.iter().any(|head| head.starts_with("PUT ")), "{seen:?}");
    assert_eq!(other.seen(), [""; 0]);
}

#[test]
fn a_bucket_has_no_proxy_but_the_one_that_is_named_for_it() {
    let server = Server::http(|_| listing(&[]));
    let proxy = Server::http(|_| listing(&[]));
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let run = of_bucket("audit", &server.url()).env([(name, proxy.url())]);
        let ended = run.run().exits(2);
        let note = format!("{name} is not used for buckets; name their proxy in IAMSEAL_S3_PROXY");
        assert_eq!(notes(&ended), [note]);
    }
    assert_eq!((server.seen().len(), proxy.seen().len()), (4, 0));

    let through = |endpoint: &str| {
        let run = of_bucket("audit", endpoint).env([
            ("IAMSEAL_S3_PROXY", proxy.url()),
            ("HTTP_PROXY", "http://127.0.0.1:9".into()),
        ]);
        run.run().exits(2)
    };
    let ended = through("http://bucket.test");
    let [note] = &notes(&ended)[..] else {
        panic!("{ended}")
    };
    assert!(
        note.starts_with("requests to http://bucket.test are not encrypted"),
        "{note}"
    );
    let seen = proxy.seen();
    // A proxy is given the whole URL.
    assert!(
        seen[0].starts_with("GET http://bucket.test/bucket"),
        "{seen:?}"
    );
    assert_eq!((server.seen().len(), seen.len()), (4, 1));
    // It does not stand in for this machine, where agents give credentials.
    through(&server.url());
    assert_eq!((server.seen().len(), proxy.seen().len()), (5, 1));
}

#[test]
fn a_way_that_others_can_read_is_told_of() {
    let server = Server::http(|_| listing(&[]));
    let port = server.address.split_once(':').unwrap().1;
    // Not a loopback address, though it leads to one.
    let open = format!("http://0.0.0.0:{port}");
    let run = of_bucket("audit", &open).env([("AWS_ALLOW_INVALID_CERTIFICATES", "true")]);
    let ended = run.run().exits(2);
    let [plain, any] = &notes(&ended)[..] else {
        panic!("{ended}")
    };
    assert!(plain.starts_with(&format!("requests to {open} are not encrypted")));
    assert!(any.starts_with("AWS_ALLOW_INVALID_CERTIFICATES is set"));
    assert_eq!(server.seen().len(), 1);
    let as_text = tool(["audit", "s3://bucket"]).env([
        ("AWS_ENDPOINT_URL", open.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_SKIP_SIGNATURE", "true"),
    ]);
    as_text
        .run()
        .exits(2)
        .says("note: requests to http://0.0.0.0");
    of_bucket("audit", &server.url())
        .run()
        .exits(2)
        .says("config/");
}

/// A node of etcd that answers each call with a redirect: HTTP/2 by hand, as far as a client notices.
fn redirecting(to: &str) -> Server {
    let (server, listener) = Server::listen();
    let (seen, to) = (Arc::clone(&server.seen), to.to_owned());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client that goes away early is no reason to stop.
            let _ = redirect(&client, &seen, &to);
        }
    });
    server
}

fn redirect(mut client: &TcpStream, seen: &Mutex<Vec<String>>, to: &str) -> io::Result<()> {
    const PREFACE: usize = 24;
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    const ACK: u8 = 1;
    /// The end of the stream, and of the headers.
    const ENDS: u8 = 1 | 4;
    let frame = |kind, flags, stream: [u8; 4], payload: &[u8]| {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags], &stream[..], payload].concat()
    };
    client.read_exact(&mut [0; PREFACE])?;
    client.write_all(&frame(SETTINGS, 0, [0; 4], b""))?;
    loop {
        let mut head = [0; 9];
        client.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
        client.read_exact(&mut payload)?;
        match kind {
            SETTINGS | PING if flags & ACK == 0 => {
                client.write_all(&frame(kind, ACK, stream, &payload))?;
            }
            HEADERS => {
                seen.lock().unwrap().push("a call".into());
                // Literal fields with names of HPACK's static table: 8 is `:status`, 46 `location`.
                let length = u8::try_from(to.len()).unwrap();
                let fields = [&b"\x08\x03307\x0f\x1f"[..], &[length], to.as_bytes()].concat();
                client.write_all(&frame(HEADERS, ENDS, stream, &fields))?;
            }
            _ => {}
        }
    }
}

#[test]
fn etcd_is_asked_directly_and_nobody_else() {
    let trap = Server::trap();
    let node = redirecting(&trap.url());
    let mut run = tool(["audit", "--json", &format!("etcd://{}", node.address)]).key(KEY);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ] {
        run = run.env([(name, trap.url())]);
    }
    let ended = run.run().exits(13);
    assert!(!node.seen().is_empty(), "{ended}");
    assert_eq!(trap.seen(), [""; 0]);
}

#[test]
fn etcd_without_tls_is_told_of() {
    // Nobody listens there, and a password is not shown.
    let run = tool(["audit", "--json", "etcd://0.0.0.0:9"]).env([("ETCDCTL_USER", "root:hunter2")]);
    let ended = run.run().exits(13);
    let [note] = &notes(&ended)[..] else {
        panic!("{ended}")
    };
    assert!(note.starts_with("requests to 0.0.0.0:9 are not encrypted"));
    assert!(note.ends_with("the password of ETCDCTL_USER among it"));
    assert!(!ended.stderr.contains("hunter2"));
}
