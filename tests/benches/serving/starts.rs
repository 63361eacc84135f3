//! The time from a start to the first request that is answered.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use iamseal::sealed_store::Plan;
use iamseal::sealed_store::background::Share;
use iamseal::storage::{DirStore, Store as _};
use object_store::ObjectStoreExt as _;

use crate::store::{content, fill, location, plugin, serve};

/// Starts of which the middle one counts.
const STARTS: usize = 9;

/// One start.
struct Start {
    /// From nothing to the first answer.
    answered: Duration,
    /// Of that, for drafts that a killed server may have left in the folder: not part of a migration.
    swept: Duration,
}

/// Measures, and returns a table in Markdown.
pub async fn measure(folder: &Path, objects: &[usize]) -> String {
    let mut table = String::from(
        "| objects | before it is migrated | after | a sweep of drafts besides |\n\
         |--:|--:|--:|--:|",
    );
    for &count in objects {
        let root = folder.join(format!("starts-{count}"));
        fill(&root, 0, count).await;
        let (before, _) = starts(&root, count).await;
        migrate(&root).await;
        let (after, swept) = starts(&root, count).await;
        let [before, after, swept] =
            [before, after, swept].map(|time| format!("{:.1} ms", time.as_secs_f64() * 1e3));
        let row = format!("| {count} | {before} | {after} | {swept} |");
        eprintln!("{row}");
        table.push_str(&format!("\n{row}"));
    }
    table
}

async fn starts(root: &Path, count: usize) -> (Duration, Duration) {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(start(root, count).await);
    }
    let median = |time: &dyn Fn(&Start) -> Duration| {
        let mut times: Vec<_> = starts.iter().map(time).collect();
        times.sort_unstable();
        times[STARTS / 2]
    };
    (
        median(&|start| start.answered),
        median(&|start| start.swept),
    )
}

/// As a server does it; it ends right after the first answer.
async fn start(root: &Path, count: usize) -> Start {
    let begun = Instant::now();
    let folder = Arc::new(DirStore::open(root).unwrap());
    let store = serve(&folder, plugin().await);
    let plan = Plan::of(Arc::clone(&folder));
    let migration = store.migrate_in_background(plan).await.unwrap();
    // The last one, to which no migration has come by then.
    match count.checked_sub(1) {
        None => drop(store.get(&location(0)).await.unwrap_err()),
        Some(last) => {
            let read = store.get(&location(last)).await.unwrap().bytes().await;
            assert_eq!(read.unwrap(), content(last));
        }
    }
    let answered = begun.elapsed();
    drop(migration);
    let begun = Instant::now();
    folder.sweep(b"").await.unwrap();
    let swept = begun.elapsed();
    Start { answered, swept }
}

async fn migrate(root: &Path) {
    let folder = Arc::new(DirStore::open(root).unwrap());
    let store = serve(&folder, plugin().await);
    let plan = Plan::of(folder).share(Share::ALL);
    let migration = store.migrate_in_background(plan).await.unwrap();
    let begun = Instant::now();
    let progress = migration.wait().await;
    eprintln!("{progress:?} after {:?}", begun.elapsed());
    migration.stop().await;
}
