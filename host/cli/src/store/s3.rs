//! A store in a bucket of S3.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use iamseal::contract::StorageError;
use iamseal::keys::is_open_to_others;
use iamseal::storage::s3::{OpenError, SECRET_FILES};
use iamseal::storage::{BucketStore, Storage as _};

use super::Access;
use crate::arguments::Common;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::report::notes;
use crate::{keys, output};

/// Opens it, and tells what an operator should know of the way there.
///
/// # Errors
/// The address or the variables are no use, the bucket does not answer, or there is no `config/` in it.
pub async fn open(
    common: &Common,
    given: &str,
    access: Access,
) -> Result<Arc<BucketStore>, Failure> {
    let store = BucketStore::open(given)?.server_is_stopped(access.server_is_stopped());
    for caution in store.cautions() {
        output::note(common.json, caution);
    }
    let files = SECRET_FILES.into_iter().filter_map(env::var_os);
    let open = files
        .map(PathBuf::from)
        .filter(|file| is_open_to_others(file));
    keys::tell_open(common, open);
    let mut objects = store.list(notes::CONFIG, None).await?;
    let first = objects.next().await.map_err(unreadable)?;
    // Going on would report success for a store that nobody looked at.
    if first.is_empty() {
        return Err(
            Failure::usage(format!("{given} has no config/ in it")).with_cure(nearest(given))
        );
    }
    Ok(Arc::new(store))
}

/// Which prefix was probably meant instead of one that has no `config/` below it.
fn nearest(given: &str) -> String {
    match given.trim_end_matches('/').strip_suffix("/config") {
        Some(above) => format!("the store is above it: {above}"),
        None => "give the bucket and the prefix that config/ is below: s3://BUCKET/PREFIX".into(),
    }
}

/// Why a bucket could not be listed.
fn unreadable(error: StorageError) -> Failure {
    let cure = match &error {
        StorageError::Refused(_) => {
            "see that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are right and may list and read \
             below the prefix"
        }
        _ => {
            "see that the bucket is there, and that the server is the one of AWS_ENDPOINT_URL and \
             AWS_REGION"
        }
    };
    Failure::from(error).with_cure(cure)
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let cure = match &error {
            OpenError::Url(_) | OpenError::Prefix(_) => "give s3://BUCKET/PREFIX",
            OpenError::Variable { .. } | OpenError::Variables(_) => "correct it, or unset it",
            OpenError::Authorities { .. } => "name a PEM file with certificates, or unset it",
        };
        Self::new(Cause::Usage, &error).with_cure(cure)
    }
}
