//! A store that migrates itself while it serves.
//!
//! [`SealedStore::migrate_in_background`](super::SealedStore::migrate_in_background) goes through the
//! store behind and brings each object to the form and key that the sealed store writes, whatever mixture
//! of plaintext, root credential, earlier keys and forms it finds, while requests are served:
//!
//! - **What is read** may have any form that the store's policy allows, until all is done; what requests are
//!   refused is not migrated. **What is put** has the new form from the first moment. Each object is replaced only while it is the version that was
//!   read, so no request's write is lost.
//! - **At the end** the policy becomes [`Policy::Current`]: what somebody puts back in an old form is
//!   refused from then on. [`SealedStore::present_policy`](super::SealedStore::present_policy) tells
//!   which of the two it is.
//! - **What does not open** is counted, named once, and stops nothing: no request could read it before
//!   either. It is tried again when the keys change. What would open and could not be migrated, because the
//!   store or the key service failed, or because no server would load it
//!   ([`Plan::not_loadable_too`]), is tried again and again, and keeps the policy as it is.
//! - **A marker** says at the next start that all is current, so that one object is read and not all.
//! - **A dropped [`Background`]** stops, at any point: objects are whole, in their old form or the new one.
//!
//! # What stands in the store
//! Two sealed objects in a folder of their own below `config/`. No MinIO reads it, since it asks for what it knows
//! by name and lists `config/iam/` alone; listings and audits show them like all others:
//! - [`MARKER`]: what was brought to which form and key, bound to the plugin's store name. Under another key or for
//!   another plan it does not hold, nor if it does not open, nor after an object was found in an old form: the
//!   next start goes through all then. Where one vouched that all was sealed, that next time takes
//!   no plaintext and no root-credential object for honest: it is refused, and named. To let such objects in again,
//!   remove the marker.
//! - [`LEASE`]: which of several servers migrates ([`Plan::lease`]). The others wait; each takes
//!   over when the lease was not renewed for its time, counted by its own clock, and all of them tighten
//!   their policy when they see the marker. A server that lost its lease unawares does no harm: each of its writes is
//!   for one version alone.
//!
//! # Limits
//! A writer that knows nothing of iamseal and writes while or after this goes through the store can leave
//! objects in an old form behind. They are refused at the end, not lost: a migration with the tool, or a write
//! through this store, makes them current. Whoever can remove the marker and put plaintext into the store has
//! it taken for honest at the next start, unless that start has [`Policy::Sealed`]. A change of an
//! object's form changes its entity tag: in a condition the one before is taken for the present one, by this
//! process and for the last 65,536 objects, and of a [`VersionedStore`](super::VersionedStore) alone. Other clients
//! read again. To plaintext there is no marker and no end: the policy stays as it is.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use iamseal::contract::Policy;
//! # use iamseal::sealed_store::{Plan, VersionedStore};
//! # use iamseal::storage::DirStore;
//! # use iamseal::{PluginSlot, SealedStore};
//! # async fn example(folder: Arc<DirStore>, slot: PluginSlot) -> Result<(), iamseal::Error> {
//! let store = SealedStore::new(VersionedStore::new(folder.clone()), slot).policy(Policy::Compatible);
//! let migration = store.migrate_in_background(Plan::of(folder)).await?;
//! println!("{}", migration.progress()); // migrating 3,412 of 10,000
//! migration.wait().await;
//! assert_eq!(store.present_policy(), Policy::Current);
//! # Ok(())
//! # }
//! ```

mod guard;
mod handle;
mod lease;
mod marker;
mod objects;
mod plan;
mod progress;
mod run;
mod shares;
mod verdict;

use std::sync::Arc;

use object_store::path::Path;

#[cfg(doc)]
use crate::contract::Policy;
use crate::contract::{ObjectError, SealOptions, SealedForm};
use crate::error::Error;
use crate::plugin::PluginSlot;

use super::standing::Standing;

pub use handle::Background;
pub use plan::{Plan, Share};
pub use progress::{Event, Progress, Stage};

/// What all paths of a migration's own objects begin with.
const OWN: &[u8] = b"config/x-iamseal/";
/// The path of the marker.
pub const MARKER: &str = "config/x-iamseal/migrated";
/// The path of the lease.
pub const LEASE: &str = "config/x-iamseal/lease";

/// Whether it is one of the migration's own objects.
pub(super) fn is_own(location: &Path) -> bool {
    location.as_ref().as_bytes().starts_with(OWN)
}

/// Reads the marker, then begins a migration as a task.
///
/// # Errors
/// See [`super::SealedStore::migrate_in_background`].
pub(super) async fn begin(
    standing: Arc<Standing>,
    slot: PluginSlot,
    options: SealOptions,
    plan: Plan,
) -> Result<Background, Error> {
    let refused = |why: &str| Err(Error::Object(ObjectError::Refused(why.to_owned())));
    let mut before = standing.now();
    standing.change(|now| {
        before = *now;
        now.is_taken |= !now.is_strict();
    });
    if before.is_taken {
        return refused("a migration of this store is under way");
    }
    if before.is_strict() {
        return refused(
            "nothing that is not current is opened here, so there is nothing to migrate",
        );
    }
    let taken = Taken(Arc::clone(&standing));
    if options.form == SealedForm::Rustfs {
        return refused("a store that is served is not brought to what RustFS reads");
    }
    let to_plaintext = plan.to_plaintext;
    standing.change(|now| {
        // Only once the marker is void.
        now.writes_plaintext &= to_plaintext;
        now.is_paused = false;
        now.is_stopped = false;
        now.settled = None;
    });
    let mut run = run::Run::new(Arc::clone(&standing), slot, options, plan);
    run.look_at_marker().await?;
    standing.change(|now| now.writes_plaintext = to_plaintext);
    Ok(Background::spawn(run, taken))
}

/// That a migration of a store is there, until it is dropped.
struct Taken(Arc<Standing>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.change(|now| now.is_taken = false);
    }
}
