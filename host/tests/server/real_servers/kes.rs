//! Keys in a real KES, which goes away and comes back.

use std::fs;
use std::thread;
use std::time::Duration;

use iamseal_servers::kes::Kes;

use crate::mixture::{content, document};
use crate::promise::{DOCUMENTS, all_are_read, existing, root, started, until_current};
use crate::running::Files;

const KEY: &str = "iam";

#[test]
fn with_kes_everything_is_sealed_under_its_key() {
    let kes = Kes::start();
    kes.create_key(KEY);
    let files = Files::new();
    existing(&files);
    let variables = [root(), kes.variables(KEY)].concat();
    let mut server = started(files, &["--migrate"], &variables);
    until_current(&mut server);
    all_are_read(&server);
    let stored = fs::read(server.files.store().join(document(0))).unwrap();
    assert!(String::from_utf8_lossy(&stored).contains("\"iam\""));
    server.end();
}

#[test]
fn when_kes_goes_away_requests_fail_with_their_cause_and_the_migration_waits_and_goes_on() {
    let mut kes = Kes::start();
    kes.create_key(KEY);
    let files = Files::new();
    existing(&files);
    let variables = [root(), kes.variables(KEY)].concat();
    let arguments = ["--migrate", "--migrate-objects=100"];
    let mut server = started(files, &arguments, &variables);
    let client = server.client();
    let store = server.files.store();
    let is_sealed = |number: usize| {
        let stored = fs::read(store.join(document(number))).unwrap();
        // What a root credential opens is not plaintext from the first.
        number % 200 != 7 && stored != content(number)
    };
    // The data keys that were opened last are kept. These are as many, so that the first is not among them.
    while !is_sealed(100) {
        thread::sleep(Duration::from_millis(5));
    }
    kes.stop();
    let answer = client.get(&document(0)).with(503).text();
    assert!(answer.starts_with("key-unavailable: "), "{answer}");
    let answer = client.put("config/new.json", b"{}").with(503).text();
    assert!(answer.starts_with("key-unavailable: "), "{answer}");
    // What needs no key is read.
    let plain = (0..200).rev().find(|number| !is_sealed(*number));
    let plain = plain.unwrap();
    let read = client.get(&document(plain)).with(200);
    assert_eq!(read.content, content(plain));
    // Nothing is half done: each document is what it was, or sealed as a whole.
    let waits =
        |health: &str| health.starts_with("migrated all but ") || health.contains("goes on");
    server.until("waiting", |_| waits(&client.get("healthz").text()));
    assert!(client.get("config/new.json").status == 404);
    kes.restart();
    until_current(&mut server);
    all_are_read(&server);
    client.put("config/new.json", b"{}").with(204);
    let unsealed = (0..DOCUMENTS).filter(|number| !is_sealed(*number));
    assert_eq!(unsealed.collect::<Vec<_>>(), [7, 207]);
}
