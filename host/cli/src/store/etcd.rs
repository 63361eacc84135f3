//! A store in etcd.

use std::path::Path;
use std::sync::Arc;

use iamseal::keys::Environment;
use iamseal::storage::EtcdStore;
use iamseal::storage::etcd::{Address, OpenError};

use crate::arguments::Common;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::{keys, output};

/// Opens it, and tells what an operator should know of the way there.
///
/// # Errors
/// The address or a variable is wrong, etcd lets nobody in, or there is nothing of MinIO's.
pub async fn open(common: &Common, address: &Path) -> Result<Arc<EtcdStore>, Failure> {
    let environment = Environment::of_process()?;
    let address = Address::parse(&address.to_string_lossy(), &environment)?;
    keys::warn(common, &environment, []);
    if let Some(caution) = address.caution() {
        output::note(common.json, &caution);
    }
    Ok(Arc::new(EtcdStore::open(address).await?))
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let cause = match error.is_usage() {
            true => Cause::Usage,
            false => Cause::Storage,
        };
        let cure = error.cure();
        Self::new(cause, error).with_cure(cure)
    }
}
