//! Putting a draft in the place of its object.

use std::sync::Arc;

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

/// Puts a draft in the place of its object, in one transaction: if the object is the version that was
/// read and the draft is there, the object has its bytes, keeps its lease with the time that remains,
/// and the draft is gone. So of two tries of one commit at most one comes to be, and none after the
/// draft is gone.
pub(super) async fn commit(draft: &EtcdDraft) -> Result<Version, StorageError> {
    let Some(expected) = revision(&draft.expected) else {
        // Of another store.
        return Err(StorageError::Conflict);
    };
    let request = TxnRequest {
        compare: vec![
            Compare::is_revision(&draft.object, expected),
            Compare::is_there(&draft.key),
        ],
        success: vec![
            Request::Put(PutRequest {
                key: draft.object.clone(),
                value: draft.bytes.clone(),
                lease: 0,
                ignore_lease: true,
            })
            .into(),
            Request::DeleteRange(DeleteRangeRequest {
                key: draft.key.clone(),
            })
            .into(),
        ],
        failure: vec![
            Request::Range(RangeRequest {
                key: draft.object.clone(),
                ..RangeRequest::default()
            })
            .into(),
        ],
    };
    let answered = draft.inner.client.call(TXN, &request).await;
    let answer: TxnResponse = match answered.result {
        Ok(answer) => answer,
        Err(unable) if is_too_large(&unable) => {
            let size = draft.bytes.len();
            return Err(too_large(size, request.encoded_len() - size));
        }
        Err(Unable::NoAnswer(text) | Unable::Tls(text)) => {
            return Err(StorageError::Other(format!(
                "whether it was replaced is not known: {text}; run again"
            )));
        }
        Err(unable) if answered.was_lost => {
            return Err(failed("tell whether it was replaced", unable));
        }
        Err(unable) => return Err(failed("replace it", unable)),
    };
    if answer.succeeded {
        draft.lease.has_lost(&draft.key);
        let header = answer.header.unwrap_or_default();
        return Ok(version(header.revision));
    }
    let Some(there) = there(answer) else {
        return Err(StorageError::NotFound);
    };
    // By the try before, whose answer was lost.
    if answered.was_lost && there.value == draft.bytes {
        return Ok(version(there.mod_revision));
    }
    match there.mod_revision == expected {
        true => Err(gone()),
        false => Err(StorageError::Conflict),
    }
}

/// The object as the transaction found it.
fn there(answer: TxnResponse) -> Option<KeyValue> {
    let range = answer.responses.into_iter().next()?.range?;
    range.kvs.into_iter().next()
}

/// Ends the leases of drafts that a batch is done with.
pub(super) async fn end_leases(drafts: Vec<EtcdDraft>) {
    let leases = drafts.into_iter().map(|draft| draft.lease);
    for lease in leases {
        // None: another draft of the batch has it still.
        if let Some(lease) = Arc::into_inner(lease) {
            lease.end().await;
        }
    }
}
