//! The task: through the store, again for what is left, and then at rest until something changes.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::sync::watch;

use crate::contract::{ObjectError, Outcome, Policy, SealOptions, Step, StorageError, Target};
use crate::error::Error;
use crate::plugin::{Migration, MigrationPlan, Plugin, PluginSlot};
use crate::shown::shown;
use crate::storage::Storage as _;

use super::super::standing::{Now, Standing};
use super::guard::Guard;
use super::handle::{Failures, Shared};
use super::lease::{Held, Lease};
use super::marker::{self, Subject, Told};
use super::objects::Objects;
use super::plan::Plan;
use super::progress::{Event, Progress, Stage};
use super::verdict::is_dead;

/// How long it waits after a failure of the store or the key service, at first and at most. Each time is
/// twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// A migration.
pub(super) struct Run {
    standing: Arc<Standing>,
    changes: watch::Receiver<Now>,
    slot: PluginSlot,
    options: SealOptions,
    plan: Plan,
    shared: Arc<Shared>,
    progress: Progress,
    /// All was sealed once: plaintext and what a root credential opens is not to be believed any more.
    was_sealed: bool,
    /// What did not open when all else was sealed.
    excepted: BTreeSet<Vec<u8>>,
    /// The marker says that all is current.
    is_marked: bool,
    /// How often something in an old form had been found by then.
    found_old: u64,
}

/// Why a stretch of work ended before its end: it was stopped, the keys were changed, or the lease was lost.
struct Interrupted;

impl Run {
    pub fn new(
        standing: Arc<Standing>,
        slot: PluginSlot,
        options: SealOptions,
        plan: Plan,
    ) -> Self {
        Self {
            changes: standing.changes(),
            was_sealed: standing.now().is_tight,
            standing,
            slot,
            options,
            plan,
            shared: Arc::new(Shared::new()),
            progress: Progress::default(),
            excepted: BTreeSet::new(),
            is_marked: false,
            found_old: 0,
        }
    }

    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Learns from the store whether there is anything to do.
    ///
    /// # Errors
    /// The store's.
    pub async fn look_at_marker(&mut self) -> Result<(), Error> {
        let now = self.standing.now();
        let plugin = self.slot.current();
        if self.plan.to_plaintext {
            self.was_sealed = false;
            self.standing.set_policy(Policy::Compatible);
            return marker::clear(&plugin, &self.objects()).await;
        }
        let told = match self.subject(&plugin) {
            Some(subject) => subject.read(&plugin, &self.objects()).await?,
            None => Told::Nothing,
        };
        self.is_marked = false;
        match told {
            Told::Nothing => {}
            Told::WasSealed => self.only_sealed(),
            Told::Current(failed) => {
                self.only_sealed();
                self.excepted.extend(failed);
                self.is_marked = self
                    .standing
                    .tighten(self.policy_at_the_end(&plugin), now.keys);
            }
        }
        if !self.is_marked {
            self.standing.loosen();
        }
        Ok(())
    }

    /// Goes on until it is stopped.
    pub async fn to_the_end(mut self) {
        while !self.standing.now().is_stopped {
            let keys = self.standing.now().keys;
            let mut held = None;
            if !self.is_marked {
                held = match self.take_lease(keys).await {
                    Ok(held) => held,
                    Err(Interrupted) => continue,
                };
            }
            let mut lost = false;
            let done = match held.as_mut().zip(self.lease()) {
                None => self.work(keys).await,
                Some((held, lease)) => {
                    let slot = self.slot.clone();
                    let keeping = pin!(lease.keep(|| slot.current(), held));
                    match select(pin!(self.work(keys)), keeping).await {
                        Either::Left((done, _)) => done,
                        Either::Right(((), _)) => {
                            lost = true;
                            Err(Interrupted)
                        }
                    }
                }
            };
            if let (Some(held), Some(lease), false) = (held, self.lease(), lost) {
                lease.give_up(&self.slot.current(), held).await;
            }
            if done.is_ok() {
                self.rest(keys).await;
            }
            self.is_marked = false;
        }
        self.stage(Stage::Stopped);
    }

