//! Any store, seen from the outside: every call of its traits can go wrong.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use iamseal::contract::StorageError;
use iamseal::storage::{Change, Cursor, Draft, Storage, StorageWriter, Stored, Version};

use crate::mode::{Cause, Fate, Mode, Point, dead};

/// How the calls of a store can go wrong.
pub fn modes() -> Vec<Mode> {
    vec![
        Mode::Killed,
        Mode::DoneButFails,
        Mode::Fails(Cause::Broken),
        Mode::FailsFromThere(Cause::Broken),
    ]
}

/// A store whose calls go wrong at a point.
pub struct Faulty<S> {
    pub store: Arc<S>,
    pub point: Arc<Point>,
}

struct FaultyCursor {
    cursor: Box<dyn Cursor>,
    point: Arc<Point>,
}

struct FaultyDraft {
    draft: Box<dyn Draft>,
    point: Arc<Point>,
}

/// Whether a call is to be made, and what it is to answer if that is not its own answer.
struct Verdict {
    is_made: bool,
    answer: Option<StorageError>,
}

fn meet(point: &Point, changes: bool) -> Verdict {
    let can_happen = changes || matches!(point.mode, Mode::Fails(_) | Mode::FailsFromThere(_));
    let error = match point.meet(can_happen) {
        Fate::Goes => {
            return Verdict {
                is_made: true,
                answer: None,
            };
        }
        Fate::Struck => point.mode.reports().map_or_else(dead, Cause::error),
        Fate::Dead => dead(),
    };
    let is_made = point.mode == Mode::DoneButFails;
    let answer = Some(StorageError::Other(error.to_string()));
    Verdict { is_made, answer }
}

/// A call that changes nothing.
fn look(point: &Point) -> Result<(), StorageError> {
    meet(point, false).answer.map_or(Ok(()), Err)
}

#[async_trait]
impl<S: Storage> Storage for Faulty<S> {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        look(&self.point)?;
        let cursor = self.store.list(prefix, start_after).await?;
        let point = Arc::clone(&self.point);
        Ok(Box::new(FaultyCursor { cursor, point }))
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        look(&self.point)?;
        self.store.read(path).await
    }
}

#[async_trait]
impl Cursor for FaultyCursor {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        look(&self.point)?;
        self.cursor.next().await
    }
}

/// A batch goes one by one, so that each of its objects can be the one that goes wrong.
#[async_trait]
impl<S: StorageWriter> StorageWriter for Faulty<S> {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let mut staged = Vec::new();
        for change in changes {
            let verdict = meet(&self.point, true);
            let mut made = Err(StorageError::NotFound);
            if verdict.is_made {
                made = self.store.stage(vec![change]).await.remove(0);
            }
            let made = verdict.answer.map_or(made, Err);
            let point = Arc::clone(&self.point);
            staged.push(made.map(|draft| Box::new(FaultyDraft { draft, point }) as Box<dyn Draft>));
        }
        staged
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        let mut committed = Vec::new();
        for draft in drafts {
            let draft = draft.into_any().downcast::<FaultyDraft>().unwrap().draft;
            let verdict = meet(&self.point, true);
            let mut version = Err(StorageError::NotFound);
            if verdict.is_made {
                version = self.store.commit(vec![draft]).await.remove(0);
            }
            committed.push(verdict.answer.map_or(version, Err));
        }
        committed
    }
}

#[async_trait]
impl Draft for FaultyDraft {
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
        look(&self.point)?;
        self.draft.read_back().await
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
