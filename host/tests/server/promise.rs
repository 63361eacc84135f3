//! What MinIO once promised of its own migration, a sentence each: in `real_servers` too, of KES.

use std::fs;

use iamseal_tests::samples::vector;

use crate::mixture::{Mixture, content, document};
use crate::running::{Files, KEY, Server, command};

pub const DOCUMENTS: usize = 210;
const ROOT: [(&str, &str); 2] = [
    ("MINIO_ROOT_USER", "minioadmin"),
    ("MINIO_ROOT_PASSWORD", "minioadmin"),
];

/// What a server without a KMS has left: plaintext and, of an earlier time, the root credential's form.
pub fn existing(files: &Files) {
    for number in 0..DOCUMENTS {
        let file = files.store().join(document(number));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let stored = match number % 200 {
            7 => vector("dev-069").stored,
            _ => content(number),
        };
        fs::write(file, stored).unwrap();
    }
}

/// The server of this folder, with these variables alone.
pub fn started(files: Files, arguments: &[&str], variables: &[(&str, String)]) -> Server {
    let store = files.store();
    let arguments = [&["--folder", store.to_str().unwrap()], arguments].concat();
    let mut command = command(&files, &arguments);
    command.env_remove("MINIO_KMS_SECRET_KEY");
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    Server::running(command, files)
}

pub fn root() -> Vec<(&'static str, String)> {
    ROOT.map(|(name, value)| (name, value.to_owned())).to_vec()
}

fn with_key() -> Vec<(&'static str, String)> {
    [root(), vec![("MINIO_KMS_SECRET_KEY", KEY.to_owned())]].concat()
}

#[track_caller]
pub fn until_current(server: &mut Server) {
    let client = server.client();
    server.until("end", |_| client.get("healthz").text() == "current\n");
}

#[track_caller]
pub fn all_are_read(server: &Server) {
    let client = server.client();
    for number in 0..DOCUMENTS {
        let read = client.get(&document(number)).with(200);
        assert_eq!(read.content, content(number), "{number}");
    }
}

fn stored(server: &Server, number: usize) -> Vec<u8> {
    fs::read(server.files.store().join(document(number))).unwrap()
}

#[test]
fn without_a_kms_plaintext_stays_readable() {
    let files = Files::new();
    existing(&files);
    let mut server = started(files, &["--compatible"], &root());
    all_are_read(&server);
    assert_eq!(stored(&server, 0), content(0));
    server.end();
}

#[test]
fn with_a_single_key_everything_is_sealed_under_it() {
    let files = Files::new();
    existing(&files);
    let mut server = started(files, &["--migrate"], &with_key());
    until_current(&mut server);
    all_are_read(&server);
    let mixture = Mixture::new("my-minio-key");
    for number in 0..DOCUMENTS {
        let found = mixture.open_current(&document(number), &stored(&server, number));
        assert_eq!(found, content(number));
    }
    let new = "config/new.json";
    server.client().put(new, b"{}").with(204);
    let new = fs::read(server.files.store().join(new)).unwrap();
    assert_eq!(mixture.open_current("config/new.json", &new), b"{}");
}

#[test]
fn existing_data_is_migrated_at_the_start_without_being_asked_for_object_by_object() {
    let files = Files::new();
    existing(&files);
    let mut server = started(files, &["--migrate"], &with_key());
    // Nothing is read or written by any request.
    until_current(&mut server);
    assert_eq!(server.client().metrics().sum("http_requests_total", &[]), 0);
    let current = ["state=\"current\""];
    let metrics = server.client().metrics();
    let current = metrics.sum("iamseal_migration_objects", &current);
    assert_eq!(current, DOCUMENTS as u64);
    assert!((0..DOCUMENTS).all(|number| stored(&server, number) != content(number)));
}

#[test]
fn the_root_credential_changes_freely() {
    let files = Files::new();
    existing(&files);
    let mut server = started(files, &["--migrate"], &with_key());
    until_current(&mut server);
    server.end();
    let mut variables = with_key();
    for user in ["another-user", ""] {
        variables[0].1 = user.to_owned();
        variables[1].1 = match user {
            "" => String::new(),
            _ => "another-password".to_owned(),
        };
        let again = std::mem::replace(&mut server.files, Files::new());
        server = started(again, &["--migrate"], &variables);
        until_current(&mut server);
        all_are_read(&server);
        server.end();
    }
}

#[test]
fn there_is_no_downtime() {
    let files = Files::new();
    existing(&files);
    // So slow that it is under way all the time.
    let arguments = ["--migrate", "--migrate-objects=10"];
    let mut server = started(files, &arguments, &with_key());
    let client = server.client();
    all_are_read(&server);
    for number in 0..DOCUMENTS {
        let read = client.get(&document(number)).with(200);
        let known = [("If-Match", read.tag())];
        client
            .put_if(&document(number), &content(number), &known)
            .with(204);
    }
    all_are_read(&server);
    let health = client.get("healthz").with(200).text();
    assert!(health.starts_with("migrating "), "{health}");
    server.end();
}

/// How long starts take with 100,000 objects is in `docs/benchmarks.md`; here is what keeps them fast.
#[test]
fn later_starts_are_as_fast() {
    let calls = |server: &mut Server| {
        until_current(server);
        let metrics = server.client().metrics();
        let calls = metrics.sum("iamseal_calls_total", &[]);
        (calls, metrics.sum("iamseal_migration_objects", &[]))
    };
    let start = |files| started(files, &["--migrate"], &with_key());
    let empty = Files::new();
    let mut server = start(empty);
    until_current(&mut server);
    let none = calls(&mut start(server.kill()));
    let files = Files::new();
    existing(&files);
    let mut server = start(files);
    let (first, objects) = calls(&mut server);
    assert!(first > none.0 && objects == DOCUMENTS as u64, "{first}");
    assert_eq!(calls(&mut start(server.kill())), none);
}