    /// Until the store is as it should be.
    async fn work(&mut self, keys: u64) -> Result<(), Interrupted> {
        if self.is_marked {
            self.begin_anew(self.excepted.iter().cloned().collect());
        } else {
            // What they write may be under the key before.
            self.standing.earlier_writes().await;
            self.begin_anew(Vec::new());
            let guard = self.guard();
            self.count(&guard, keys).await?;
            self.walk(&guard, keys).await?;
        }
        self.retry(keys).await?;
        self.end(keys).await
    }

    fn begin_anew(&mut self, failed: Vec<Vec<u8>>) {
        self.progress = Progress {
            of: failed.len() as u64,
            left: failed.len() as u64,
            ..Progress::default()
        };
        let unknown = |path| {
            (
                path,
                ObjectError::Other("it did not open before".to_owned()),
            )
        };
        self.failures(|failures| *failures = failed.into_iter().map(unknown).collect());
        self.stage(Stage::Migrating);
    }

    /// How many objects there are.
    async fn count(&mut self, guard: &Guard, keys: u64) -> Result<(), Interrupted> {
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
    async fn walk(&mut self, guard: &Arc<Guard>, keys: u64) -> Result<(), Interrupted> {
        let (mut last, mut pause, mut limit) = (None, FIRST_PAUSE, self.plan.share.batch());
        let mut migration: Option<Migration> = None;
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
            (pause, limit) = (FIRST_PAUSE, self.plan.share.batch());
            let count = steps.len();
            last = steps.last().map(|step| step.path.clone()).or(last);
            for step in steps {
                self.take_in(guard, step);
            }
            self.trouble(None);
            let time = self.plan.share.time_for(count, guard.bytes() - bytes);
            self.sleep(time.saturating_sub(begun.elapsed()), keys)
                .await?;
        }
    }

    /// The path that comes after this one, if the store tells.
    async fn after(&self, guard: &Guard, last: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut cursor = guard.list(&self.plan.prefix, last).await.ok()?;
        cursor.next().await.ok()?.into_iter().next()
    }

