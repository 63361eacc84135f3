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

#[cfg(test)]
mod tests {
    use object_store::ObjectMeta;
    use object_store::path::Path;

    use super::*;
    use crate::plugin::Limits;
    use crate::sealed_store::plugin_error;

    /// What is collected of a store that says one size and gives these bytes, where 10 are allowed.
    async fn collected(size: u64, bytes: Vec<&'static [u8]>) -> Result<Vec<u8>> {
        let pieces = stream::iter(bytes).map(|bytes| Ok(Bytes::from_static(bytes)));
        answer(size, GetResultPayload::Stream(pieces.boxed())).await
    }

    async fn answer(size: u64, payload: GetResultPayload) -> Result<Vec<u8>> {
        let limits = Limits {
            object_bytes: 10,
            ..Limits::default()
        };
        let plugin = Plugin::builder()
            .component(iamseal_component::PLUGIN)
            .limits(limits)
            .load()
            .await
            .unwrap();
        let meta = ObjectMeta {
            location: Path::parse("config/config.json").unwrap(),
            last_modified: Default::default(),
            size,
            e_tag: None,
            version: None,
        };
        let result = GetResult {
            payload,
            meta,
            range: 0..size,
            attributes: Default::default(),
            extensions: Default::default(),
        };
        collect(result, &plugin).await
    }

    fn asked(result: Result<Vec<u8>>) -> Option<u64> {
        let error = result.unwrap_err();
        match plugin_error(&error) {
            Some(Error::Limit { asked, .. }) => *asked,
            _ => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn pieces_are_put_together() {
        let whole = collected(10, vec![b"01234", b"", b"56789"]).await;
        assert_eq!(whole.unwrap(), b"0123456789");
        assert_eq!(collected(0, vec![]).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn a_store_that_states_too_much_is_not_read() {
        assert_eq!(asked(collected(11, vec![]).await), Some(11));
        assert_eq!(asked(collected(u64::MAX, vec![]).await), Some(u64::MAX));
    }

    #[tokio::test]
    async fn a_store_that_gives_more_than_it_states_is_left_at_the_limit() {
        let endless = stream::repeat(Bytes::from_static(b"0123")).map(Ok).boxed();
        let endless = answer(1, GetResultPayload::Stream(endless)).await;
        assert_eq!(asked(endless), Some(12));
    }
}
