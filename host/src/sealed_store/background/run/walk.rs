//! Through the store, and again for what is left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::guard::Guard;
use super::super::progress::Stage;
use super::super::verdict::is_dead;
use super::Run;
use super::waiting::{FIRST_PAUSE, Interrupted, LAST_PAUSE};
use crate::contract::{ObjectError, Outcome, Step, StorageError, Target};
use crate::error::Error;
use crate::plugin::{Migration, MigrationPlan};
use crate::storage::Storage as _;

/// How long no request must write until as much as there may be is taken together again: those of a server in use come
/// more often.
const CALM: Duration = Duration::from_secs(1);

impl Run {
    /// How many objects there are.
    pub(super) async fn count(&mut self, guard: &Guard, keys: u64) -> Result<(), Interrupted> {
        let mut pause = FIRST_PAUSE;
        loop {
            self.go_on(keys).await?;
            match self.counted(guard).await {
                Ok(of) => {
                    self.progress.of = of;
                    self.trouble(None);
                    return Ok(());
                }
                Err(error) => self.wait_out(&error.to_string(), &mut pause, keys).await?,
            }
        }
    }

    async fn counted(&self, guard: &Guard) -> Result<u64, StorageError> {
        let mut cursor = guard.list(&self.plan.prefix, None).await?;
        let mut of = 0;
        loop {
            match cursor.next().await?.len() {
                0 => return Ok(of),
                page => of += page as u64,
            }
        }
    }

    /// Once through all objects.
    pub(super) async fn walk(&mut self, guard: &Arc<Guard>, keys: u64) -> Result<(), Interrupted> {
        let (mut last, mut pause, mut limit) = (None, FIRST_PAUSE, self.plan.share.batch());
        let mut migration: Option<Migration> = None;
        let (mut writes, mut written_to) = (self.standing.writes(), None);
        loop {
            if self.standing.now().is_paused {
                // Neither an instance nor a listing is held meanwhile.
                migration = None;
            }
            self.go_on(keys).await?;
            self.plan.share.give_way(&self.standing).await;
            let (begun, bytes) = (Instant::now(), guard.bytes());
            let steps = match &mut migration {
                Some(migration) => migration.next(limit).await,
                None => match self.migrate(guard, &self.plan.prefix, last.clone()).await {
                    Ok(begun) => migration.insert(begun).next(limit).await,
                    Err(error) => Err(error),
                },
            };
            let steps = match steps {
                Ok(steps) if steps.is_empty() => return Ok(()),
                Ok(steps) => steps,
                Err(error) => {
                    migration = None;
                    let is_hard = matches!(
                        error,
                        Error::Limit { .. } | Error::Trap { .. } | Error::Contract { .. }
                    );
                    match (is_hard, limit) {
                        // One object of these may be the reason.
                        (true, 2..) => limit = 1,
                        (true, _) => {
                            let Some(path) = self.after(guard, last.as_deref()).await else {
                                self.wait_out(&error.to_string(), &mut pause, keys).await?;
                                continue;
                            };
                            self.take_in(guard, step_over(path.clone(), &error));
                            (last, limit) = (Some(path), self.plan.share.batch());
                        }
                        (false, _) => self.wait_out(&error.to_string(), &mut pause, keys).await?,
                    }
                    continue;
                }
            };
            let before = std::mem::replace(&mut writes, self.standing.writes());
            if writes > before {
                written_to = Some(Instant::now());
            }
            let is_written_to = written_to.is_some_and(|at: Instant| at.elapsed() < CALM);
            (pause, limit) = (
                FIRST_PAUSE,
                self.plan.share.next_batch(limit, is_written_to),
            );
            let count = steps.len();
            last = steps.last().map(|step| step.path.clone()).or(last);
            for step in steps {
                self.take_in(guard, step);
            }
            self.trouble(None);
            let (share, worked) = (&self.plan.share, begun.elapsed());
            let time = share.time_for(count, guard.bytes() - bytes);
            let time = time.saturating_sub(worked);
            let time = time.max(share.rest(worked, is_written_to));
            self.sleep(time, keys).await?;
        }
    }

