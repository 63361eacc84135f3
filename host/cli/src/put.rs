//! Writing objects whose new contents are known, each durable and opened before it takes its place.

use std::collections::VecDeque;

use iamseal::Auditor;
use iamseal::contract::{Policy, StorageError};
use iamseal::journal::Journaled;
use iamseal::storage::{Change, StorageWriter as _};
use zeroize::Zeroizing;

use crate::cause::Cause;
use crate::failure::Failure;
use crate::loadable::{Loadable, Objects};
use crate::report::why::Why;

/// An object to be written.
pub struct Put {
    /// What is done to it.
    pub change: Change,
    /// What it is to open as, and in which forms it may be then.
    pub plaintext: Zeroizing<Vec<u8>>,
    pub policy: Policy,
}

/// Writes objects, but none that no server loads. One failure each, in order; none of what is durable.
pub async fn put(
    store: &Journaled,
    opener: &Auditor,
    loadable: &Loadable,
    puts: Vec<Put>,
) -> Vec<Option<Failure>> {
    let few = || StorageError::Other("the store answered for too few drafts".into());
    let (mut changes, mut wanted) = (Vec::new(), Vec::new());
    for put in puts {
        wanted.push((put.change.path().to_vec(), put.plaintext, put.policy));
        changes.push(put.change);
    }
    let mut staged = store.stage(changes).await.into_iter();
    let (mut drafts, mut objects) = (Vec::new(), Objects::new());
    let mut results = Vec::new();
    for (path, plaintext, policy) in wanted {
        let draft = staged.next().unwrap_or_else(|| Err(few()));
        let mut draft = match draft {
            Ok(draft) => draft,
            Err(error) => {
                results.push(Some(failed(error)));
                continue;
            }
        };
        let read_back = draft.read_back().await.map(Zeroizing::new);
        let opened = match read_back {
            Ok(bytes) => {
                let opened = opener.unseal(&path, &bytes, policy).await;
                opened.map(|opened| (bytes, opened)).map_err(Failure::from)
            }
            Err(error) => Err(failed(error)),
        };
        results.push(match opened {
            Ok((bytes, opened)) if opened.plaintext == plaintext => {
                objects.insert(path.clone(), bytes);
                drafts.push((results.len(), path, draft));
                None
            }
            Ok(_) => {
                let message = "what was written does not read back the same";
                Some(Failure::new(Cause::Storage, message))
            }
            Err(failure) => Some(failure),
        });
    }
    let mut unfit = match loadable.unfit(objects).await {
        Ok(unfit) => unfit,
        // None of them is written, and each is told.
        Err(failure) => {
            let failed = results.iter_mut().filter(|result| result.is_none());
            failed.for_each(|result| *result = Some(Why::from(&failure).into()));
            return results;
        }
    };
    let mut loaded = Vec::with_capacity(drafts.len());
    for (place, path, draft) in drafts {
        match (unfit.remove(&path), results.get_mut(place)) {
            (Some(why), Some(result)) => *result = Some(why.into()),
            _ => loaded.push(draft),
        }
    }
    let mut committed: VecDeque<_> = store.commit(loaded).await.into();
    for result in results.iter_mut().filter(|result| result.is_none()) {
        let committed = committed.pop_front().unwrap_or_else(|| Err(few()));
        *result = committed.err().map(failed);
    }
    results
}

/// One that was read and is gone was changed too.
fn failed(error: StorageError) -> Failure {
    match error {
        StorageError::NotFound => StorageError::Conflict.into(),
        error => error.into(),
    }
}
