//! A real KES that is away: at first, in the middle, and for a while.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use iamseal::contract::KeyError;
use iamseal::keys::Kes as Client;
use iamseal::keys::kes::{Authorities, Endpoints, Identity};
use iamseal_servers::kes::Kes;
use iamseal_servers::port;

use super::kes::{KEY, audit, cause, kes, migrate};
use crate::kit::migration::outcomes;
use crate::kit::store::Store;
use crate::kit::{tool, with};

/// A store of so many plaintext objects, named in the order in which they are taken.
pub fn many(count: usize) -> Store {
    let path = |index: usize| format!("config/iam/users/user-{index:05}/identity.json");
    Store::of((0..count).map(|index| {
        (
            path(index),
            format!("{{\"version\":1,\"updatedAt\":null,\"number\":{index}}}"),
        )
    }))
}

/// A port on loopback that takes connections and closes them, and how many it took.
fn closing() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    // It ends with the process of the tests.
    thread::spawn(move || {
        for connection in listener.incoming() {
            drop(connection);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (port, taken)
}

/// A port on loopback that hands connections on to another, and how many it took.
fn forwarding(to: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    // All of it ends with the process of the tests.
    thread::spawn(move || {
        for from in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::Relaxed);
            let to = TcpStream::connect(("127.0.0.1", to)).unwrap();
            for (mut from, mut to) in [
                (from.try_clone().unwrap(), to.try_clone().unwrap()),
                (to, from),
            ] {
                thread::spawn(move || io::copy(&mut from, &mut to));
            }
        }
    });
    (port, taken)
}

#[test]
fn one_connection_serves_all_calls() {
    let kes = kes();
    let store = many(300);
    let of_kes = kes.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    let (port, taken) = forwarding(of_kes);
    let variables = with_endpoints(&kes, format!("https://127.0.0.1:{port}"));
    // Two workers, which ask at the same time.
    let migrate = tool(with("migrate --json --jobs 2 --to kms", store.root()));
    migrate.env(variables).ok();
    // KES speaks HTTP/2. Both may have begun before the first connection was there.
    let taken = taken.load(Ordering::Relaxed);
    assert!((1..=2).contains(&taken), "{taken} connections");
}

fn with_endpoints(kes: &Kes, endpoints: String) -> Vec<(&'static str, String)> {
    let mut variables = kes.variables(KEY);
    variables.retain(|(name, _)| *name != "MINIO_KMS_KES_ENDPOINT");
    variables.push(("MINIO_KMS_KES_ENDPOINT", endpoints));
    variables
}

#[test]
fn a_store_of_many_objects_does_not_wait_for_each() {
    let kes = kes();
    let store = many(1000);
    migrate(&store, &kes).ok();
    let (port, taken) = closing();
    let away = with_endpoints(&kes, format!("https://127.0.0.1:{port}"));
    let audit = tool(with("audit --json", store.root())).env(away);
    let ended = audit.run().exits(5);
    assert_eq!(cause(&ended), "key-unavailable");
    let taken = taken.load(Ordering::Relaxed);
    assert!((1..300).contains(&taken), "{taken} calls for 1000 objects");
}

#[test]
fn one_endpoint_of_two_is_enough() {
    let kes = kes();
    let nobody = port::free();
    for endpoints in [
        format!("https://127.0.0.1:{nobody},{}", kes.endpoint()),
        format!("{},https://127.0.0.1:{nobody}", kes.endpoint()),
    ] {
        let store = many(50);
        let variables = with_endpoints(&kes, endpoints);
        let migrate = tool(with("migrate --json --to kms", store.root()));
        migrate.env(variables.clone()).ok();
        audit(&store, &kes).ok();
        // Each is told of.
        let status = tool(["kes", "status", "--json"]).env(variables).run();
        let lines = status.exits(5).json();
        let mut is_there = lines.iter().map(|line| line["version"].is_string());
        assert_ne!(is_there.next(), is_there.next());
    }
}

#[test]
fn a_migration_in_whose_middle_kes_dies_is_finished_by_the_next() {
    let mut kes = kes();
    let store = many(600);
    let before = store.bytes();
    let first = "config/iam/users/user-00000/identity.json";
    let begin = migrate(&store, &kes).args(["--jobs", "1"]).spawn();
    let mut run = begin;
    // The first batch is in its place.
    run.until("the first batch", |_| store.get(first).first() == Some(&1));
    kes.stop();
    let ended = run.wait().exits(5);
    let counts = outcomes(&ended);
    assert_eq!(counts.values().sum::<u64>(), 600);
    assert!(counts["migrated"] > 0 && counts["failed"] > 0, "{counts:?}");
    // What was not migrated is as it was.
    let now = store.bytes();
    let untouched = before.iter().filter(|(path, bytes)| now[*path] == **bytes);
    assert_eq!(untouched.count() as u64, counts["failed"]);

    kes.restart();
    let counts = outcomes(&migrate(&store, &kes).ok());
    assert_eq!(counts.values().sum::<u64>(), 600);
    audit(&store, &kes).ok();
}

#[tokio::test]
async fn a_kes_that_is_back_is_used_again() {
    let mut kes = kes();
    let endpoints = Endpoints::parse(&kes.endpoint()).unwrap();
    let identity = Identity::of_api_key(&kes.admin().api_key).unwrap();
    let authorities = Authorities::of_path(&kes.authority().certificate()).unwrap();
    let client = Client::new(&endpoints, identity, &authorities).unwrap();
    client.describe_key(KEY).await.unwrap();
    kes.stop();
    let is_away = |answer| matches!(answer, Err(KeyError::Unavailable(_)));
    assert!(is_away(client.describe_key(KEY).await.map(drop)));
    kes.restart();
    // At once it is not asked. If this fails it was asked in some other way, and answered.
    let mut answer = client.describe_key(KEY).await.map(drop);
    while is_away(answer.clone()) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        answer = client.describe_key(KEY).await.map(drop);
    }
    answer.unwrap();
}
