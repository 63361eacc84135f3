//! One status for each cause.

use std::fs;

use rustix::process::Signal;

use crate::client::Client;
use crate::running::{Files, KEY, Server, command};

const ALICE: &str = "config/iam/users/alice/identity.json";
const BOB: &str = "config/iam/users/bob/identity.json";

#[test]
fn documents_are_written_read_listed_and_deleted() {
    let mut server = Server::start();
    let client = server.client();
    assert_eq!(client.get("healthz").with(200).text(), "ok\n");
    assert_eq!(client.get("config/").with(200).text(), "[]");
    client.get(ALICE).with(404);
    client.delete(ALICE).with(404);

    let put = client.put(ALICE, b"{}").with(204);
    client.put("config/config.json", b"").with(204);
    let got = client.get(ALICE).with(200);
    assert_eq!((got.text().as_str(), got.tag()), ("{}", put.tag()));
    assert_eq!(client.get("config/config.json").with(200).text(), "");
    let head = client.head(ALICE);
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], "2");
    let all = format!("[\"config/config.json\",\"{ALICE}\"]");
    assert_eq!(client.get("config/").with(200).text(), all);
    let some = format!("[\"{ALICE}\"]");
    assert_eq!(client.get("config/iam/").with(200).text(), some);

    client.delete(ALICE).with(204);
    client.get(ALICE).with(404);
    server.end();
}

#[test]
fn conditions_hold() {
    for mut server in [Server::start(), in_memory()] {
        let client = server.client();
        let absent = [("If-None-Match", "*")];
        let first = client.put_if(ALICE, b"1", &absent).with(204);
        client.put_if(ALICE, b"2", &absent).with(412);
        let known = [("If-Match", first.tag())];
        client.get_if(ALICE, &known).with(200);
        client
            .get_if(ALICE, &[("If-None-Match", first.tag())])
            .with(304);
        let second = client.put_if(ALICE, b"2", &known).with(204);
        client.put_if(ALICE, b"3", &known).with(412);
        client.delete_if(ALICE, &known).with(412);
        client.get_if(ALICE, &known).with(412);
        assert_eq!(client.get(ALICE).with(200).text(), "2");
        client.put_if(BOB, b"1", &[("If-Match", "*")]).with(412);
        client
            .put_if(ALICE, b"1", &[("If-None-Match", second.tag())])
            .with(400);
        client.delete_if(ALICE, &absent).with(400);
        assert_eq!(client.get(ALICE).with(200).tag(), second.tag());
        client
            .delete_if(ALICE, &[("If-Match", second.tag())])
            .with(204);
        client.get(ALICE).with(404);
        server.end();
    }
}

fn in_memory() -> Server {
    let files = Files::new();
    Server::running(command(&files, &[]), files)
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut server = Server::start();
    let client = server.client();
    client.put("config/iam/", b"{}").with(400);
    client.put("config/iam//alice", b"{}").with(400);
    client.put("config/iam/%2e%2e/alice", b"{}").with(400);
    client.put("config/iam/%ff", b"{}").with(400);
    client.put("elsewhere/alice", b"{}").with(404);
    client.put(ALICE, &vec![0; (1 << 20) + 1]).with(413);
    client.put(ALICE, &vec![0; 1 << 20]).with(204);
    assert_eq!(client.get(ALICE).with(200).content.len(), 1 << 20);
    server.end();
}

/// What a request for an object that was tampered with is answered.
#[track_caller]
fn fails(client: &Client, path: &str, cause: &str) {
    let answer = client.get(path).with(500).text();
    assert!(answer.starts_with(&format!("{cause}: ")), "{answer}");
    let outcome = format!("outcome=\"{cause}\"");
    let labels = ["call=\"unseal\"", &outcome];
    assert!(client.metrics().sum("iamseal_calls_total", &labels) >= 1);
}

#[test]
fn what_was_tampered_with_is_told_by_its_cause() {
    let mut server = Server::start();
    let client = server.client();
    let (alice, bob) = (
        server.files.store().join(ALICE),
        server.files.store().join(BOB),
    );
    client.put(ALICE, b"{}").with(204);
    client.put(BOB, b"{}").with(204);

    fs::copy(&alice, &bob).unwrap();
    fails(&client, BOB, "header-not-authentic");
    let mut bytes = fs::read(&alice).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&bob, &bytes).unwrap();
    fs::write(&alice, &bytes).unwrap();
    fails(&client, ALICE, "body-not-authentic");
    fs::write(&alice, "{}").unwrap();
    fails(&client, ALICE, "form-refused");
    fs::write(&alice, "").unwrap();
    fails(&client, ALICE, "malformed");
    // Too large, which is not the reader's doing.
    fs::write(&alice, vec![0; (16 << 20) + 1]).unwrap();
    let answer = client.get(ALICE).with(500).text();
    assert!(answer.starts_with("limit: "), "{answer}");
    server.end();
}

#[test]
fn a_store_that_was_not_migrated_is_read_if_that_is_asked_for() {
    let files = Files::new();
    let folder = files.store().join("config/iam/users/alice");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("identity.json"), "{}").unwrap();
    let mut server = Server::serving(files, &["--compatible"]);
    let client = server.client();
    assert_eq!(client.get(ALICE).with(200).text(), "{}");
    client.put(ALICE, b"{}").with(204);
    assert_ne!(fs::read(folder.join("identity.json")).unwrap(), b"{}");
    server.end();
}

#[test]
fn exempt_documents_stay_as_they_are() {
    let mut server = Server::start();
    let client = server.client();
    client.put("config/tier-config.bin", b"{}").with(204);
    let file = server.files.store().join("config/tier-config.bin");
    assert_eq!(fs::read(file).unwrap(), b"{}");
    assert_eq!(client.get("config/tier-config.bin").with(200).text(), "{}");
    server.end();
}

#[test]
fn no_secret_is_logged() {
    const SECRET: &str = "a-password-in-a-document";
    let files = Files::new();
    let store = files.store();
    let mut command = command(&files, &["--folder", store.to_str().unwrap()]);
    let mut server = Server::running(
        {
            command.env("RUST_LOG", "trace");
            command
        },
        files,
    );
    let client = server.client();
    client.put(ALICE, SECRET.as_bytes()).with(204);
    assert_eq!(client.get(ALICE).with(200).text(), SECRET);
    fs::write(server.files.store().join(ALICE), SECRET).unwrap();
    client.get(ALICE).with(500);
    server.signal(Signal::HUP);
    server.until("exchange", |server| {
        server.log().contains("another plugin serves")
    });
    server.end();
    let log = server.log();
    assert!(log.contains("refused"), "{log}");
    let key = KEY.split_once(':').unwrap().1;
    for secret in [SECRET, key] {
        assert!(!log.contains(secret), "{log}");
    }
}
