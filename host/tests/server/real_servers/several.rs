//! Three servers on one etcd: of those that migrate one is killed and one stopped.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use iamseal_servers::etcd::Etcd;
use iamseal_tests::samples::decode;
use rustix::process::Signal;

use crate::clients::{Known, Worker, check};
use crate::full_rate::StopWith;
use crate::mixture::{Mixture, OTHER, document, keys};
use crate::running::{Files, KEY, Server, command, folder_in_memory, variables_of};

const DOCUMENTS: usize = 1500;
/// Enough that each of the three has its part, few enough that one lives for several leases.
const OBJECTS_A_SECOND: usize = 300;
/// In seconds: many times what etcd takes to renew it on a busy machine.
const LEASE: u64 = 2;
/// How long a server is stopped. That it is longer than a lease is all that counts: the others see nothing of it
/// from then on, whether it is for a minute or an hour.
const STOPPED: Duration = Duration::from_secs(4 * LEASE);

fn node(etcd: &Etcd, name: &str, objects: usize) -> Server {
    let files = Files::new();
    fs::write(variables_of(&files), keys(KEY, OTHER)).unwrap();
    let arguments = [
        format!("--store=etcd://{}/", etcd.addresses()[0]),
        "--migrate".to_owned(),
        format!("--migrate-objects={objects}"),
        format!("--node={name}"),
        format!("--lease-seconds={LEASE}"),
    ];
    let mut command = command(&files, &arguments.each_ref().map(String::as_str));
    command
        .env_remove("MINIO_KMS_SECRET_KEY")
        .env("MINIO_CONFIG_ENV_FILE", variables_of(&files));
    Server::running(command, files)
}

fn health(server: &Server) -> String {
    server.client().get("healthz").with(200).text()
}

/// How many it has found or made current.
fn current(server: &Server) -> u64 {
    let state = ["state=\"current\""];
    let metrics = server.client().metrics();
    metrics.sum("iamseal_migration_objects", &state)
}

/// Takes the one that migrates out of them.
fn migrating(servers: &mut Vec<Server>) -> Server {
    let begun = Instant::now();
    loop {
        let mut all = servers.iter();
        if let Some(one) = all.position(|server| health(server).starts_with("migrating ")) {
            return servers.remove(one);
        }
        assert!(
            begun.elapsed() < crate::running::PATIENCE,
            "nobody migrates"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// How often each key was written, as etcd counts it.
fn writes(etcd: &Etcd) -> BTreeMap<String, u64> {
    let all = etcd.get("config/documents/").into_iter();
    let text = |bytes: &str| String::from_utf8(decode(bytes)).unwrap();
    all.map(|kv| {
        let path = text(kv["key"].as_str().unwrap());
        (path, kv["version"].as_u64().unwrap())
    })
    .collect()
}

#[test]
fn of_three_servers_one_is_killed_and_one_stopped_and_nothing_is_lost_or_done_twice() {
    let folder = folder_in_memory();
    let etcd = Etcd::start_in(folder.path());
    let mixture = Mixture::new("my-minio-key");
    etcd.put_all((0..DOCUMENTS).map(|number| (document(number), mixture.stored(number))));
    let mut servers: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|name| node(&etcd, name, OBJECTS_A_SECOND))
        .collect();
    let done = AtomicBool::new(false);
    let known = thread::scope(|scope| {
        let workers: Vec<_> = servers
            .iter()
            .enumerate()
            .map(|(number, server)| {
                // Nobody writes the others.
                let own = (number..DOCUMENTS).step_by(servers.len() + 1).collect();
                let worker = Worker::new(server.client(), own, number as u64, Known::new());
                scope.spawn(|| worker.of_several().until(&done))
            })
            .collect();
        let stop = StopWith(&done);
        let mut first = migrating(&mut servers);
        first.until("a part", |first| current(first) >= 200);
        for other in &mut servers {
            let waits = |other: &Server| health(other).starts_with("another server migrates");
            other.until("waiting", waits);
        }
        first.kill();

        let mut second = migrating(&mut servers);
        second.until("more", |second| current(second) >= 500);
        second.signal(Signal::STOP);
        let stopped = Instant::now();
        let mut third = migrating(&mut servers);
        third.until("end", |third| health(third) == "current\n");
        thread::sleep(STOPPED.saturating_sub(stopped.elapsed()));
        second.signal(Signal::CONT);
        second.until("end", |second| health(second) == "current\n");
        // It is found out at once by one that comes late.
        let mut late = node(&etcd, "d", 1);
        late.until("end", |late| health(late) == "current\n");
        assert_eq!(current(&late), 0);
        drop(stop);
        let workers = workers.into_iter().map(|worker| worker.join().unwrap());
        let (known, requests) = workers.fold((Known::new(), 0), |(mut known, requests), worker| {
            known.extend(worker.known);
            (known, requests + worker.requests)
        });
        assert!(requests > 50, "{requests}");
        for server in [&second, &third, &late] {
            let client = server.client();
            for number in (0..DOCUMENTS).step_by(7) {
                let answer = client.get(&document(number));
                let found = (answer.status == 200).then_some(answer.content);
                check(number, &found, &known);
            }
        }
        known
    });
    let stored = etcd.everything("config/documents/");
    let writes = writes(&etcd);
    for number in 0..DOCUMENTS {
        let path = document(number);
        let bytes = stored.get(path.as_bytes()).map(|seen| &seen.value);
        let found = bytes.map(|bytes| mixture.open_current(&path, bytes));
        check(number, &found, &known);
        if number % 4 == 3 {
            // Once before all this, and once by whichever of the servers.
            let expected = 2 - u64::from(Mixture::is_current(number));
            assert_eq!(writes[&path], expected, "{path}");
        }
    }
}
