//! Latencies of requests with the migration and without, in turns on the same store.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use iamseal::sealed_store::Plan;
use iamseal::sealed_store::background::Stage;
use iamseal::storage::DirStore;
use object_store::ObjectStoreExt as _;
use tokio::task::JoinSet;

use crate::store::{Served, content, fill, location, plugin, serve};

/// What requests are about: current from the first, so that they do the same with the migration and without.
const REQUESTED: usize = 500;
/// What the default share takes in the time that is measured, and some more.
const OBJECTS_A_SECOND: usize = 600;
/// So long it is measured with the migration before it is without again, and the other way round.
const TURN: Duration = Duration::from_secs(2);
/// Clients at full rate: two that wait for an answer before they ask again.
const CLIENTS: usize = 2;
/// How many requests of ten write.
const WRITES: usize = 2;

/// How fast requests come.
#[derive(Clone, Copy)]
enum Rate {
    /// So many a second, whether the one before was answered or not.
    Each(u64),
    /// As fast as they are answered.
    Full,
}

/// Latencies of one kind.
#[derive(Default)]
struct Latencies {
    reads: Vec<Duration>,
    writes: Vec<Duration>,
}

/// Measures, and returns a table in Markdown.
pub async fn measure(folder: &Path, seconds: u64) -> String {
    let mut table = String::from(
        "| requests | | how many | p50 without | p50 with | ÷ | p99 without | p99 with | ÷ |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|",
    );
    let rates = [
        (Rate::Each(50), "50 a second"),
        (Rate::Each(200), "200 a second"),
        (Rate::Full, "two clients at full rate"),
    ];
    for (number, (rate, name)) in rates.into_iter().enumerate() {
        let folder = folder.join(format!("requests-{number}"));
        let (mut without, mut with) = of_rate(&folder, rate, seconds).await;
        for (kind, without, with) in [
            ("reads", &mut without.reads, &mut with.reads),
            ("writes", &mut without.writes, &mut with.writes),
        ] {
            let row = row(name, kind, without, with);
            eprintln!("{row}");
            table.push_str(&format!("\n{row}"));
        }
    }
    table
}

async fn of_rate(root: &Path, rate: Rate, seconds: u64) -> (Latencies, Latencies) {
    let count = REQUESTED + OBJECTS_A_SECOND * seconds as usize;
    fill(root, REQUESTED, count).await;
    let folder = Arc::new(DirStore::open(root).unwrap());
    let store = Arc::new(serve(&folder, plugin().await));
    let plan = Plan::of(folder).without_marker();
    let migration = store.migrate_in_background(plan).await.unwrap();
    migration.pause();
    let (mut without, mut with) = (Latencies::default(), Latencies::default());
    // Once for nothing: files and code come into memory.
    turn(&store, rate, &mut Latencies::default()).await;
    for _ in 0..seconds.div_ceil(TURN.as_secs()) {
        turn(&store, rate, &mut without).await;
        migration.resume();
        turn(&store, rate, &mut with).await;
        assert_eq!(migration.progress().stage, Stage::Migrating);
        migration.pause();
        // What is in flight is no more than this.
        tokio::time::sleep(TURN / 10).await;
    }
    let done = migration.progress().done;
    eprintln!("migrated {done} objects in {} s", seconds);
    (without, with)
}

async fn turn(store: &Arc<Served>, rate: Rate, all: &mut Latencies) {
    let mut requests = JoinSet::new();
    let begun = Instant::now();
    match rate {
        Rate::Full => {
            for client in 0..CLIENTS {
                let store = Arc::clone(store);
                requests.spawn(async move {
                    let mut own = Latencies::default();
                    for number in 0.. {
                        if begun.elapsed() >= TURN {
                            break;
                        }
                        request(&store, number * CLIENTS + client, Instant::now(), &mut own).await;
                    }
                    own
                });
            }
        }
        Rate::Each(rate) => {
            let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / rate));
            for number in 0..(rate * TURN.as_secs()) as usize {
                let tick = ticks.tick().await.into_std();
                let store = Arc::clone(store);
                requests.spawn(async move {
                    let mut own = Latencies::default();
                    request(&store, number, tick, &mut own).await;
                    own
                });
            }
        }
    }
    for own in requests.join_all().await {
        all.reads.extend(own.reads);
        all.writes.extend(own.writes);
    }
}

async fn request(store: &Served, number: usize, since: Instant, to: &mut Latencies) {
    // Neighbours are not read one after the other.
    let (number, is_write) = (number * 7 % REQUESTED, number % 10 < WRITES);
    let location = location(number);
    if is_write {
        store.put(&location, content(number).into()).await.unwrap();
        to.writes.push(since.elapsed());
    } else {
        let read = store.get(&location).await.unwrap().bytes().await.unwrap();
        to.reads.push(since.elapsed());
        assert_eq!(read, content(number));
    }
}

fn row(name: &str, kind: &str, without: &mut [Duration], with: &mut [Duration]) -> String {
    without.sort_unstable();
    with.sort_unstable();
    let at = |all: &[Duration], part: usize| all[(all.len() * part / 100).min(all.len() - 1)];
    let cells = |part| {
        let (without, with) = (at(without, part), at(with, part));
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        format!("{} | {} | **{ratio:.2}**", shown(without), shown(with))
    };
    let count = without.len() + with.len();
    format!(
        "| {name} | {kind} | {count} | {} | {} |",
        cells(50),
        cells(99)
    )
}

fn shown(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
