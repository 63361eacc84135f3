//! Bytes into and out of a store.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use object_store::{GetResult, GetResultPayload, PutPayload, Result};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::plugin::{Limit, Plugin};

use super::errors::failed;

/// A payload to hand out; none if only the description was asked for.
pub(super) fn of(bytes: Option<Bytes>) -> GetResultPayload {
    GetResultPayload::Stream(stream::iter(bytes.map(Ok)).boxed())
}

/// The whole payload, up to the largest object that the plugin takes. The size that a store states
/// is not relied on.
///
/// # Errors
/// Those of the store; [`Error::Limit`] if there is more.
pub(super) async fn collect(result: GetResult, plugin: &Plugin) -> Result<Vec<u8>> {
    let allowed = plugin.limits().object_bytes;
    let bounded = |size: u64| match usize::try_from(size) {
        Ok(size) if size <= allowed => Ok(size),
        _ => Err(failed(Error::Limit {
            component: plugin.identity().to_string(),
            limit: Limit::Object,
            asked: Some(size),
            allowed: allowed as u64,
        })),
    };
    let mut whole = Vec::with_capacity(bounded(result.meta.size)?);
    let mut pieces = result.into_stream();
    while let Some(piece) = pieces.try_next().await? {
        bounded((whole.len() + piece.len()) as u64)?;
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

/// All pieces as one, to be wiped.
pub(super) fn joined(payload: &PutPayload) -> Zeroizing<Vec<u8>> {
    let mut whole = Zeroizing::new(Vec::with_capacity(payload.content_length()));
    for piece in payload {
        whole.extend_from_slice(piece);
    }
    whole
}
