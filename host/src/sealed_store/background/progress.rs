//! How far a migration has come.

use std::fmt::{self, Display, Formatter};

use crate::contract::Step;

/// Where a migration stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What it is at.
    pub stage: Stage,
    /// Objects that it has come to since it began, or since the keys were changed.
    pub done: u64,
    /// Objects that there are, as far as is known.
    pub of: u64,
    /// Of those done: what had an old form and has the new one.
    pub migrated: u64,
    /// What had it already.
    pub unchanged: u64,
    /// What is none to seal.
    pub exempt: u64,
    /// What does not open. It is tried again when the keys change.
    pub failed: u64,
    /// What opens, or may, and could not be migrated. It is tried again soon.
    pub left: u64,
    /// What keeps the whole of it from going on: it is tried again.
    pub trouble: Option<String>,
}

/// What a migration is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It has not begun.
    #[default]
    Beginning,
    /// Another server is at it.
    Waiting,
    /// It goes through the store.
    Migrating,
    /// It was told to pause.
    Paused,
    /// It has gone through the store and tries again what is left.
    Retrying,
    /// All is current, but for what does not open.
    Current,
    /// It was stopped.
    Stopped,
}

/// Something that happened in a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// What became of an object. One that fails is told once, and again when something else becomes of it; of more than
    /// [`Plan::named_failures`](super::Plan::named_failures) the others are counted alone.
    Object(Step),
    /// So many events were not taken in time.
    Missed(u64),
    /// Nothing needs any other key than this one any more, but for so many objects that do not open.
    Current {
        /// The key; none after a migration to plaintext.
        key: Option<String>,
        /// Objects that do not open.
        failed: u64,
    },
}

impl Progress {
    /// Counts it for whoever exports metrics.
    pub(super) fn count(&self) {
        #[cfg(feature = "metrics")]
        for (state, objects) in [
            ("current", self.migrated + self.unchanged),
            ("exempt", self.exempt),
            ("failed", self.failed),
            ("left", self.left),
            ("waiting", self.of.saturating_sub(self.done)),
        ] {
            metrics::gauge!("iamseal_migration_objects", "state" => state).set(objects as f64);
        }
    }
}

impl Display for Progress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (done, of) = (Grouped(self.done), Grouped(self.of));
        match self.stage {
            Stage::Beginning => f.write_str("beginning to migrate")?,
            Stage::Waiting => f.write_str("another server migrates")?,
            Stage::Migrating => write!(f, "migrating {done} of {of}")?,
            Stage::Paused => write!(f, "paused at {done} of {of}")?,
            Stage::Retrying => write!(f, "migrated all but {} of {of}", Grouped(self.left))?,
            Stage::Current => f.write_str("current")?,
            Stage::Stopped => write!(f, "stopped at {done} of {of}")?,
        }
        if self.failed > 0 {
            write!(f, ", {} do not open", Grouped(self.failed))?;
        }
        if let Some(trouble) = &self.trouble {
            write!(f, "; it goes on when this is over: {trouble}")?;
        }
        Ok(())
    }
}

/// A number with commas.
struct Grouped(u64);

impl Display for Grouped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (rest, last) = (self.0 / 1000, self.0 % 1000);
        match rest {
            0 => write!(f, "{last}"),
            rest => write!(f, "{},{last:03}", Self(rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_a_line() {
        let mut progress = Progress {
            stage: Stage::Migrating,
            done: 3412,
            of: 1_010_000,
            ..Progress::default()
        };
        assert_eq!(progress.to_string(), "migrating 3,412 of 1,010,000");
        progress.failed = 2;
        progress.trouble = Some("no route".to_owned());
        let text =
            "migrating 3,412 of 1,010,000, 2 do not open; it goes on when this is over: no route";
        assert_eq!(progress.to_string(), text);
    }
}
