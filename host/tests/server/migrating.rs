//! A folder that is migrated while it is served, by a server that is killed again and again.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread;

use iamseal_tests::samples::vector;

use rustix::process::Signal;

use crate::running::{Files, KEY, Server, command};

const DOCUMENTS: usize = 1200;

fn document(number: usize) -> String {
    format!("config/documents/{:02}/{number}.json", number % 40)
}

fn content(number: usize) -> Vec<u8> {
    match number % 100 {
        50 => vector("dev-069").plaintext,
        _ => format!("{{\"number\":{number}}}").into_bytes(),
    }
}

/// A folder with plaintext and what a root credential opens.
fn filled() -> Files {
    let files = Files::new();
    for number in 0..DOCUMENTS {
        let file = files.store().join(document(number));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let stored = match number % 100 {
            50 => vector("dev-069").stored,
            _ => content(number),
        };
        fs::write(file, stored).unwrap();
    }
    files
}

fn start(files: Files, objects: usize) -> Server {
    start_with(files, objects, "")
}

/// With MinIO's variables in a file beside the folder, too.
fn start_with(files: Files, objects: usize, variables: &str) -> Server {
    fs::write(variables_of(&files), variables).unwrap();
    let store = files.store();
    let objects = format!("--migrate-objects={objects}");
    let arguments = ["--folder", store.to_str().unwrap(), "--migrate", &objects];
    let mut command = command(&files, &arguments);
    command
        .env("MINIO_ROOT_USER", "minioadmin")
        .env("MINIO_ROOT_PASSWORD", "minioadmin")
        .env("MINIO_CONFIG_ENV_FILE", variables_of(&files));
    Server::running(command, files)
}

fn variables_of(files: &Files) -> PathBuf {
    files.plugin().with_file_name("config.env")
}

/// How many objects it says that it has come to.
fn done(health: &str) -> Option<usize> {
    let (done, _) = health.strip_prefix("migrating ")?.split_once(" of ")?;
    done.replace(',', "").parse().ok()
}

#[test]
fn a_server_that_is_killed_at_any_moment_loses_nothing_and_comes_to_the_end() {
    let mut files = filled();
    // What each document may hold: more than one where nobody was told whether it was written.
    let mut known: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
    for round in 0..6 {
        let mut server = start(files, 800);
        let (client, writing) = (server.client(), server.client());
        let writer = thread::spawn(move || {
            for turn in 0.. {
                let number = (turn * 7 + round) % DOCUMENTS;
                let new = format!("{{\"round\":{round},\"turn\":{turn}}}").into_bytes();
                let may = known.entry(number).or_insert_with(|| vec![content(number)]);
                may.push(new);
                match writing.try_put(&document(number), may.last().unwrap()) {
                    Some(answer) => drop(answer.with(204)),
                    None => break,
                }
                may.drain(..may.len() - 1);
            }
            known
        });
        // Later in each round, so that it is killed at the beginning, half way, and near the end.
        let far = |health: String| done(&health).is_none_or(|done| done >= round * 190);
        while !far(client.get("healthz").with(200).text()) {
            thread::yield_now();
        }
        files = server.kill();
        known = writer.join().unwrap();
    }
    assert!(known.len() > 100, "{}", known.len());
    let mut server = start(files, 100_000);
    let client = server.client();
    server.until("end", |_| {
        client.get("healthz").with(200).text() == "current\n"
    });
    for number in 0..DOCUMENTS {
        let may = known.remove(&number);
        let may = may.unwrap_or_else(|| vec![content(number)]);
        let found = client.get(&document(number)).with(200).content;
        let text = String::from_utf8_lossy(&found);
        assert!(may.contains(&found), "{number}: {text}");
        let stored = fs::read(server.files.store().join(document(number))).unwrap();
        assert_ne!(stored, found);
    }
    let metrics = client.metrics();
    let objects = |state: &str| {
        metrics.sum(
            "iamseal_migration_objects",
            &[&format!("state=\"{state}\"")],
        )
    };
    assert_eq!(objects("current"), DOCUMENTS as u64);
    assert_eq!(["failed", "left", "waiting"].map(objects), [0; 3]);
    // Nothing of the killed ones is left in the folder.
    let names = fs::read_dir(server.files.store().join("config/documents/00")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.filter(|name| !name.ends_with(".json")).count() == 0);
    // Plaintext is refused from then on, and by the next server too.
    fs::write(server.files.store().join(document(3)), "{}").unwrap();
    let answer = client.get(&document(3)).with(500).text();
    assert!(answer.starts_with("form-refused: "), "{answer}");
    let server = start(server.kill(), 1);
    let answer = server.client().get(&document(3)).with(500).text();
    assert!(answer.starts_with("form-refused: "), "{answer}");
    server.client().get(&document(4)).with(200);
}

#[test]
fn it_says_how_far_it_has_come() {
    let mut server = start(filled(), 200);
    let client = server.client();
    server.until("migration", |_| {
        let health = client.get("healthz").with(200).text();
        health.starts_with("migrating ") && health.ends_with(" of 1,200\n")
    });
    server.until("progress", |_| {
        let waiting = ["state=\"waiting\""];
        let waiting = client.metrics().sum("iamseal_migration_objects", &waiting);
        (1..1200).contains(&waiting)
    });
    // It does not keep it from ending.
    server.end();
}

#[test]
fn another_key_is_lent_and_migrated_to_at_a_signal() {
    let mut server = start(filled(), 100_000);
    let client = server.client();
    let is_current = |_: &Server| client.get("healthz").with(200).text() == "current\n";
    server.until("end", is_current);
    let before = client.get(&document(0)).with(200);
    let stored = |server: &Server| fs::read(server.files.store().join(document(1199))).unwrap();
    let is_under = |stored: &[u8], key: &str| {
        let text = String::from_utf8_lossy(stored).into_owned();
        text.contains(&format!("{key:?}"))
    };
    assert!(is_under(&stored(&server), "my-minio-key"));
    let bytes = iamseal_tests::samples::decode(KEY.split_once(':').unwrap().1);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let variables = format!(
        "MINIO_KMS_SECRET_KEY=later:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=\n\
         MINIO_KMS_MASTER_KEY=my-minio-key:{hex}\n"
    );
    fs::write(
        variables_of(&server.files),
        "MINIO_KMS_SECRET_KEY=hunter2\n",
    )
    .unwrap();
    server.signal(Signal::USR2);
    server.until("refusal", |server| {
        server.log().contains("were not changed")
    });
    fs::write(variables_of(&server.files), variables).unwrap();
    server.signal(Signal::USR2);
    server.until("other keys", |server| {
        server.log().contains("other keys are lent")
    });
    // It serves meanwhile, and a condition of before holds.
    for number in (0..DOCUMENTS).step_by(97) {
        assert_eq!(
            client.get(&document(number)).with(200).content,
            content(number)
        );
    }
    client
        .put_if(&document(0), b"{}", &[("If-Match", before.tag())])
        .with(204);
    server.until("end", |server| {
        is_current(server) && is_under(&stored(server), "later")
    });
    for number in 1..DOCUMENTS {
        assert_eq!(
            client.get(&document(number)).with(200).content,
            content(number)
        );
    }
    assert!(!server.log().contains("hunter2"));
    server.end();
}
