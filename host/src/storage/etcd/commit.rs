//! Making the change of a draft.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prost::Message as _;

use super::client::{TXN, Unable};
use super::draft::{EtcdDraft, gone, too_large};
use super::errors::{failed, is_too_large};
use super::messages::{
    Compare, DeleteRangeRequest, KeyValue, PutRequest, RangeRequest, Request, TxnRequest,
    TxnResponse,
};
use super::store::{revision, version};
use crate::contract::StorageError;
use crate::storage::Version;

/// Makes the change of a draft, in one transaction: if the object is the version that was read, or there is
/// none where it is to be created, and the draft is there, then the object has its bytes or is gone, keeps
/// its lease with the time that remains, and the draft is gone. So of two tries of one commit at most one
/// comes to be, and none after the draft is gone.
pub(super) async fn commit(draft: &EtcdDraft) -> Result<Option<Version>, StorageError> {
    let expected = match &draft.expected {
        None => None,
        // None: it is another store's.
        Some(expected) => Some(revision(expected).ok_or(StorageError::Conflict)?),
    };
    let request = request(draft, expected);
    let answered = draft.inner.client.call(TXN, &request).await;
    let done = match (&draft.new, expected) {
        (None, _) => "removed",
        (Some(_), None) => "created",
        (Some(_), Some(_)) => "replaced",
    };
    let answer: TxnResponse = match answered.result {
        Ok(answer) => answer,
        Err(unable) if is_too_large(&unable) => {
            let size = draft.new.as_ref().map_or(0, |new| new.bytes.len());
            return Err(too_large(size, request.encoded_len() - size));
        }
        Err(Unable::NoAnswer(text) | Unable::Tls(text)) => {
            return Err(StorageError::Other(format!(
                "whether it was {done} is not known: {text}; run again"
            )));
        }
        Err(unable) if answered.was_lost => {
            return Err(failed(&format!("tell whether it was {done}"), unable));
        }
        Err(unable) => return Err(failed(&format!("have it {done}"), unable)),
    };
    if answer.succeeded {
        let Some(new) = &draft.new else {
            draft.inner.keeps_revisions.store(true, Ordering::Relaxed);
            return Ok(None);
        };
        new.lease.has_lost(&new.key);
        let header = answer.header.unwrap_or_default();
        return Ok(Some(version(header.revision)));
    }
    let by_this_before = |there: Option<&KeyValue>| match (&draft.new, there) {
        (Some(new), Some(there)) => there.value == new.bytes,
        (None, None) => true,
        _ => false,
    };
    let there = there(answer);
    // By the try before, whose answer was lost.
    if answered.was_lost && by_this_before(there.as_ref()) {
        return Ok(there.map(|there| version(there.mod_revision)));
    }
    match (there, expected) {
        (None, Some(_)) => Err(StorageError::NotFound),
        (None, None) => Err(gone()),
        (Some(there), Some(expected)) if there.mod_revision == expected => Err(gone()),
        (Some(_), _) => Err(StorageError::Conflict),
    }
}

fn request(draft: &EtcdDraft, expected: Option<i64>) -> TxnRequest {
    let is_expected = match expected {
        Some(expected) => Compare::is_revision(&draft.object, expected),
        None => Compare::is_absent(&draft.object),
    };
    let remove = |key: &[u8]| Request::DeleteRange(DeleteRangeRequest { key: key.to_vec() }).into();
    let (compare, success) = match &draft.new {
        Some(new) => {
            let put = Request::Put(PutRequest {
                key: draft.object.clone(),
                value: new.bytes.clone(),
                lease: 0,
                // A new object has none to keep.
                ignore_lease: expected.is_some(),
            });
            let compare = vec![is_expected, Compare::is_there(&new.key)];
            (compare, vec![put.into(), remove(&new.key)])
        }
        None => (vec![is_expected], vec![remove(&draft.object)]),
    };
    let look = Request::Range(RangeRequest {
        key: draft.object.clone(),
        ..RangeRequest::default()
    });
    TxnRequest {
        compare,
        success,
        failure: vec![look.into()],
    }
}

/// The object as the transaction found it.
fn there(answer: TxnResponse) -> Option<KeyValue> {
    let range = answer.responses.into_iter().next()?.range?;
    range.kvs.into_iter().next()
}

/// Ends the leases of drafts that a batch is done with.
pub(super) async fn end_leases(drafts: Vec<EtcdDraft>) {
    let leases = drafts
        .into_iter()
        .filter_map(|draft| Some(draft.new?.lease));
    for lease in leases {
        // None: another draft of the batch has it still.
        if let Some(lease) = Arc::into_inner(lease) {
            lease.end().await;
        }
    }
}
