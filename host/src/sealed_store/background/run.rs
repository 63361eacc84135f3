//! The task: through the store, again for what is left, and then at rest until something changes.

mod tally;
mod waiting;
mod walk;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::watch;

use crate::contract::{Policy, SealOptions};
use crate::error::Error;
use crate::plugin::{Plugin, PluginSlot};

use super::super::standing::{Now, Standing};
use super::MARKER;
use super::handle::{Failures, Shared};
use super::lease::{Held, Lease};
use super::marker::{self, Failed, Subject, Told};
use super::objects::Objects;
use super::plan::Plan;
use super::progress::{Event, Progress, Stage};
use super::verdict::wants_credential;
use tally::Unnamed;
use waiting::{FIRST_PAUSE, Interrupted, LAST_PAUSE};

/// How often it is looked whether writes have ended. One takes some milliseconds.
const WRITES: Duration = Duration::from_millis(5);

/// A migration.
pub(super) struct Run {
    standing: Arc<Standing>,
    changes: watch::Receiver<Now>,
    slot: PluginSlot,
    options: SealOptions,
    plan: Plan,
    shared: Arc<Shared>,
    progress: Progress,
    /// All is sealed, as the host says or as it was once: plaintext and what a root credential opens is not to be
    /// believed.
    was_sealed: bool,
    /// What did not open when all else was sealed.
    failed: Failed,
    /// What failed beyond those that are named.
    unnamed: Unnamed,
    /// Failures that were told before the store was gone through again.
    told: Failures,
    /// That more fail than are named was told.
    is_cut_told: bool,
    /// How often the keys had been changed when that was told.
    told_keys: Option<u64>,
    /// That the marker does not open was told.
    is_damage_told: bool,
    /// The marker says that all is current.
    is_marked: bool,
    /// How often something in an old form had been found by then.
    found_old: u64,
    /// How often the keys had been changed when it began. What another server says of a key that this one was given
    /// since says nothing of what this one wrote before.
    first_keys: u64,
    /// Writes that were under way when keys were changed.
    earlier: Vec<Arc<()>>,
}

impl Run {
    pub fn new(
        standing: Arc<Standing>,
        slot: PluginSlot,
        options: SealOptions,
        plan: Plan,
    ) -> Self {
        Self {
            changes: standing.changes(),
            // What requests are refused is not let in by this way either.
            was_sealed: standing.now().policy != Policy::Compatible,
            first_keys: standing.now().keys,
            earlier: Vec::new(),
            standing,
            slot,
            options,
            plan,
            shared: Arc::new(Shared::new()),
            progress: Progress::default(),
            failed: Failed::default(),
            unnamed: Unnamed::default(),
            told: Failures::new(),
            is_cut_told: false,
            told_keys: None,
            is_damage_told: false,
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
            marker::clear(&plugin, &self.objects()).await?;
            self.was_sealed = false;
            self.standing.set_policy(Policy::Compatible);
            return Ok(());
        }
        let told = match self.subject(&plugin) {
            Some(subject) => subject.read(&plugin, &self.objects()).await?,
            None => Told::Nothing,
        };
        self.is_marked = false;
        match told {
            Told::Nothing => {}
            // Whoever waits for the lease looks at it again and again.
            Told::Damaged => {
                if !std::mem::replace(&mut self.is_damage_told, true) {
                    tracing::warn!(
                        path = MARKER,
                        "the marker does not open: all is gone through"
                    );
                }
            }
            Told::WasSealed(failed) => {
                self.only_sealed();
                self.failed = failed;
            }
            Told::Current(failed) if now.keys != self.first_keys => {
                self.only_sealed();
                self.failed = failed;
            }
            Told::Current(failed) => {
                self.only_sealed();
                self.failed = failed;
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
    pub async fn until_stopped(mut self) {
        while !self.standing.now().is_stopped {
            let keys = self.standing.now().keys;
            self.is_marked &= keys == self.first_keys;
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
        self.tell_under(keys);
        if self.is_marked {
            self.begin_anew(self.failed.all.iter().cloned().collect());
        } else {
            self.go_through(keys).await?;
        }
        let mut pause = FIRST_PAUSE;
        while !self.retry(keys).await? {
            if self.unnamed.left > 0 {
                self.sleep(pause, keys).await?;
                pause = (2 * pause).min(LAST_PAUSE);
            }
            self.go_through(keys).await?;
        }
        self.told.clear();
        self.end(keys).await
    }

    async fn go_through(&mut self, keys: u64) -> Result<(), Interrupted> {
        // What they write may be under the key before.
        self.earlier.push(self.standing.earlier_writes());
        while self
            .earlier
            .iter()
            .any(|earlier| Arc::strong_count(earlier) > 1)
        {
            self.sleep(WRITES, keys).await?;
        }
        self.earlier.clear();
        self.keep_told();
        self.begin_anew(Vec::new());
        let guard = self.guard();
        self.count(&guard, keys).await?;
        self.walk(&guard, keys).await
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
            let failed = Failed {
                is_cut: self.unnamed.failed > 0,
                ..self.failures(failed)
            };
            if !self.is_marked || failed != self.failed {
                self.failed = failed;
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
    /// Returns whether it is there now, if there is to be one.
    async fn mark(&self, is_current: bool) -> bool {
        let plugin = self.slot.current();
        let Some(subject) = self.subject(&plugin) else {
            return true;
        };
        let objects = self.objects();
        let written = subject.write(&plugin, &objects, is_current, &self.failed);
        let written = written.await;
        if let Err(error) = &written {
            tracing::warn!(%error, is_current, "the marker was not written");
        }
        written.is_ok()
    }

    /// Nothing to do until the keys change or it is stopped.
    async fn rest(&mut self, keys: u64) {
        let (mut is_void, mut is_told, mut pause) = (false, false, FIRST_PAUSE);
        loop {
            let now = *self.changes.borrow_and_update();
            if now.is_stopped || now.keys != keys {
                return;
            }
            if now.found_old > self.found_old && !is_void {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!("an object in an old form was refused: the marker is void");
                }
                is_void = self.mark(false).await;
                if !is_void {
                    // As long as it stands there, the next start would believe it.
                    let changed = pin!(self.changes.changed());
                    select(changed, pin!(tokio::time::sleep(pause))).await;
                    pause = (2 * pause).min(LAST_PAUSE);
                    continue;
                }
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
            let looked = lease.take(&self.slot.current()).await;
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
}

fn failed(failures: &mut Failures) -> Failed {
    let credential = failures.iter().filter(|(_, error)| wants_credential(error));
    Failed {
        all: failures.keys().cloned().collect(),
        credential: credential.map(|(path, _)| path.clone()).collect(),
        is_cut: false,
    }
}