    /// What is left, each object again and again.
    async fn retry(&mut self, keys: u64) -> Result<(), Interrupted> {
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
                match self.one(&guard, &path).await {
                    Ok(Some(step)) => self.take_in(&guard, step),
                    Ok(None) => drop(self.forget(&path)),
                    // What is wrong with the whole is told; what is wrong with the object is known.
                    Err(error) => self.trouble(Some(error.to_string())),
                }
                let time = self.plan.share.time_for(1, 0);
                self.sleep(time, keys).await?;
            }
            if self.progress.left > 0 {
                self.sleep(pause, keys).await?;
                pause = (2 * pause).min(LAST_PAUSE);
            }
        }
        self.trouble(None);
        Ok(())
    }

    /// One object; none if it has gone.
    async fn one(&self, guard: &Arc<Guard>, path: &[u8]) -> Result<Option<Step>, Error> {
        let mut migration = self.migrate(guard, path, None).await?;
        let step = migration.next(1).await?.pop();
        Ok(step.filter(|step| step.path == path))
    }

    async fn end(&mut self, keys: u64) -> Result<(), Interrupted> {
        let plugin = self.slot.current();
        let key = self.key(&plugin);
        if !self.plan.to_plaintext {
            if !self.is_marked {
                self.found_old = self.standing.now().found_old;
            }
            if !self.standing.tighten(self.policy_at_the_end(&plugin), keys) {
                return Err(Interrupted);
            }
            self.was_sealed = true;
            let failed = self.failures(|failures| failures.keys().cloned().collect());
            if !self.is_marked || failed != self.excepted {
                self.excepted = failed;
                self.mark(true).await;
            }
        }
        self.progress.of = self.progress.done;
        self.stage(Stage::Current);
        let failed = self.progress.failed;
        tracing::info!(key, failed, "all is current");
        self.tell(Event::Current { key, failed });
        self.standing.change(|now| now.settled = Some(keys));
        Ok(())
    }

    /// Leaves a marker, that all is current or that something was not.
    async fn mark(&self, is_current: bool) {
        let plugin = self.slot.current();
        let Some(subject) = self.subject(&plugin) else {
            return;
        };
        let failed = is_current.then(|| self.excepted.iter().cloned().collect::<Vec<_>>());
        let objects = self.objects();
        let written = subject.write(&plugin, &objects, failed.as_deref());
        if let Err(error) = written.await {
            tracing::warn!(%error, "the marker was not written: the next start goes through all objects");
        }
    }

    /// Nothing to do until the keys change or it is stopped.
    async fn rest(&mut self, keys: u64) {
        let mut is_void = false;
        loop {
            let now = *self.changes.borrow_and_update();
            if now.is_stopped || now.keys != keys {
                return;
            }
            if now.found_old > self.found_old && !is_void {
                is_void = true;
                tracing::warn!("an object in an old form was refused: the marker is void");
                self.mark(false).await;
            }
            if self.changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits for the lease. None where none is needed, and where another server has come to the end meanwhile.
    async fn take_lease(&mut self, keys: u64) -> Result<Option<Held>, Interrupted> {
        let Some(mut lease) = self.lease() else {
            return Ok(None);
        };
        loop {
            self.go_on(keys).await?;
            let looked = match lease.take(&self.slot.current()).await {
                Ok(Some(held)) => Ok(Some(held)),
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            // Looked at with the lease in hand too: whoever had it before may have come to the end.
            let looked = match (looked, self.look_at_marker().await) {
                (Ok(held), Ok(())) => Ok(held),
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
            match looked {
                Ok(held) if held.is_some() || self.is_marked => return Ok(held),
                Ok(_) => self.trouble(None),
                Err(error) => self.trouble(Some(error.to_string())),
            }
            self.stage(Stage::Waiting);
            self.sleep(lease.pause(), keys).await?;
        }
    }

    fn lease(&self) -> Option<Lease> {
        let node = self.plan.node.clone()?;
        Some(Lease::new(node, self.plan.lease_time, self.objects()))
    }

    fn objects(&self) -> Objects {
        Objects {
            storage: Arc::clone(&self.plan.storage),
            writer: Arc::clone(&self.plan.writer),
            options: self.options.clone(),
        }
    }

    fn guard(&self) -> Arc<Guard> {
        let inspector = self.was_sealed.then(|| self.slot.current());
        let (storage, writer) = (&self.plan.storage, &self.plan.writer);
        let (storage, writer) = (Arc::clone(storage), Arc::clone(writer));
        let excepted = self.excepted.clone();
        Arc::new(Guard::new(storage, writer, inspector, excepted))
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

    /// The key that objects are sealed under; none if all becomes plaintext.
    fn key(&self, plugin: &Plugin) -> Option<String> {
        if self.plan.to_plaintext {
            return None;
        }
        self.options.key.clone().or_else(|| plugin.default_key())
    }

    /// What a marker is to be about; none if there is to be none.
    fn subject(&self, plugin: &Plugin) -> Option<Subject> {
        let key = self.key(plugin).filter(|_| self.plan.marker)?;
        Some(Subject {
            store: plugin.store_name().to_owned(),
            prefix: self.plan.prefix.clone(),
            is_default_key: plugin.default_key().as_ref() == Some(&key),
            key,
            options: self.options.clone(),
        })
    }

    /// `Current` is about the default key alone.
    fn policy_at_the_end(&self, plugin: &Plugin) -> Policy {
        match self.plan.at_the_end {
            Policy::Current if self.key(plugin) != plugin.default_key() => Policy::Sealed,
            policy => policy,
        }
    }

    fn only_sealed(&mut self) {
        self.was_sealed = true;
        self.standing.change(|now| {
            if now.policy == Policy::Compatible {
                now.set_policy(Policy::Sealed);
            }
        });
    }

    /// Takes in what became of an object, and tells it unless that is known.
    fn take_in(&mut self, guard: &Guard, mut step: Step) {
        if let (Outcome::Failed(error), Some(form)) =
            (&mut step.outcome, guard.take_refused(&step.path))
        {
            *error = ObjectError::FormRefused(form);
        }
        let before = self.forget(&step.path);
        let progress = &mut self.progress;
        progress.done += 1;
        progress.of = progress.of.max(progress.done);
        match &step.outcome {
            Outcome::Migrated(_) | Outcome::WouldMigrate(_) => progress.migrated += 1,
            Outcome::Unchanged(_) => progress.unchanged += 1,
            Outcome::Exempt(_) => progress.exempt += 1,
            Outcome::Failed(error) => {
                match is_dead(error) {
                    true => progress.failed += 1,
                    false => progress.left += 1,
                }
                let (path, error) = (step.path.clone(), error.clone());
                self.failures(|failures| failures.insert(path, error));
            }
        }
        let is_known = matches!((&before, &step.outcome),
            (Some(before), Outcome::Failed(error)) if before == error);
        if !is_known {
            if let Outcome::Failed(error) = &step.outcome {
                tracing::warn!(path = shown(&step.path), %error, "not migrated");
            }
            self.tell(Event::Object(step));
        }
        self.publish();
    }

    /// An object that failed is not counted any more. Returns how it had failed.
    fn forget(&mut self, path: &[u8]) -> Option<ObjectError> {
        let before = self.failures(|failures| failures.remove(path))?;
        self.progress.done = self.progress.done.saturating_sub(1);
        let count = match is_dead(&before) {
            true => &mut self.progress.failed,
            false => &mut self.progress.left,
        };
        *count = count.saturating_sub(1);
        Some(before)
    }

    fn failures<T>(&self, look: impl FnOnce(&mut Failures) -> T) -> T {
        let failures = self.shared.failures.lock();
        look(&mut failures.unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, event: Event) {
        // Nobody need listen.
        let _ = self.shared.events.send(event);
    }

    fn stage(&mut self, stage: Stage) {
        self.progress.stage = stage;
        self.publish();
    }

    fn trouble(&mut self, trouble: Option<String>) {
        if self.progress.trouble != trouble {
            if let Some(trouble) = &trouble {
                tracing::warn!(trouble, "the migration waits");
            }
            self.progress.trouble = trouble;
            self.publish();
        }
    }

    fn publish(&self) {
        self.progress.count();
        self.shared.progress.send_replace(self.progress.clone());
    }

    /// Waits while it is paused.
    ///
    /// # Errors
    /// [`Interrupted`].
    async fn go_on(&mut self, keys: u64) -> Result<(), Interrupted> {
        let stage = self.progress.stage;
        loop {
            let now = *self.changes.borrow_and_update();
            if now.is_stopped || now.keys != keys {
                return Err(Interrupted);
            }
            if !now.is_paused {
                if self.progress.stage != stage {
                    self.stage(stage);
                }
                return Ok(());
            }
            self.stage(Stage::Paused);
            self.changes.changed().await.map_err(|_| Interrupted)?;
        }
    }

    async fn wait_out(
        &mut self,
        trouble: &str,
        pause: &mut Duration,
        keys: u64,
    ) -> Result<(), Interrupted> {
        self.trouble(Some(trouble.to_owned()));
        self.sleep(*pause, keys).await?;
        *pause = (2 * *pause).min(LAST_PAUSE);
        Ok(())
    }

    /// # Errors
    /// [`Interrupted`], at once.
    async fn sleep(&mut self, time: Duration, keys: u64) -> Result<(), Interrupted> {
        let mut sleeping = pin!(tokio::time::sleep(time));
        loop {
            let now = *self.changes.borrow_and_update();
            if now.is_stopped || now.keys != keys {
                return Err(Interrupted);
            }
            if time.is_zero() {
                return Ok(());
            }
            match select(&mut sleeping, pin!(self.changes.changed())).await {
                Either::Left(_) => return Ok(()),
                Either::Right((changed, _)) => changed.map_err(|_| Interrupted)?,
            }
        }
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