    /// The path that comes after this one, if the store tells.
    async fn after(&self, guard: &Guard, last: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut cursor = guard.list(&self.plan.prefix, last).await.ok()?;
        cursor.next().await.ok()?.into_iter().next()
    }

    /// What is left, each object again and again. Returns false where the store is to be gone through again: a folder
    /// can be read now that could not be before, and there may be more in it than what is known, or there is more left
    /// than is named.
    pub(super) async fn retry(&mut self, keys: u64) -> Result<bool, Interrupted> {
        let mut pause = FIRST_PAUSE;
        while self.progress.left > 0 {
            self.stage(Stage::Retrying);
            let left = self.failures(|failures| {
                let left = failures.iter().filter(|(_, error)| !is_dead(error));
                left.map(|(path, _)| path.clone()).collect::<Vec<_>>()
            });
            let guard = self.guard();
            for path in left {
                self.go_on(keys).await?;
                self.plan.share.give_way(&self.standing).await;
                if path.ends_with(b"/") {
                    if is_readable(&guard, &path).await {
                        return Ok(false);
                    }
                    continue;
                }
                match self.one(&guard, &path).await {
                    Ok(Some(step)) => self.take_in(&guard, step),
                    Ok(None) => drop(self.forget(&path)),
                    // What is wrong with the whole is told; what is wrong with the object is known.
                    Err(error) => self.trouble(Some(error.to_string())),
                }
                let time = self.plan.share.time_for(1, 0);
                self.sleep(time, keys).await?;
            }
            if self.unnamed.left > 0 {
                return Ok(false);
            }
            if self.progress.left > 0 {
                self.sleep(pause, keys).await?;
                pause = (2 * pause).min(LAST_PAUSE);
            }
        }
        self.trouble(None);
        Ok(true)
    }

    /// One object; none if it has gone.
    async fn one(&self, guard: &Arc<Guard>, path: &[u8]) -> Result<Option<Step>, Error> {
        let mut migration = self.migrate(guard, path, None).await?;
        let step = migration.next(1).await?.pop();
        Ok(step.filter(|step| step.path == path))
    }

    pub(super) fn guard(&self) -> Arc<Guard> {
        let inspector = self.was_sealed.then(|| self.slot.current());
        let (storage, writer) = (&self.plan.storage, &self.plan.writer);
        let (storage, writer) = (Arc::clone(storage), Arc::clone(writer));
        let excepted = self.failed.credential.clone();
        let standing = Arc::clone(&self.standing);
        Arc::new(Guard::new(storage, writer, inspector, excepted, standing))
    }

    async fn migrate(
        &self,
        guard: &Arc<Guard>,
        prefix: &[u8],
        start_after: Option<Vec<u8>>,
    ) -> Result<Migration, Error> {
        let lent: Arc<Guard> = Arc::clone(guard);
        let plugin = self.slot.current().with_store(Arc::clone(&lent) as _, lent);
        let plan = MigrationPlan {
            prefix: prefix.to_vec(),
            start_after,
            target: match self.plan.to_plaintext {
                true => Target::Plaintext,
                false => Target::Sealed(self.options.clone()),
            },
            try_all_credentials: self.plan.try_all_credentials,
            not_loadable_too: self.plan.not_loadable_too,
            ..MigrationPlan::default()
        };
        plugin.migrate(&plan).await
    }
}

/// What a step over an object that breaks whatever looks at it is told as.
fn step_over(path: Vec<u8>, error: &Error) -> Step {
    Step {
        path,
        outcome: Outcome::Failed(ObjectError::Other(error.to_string())),
        retries: 0,
    }
}

/// Whether a folder that could not be listed, and stood for itself in a listing, can be.
async fn is_readable(guard: &Guard, folder: &[u8]) -> bool {
    let Ok(mut cursor) = guard.list(folder, None).await else {
        return false;
    };
    let page = cursor.next().await;
    page.is_ok_and(|page| page.first().is_none_or(|path| path != folder))
}
