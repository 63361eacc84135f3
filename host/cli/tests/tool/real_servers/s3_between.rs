//! A server between the tool and MinIO that hands requests on, changes them, denies them or says nothing.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>";

/// What becomes of a request.
pub enum Fate {
    /// It is handed on with these lines of its head, the first of which is the request's own.
    Goes(Vec<String>),
    /// These credentials may not do it.
    Denied,
    /// No answer comes.
    Held,
}

/// The address of such a server before the one of this address, until the test ends. A request whose
/// headers are changed must not be signed.
pub fn between(to: String, judge: impl Fn(Vec<String>) -> Fate + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let judge = Arc::new(judge);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (to, judge) = (to.clone(), Arc::clone(&judge));
            // A client that goes away early is no reason to stop.
            thread::spawn(move || hand_on(client, &to, &*judge).ok());
        }
    });
    format!("http://{address}")
}

/// Hands on one request; the server closes the connection after its answer, since it is told to.
fn hand_on(client: TcpStream, to: &str, judge: &dyn Fn(Vec<String>) -> Fate) -> io::Result<()> {
    let mut request = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        request.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push(line);
    }
    let mut body = request.take(length);
    match judge(head) {
        Fate::Goes(head) => {
            let mut server = TcpStream::connect(to)?;
            let head = format!("{}connection: close\r\n\r\n", head.concat());
            server.write_all(head.as_bytes())?;
            io::copy(&mut body, &mut server)?;
            io::copy(&mut server, &mut &client)?;
        }
        Fate::Denied => {
            io::copy(&mut body, &mut io::sink())?;
            let length = DENIED.len();
            let head = format!(
                "HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{DENIED}"
            );
            (&client).write_all(head.as_bytes())?;
        }
        // Until the client has enough.
        Fate::Held => drop(io::copy(&mut body.into_inner(), &mut io::sink())?),
    }
    client.shutdown(Shutdown::Both)
}
