//! What is known of each object: its mark when it was right, or why it is not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use iamseal::contract::{KeyError, ObjectError, Outcome, Step, StorageError};
use iamseal::storage::{Mark, Store};

/// All objects of a store, by their paths.
pub struct Known(BTreeMap<Vec<u8>, Object>);

#[derive(Default)]
struct Object {
    /// As of when it was looked at, at the latest. None: it is looked at again.
    mark: Mark,
    /// This run has written it, and has not looked at it since.
    is_own: bool,
    /// Why it is not as it should be.
    failure: Option<ObjectError>,
    /// When it may be tried again that fails, and how long it waits after that.
    retry: Option<(Instant, Duration)>,
}

/// How long an object waits that fails for what may be over, at first and at the most: each time twice as long as before.
/// A try that fails to write may leave some KB in the journal.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LAST_PAUSE: Duration = Duration::from_secs(60);

impl Known {
    /// The objects of a store, which are looked at next.
    ///
    /// # Errors
    /// The store's.
    pub async fn of(store: &dyn Store, prefix: &[u8]) -> Result<Self, StorageError> {
        let object = |mark| Object {
            mark,
            ..Object::default()
        };
        let marks = marks(store, prefix).await?.into_iter();
        Ok(Self(
            marks.map(|(path, mark)| (path, object(mark))).collect(),
        ))
    }

    /// Compares with the store, and returns the objects that may have changed, or failed for what may be over. From
    /// here on they are taken for looked at.
    ///
    /// # Errors
    /// The store's.
    pub async fn changed(
        &mut self,
        store: &dyn Store,
        prefix: &[u8],
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let now = marks(store, prefix).await?;
        self.0.retain(|path, _| now.contains_key(path));
        let mut changed = Vec::new();
        for (path, mark) in now {
            let object = self.0.entry(path.clone()).or_default();
            let is_same = mark.is_some() && object.mark == mark;
            if !is_same || object.is_due() {
                object.mark = mark;
                changed.push(path);
            }
        }
        Ok(changed)
    }

    /// Takes in what became of an object. Returns whether anybody wants to know.
    pub fn take_in(&mut self, step: &Step) -> bool {
        let object = self.0.entry(step.path.clone()).or_default();
        let before = object.failure.take();
        // What was written a moment ago is looked at once more.
        object.is_own &= object.mark.is_none();
        match &step.outcome {
            Outcome::Failed(error) => {
                let is_news = before.as_ref() != Some(error);
                object.failure = Some(error.clone());
                object.is_own = false;
                object.wait();
                is_news
            }
            Outcome::Migrated(_) => {
                object.is_own = true;
                object.mark = None;
                object.retry = None;
                true
            }
            _ => {
                object.retry = None;
                before.is_some()
            }
        }
    }

    /// Lets objects be looked at again.
    pub fn doubt(&mut self, paths: &[Vec<u8>]) {
        for path in paths {
            if let Some(object) = self.0.get_mut(path) {
                object.mark = None;
            }
        }
    }

    pub fn is_own(&self, path: &[u8]) -> bool {
        self.0.get(path).is_some_and(|object| object.is_own)
    }

    /// Whether anything has to be tried again, whatever the store tells.
    pub fn comes_again(&self) -> bool {
        self.failures().any(may_be_over)
    }

    pub fn failures(&self) -> impl Iterator<Item = &ObjectError> {
        self.0.values().filter_map(|object| object.failure.as_ref())
    }
}

impl Object {
    /// Whether it failed for what may be over, and has waited.
    fn is_due(&self) -> bool {
        let may_be_over = self.failure.as_ref().is_some_and(may_be_over);
        may_be_over && self.retry.is_none_or(|(at, _)| at <= Instant::now())
    }

    fn wait(&mut self) {
        let pause = self.retry.map_or(FIRST_PAUSE, |(_, pause)| pause);
        self.retry = Some((Instant::now() + pause, (2 * pause).min(LAST_PAUSE)));
    }
}

async fn marks(store: &dyn Store, prefix: &[u8]) -> Result<BTreeMap<Vec<u8>, Mark>, StorageError> {
    let mut marks = BTreeMap::new();
    let mut see = |path, mark| {
        marks.insert(path, mark);
    };
    store.marks(prefix, &mut see).await?;
    Ok(marks)
}

/// Whether an object may be migrated later though it stays as it is: the store or a key service failed.
fn may_be_over(error: &ObjectError) -> bool {
    match error {
        ObjectError::Storage(error) => {
            matches!(error, StorageError::Conflict | StorageError::Other(_))
        }
        ObjectError::Key(failure) => {
            !matches!(failure.error, KeyError::NotFound | KeyError::NotAuthentic)
        }
        ObjectError::Other(_) => true,
        _ => false,
    }
}
