//! Starting that fails, and stopping.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use rustix::process::Signal;

use crate::running::{Files, PATIENCE, Server, command};

const ALICE: &str = "config/iam/users/alice/identity.json";

#[test]
fn a_request_that_is_under_way_is_answered_before_the_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start();
        let mut connection = TcpStream::connect(server.address()).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "PUT /{ALICE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\
             Expect: 100-continue\r\nConnection: close\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).unwrap();
        // It says so when the request has come to where its body is read.
        let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        connection.read_exact(&mut go_on).unwrap();
        connection.write_all(b"{").unwrap();
        server.signal(signal);
        server.until("farewell", |server| server.log().contains("told to end"));
        connection.write_all(b"}").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
        assert_eq!(server.wait(), Some(0), "{}", server.log());
        assert!(TcpStream::connect(server.address()).is_err());
        assert!(fs::metadata(server.files.store().join(ALICE)).is_ok());
    }
}

#[test]
fn it_does_not_start_without_a_fit_plugin_or_a_sound_key() {
    let says = |files: &Files, key: &str, says: &str| {
        let mut command = command(files, &[]);
        command
            .env("MINIO_KMS_SECRET_KEY", key)
            .stdin(Stdio::null());
        let ended = command.output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
        assert!(ended.stdout.is_empty());
        let text = String::from_utf8(ended.stderr).unwrap();
        assert!(text.contains(says), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    };
    let files = Files::new();
    says(&files, "my-key:hunter2", "MINIO_KMS_SECRET_KEY");
    files.put_plugin(b"(component)");
    says(&files, crate::running::KEY, "it is text, not a component");
    files.put_plugin(&crate::edition(2));
    let other = "is not the component that was named";
    says(&files, crate::running::KEY, other);
}

#[test]
fn half_a_request_does_not_keep_it_from_ending() {
    let mut server = Server::start();
    let half = |text: &str| {
        let mut connection = TcpStream::connect(server.address()).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection.write_all(text.as_bytes()).unwrap();
        connection
    };
    let mut line = half(&format!("GET /{ALICE}"));
    let silent = half("");
    let mut rest = Vec::new();
    // It is closed without any signal.
    line.read_to_end(&mut rest).unwrap();
    let headers = half("GET / HTTP/1.1\r\nHost: loc");
    // Another connection's answer shows that the server has seen the three.
    server.client().get("healthz").with(200);
    server.end();
    drop((silent, headers));
}
