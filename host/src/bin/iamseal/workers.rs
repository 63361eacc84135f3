//! Several workers on one migration, each with its share of the objects and an instance of its own.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use iamseal::contract::{Shard, Step};
use iamseal::{Error, Migration, MigrationPlan, Plugin};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How many objects share the cost of durability. Large enough for the folders' syncs to weigh
/// little, small enough for Ctrl-C to be answered soon.
const BATCH: u32 = 64;

/// Workers that are at it.
pub struct Workers {
    batches: Receiver<Result<Vec<Step>, Error>>,
    stop: Arc<AtomicBool>,
}

impl Workers {
    /// Begins the migration with so many workers.
    ///
    /// # Errors
    /// As for [`Plugin::migrate`]. Nothing was read or written then.
    pub async fn start(
        plugin: &Plugin,
        plan: &MigrationPlan,
        jobs: NonZeroU32,
    ) -> Result<Self, Error> {
        let mut migrations = Vec::new();
        for index in 0..jobs.get() {
            let count = jobs.get();
            let shard = (count > 1).then_some(Shard { index, count });
            let plan = MigrationPlan {
                shard,
                ..plan.clone()
            };
            migrations.push(plugin.migrate(&plan).await?);
        }
        let (sender, batches) = channel(migrations.len());
        let stop = Arc::new(AtomicBool::new(false));
        for migration in migrations {
            tokio::spawn(work(migration, sender.clone(), Arc::clone(&stop)));
        }
        Ok(Self { batches, stop })
    }

    /// The next batch of any of them; none when all have come to their end.
    pub async fn next(&mut self) -> Option<Result<Vec<Step>, Error>> {
        self.batches.recv().await
    }

    /// Lets each finish the batch that it is at and begin no other. A batch is never dropped midway.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

async fn work(
    mut migration: Migration,
    batches: Sender<Result<Vec<Step>, Error>>,
    stop: Arc<AtomicBool>,
) {
    while !stop.load(Ordering::Relaxed) {
        let steps = migration.next(BATCH).await;
        let is_over = !matches!(&steps, Ok(steps) if !steps.is_empty());
        if steps.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        let is_end = matches!(&steps, Ok(steps) if steps.is_empty());
        if !is_end && batches.send(steps).await.is_err() || is_over {
            return;
        }
    }
}
