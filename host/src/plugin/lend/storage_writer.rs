//! Storage for the plugin to write.

use wasmtime::component::Resource;

use crate::contract::StorageError;
use crate::contract::generated::iamseal::plugin::{storage_writer, types};
use crate::storage::{Draft, Replacement};

use super::State;
use super::storage::refused;

/// What a plugin is told that wants an object made or removed.
const ONLY_REPLACES: &str =
    "this call was lent a way to replace what it has read, and none to create or to remove";

/// A draft that the plugin holds.
pub struct LentDraft(Box<dyn Draft>);

impl storage_writer::Host for State {
    async fn stage(
        &mut self,
        changes: Vec<storage_writer::Change>,
    ) -> wasmtime::Result<Vec<Result<Resource<LentDraft>, types::StorageError>>> {
        let drafts = self.stage_drafts(changes).await;
        self.meter.resume();
        drafts
            .into_iter()
            .map(|draft| match draft {
                Ok(draft) => Ok(Ok(self.hand(LentDraft(draft))?)),
                Err(error) => Ok(Err(error.into())),
            })
            .collect()
    }

    async fn commit(
        &mut self,
        drafts: Vec<Resource<LentDraft>>,
    ) -> wasmtime::Result<Vec<Result<Option<Vec<u8>>, types::StorageError>>> {
        let mut taken = Vec::new();
        for draft in drafts {
            taken.push(self.handles.delete(draft)?.0);
        }
        let count = taken.len();
        let mut committed = match &self.lent.storage_writer {
            Some(writer) => writer.commit(taken).await.into_iter(),
            None => Vec::new().into_iter(),
        };
        self.meter.resume();
        Ok((0..count)
            .map(|_| committed.next().unwrap_or_else(|| Err(unanswered())))
            .map(|committed| committed.map_err(Into::into))
            .collect())
    }
}

impl storage_writer::HostDraft for State {
    async fn read_back(
        &mut self,
        draft: Resource<LentDraft>,
    ) -> wasmtime::Result<Result<Vec<u8>, types::StorageError>> {
        let bytes = self.handles.get_mut(&draft)?.0.read_back().await;
        self.meter.resume();
        let fitting = bytes.and_then(|bytes| self.fits(bytes.len()).map(|()| bytes));
        Ok(fitting.map_err(Into::into))
    }

    async fn drop(&mut self, draft: Resource<LentDraft>) -> wasmtime::Result<()> {
        self.handles.delete(draft)?;
        Ok(())
    }
}

impl State {
    /// One result for each change, whatever the store answers.
    async fn stage_drafts(
        &mut self,
        changes: Vec<storage_writer::Change>,
    ) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let Some(writer) = self.lent.storage_writer.clone() else {
            let refused = || Err(refused("storage writer"));
            return changes.iter().map(|_| refused()).collect();
        };
        let mut granted = Vec::new();
        let mut answers = Vec::new();
        for change in changes {
            answers.push(self.may_change(change).map(|replacement| {
                granted.push(replacement.into());
            }));
        }
        let mut staged = writer.stage(granted).await.into_iter();
        answers
            .into_iter()
            .map(|granted| {
                granted.and_then(|()| staged.next().unwrap_or_else(|| Err(unanswered())))
            })
            .collect()
    }

    /// No call of a plugin is to make objects, or to make them go: it replaces what it has read.
    fn may_change(&mut self, change: storage_writer::Change) -> Result<Replacement, StorageError> {
        let storage_writer::Change::Replace(new) = change else {
            return Err(StorageError::Refused(ONLY_REPLACES.to_owned()));
        };
        self.grant.write(&new.path)?;
        self.handed.may_replace(&new.path, &new.expected)?;
        self.fits(new.bytes.len())?;
        Ok(Replacement {
            path: new.path,
            expected: new.expected,
            bytes: new.bytes,
        })
    }
}

fn unanswered() -> StorageError {
    StorageError::Other("the store answered for too few drafts".to_owned())
}

#[cfg(test)]
mod tests {
    use std::any::Any;
    use std::sync::Arc;

    use async_trait::async_trait;
    use storage_writer::{Host as _, HostDraft as _};

