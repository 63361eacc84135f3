//! What became of objects, and what is told of it.

use std::sync::PoisonError;

use super::super::guard::Guard;
use super::super::handle::Failures;
use super::super::progress::{Event, Progress, Stage};
use super::super::verdict::is_dead;
use super::Run;
use crate::contract::{ObjectError, Outcome, Step};
use crate::shown::shown;

/// Objects that failed and are only counted.
#[derive(Clone, Copy, Default)]
pub(super) struct Unnamed {
    /// They do not open.
    pub failed: u64,
    /// They are to be tried again.
    pub left: u64,
}

impl Run {
    pub(super) fn begin_anew(&mut self, failed: Vec<Vec<u8>>) {
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
        self.unnamed = Unnamed::default();
        self.failures(|failures| *failures = failed.into_iter().map(unknown).collect());
        self.stage(Stage::Migrating);
    }

    /// Takes in what became of an object, and tells it unless that is known.
    pub(super) fn take_in(&mut self, guard: &Guard, mut step: Step) {
        if let (Outcome::Failed(error), Some(form)) =
            (&mut step.outcome, guard.take_refused(&step.path))
        {
            *error = ObjectError::FormRefused(form);
        }
        let before = self.forget(&step.path);
        let before = before.or_else(|| self.told.get(&step.path).cloned());
        if !matches!(step.outcome, Outcome::Failed(_)) {
            self.told.remove(&step.path);
        }
        let mut is_named = true;
        let progress = &mut self.progress;
        progress.done += 1;
        progress.of = progress.of.max(progress.done);
        match &step.outcome {
            Outcome::Migrated(_) | Outcome::WouldMigrate(_) => progress.migrated += 1,
            Outcome::Unchanged(_) => progress.unchanged += 1,
            Outcome::Exempt(_) => progress.exempt += 1,
            Outcome::Failed(error) => {
                let is_dead = is_dead(error);
                match is_dead {
                    true => progress.failed += 1,
                    false => progress.left += 1,
                }
                is_named = self.name(&step.path, error);
                if !is_named {
                    self.count_unnamed(is_dead);
                }
            }
        }
        let is_known = matches!((&before, &step.outcome),
            (Some(before), Outcome::Failed(error)) if before == error);
        if !is_known && is_named {
            if let Outcome::Failed(error) = &step.outcome {
                tracing::warn!(path = shown(&step.path), %error, "not migrated");
            }
            self.tell(Event::Object(step));
        }
        self.publish();
    }

    /// Keeps why an object failed, unless that is kept of too many already.
    fn name(&self, path: &[u8], error: &ObjectError) -> bool {
        let limit = self.plan.named_failures;
        self.failures(|failures| {
            let has_room = failures.len() < limit;
            if has_room {
                failures.insert(path.to_vec(), error.clone());
            }
            has_room
        })
    }

    fn count_unnamed(&mut self, is_dead: bool) {
        if !std::mem::replace(&mut self.is_cut_told, true) {
            let named = self.plan.named_failures;
            tracing::warn!(
                named,
                "more objects fail than are named: the others are counted"
            );
        }
        match is_dead {
            true => self.unnamed.failed += 1,
            false => self.unnamed.left += 1,
        }
    }

    /// What is told of failures from now on is told under these keys: all of it anew if they are others.
    pub(super) fn tell_under(&mut self, keys: u64) {
        if self.told_keys.replace(keys) != Some(keys) {
            self.told.clear();
            self.is_cut_told = false;
            self.failures(Failures::clear);
        }
    }

    /// Keeps which failures were told, before the store is gone through again, for as many as are named.
    pub(super) fn keep_told(&mut self) {
        let failures = self.failures(std::mem::take);
        for (path, error) in failures {
            if self.told.len() < self.plan.named_failures || self.told.contains_key(&path) {
                self.told.insert(path, error);
            }
        }
    }

    /// An object that failed is not counted any more. Returns how it had failed.
    pub(super) fn forget(&mut self, path: &[u8]) -> Option<ObjectError> {
        let before = self.failures(|failures| failures.remove(path))?;
        self.progress.done = self.progress.done.saturating_sub(1);
        let count = match is_dead(&before) {
            true => &mut self.progress.failed,
            false => &mut self.progress.left,
        };
        *count = count.saturating_sub(1);
        Some(before)
    }

    pub(super) fn failures<T>(&self, look: impl FnOnce(&mut Failures) -> T) -> T {
        let failures = self.shared.failures.lock();
        look(&mut failures.unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn tell(&self, event: Event) {
        // Nobody need listen.
        let _ = self.shared.events.send(event);
    }

    pub(super) fn stage(&mut self, stage: Stage) {
        self.progress.stage = stage;
        self.publish();
    }

    pub(super) fn trouble(&mut self, trouble: Option<String>) {
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
}
