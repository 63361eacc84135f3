//! Whether a server runs on drives that are to be written to. It holds no lock, so it is watched for.

use std::time::{Duration, Instant};

use iamseal::storage::{DriveStore, Store as _};
use tokio::time::sleep;

use crate::arguments::Common;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::report::notes;
use crate::store::Access;

/// An idle server writes to its drives every 14 to 17 seconds, and leaves each time out where the drives were
/// used shortly before: one that always reads is not seen.
const WATCHED: Duration = Duration::from_secs(35);
/// How often it is looked, to see a server before that.
const EVERY: Duration = Duration::from_secs(1);

const STOP: &str = "stop every server of the deployment, on all hosts, and run it again; if you know that none \
                    runs, --server-is-stopped does without the look";

/// Watches the drives, unless it was promised that no server runs. What is known to fail afterwards does so
/// before.
///
/// # Errors
/// Not all drives are there and sound, a server runs, or the drives cannot be watched.
pub async fn check(common: &Common, store: &DriveStore, access: Access) -> Result<(), Failure> {
    match access {
        Access::Write(writes) if !writes.server_is_stopped => {
            let checked = store.check_writes().await;
            checked.map_err(|error| Failure::from(error).with_cure(notes::ALL_DRIVES))?;
        }
        // What a server is about to name looks as what nobody has named for long.
        Access::Sweep(false) => {}
        Access::Read | Access::Write(_) | Access::Sweep(true) => return Ok(()),
    }
    watch(common, store).await
}

/// Watches drives, all of them or some.
///
/// # Errors
/// A server runs, or they cannot be watched.
pub async fn watch(common: &Common, store: &DriveStore) -> Result<(), Failure> {
    let before = store.signs_of_life().await?;
    let progress = Progress::watching(common, WATCHED);
    let start = Instant::now();
    let is_alive = loop {
        let left = WATCHED.saturating_sub(start.elapsed());
        if left.is_zero() {
            break false;
        }
        sleep(left.min(EVERY)).await;
        progress.advance(1);
        if store.signs_of_life().await? != before {
            break true;
        }
    };
    progress.finish();
    if is_alive {
        let text = "a server runs on these drives: something has just written to their tmp";
        return Err(Failure::new(Cause::Refused, text).with_cure(STOP));
    }
    output::note(
        common.json,
        "no server was seen on these drives for 35 s; one that is busy reading them, that hangs, that starts \
         from now on, or that is on another host of the deployment and sees none of them cannot be seen",
    );
    Ok(())
}
