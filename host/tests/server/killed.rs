//! A server that is killed again and again while it migrates and serves.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use crate::clients::{Known, Worker, check};
use crate::dice::Dice;
use crate::mixture::{Mixture, OTHER, document, keys};
use crate::running::{Files, KEY, Server, command, variables_of};

/// Some ten batches of the migration, so that a server comes to the end in the time that it lives at most.
const DOCUMENTS: usize = 300;
const KILLS: usize = 100;
/// How long a server serves at most, in milliseconds: the migration takes some two hundred with a client at work.
const LIFE: usize = 300;
/// How long one lives that is killed at its start, at most: that takes some hundred.
const START: usize = 150;

/// The server with these keys, the first one for new objects.
fn server(files: &Files, keys: &str) -> Command {
    fs::write(variables_of(files), keys).unwrap();
    let store = files.store();
    let folder = ["--folder", store.to_str().unwrap()];
    let migrate = ["--migrate", "--migrate-objects=100000"];
    let mut command = command(files, &[folder, migrate].concat());
    command
        .env_remove("MINIO_KMS_SECRET_KEY")
        .env("MINIO_CONFIG_ENV_FILE", variables_of(files));
    command
}

#[test]
fn a_server_that_is_killed_at_a_hundred_moments_loses_nothing_and_comes_to_the_end() {
    let mut files = Files::in_memory();
    let mixture = Mixture::new("my-minio-key");
    for number in 0..DOCUMENTS {
        let file = files.store().join(document(number));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, mixture.stored(number)).unwrap();
    }
    let (mut known, mut dice, mut requests) = (Known::new(), Dice(7), 0);
    let mut both = [KEY, OTHER];
    let (mut stages, mut ends) = (BTreeSet::new(), 0);
    for kill in 0..KILLS {
        let mut within = |life: usize| Duration::from_millis(dice.roll(life) as u64);
        let (moment, early) = (within(LIFE), within(START));
        let mut command = server(&files, &keys(both[0], both[1]));
        if dice.roll(4) == 0 {
            // Before it listens, perhaps.
            let mut server = command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            thread::sleep(early);
            server.kill().unwrap();
            server.wait().unwrap();
            continue;
        }
        let mut server = Server::running(command, files);
        let client = server.client();
        let own = (0..DOCUMENTS).collect();
        let worker = Worker::new(server.client(), own, kill as u64, known);
        let working = thread::spawn(move || worker.until(&AtomicBool::new(false)));
        thread::sleep(moment);
        let health = client.get("healthz").with(200).text();
        files = server.kill();
        let worker = working.join().unwrap();
        known = worker.known;
        requests += worker.requests;
        if health == "current\n" {
            // What the next one has to do is to bring all to the other key.
            both.reverse();
            ends += 1;
        }
        stages.insert(health);
    }
    println!("{requests} requests, {ends} ends, {} stages", stages.len());
    // It was killed at the beginning, in the middle and at the end.
    assert!(
        requests > 500 && ends > 0 && stages.len() > 5,
        "{requests} {stages:?}"
    );

    let mut server = Server::running(server(&files, &keys(both[0], both[1])), files);
    let client = server.client();
    server.until("end", |_| {
        client.get("healthz").with(200).text() == "current\n"
    });
    let mixture = Mixture::new(both[0].split(':').next().unwrap());
    let mut there = 0;
    for number in 0..DOCUMENTS {
        let path = document(number);
        let answer = client.get(&path);
        let found = (answer.status == 200).then_some(answer.content);
        check(number, &found, &known);
        let stored = fs::read(server.files.store().join(&path)).ok();
        there += u64::from(stored.is_some());
        assert_eq!(
            stored.map(|stored| mixture.open_current(&path, &stored)),
            found
        );
    }
    let metrics = client.metrics();
    let objects = |state: &str| {
        metrics.sum(
            "iamseal_migration_objects",
            &[&format!("state=\"{state}\"")],
        )
    };
    assert_eq!(["failed", "left", "waiting"].map(objects), [0; 3]);
    // Nothing of the killed ones is left in the folder: the documents and the marker.
    let files = crate::exchange::files(&server.files.store());
    assert_eq!(files.len() as u64, there + 1);
    // Plaintext is refused from then on, and by the next server too.
    let planted = server.files.store().join(document(3));
    fs::create_dir_all(planted.parent().unwrap()).unwrap();
    fs::write(planted, "{}").unwrap();
    let answer = client.get(&document(3)).with(500).text();
    assert!(answer.starts_with("form-refused: "), "{answer}");
    let files = server.kill();
    let server = Server::running(self::server(&files, &keys(both[0], both[1])), files);
    let answer = server.client().get(&document(3)).with(500).text();
    assert!(answer.starts_with("form-refused: "), "{answer}");
}
