//! Drives that are written to though some are missing.

use iamseal::storage::{DriveStore, Store as _};

use crate::arguments::Common;
use crate::failure::Failure;
use crate::output;
use crate::report::notes;
use crate::store::Access;

/// Says what it risks to write with drives missing, where some are, before anything is written.
///
/// # Errors
/// So many are missing that it is not written to the others either.
pub async fn check(common: &Common, store: &DriveStore, access: Access) -> Result<(), Failure> {
    if !access.is_degraded() {
        return Ok(());
    }
    let checked = store.check_writes().await;
    checked.map_err(|error| Failure::from(error).with_cure(notes::MORE_DRIVES))?;
    if let Some(what) = store.lacks() {
        output::note(common.json, &notes::degraded(what));
    }
    Ok(())
}
