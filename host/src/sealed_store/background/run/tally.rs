//! What became of objects, and what is told of it.

use std::sync::PoisonError;

use super::super::guard::Guard;
use super::super::handle::Failures;
use super::super::progress::{Event, Progress, Stage};
use super::super::verdict::is_dead;
use super::Run;
use crate::contract::{ObjectError, Outcome, Step};
use crate::shown::shown;

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
