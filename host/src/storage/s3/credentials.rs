//! Credentials that can stand in a request, wherever they come from: `object_store` takes that for granted.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::Error;
use object_store::aws::{AwsCredential, AwsCredentialProvider};
use object_store::client::CredentialProvider;

/// Credentials of a provider, if a request can carry them.
#[derive(Debug)]
pub struct Sendable(pub AwsCredentialProvider);

#[async_trait]
impl CredentialProvider for Sendable {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let credential = self.0.get_credential().await?;
        let sent = [&credential.key_id].into_iter().chain(&credential.token);
        let is_sent = sent.flat_map(|text| text.bytes()).all(is_sendable);
        match is_sent {
            true => Ok(credential),
            false => Err(Error::Generic {
                store: "S3",
                source: "the credentials hold a character that no request can carry".into(),
            }),
        }
    }
}

/// What a header of HTTP can hold (RFC 9110 section 5.5), without what is not ASCII.
pub fn is_sendable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}
