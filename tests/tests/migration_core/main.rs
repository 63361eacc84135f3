//! Migration and audit over a store and a key service in memory that can misbehave: all of it in the
//! core, and that the component does the same.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod audits;
mod batches;
mod credentials;
mod current;
mod hostile;
mod meanwhile;
mod mixed;
mod plans;
mod reasons;
mod remote;
mod rustfs;
mod shards;
mod through;
mod transitions;
