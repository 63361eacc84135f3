//! Several workers on one migration, each with its share of the objects and an instance of its own.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use iamseal::contract::{ObjectError, Shard, Step};
use iamseal::{Error, Migration, MigrationPlan, Plugin};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// How many objects share the cost of durability, unless there are too few file descriptors. Large
/// enough for the syncs of journal and folders to weigh little, small enough for Ctrl-C to be answered
/// soon.
const BATCH: u64 = 128;
/// The file descriptors that a draft holds: its file's and its folder's.
const OF_A_DRAFT: u64 = 2;
/// Those that all else holds: reading and renaming side by side, and the process itself.
const OF_THE_REST: u64 = 128;

/// Workers that are at it.
pub struct Workers {
    batches: Receiver<Result<Vec<Step>, Error>>,
    stop: Arc<AtomicBool>,
    derivations: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Workers {
    /// Begins the migration, or the share of it that the plan says, with so many workers and so many
    /// objects in a batch of each.
    ///
    /// # Errors
    /// As for [`Plugin::migrate`]. Nothing was read or written then.
    pub async fn start(
        plugin: &Plugin,
        plan: &MigrationPlan,
        jobs: NonZeroU32,
        batch: u32,
    ) -> Result<Self, Error> {
        let mut migrations = Vec::new();
        for job in 0..jobs.get() {
            let plan = MigrationPlan {
                shard: share(plan.shard, job, jobs),
                ..plan.clone()
            };
            migrations.push(plugin.migrate(&plan).await?);
        }
        let (sender, batches) = channel(migrations.len());
        let stop = Arc::new(AtomicBool::new(false));
        let derivations = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for migration in migrations {
            tasks.spawn(work(
                migration,
                batch,
                sender.clone(),
                Arc::clone(&stop),
                Arc::clone(&derivations),
            ));
        }
        Ok(Self {
            batches,
            stop,
            derivations,
            tasks,
        })
    }

    /// The next batch of any of them; none when all have come to their end.
    pub async fn next(&mut self) -> Option<Result<Vec<Step>, Error>> {
        if let Some(batch) = self.batches.recv().await {
            return Some(batch);
        }
        // One that broke down has not done its share, and must not look as if it had.
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(broken) = ended {
                let text = format!("a worker broke down: {broken}");
                return Some(Err(Error::Object(ObjectError::Other(text))));
            }
        }
        None
    }

    /// Takes all batches until their end, or until `take` fails or somebody wants the end; then each worker finishes what
    /// it is at. Returns why it did not come to the end, if it did not.
    pub async fn each(
        &mut self,
        interrupt: &Interrupt,
        mut take: impl AsyncFnMut(Vec<Step>) -> Option<Failure>,
    ) -> Option<Failure> {
        let mut stopped = None;
        while let Some(batch) = self.next().await {
            // What the others report is true, whatever stops one of them.
            let failed = match batch {
                Ok(steps) => take(steps).await,
                Err(error) => Some(error.into()),
            };
            if let Some(failure) = interrupt.pressed().or(failed) {
                stopped.get_or_insert(failure);
                self.stop();
            }
        }
        stopped
    }

    /// How many keys all of them have derived of root credentials so far.
    pub fn derivations(&self) -> u64 {
        self.derivations.load(Ordering::Relaxed)
    }

    /// Lets each finish the batch that it is at and begin no other. A batch is never dropped midway.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// How many objects each of so many workers may hold drafts of. The soft limit of file descriptors is raised first:
/// it is low for the sake of programs that use `select`.
pub fn batch(jobs: NonZeroU32) -> u32 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    // None: there is no limit.
    let room = current.map_or(u64::MAX, |files| files.saturating_sub(OF_THE_REST));
    let each = room / (OF_A_DRAFT * u64::from(jobs.get()));
    each.clamp(1, BATCH) as u32
}

/// The share of one of so many workers on a shard, or on all objects. A shard is what is left over by a
/// division, so the shares of shard i of n are i, i + n, i + 2n, ... of n times the workers.
fn share(shard: Option<Shard>, job: u32, jobs: NonZeroU32) -> Option<Shard> {
    let Shard { index, count } = shard.unwrap_or(Shard { index: 0, count: 1 });
    let share = Shard {
        index: index.saturating_add(job.saturating_mul(count)),
        count: count.saturating_mul(jobs.get()),
    };
    (share.count > 1).then_some(share)
}

async fn work(
    mut migration: Migration,
    batch: u32,
    batches: Sender<Result<Vec<Step>, Error>>,
    stop: Arc<AtomicBool>,
    derivations: Arc<AtomicU64>,
) {
    while !stop.load(Ordering::Relaxed) {
        let before = migration.derivations();
        let steps = migration.next(batch).await;
        let derived = migration.derivations().saturating_sub(before);
        derivations.fetch_add(derived, Ordering::Relaxed);
        let is_end = matches!(&steps, Ok(steps) if steps.is_empty());
        let is_failure = steps.is_err();
        if is_failure {
            stop.store(true, Ordering::Relaxed);
        }
        if is_end || batches.send(steps).await.is_err() || is_failure {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each remainder of a division, as an object's digest gives one, is one worker's alone.
    #[test]
    fn every_object_is_one_workers_of_one_shard() {
        for (shards, jobs) in [(1, 1), (1, 4), (3, 1), (3, 4), (4, 6), (7, 5)] {
            let jobs = NonZeroU32::new(jobs).unwrap();
            for digest in 0..1000 {
                let holds = |share: Option<Shard>| {
                    share.is_none_or(|share| digest % share.count == share.index)
                };
                let mut holders = Vec::new();
                for index in 0..shards {
                    let shard = Shard {
                        index,
                        count: shards,
                    };
                    let workers = (0..jobs.get()).map(|job| share(Some(shard), job, jobs));
                    let held = workers.filter(|share| holds(*share)).count();
                    holders.extend(vec![index; held]);
                }
                assert_eq!(holders, [digest % shards], "{shards} shards, {jobs} jobs");
            }
        }
    }

    #[test]
    fn one_worker_alone_has_no_share() {
        assert!(share(None, 0, NonZeroU32::MIN).is_none());
    }
}
