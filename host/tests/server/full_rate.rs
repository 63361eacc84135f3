//! Requests at full rate while everything is migrated, the plugin exchanged and the key changed: none fails, none
//! reads what nobody wrote, and the last write of each document is what is stored at the end.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use rustix::process::Signal;

use crate::clients::{Known, Worker, check};
use crate::edition;
use crate::mixture::{Mixture, OTHER, content, document, keys};
use crate::running::{Files, KEY, Server, command, variables_of};

/// What an installation of some size has.
pub const DOCUMENTS: usize = 10_000;
/// As many more than there are processors here that requests always wait for each other.
const WRITERS: usize = 4;
/// How many are migrated when the plugin is exchanged, and when the key is changed.
const EXCHANGE: usize = DOCUMENTS / 10;
const CHANGE: usize = DOCUMENTS / 4;

/// Where the documents are.
pub struct Place<'a> {
    /// What the server is told of it.
    pub arguments: Vec<String>,
    pub variables: Vec<(&'static str, String)>,
    /// All that stands there, by paths.
    pub stored: &'a dyn Fn() -> BTreeMap<Vec<u8>, Vec<u8>>,
}

/// All documents as they are at first.
pub fn mixture() -> Vec<(String, Vec<u8>)> {
    let mixture = Mixture::new("my-minio-key");
    let stored = |number| (document(number), mixture.stored(number));
    (0..DOCUMENTS).map(stored).collect()
}

/// Serves what is there, and migrates it.
pub fn throughout(files: Files, place: &Place<'_>) {
    fs::write(variables_of(&files), keys(KEY, OTHER)).unwrap();
    let arguments: Vec<_> = place.arguments.iter().map(String::as_str).collect();
    // It gives way to requests, but not for long: they never end here.
    let pace = ["--migrate-objects=100000", "--migrate-patience=5"];
    let migrate = [&["--migrate"], &pace[..]].concat();
    let mut command = command(&files, &[&arguments, &migrate[..]].concat());
    command
        .env_remove("MINIO_KMS_SECRET_KEY")
        .env("MINIO_CONFIG_ENV_FILE", variables_of(&files))
        .envs(place.variables.iter().map(|(name, value)| (name, value)));
    let mut server = Server::running(command, files);
    let done = AtomicBool::new(false);
    let (known, requests, listings) = thread::scope(|scope| {
        let workers: Vec<_> = (0..WRITERS)
            .map(|number| {
                // One of so many is written by nobody.
                let own = (number..DOCUMENTS).step_by(WRITERS + 1);
                let client = server.client();
                let worker = Worker::new(client, own.collect(), number as u64, Known::new());
                scope.spawn(|| worker.until(&done))
            })
            .collect();
        // A panic here must not leave the clients at work.
        let stop = StopWith(&done);
        migrate_under(&mut server);
        drop(stop);
        let workers = workers.into_iter().map(|worker| worker.join().unwrap());
        workers.fold(
            (Known::new(), 0, 0),
            |(mut known, requests, listings), worker| {
                known.extend(worker.known);
                (
                    known,
                    requests + worker.requests,
                    listings + worker.listings,
                )
            },
        )
    });
    let client = server.client();
    let failed = |status: &u16| {
        let label = format!("status=\"{status}\"");
        client.metrics().sum("http_requests_total", &[&label]) > 0
    };
    assert_eq!(
        [408, 500, 501, 503, 504]
            .iter()
            .find(|status| failed(status)),
        None
    );
    println!("{requests} requests and {listings} listings of {DOCUMENTS} documents");
    assert!(requests > 1000 && listings > 10, "{requests} {listings}");
    // Nobody was killed, so each of them is known.
    assert!(known.values().all(|may| may.len() == 1));
    drop(client);
    server.end();
    all_is_current(&(place.stored)(), &known);
}

/// Until all is under the other key, and a while longer.
fn migrate_under(server: &mut Server) {
    let client = server.client();
    let done = || -> Option<usize> {
        let health = client.get("healthz").with(200).text();
        let (done, _) = health.strip_prefix("migrating ")?.split_once(" of ")?;
        done.replace(',', "").parse().ok()
    };
    server.until("a part", |_| done() >= Some(EXCHANGE));
    server.files.put_plugin(&edition(1));
    server.signal(Signal::HUP);
    let swapped = ["outcome=\"swapped\""];
    server.until("exchange", |_| {
        client.metrics().sum("plugin_swaps_total", &swapped) == 1
    });
    server.until("more", |_| done() >= Some(CHANGE));
    assert!(client.get("healthz").text().starts_with("migrating "));
    fs::write(variables_of(&server.files), keys(OTHER, KEY)).unwrap();
    server.signal(Signal::USR2);
    server.until("other keys", |server| {
        server.log().contains("other keys are lent")
    });
    server.until("end", |_| client.get("healthz").text() == "current\n");
    let answered = || client.metrics().sum("http_requests_total", &[]);
    let then = answered();
    server.until("requests after it", |_| answered() > then + 200);
}

/// Each document, and nothing besides but the marker, is what was written last, under the key that came in the middle.
fn all_is_current(stored: &BTreeMap<Vec<u8>, Vec<u8>>, known: &Known) {
    let mixture = Mixture::new("later");
    let mut count = 0;
    for number in 0..DOCUMENTS {
        let path = document(number);
        let bytes = stored.get(path.as_bytes());
        let found = bytes.map(|bytes| mixture.open_current(&path, bytes));
        check(number, &found, known);
        count += usize::from(found.is_some());
        assert!(
            bytes.is_none_or(|bytes| *bytes != content(number)),
            "{path}"
        );
    }
    assert_eq!(stored.len(), count + 1);
}

/// Lets the clients end, after a panic too.
pub struct StopWith<'a>(pub &'a AtomicBool);

impl Drop for StopWith<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn in_a_folder_no_request_fails_and_no_write_is_lost_while_ten_thousand_are_migrated() {
    let files = Files::in_memory();
    for (path, bytes) in mixture() {
        let file = files.store().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let store = files.store();
    let stored = || {
        let mut all = BTreeMap::new();
        crate::exchange::files(&store).into_iter().for_each(|file| {
            let path = file.strip_prefix(&store).unwrap().to_str().unwrap();
            all.insert(path.as_bytes().to_vec(), fs::read(&file).unwrap());
        });
        all
    };
    let arguments = ["--folder", store.to_str().unwrap()].map(str::to_owned);
    let place = Place {
        arguments: arguments.to_vec(),
        variables: Vec::new(),
        stored: &stored,
    };
    throughout(files, &place);
}
