//! Removing the drafts that a killed run left behind, before their leases do.

use std::sync::atomic::Ordering;

use super::client::{RANGE, TXN};
use super::errors::failed;
use super::keys::is_draft;
use super::lease::age;
use super::messages::{
    Compare, DeleteRangeRequest, RangeRequest, RangeResponse, Request, TxnRequest, TxnResponse,
};
use super::store::Inner;
use crate::contract::StorageError;
use crate::storage::{Sweeping, Swept};

/// The age in seconds from which on a lease belongs to no run that is under way: half as much again as the
/// ten minutes that a batch may take. Were a draft removed too early, its object would be reported as
/// failed and stay as it is.
const OLD: i64 = 15 * 60;

/// Removes a draft that nobody can need any more, or says why it stays.
///
/// # Errors
/// `NotFound` if it is gone, `Refused` if it is no draft; else what keeps it from being removed.
pub(super) async fn remove(
    inner: &Inner,
    path: &[u8],
    how: Sweeping,
) -> Result<Swept, StorageError> {
    if !is_draft(path) {
        return Err(StorageError::Refused("it is no draft".into()));
    }
    let request = RangeRequest {
        key: inner.keys.object(path),
        keys_only: true,
        ..RangeRequest::default()
    };
    let there = inner.client.call(RANGE, &request).await.result;
    let there: RangeResponse = there.map_err(|unable| failed("look at a draft", unable))?;
    let there = there.kvs.into_iter().next();
    let there = there.ok_or(StorageError::NotFound)?;
    // One without a lease is not ours, or its lease has just ended.
    let age = match there.lease {
        0 => None,
        lease => age(inner, lease).await?,
    };
    if let Some(age) = age.filter(|age| *age < OLD && !how.no_run) {
        let [is, goes] = [age, OLD].map(|age| age / 60);
        return Ok(Swept::Stays(format!(
            "it is {is} minutes old, and a run that is under way may need it; it goes once it is {goes} \
             minutes old"
        )));
    }
    if how.is_dry {
        return Ok(Swept::Removed);
    }
    let request = TxnRequest {
        compare: vec![Compare::is_revision(&there.key, there.mod_revision)],
        success: vec![Request::DeleteRange(DeleteRangeRequest { key: there.key }).into()],
        failure: Vec::new(),
    };
    let removed = inner.client.call(TXN, &request).await;
    let done: TxnResponse = removed
        .result
        .map_err(|unable| failed("remove a draft", unable))?;
    match done.succeeded || removed.was_lost {
        true => {
            inner.keeps_revisions.store(true, Ordering::Relaxed);
            Ok(Swept::Removed)
        }
        // Its run has removed it meanwhile: nobody writes to a draft twice.
        false => Err(StorageError::NotFound),
    }
}