    use super::*;
    use crate::plugin::lend::Lent;
    use crate::plugin::lend::tests::{LARGEST, state};
    use crate::storage::{Change, StorageWriter};

    fn replacement(path: &str, size: usize) -> storage_writer::Change {
        storage_writer::Change::Replace(storage_writer::Replacement {
            path: path.into(),
            expected: Vec::new(),
            bytes: vec![0; size],
        })
    }

    #[tokio::test]
    async fn a_missing_store_refuses_and_says_its_name() {
        let mut state = state(Lent::default());
        let batch = vec![replacement("in/a", 1), replacement("in/b", 1)];
        let staged = state.stage(batch).await.unwrap();
        assert_eq!(staged.len(), 2);
        for draft in staged {
            assert_eq!(draft.unwrap_err(), refused("storage writer").into());
        }
    }

    /// Answers to any batch with the same number of results, and reads drafts of one size back.
    struct Nonsense {
        results: usize,
        size: usize,
    }

    #[async_trait]
    impl StorageWriter for Nonsense {
        async fn stage(&self, _changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
            let draft = || Ok(Box::new(Zeros(self.size)) as Box<dyn Draft>);
            (0..self.results).map(|_| draft()).collect()
        }

        async fn commit(
            &self,
            _drafts: Vec<Box<dyn Draft>>,
        ) -> Vec<Result<Option<Vec<u8>>, StorageError>> {
            vec![Ok(Some(Vec::new())); self.results]
        }
    }

    struct Zeros(usize);

    #[async_trait]
    impl Draft for Zeros {
        async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
            Ok(vec![0; self.0])
        }

        fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
            self
        }
    }

    fn nonsense(results: usize, size: usize) -> State {
        let mut state = state(Lent {
            storage_writer: Some(Arc::new(Nonsense { results, size })),
            ..Lent::default()
        });
        state.hand_out(&["in/a", "in/b", "in/c"], b"");
        state
    }

    #[tokio::test]
    async fn a_store_that_answers_too_little_or_too_much_is_an_error() {
        for results in [0, 1, 5] {
            let mut state = nonsense(results, 1);
            let batch = vec![
                replacement("in/a", 1),
                replacement("outside", 1),
                replacement("in/b", LARGEST + 1),
                replacement("in/c", 1),
            ];
            let staged = state.stage(batch).await.unwrap();
            assert_eq!(staged.len(), 4);
            assert!(matches!(&staged[1], Err(types::StorageError::Refused(_))));
            assert!(matches!(&staged[2], Err(types::StorageError::TooLarge(_))));
            let drafts: Vec<_> = staged.into_iter().filter_map(Result::ok).collect();
            let count = results.min(2);
            assert_eq!(drafts.len(), count);
            let committed = state.commit(drafts).await.unwrap();
            assert_eq!(committed.len(), count);
            assert!(state.is_clean());
        }
    }

    #[tokio::test]
    async fn nothing_is_created_or_removed_for_a_plugin() {
        let mut state = nonsense(3, 1);
        let creation = storage_writer::Creation {
            path: b"in/new".to_vec(),
            bytes: vec![0],
        };
        let removal = storage_writer::Removal {
            path: b"in/a".to_vec(),
            expected: Vec::new(),
        };
        let staged = state.stage(vec![
            storage_writer::Change::Create(creation),
            storage_writer::Change::Remove(removal),
            replacement("in/a", 1),
        ]);
        let mut staged = staged.await.unwrap();
        assert!(staged.pop().unwrap().is_ok());
        for refused in staged {
            assert!(matches!(refused, Err(types::StorageError::Refused(_))));
        }
    }

    #[tokio::test]
    async fn a_draft_over_the_limit_is_not_read_back() {
        let mut state = nonsense(1, LARGEST + 1);
        let staged = state.stage(vec![replacement("in/a", 1)]).await.unwrap();
        let draft = staged.into_iter().next().unwrap().unwrap();
        let read = state.read_back(draft).await.unwrap();
        assert!(matches!(read, Err(types::StorageError::TooLarge(_))));
    }
}
